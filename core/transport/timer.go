package transport

import "time"

// timer is the deadline of one call; it makes a real timer only when waited on.
type timer struct {
	timeout time.Duration
	end     time.Time
	t       *time.Timer
}

func newTimer(timeout time.Duration) timer {
	t := timer{timeout: timeout}
	if timeout > 0 {
		t.end = time.Now().Add(timeout)
	}
	return t
}

// left is what remains: Forever stays so, and it never gets below Poll.
func (t *timer) left() time.Duration {
	if t.timeout <= 0 {
		return t.timeout
	}
	return max(0, time.Until(t.end))
}

// c fires at the deadline; it is nil, so never ready, without one.
func (t *timer) c() <-chan time.Time {
	if t.timeout < 0 {
		return nil
	}
	if t.t == nil {
		t.t = time.NewTimer(t.left())
	}
	return t.t.C
}

func (t *timer) stop() {
	if t.t != nil {
		t.t.Stop()
	}
}

// sleep waits for d and reports false when the life ended first.
func sleep(l *Life, d time.Duration) bool {
	if l.Cancelled() {
		return false
	}
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.Done():
		return false
	}
}
