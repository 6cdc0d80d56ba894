package abitest

import (
	"strings"
	"testing"
)

// TestCallFromC lets a C program hold a call: what an event loop in any language does.
func TestCallFromC(t *testing.T) {
	if out := sanitized(t, compile(t, "aio.c", "-std=gnu99")); !strings.Contains(out, "1 digit, 2 units") {
		t.Error(out)
	}
}
