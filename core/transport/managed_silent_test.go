package transport

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/tsterr"
)

// mute is a link whose peer may stop acknowledging, and whose writes may then be parked.
type mute struct {
	*link
	silence atomic.Int64
	parked  chan struct{} // nil: writes never park
}

func (m *mute) Silence() time.Duration { return time.Duration(m.silence.Load()) }

func (m *mute) WriteBatch(data []byte, spans []Span, timeout time.Duration) (int, error) {
	if m.parked != nil && m.Silence() > 0 {
		m.parked <- struct{}{}
		for {
			m.mu.Lock()
			closed := m.closed
			m.mu.Unlock()
			if closed {
				return 0, tsterr.New(tsterr.Cancelled, "cancelled")
			}
			time.Sleep(time.Millisecond)
		}
	}
	return m.link.WriteBatch(data, spans, timeout)
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: ", what)
		}
	}
}

func TestWriterReplacesASilentLink(t *testing.T) {
	leak.Check(t)
	a, b := &mute{link: newLink()}, newLink()
	a.acked = 1
	w, err := NewManagedWriter(a, fast(Blocking, 1, 8), func(context.Context) (Writer, error) { return b, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{"0", "1"} {
		if err := send(w, m); err != nil {
			t.Fatal(err)
		}
	}
	a.silence.Store(int64(2 * suspectAfter))
	if err := send(w, "2"); err != nil { // still over the silent link
		t.Fatal(err)
	}
	until(t, "the link is replaced", func() bool { return w.Reconnects().Successes == 1 })
	if err := send(w, "3"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"1", "2", "3"}; !slices.Equal(b.got, want) {
		t.Errorf("the new link got %v, want %v", b.got, want)
	}
	until(t, "the silent link is closed", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.closed })
	if rs := w.Reconnects(); rs.LinkMessagesLost != 0 || rs.Resent != 2 || rs.Attempts != 1 || rs.Reconnecting {
		t.Errorf("%+v", rs)
	}
	_ = w.Close()
}

func TestWriterParkedInASilentLinkLeavesIt(t *testing.T) {
	leak.Check(t)
	a, b := &mute{link: newLink(), parked: make(chan struct{}, 1)}, newLink()
	a.acked = 0
	dial := make(chan struct{})
	w, err := NewManagedWriter(a, fast(Blocking, 1, 8), func(ctx context.Context) (Writer, error) {
		select {
		case <-dial:
			return b, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	a.silence.Store(int64(2 * suspectAfter))
	w.mu.Lock()
	w.suspect(a)
	w.mu.Unlock()
	sent := make(chan error, 1)
	go func() { sent <- send(w, "kept") }()
	<-a.parked
	close(dial)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.got, []string{"kept"}) {
		t.Errorf("the new link got %v", b.got)
	}
	_ = w.Close()
}

func TestWriterKeepsALinkThatIsHeardAgain(t *testing.T) {
	leak.Check(t)
	a := &mute{link: newLink()}
	begun, given := make(chan struct{}, 1), make(chan error, 1)
	w, err := NewManagedWriter(a, fast(Blocking, 1, 8), func(ctx context.Context) (Writer, error) {
		begun <- struct{}{}
		<-ctx.Done() // nobody answers
		given <- ctx.Err()
		return nil, ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	a.silence.Store(int64(2 * suspectAfter))
	if err := send(w, "0"); err != nil {
		t.Fatal(err)
	}
	<-begun
	a.silence.Store(0)
	if err := <-given; err == nil {
		t.Error("the attempt was not given up")
	}
	until(t, "the worker ends", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return !w.working })
	if err := send(w, "1"); err != nil || !slices.Equal(a.got, []string{"0", "1"}) || a.closed {
		t.Error(err, a.got, a.closed)
	}
	if rs := w.Reconnects(); rs.Successes != 0 || rs.Reconnecting {
		t.Errorf("%+v", rs)
	}
	_ = w.Close()
}

// TestWriterUsesTheEarlyAttempt breaks the link while the attempt is under way: a second one would take a peer's only place.
func TestWriterUsesTheEarlyAttempt(t *testing.T) {
	leak.Check(t)
	a, b := &mute{link: newLink()}, newLink()
	begun, dial := make(chan struct{}, 2), make(chan struct{})
	w, err := NewManagedWriter(a, fast(Blocking, 1, 8), func(context.Context) (Writer, error) {
		begun <- struct{}{}
		<-dial
		return b, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a.silence.Store(int64(2 * suspectAfter))
	if err := send(w, "0"); err != nil {
		t.Fatal(err)
	}
	<-begun
	a.set(func() { a.broken = true })
	sent := make(chan error, 1)
	go func() { sent <- send(w, "1") }()
	until(t, "the loss is seen", func() bool { return w.Current() == nil })
	close(dial)
	if err := <-sent; err != nil || !slices.Equal(b.got, []string{"1"}) {
		t.Error(err, b.got)
	}
	if rs := w.Reconnects(); rs.Attempts != 1 || rs.Successes != 1 {
		t.Errorf("%+v", rs)
	}
	_ = w.Close()
	if !a.closed {
		t.Error("the broken link was not closed")
	}
}
