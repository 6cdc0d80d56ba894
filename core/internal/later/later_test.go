package later

import (
	"sync/atomic"
	"testing"
	"time"
)

func TestOnceMoreAfterTheLastOccasion(t *testing.T) {
	var calls atomic.Int32
	done := make(chan time.Time, 100)
	l := &Later{Wait: 10 * time.Millisecond, Until: 25 * time.Millisecond, Do: func() { calls.Add(1); done <- time.Now() }}
	for range 1000 {
		l.Occasion()
	}
	last := time.Now()
	var end time.Time
	for armed := true; armed; {
		select {
		case end = <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("never")
		}
		l.mu.Lock()
		armed = l.armed && time.Since(last) < 10*time.Second
		l.mu.Unlock()
		if armed {
			continue
		}
	}
	if n := calls.Load(); n < 1 || n > 10 || end.Before(last) {
		t.Errorf("%d calls, the last %v after the last occasion", n, end.Sub(last))
	}
	l.Occasion()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("not again")
	}
}
