package transport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/tsterr"
)

// link is a scripted link: it takes or gives messages until broken.
type link struct {
	mu      sync.Mutex
	got     []string
	give    []string
	acked   int // messages the peer acknowledged; -1: all
	broken  bool
	closed  bool
	changed chan struct{}
}

func newLink(give ...string) *link {
	return &link{give: give, acked: -1, changed: make(chan struct{}, 100)}
}

func (l *link) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.changed <- struct{}{}
}

func (l *link) WriteBatch(data []byte, spans []Span, _ time.Duration) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, tsterr.New(tsterr.Closed, "closed")
	}
	if l.broken {
		return 0, tsterr.New(tsterr.SRTBroken, "gone")
	}
	for _, s := range spans {
		l.got = append(l.got, string(data[s.Off:s.Off+s.Len]))
	}
	return len(spans), nil
}

func (l *link) ReadBatch(arena []byte, spans []Span, timeout time.Duration) (int, error) {
	t := newTimer(timeout)
	defer t.stop()
	for {
		l.mu.Lock()
		switch {
		case l.closed:
			l.mu.Unlock()
			return 0, tsterr.New(tsterr.Closed, "closed")
		case len(l.give) > 0:
			spans[0] = Span{0, uint32(copy(arena, l.give[0]))}
			l.give = l.give[1:]
			l.mu.Unlock()
			return 1, nil
		case l.broken:
			l.mu.Unlock()
			return 0, tsterr.New(tsterr.SRTBroken, "gone")
		}
		l.mu.Unlock()
		select {
		case <-l.changed:
		case <-t.c():
			return 0, Timeout("read")
		}
	}
}

func (l *link) Unacked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked < 0 {
		return 0
	}
	return len(l.got) - l.acked
}
func (l *link) Undelivered() int { return 0 }
func (l *link) Cancel()          { l.set(func() { l.closed = true }) }
func (l *link) Close() error     { l.Cancel(); return nil }
func (l *link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{MessagesSent: uint64(len(l.got)), BytesSent: uint64(len(l.got))}
}

func fast(mode Mode, attempts, capacity int) Policy {
	return Policy{MaxAttempts: attempts, GapCapacity: capacity, Mode: mode}
}

func send(w Writer, m string) error {
	_, err := w.WriteBatch([]byte(m), []Span{{0, uint32(len(m))}}, 5*time.Second)
	return err
}

func TestWriterResendsWhatWasNotAcknowledged(t *testing.T) {
	leak.Check(t)
	a, b := newLink(), newLink()
	a.acked = 0
	w, err := NewManagedWriter(a, fast(Blocking, 1, 4), func(context.Context) (Writer, error) { return b, nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		if i == 5 {
			a.set(func() { a.acked = 2 }) // 0 and 1 arrived
		}
		if err := send(w, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	a.set(func() { a.broken = true })
	if err := send(w, "8"); err != nil {
		t.Fatal(err)
	}
	// 2 to 7 were under way, the buffer held the last four of them.
	if want := []string{"4", "5", "6", "7", "8"}; !slices.Equal(b.got, want) {
		t.Errorf("second link got %v, want %v", b.got, want)
	}
	rs := w.Reconnects()
	if rs.Resent != 4 || rs.LinkMessagesLost != 2 || rs.LinkBytesLost != 2 || rs.Successes != 1 || rs.Attempts != 1 {
		t.Errorf("%+v", rs)
	}
	if !a.closed {
		t.Error("the old link was not closed")
	}
	if err := w.Close(); err != nil || !b.closed {
		t.Error(err)
	}
	if err := send(w, "x"); tsterr.KindOf(err) != tsterr.Closed {
		t.Error(err)
	}
}

func TestWriterExhaustedThenFresh(t *testing.T) {
	leak.Check(t)
	a, b := newLink(), newLink()
	a.broken = true
	tries := 0
	w, err := NewManagedWriter(a, fast(Blocking, 3, 4), func(context.Context) (Writer, error) {
		if tries++; tries <= 3 {
			return nil, tsterr.New(tsterr.SRTConnectFailed, "nobody there")
		}
		return b, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := send(w, "lost"); tsterr.KindOf(err) != tsterr.SRTConnectFailed || w.Alive() {
		t.Fatal(err, w.Alive())
	}
	if err := send(w, "kept"); err != nil || !slices.Equal(b.got, []string{"kept"}) || !w.Alive() {
		t.Fatal(err, b.got)
	}
	_ = w.Close()
}

func TestWriterInBackground(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		overflow Overflow
		want     []string
		dropped  uint64
	}{
		{DropOldest, []string{"2", "3"}, 2},
		{Reject, []string{"0", "1"}, 0},
	} {
		a, b := newLink(), newLink()
		a.broken = true
		go_ := make(chan struct{})
		pol := fast(Background, 1, 2)
		pol.Overflow = c.overflow
		w, err := NewManagedWriter(a, pol, func(ctx context.Context) (Writer, error) {
			select {
			case <-go_:
				return b, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		for i := range 4 {
			if err := send(w, fmt.Sprint(i)); tsterr.KindOf(err) == tsterr.NoMemory {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if rs := w.Reconnects(); rs.GapLen != 2 || rs.GapMessagesDropped != c.dropped || !rs.Reconnecting {
			t.Errorf("%+v", rs)
		}
		if c.overflow == Reject && refused != 2 {
			t.Errorf("%d refused", refused)
		}
		close(go_)
		for w.Reconnects().Reconnecting {
			time.Sleep(time.Millisecond)
		}
		if !slices.Equal(b.got, c.want) {
			t.Errorf("got %v, want %v", b.got, c.want)
		}
		_ = w.Close()
	}
}

func TestReaderMarksTheNewLink(t *testing.T) {
	leak.Check(t)
	a, b := newLink("1", "2"), newLink("3", "4")
	a.broken = true
	n := 0
	r, err := NewManagedReader(a, fast(Blocking, 2, 1), func(context.Context) (Reader, error) {
		if n++; n == 1 {
			return b, nil
		}
		return nil, errors.New("no more")
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.broken = true
	var got []string
	arena, spans := make([]byte, 10), make([]Span, 4)
	for {
		n, err := r.ReadBatch(arena, spans, 5*time.Second)
		if tsterr.KindOf(err) == tsterr.Discontinuity {
			got = append(got, "new link")
		} else if err != nil {
			if tsterr.KindOf(err) != tsterr.EOS {
				t.Fatal(err)
			}
			break
		}
		for _, s := range spans[:n] {
			got = append(got, string(arena[s.Off:s.Off+s.Len]))
		}
	}
	if want := []string{"1", "2", "new link", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := r.ReadBatch(arena, spans, Forever); tsterr.KindOf(err) != tsterr.EOS || r.EndReason() != EndExhausted {
		t.Error(err, r.EndReason())
	}
	if rs := r.Reconnects(); rs.Attempts != 3 || rs.Successes != 1 {
		t.Errorf("%+v", rs)
	}
	_ = r.Close()
}

func TestReaderTakeover(t *testing.T) {
	leak.Check(t)
	a, b := newLink("old"), newLink("new")
	r, err := NewManagedReader(a, fast(Blocking, 2, 1), func(context.Context) (Reader, error) { return nil, errors.New("not needed") },
		func(time.Duration) Reader { return b })
	if err != nil {
		t.Fatal(err)
	}
	arena, spans := make([]byte, 10), make([]Span, 1)
	if _, err := r.ReadBatch(arena, spans, Forever); err != nil {
		t.Fatal(err)
	}
	if n, err := r.ReadBatch(arena, spans, Forever); n != 1 || tsterr.KindOf(err) != tsterr.Discontinuity || string(arena[:3]) != "new" {
		t.Fatal(n, err)
	}
	_ = r.Close()
	if !a.closed {
		t.Error("the silent link was not closed")
	}
}

func TestEndsWhileReconnecting(t *testing.T) {
	leak.Check(t)
	never := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for end, want := range map[string]tsterr.Kind{"cancel": tsterr.Cancelled, "close": tsterr.Closed} {
		a, b := newLink(), newLink()
		a.broken, b.broken = true, true
		w, _ := NewManagedWriter(a, fast(Blocking, -1, 1), func(ctx context.Context) (Writer, error) { return nil, never(ctx) })
		r, _ := NewManagedReader(b, fast(Blocking, -1, 1), func(ctx context.Context) (Reader, error) { return nil, never(ctx) }, nil)
		errs := make(chan error, 2)
		go func() { _, err := w.WriteBatch([]byte("x"), []Span{{0, 1}}, Forever); errs <- err }()
		go func() { _, err := r.ReadBatch(make([]byte, 1), make([]Span, 1), Forever); errs <- err }()
		for w.Reconnects().Attempts == 0 || r.Reconnects().Attempts == 0 {
			time.Sleep(time.Millisecond)
		}
		if end == "cancel" {
			w.Cancel()
			r.Cancel()
		} else {
			_ = w.Close()
			_ = r.Close()
		}
		for range 2 {
			if err := <-errs; tsterr.KindOf(err) != want {
				t.Errorf("%s: %v", end, err)
			}
		}
		if r.EndReason() != EndCancelled {
			t.Error(r.EndReason())
		}
		_ = w.Close()
		_ = r.Close()
	}
}

func TestBackoff(t *testing.T) {
	exp := Backoff{Exponential: true, Base: 100 * time.Millisecond, Max: time.Second}
	for n, want := range map[int]time.Duration{1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 500: 1000} {
		if got := exp.Wait(n); got != want*time.Millisecond {
			t.Errorf("attempt %d: %v", n, got)
		}
	}
	if got := (Backoff{Base: time.Second}).Wait(9); got != time.Second {
		t.Error(got)
	}
	for _, p := range []Policy{
		{GapCapacity: 0},
		{GapCapacity: 1, Backoff: Backoff{Exponential: true, Base: 2, Max: 1}},
		{GapCapacity: 1, Backoff: Backoff{Base: -1}},
		{GapCapacity: 1, Mode: 9},
	} {
		if tsterr.KindOf(p.Validate()) != tsterr.InvalidArg {
			t.Errorf("%+v passes", p)
		}
	}
}

func TestGapBufferStaysBounded(t *testing.T) {
	g := newGapBuffer(1 << 30)
	m := make([]byte, 60000)
	for range 1000 {
		g.pushSent(m)
	}
	if g.bytes > MaxGapBytes || g.n != MaxGapBytes/len(m) {
		t.Errorf("%d messages, %d bytes", g.n, g.bytes)
	}
}

func BenchmarkManagedWrite(b *testing.B) {
	w, _ := NewManagedWriter(&sink{}, fast(Blocking, 1, 256), nil)
	m, s := make([]byte, 1316), []Span{{0, 1316}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.WriteBatch(m, s, Forever); err != nil {
			b.Fatal(err)
		}
	}
}

type sink struct{ link }

func (*sink) WriteBatch(_ []byte, s []Span, _ time.Duration) (int, error) { return len(s), nil }
func (*sink) Unacked() int                                                { return 100 }
