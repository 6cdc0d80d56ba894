package rist

import (
	"context"
	"fmt"
	"testing"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

func dial(t *testing.T, port int, query string) *Sender {
	t.Helper()
	c, err := ParseURL(fmt.Sprintf("rist://127.0.0.1:%d?buffer=60%s", port, query), false)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Dial(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestNothingIsLostBeforeTheMeeting sends at once, to a receiver that is not there yet.
func TestNothingIsLostBeforeTheMeeting(t *testing.T) {
	leak.Check(t)
	for _, q := range []string{"", "&profile=main", "&secret=correct-horse"} {
		t.Run(q, func(t *testing.T) {
			port := evenPort(t)
			s := dial(t, port, q)
			const n = 50
			for i := range n {
				if _, err := s.WriteBatch(message(i), whole(message(i)), 0); err != nil {
					t.Fatal(err)
				}
			}
			c, err := ParseURL(fmt.Sprintf("rist://@127.0.0.1:%d?buffer=60%s", port, q), true)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Listen(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
			receive(t, r, n)
			if got := r.Details().Received; got < n {
				t.Errorf("%d received by the statistics", got)
			}
			if d := s.Stats().MessagesDropped; d != 0 {
				t.Errorf("%d dropped", d)
			}
		})
	}
}

// TestWhatNobodyGetsIsCounted sends more than is held, and closes before a meeting.
func TestWhatNobodyGetsIsCounted(t *testing.T) {
	leak.Check(t)
	s := dial(t, evenPort(t), "")
	const n = MaxHeld + 10
	m := []byte("nobody")
	spans := make([]transport.Span, n)
	for i := range spans {
		spans[i].Len = uint32(len(m))
	}
	if k, err := s.WriteBatch(m, spans, 0); k != n || err != nil {
		t.Fatal(k, err)
	}
	if d := s.Stats().MessagesDropped; d < 10 {
		t.Errorf("%d dropped, want 10", d)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.MessagesDropped != n || st.MessagesSent != n {
		t.Errorf("%+v", st)
	}
	if _, err := s.WriteBatch(m, spans[:1], 0); tsterr.KindOf(err) != tsterr.Closed {
		t.Error(err)
	}
}
