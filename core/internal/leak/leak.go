// Package leak checks in tests that no goroutine outlives what started it.
package leak

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// settle is how long goroutines that were told to end may take.
const settle = 5 * time.Second

// Check fails the test when, at its end, more goroutines run inside this module
// than at its beginning. Call it first, so that it runs after other cleanups.
func Check(t testing.TB) {
	t.Helper()
	before := count()
	t.Cleanup(func() {
		end := time.Now().Add(settle)
		for count() > before {
			if time.Now().After(end) {
				buf := make([]byte, 1<<20)
				t.Errorf("%d goroutines, %d before:\n%s", count(), before, buf[:runtime.Stack(buf, true)])
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func count() int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	for _, g := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(g, "tstrans/core/") && !strings.Contains(g, "testing.tRunner") &&
			!strings.Contains(g, "internal/leak.count") {
			n++
		}
	}
	return n
}
