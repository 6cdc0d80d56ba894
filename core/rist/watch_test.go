package rist

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// numbers reads until a number is reached or the receiver is closed.
func numbers(r transport.Reader, until int) (got []int, fresh int) {
	arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
	for len(got) == 0 || got[len(got)-1] < until {
		n, err := r.ReadBatch(arena, spans, 20*time.Second)
		if tsterr.KindOf(err) == tsterr.Discontinuity {
			fresh++
		} else if err != nil {
			break
		}
		for _, s := range spans[:n] {
			got = append(got, int(binary.BigEndian.Uint64(arena[s.Off:])))
		}
	}
	return got, fresh
}

func numbered(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

func listen(t *testing.T, port int, query string) *Receiver {
	t.Helper()
	c, err := ParseURL(fmt.Sprintf("rist://@127.0.0.1:%d?buffer=60%s", port, query), true)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Listen(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReceiverReplaced has a receiver end without a word, and another one in its place.
func TestReceiverReplaced(t *testing.T) {
	leak.Check(t)
	pol := transport.Policy{
		MaxAttempts: -1, GapCapacity: 4096, Mode: transport.Background,
		Backoff: transport.Backoff{Base: 5 * time.Millisecond},
	}
	for _, q := range []string{"", "&profile=main", "&secret=correct-horse"} {
		t.Run(q, func(t *testing.T) {
			port := evenPort(t)
			first := listen(t, port, q)
			c, err := ParseURL(fmt.Sprintf("rist://127.0.0.1:%d?buffer=60%s", port, q), false)
			if err != nil {
				t.Fatal(err)
			}
			w, err := NewManagedSender(context.Background(), c, pol)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			sent := 0
			sendUntil := func(what string, ok func() bool) {
				t.Helper()
				for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatal("never: ", what)
					}
					m := numbered(sent)
					if _, err := w.WriteBatch(m, whole(m), transport.Forever); err != nil {
						t.Fatal(err)
					}
					sent++
				}
			}
			had := make(chan []int)
			go func() {
				got, _ := numbers(first, 1<<40)
				had <- got
			}()
			sendUntil("received", func() bool { return first.Stats().MessagesReceived > 50 })
			_ = first.Close()
			one := <-had
			sendUntil("noticed", func() bool { return w.Reconnects().Reconnecting })
			held := sent
			second := listen(t, port, q)
			defer func() { _ = second.Close() }()
			sendUntil("replaced", func() bool { return w.Reconnects().Successes == 1 })
			last := sent
			done := make(chan struct{})
			go func() {
				defer close(done)
				two, _ := numbers(second, last)
				one = append(one, two...)
			}()
			sendUntil("received again", func() bool {
				select {
				case <-done:
					return true
				default:
					return false
				}
			})
			if !slices.IsSorted(one) || len(slices.Compact(slices.Clone(one))) != len(one) {
				t.Errorf("twice or in disorder: %v", one)
			}
			for i := held; i <= last; i++ {
				if _, found := slices.BinarySearch(one, i); !found {
					t.Errorf("%d was held, and did not come", i)
				}
			}
			s := w.Reconnects()
			missing := last + 1 - len(slices.DeleteFunc(slices.Clone(one), func(n int) bool { return n > last }))
			if s.LinkMessagesLost == 0 || s.GapMessagesDropped != 0 {
				t.Errorf("%d are missing, and counted was %+v", missing, s)
			}
			t.Logf("%d missing, %d counted", missing, s.LinkMessagesLost)
		})
	}
}

// TestSenderReplaced has a sender end without a word, and another one send to the same address.
func TestSenderReplaced(t *testing.T) {
	leak.Check(t)
	port := evenPort(t)
	c, err := ParseURL(fmt.Sprintf("rist://@127.0.0.1:%d?buffer=60", port), true)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewManagedReceiver(context.Background(), c, transport.DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for n := range 3 {
		s := dial(t, port, "")
		for i := range 20 {
			m := numbered(i)
			if _, err := s.WriteBatch(m, whole(m), 0); err != nil {
				t.Fatal(err)
			}
		}
		got, fresh := numbers(r, 19)
		if len(got) != 20 || fresh != min(n, 1) {
			t.Errorf("sender %d: %v, %d times new", n, got, fresh)
		}
		_ = s.Close()
	}
	if s := r.Reconnects(); s.Successes != 2 {
		t.Errorf("counted %+v", s)
	}
}
