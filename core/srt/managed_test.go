package srt

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

func forever() transport.Policy {
	p := transport.DefaultPolicy()
	p.MaxAttempts, p.Backoff, p.GapCapacity = -1, transport.Backoff{Base: 10 * time.Millisecond}, 4096
	return p
}

// collector reads numbered messages and remembers each once.
type collector struct {
	mu   sync.Mutex
	seen map[uint64]int
	gaps int
}

func (c *collector) run(r transport.Reader) error {
	arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
	for {
		n, err := r.ReadBatch(arena, spans, transport.Forever)
		c.mu.Lock()
		for _, s := range spans[:n] {
			c.seen[binary.BigEndian.Uint64(arena[s.Off:])]++
		}
		if tsterr.KindOf(err) == tsterr.Discontinuity {
			c.gaps++
			err = nil
		}
		c.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

func (c *collector) count() (unique, twice, gaps int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.seen {
		if n > 1 {
			twice++
		}
	}
	return len(c.seen), twice, c.gaps
}

func (c *collector) wait(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if u, _, _ := c.count(); u >= n {
			return
		}
		if time.Now().After(end) {
			u, _, _ := c.count()
			t.Fatalf("%d of %d messages arrived", u, n)
		}
	}
}

func TestManagedReceiverTakesTheNextSender(t *testing.T) {
	leak.Check(t)
	probe := listener(t, "")
	port := probe.LocalAddr().Port()
	_ = probe.Close()
	got := &collector{seen: map[uint64]int{}}
	done := make(chan error, 1)
	ready := make(chan *ManagedReceiver, 1)
	go func() {
		r, err := NewManagedReceiver(context.Background(), config(t, fmt.Sprintf("srt://127.0.0.1:%d?mode=listener&latency=20", port)), forever())
		if err != nil {
			done <- err
			return
		}
		ready <- r
		done <- got.run(r)
	}()
	var r *ManagedReceiver
	for round := range 3 {
		c, err := Dial(context.Background(), config(t, fmt.Sprintf("srt://127.0.0.1:%d?latency=20", port)))
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			r = <-ready
		}
		for i := range 50 {
			m := message(round*1000 + i)
			if _, err := c.WriteBatch(m, whole(m), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		got.wait(t, 50*(round+1))
		if round == 1 { // the third sender comes while the second is silent, not gone
			defer func() { _ = c.Close() }()
		} else {
			_ = c.Close()
		}
	}
	if u, twice, gaps := got.count(); u != 150 || twice != 0 || gaps != 2 {
		t.Errorf("%d messages, %d twice, %d new links", u, twice, gaps)
	}
	if rs := r.Reconnects(); rs.Successes != 2 {
		t.Errorf("%+v", rs)
	}
	r.Cancel()
	if err := <-done; tsterr.KindOf(err) != tsterr.Cancelled || r.EndReason() != transport.EndCancelled {
		t.Error(err, r.EndReason())
	}
	_ = r.Close()
}

func TestManagedSenderKeepsWhatTheDeadPeerDidNotTake(t *testing.T) {
	leak.Check(t)
	for _, mode := range []transport.Mode{transport.Blocking, transport.Background} {
		l := listener(t, "&latency=20")
		pol := forever()
		pol.Mode = mode
		w, err := NewManagedSender(context.Background(), config(t, fmt.Sprintf("srt://127.0.0.1:%d?latency=20", l.LocalAddr().Port())), pol)
		if err != nil {
			t.Fatal(err)
		}
		got := &collector{seen: map[uint64]int{}}
		sent := 0
		send := func(n int) {
			for range n {
				m := message(sent)
				if _, err := w.WriteBatch(m, whole(m), 20*time.Second); err != nil {
					t.Fatal(err)
				}
				sent++
			}
		}
		accept := func() (*Conn, chan struct{}) {
			b, err := l.Accept(20 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() { _ = got.run(b); close(done) }()
			return b, done
		}
		b, done := accept()
		send(100)
		got.wait(t, 100)
		for w.Current().(*Conn).Unacked() > 0 {
			time.Sleep(trackStep)
		}
		_ = b.Close() // the shutdown reaches the sender at once
		<-done
		for !w.Reconnects().Reconnecting && w.Reconnects().Successes == 0 {
			send(1)
			time.Sleep(time.Millisecond)
		}
		b, done = accept()
		send(100)
		got.wait(t, sent)
		if u, twice, _ := got.count(); u != sent || twice != 0 {
			t.Errorf("%d of %d messages, %d twice", u, sent, twice)
		}
		rs := w.Reconnects()
		if rs.Successes != 1 || rs.GapMessagesDropped != 0 || rs.LinkMessagesLost != 0 {
			t.Errorf("%+v", rs)
		}
		_ = w.Close()
		_ = b.Close()
		<-done
		_ = l.Close()
	}
}
