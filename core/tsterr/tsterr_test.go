package tsterr

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindsAreNamedOnce(t *testing.T) {
	seen := map[string]Kind{}
	Each(func(k Kind, s string) {
		if k > 0 {
			t.Errorf("%s is %d: errors are negative", s, k)
		}
		if other, dup := seen[s]; dup {
			t.Errorf("%q names %d and %d", s, k, other)
		}
		seen[s] = k
	})
}

func TestErrorChain(t *testing.T) {
	e := At(DemuxMalformedPES, "PES_header_data_length", 12, "runs past the packet").With("pid", 0x101)
	wrapped := fmt.Errorf("reading: %w", e)
	if KindOf(wrapped) != DemuxMalformedPES {
		t.Errorf("KindOf = %v", KindOf(wrapped))
	}
	if !errors.Is(wrapped, &Error{Kind: DemuxMalformedPES}) {
		t.Error("errors.Is does not match the kind")
	}
	if KindOf(errors.New("x")) != Internal || KindOf(nil) != OK {
		t.Error("KindOf of foreign errors")
	}
	if e.Error() != "runs past the packet" {
		t.Errorf("message %q", e.Error())
	}
}
