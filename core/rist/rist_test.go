package rist

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// evenPort finds a free even port whose neighbour is free too: the simple profile uses both.
func evenPort(t testing.TB) int {
	t.Helper()
	for range 200 {
		a, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.LocalAddr().(*net.UDPAddr).Port
		b, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", port+1))
		_ = a.Close()
		if err == nil {
			_ = b.Close()
			if port%2 == 0 {
				return port
			}
		}
	}
	t.Fatal("no even port")
	return 0
}

func pair(t testing.TB, query string) (*Sender, *Receiver) {
	t.Helper()
	port := evenPort(t)
	rc, err := ParseURL(fmt.Sprintf("rist://@127.0.0.1:%d?buffer=60%s", port, query), true)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Listen(context.Background(), rc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	sc, err := ParseURL(fmt.Sprintf("rist://127.0.0.1:%d?buffer=60%s", port, query), false)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Dial(context.Background(), sc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, r
}

// receive reads n messages, which must be the first n in order.
func receive(t *testing.T, r *Receiver, n int) {
	t.Helper()
	arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
	for got := 0; got < n; {
		k, err := r.ReadBatch(arena, spans, 20*time.Second)
		if err != nil {
			t.Fatalf("after %d: %v", got, err)
		}
		for _, sp := range spans[:k] {
			if !bytes.Equal(arena[sp.Off:sp.Off+sp.Len], message(got)) {
				t.Fatalf("message %d differs", got)
			}
			got++
		}
	}
}

func message(i int) []byte {
	m := bytes.Repeat([]byte{byte(i)}, 1+i%DefaultPacketSize)
	if len(m) >= 8 {
		binary.BigEndian.PutUint64(m, uint64(i))
	}
	return m
}

func whole(b []byte) []transport.Span { return []transport.Span{{Len: uint32(len(b))}} }

// meet sends greetings until one arrives: what is sent before is lost.
func meet(t *testing.T, s *Sender, r *Receiver) {
	t.Helper()
	arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
	hello := []byte("hello there")
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if _, err := s.WriteBatch(hello, whole(hello), 0); err != nil {
			t.Fatal(err)
		}
		if n, err := r.ReadBatch(arena, spans, 50*time.Millisecond); n > 0 {
			for { // the others
				if _, late := r.ReadBatch(arena, spans, 300*time.Millisecond); transport.IsTimeout(late) {
					return
				}
			}
		} else if !transport.IsTimeout(err) {
			t.Fatal(err)
		}
	}
	t.Fatal("the two never met")
}

// TestTheBufferHolds sends from the first message on and wants every one held for the length of the buffer: what
// is held for less cannot be asked for again.
func TestTheBufferHolds(t *testing.T) {
	leak.Check(t)
	for _, q := range []string{"", "&profile=main"} {
		t.Run(q, func(t *testing.T) {
			s, r := pair(t, q)
			const n = 40
			sent := make(chan time.Time, n)
			go func() {
				for i := range n {
					at := time.Now()
					if _, err := s.WriteBatch(message(i), whole(message(i)), 0); err != nil {
						t.Error(err)
					}
					sent <- at
					time.Sleep(10 * time.Millisecond)
				}
			}()
			arena, spans := make([]byte, 1<<16), make([]transport.Span, 1)
			for i := range n {
				if _, err := r.ReadBatch(arena, spans, 20*time.Second); err != nil {
					t.Fatalf("after %d: %v", i, err)
				}
				if held := time.Since(<-sent); held < 50*time.Millisecond {
					t.Errorf("message %d was held for %v of 60 ms", i, held)
				}
			}
		})
	}
}

func TestMessages(t *testing.T) {
	leak.Check(t)
	for _, q := range []string{"", "&profile=main", "&profile=main&secret=correct-horse&aes-type=128", "&secret=correct-horse"} {
		t.Run(q, func(t *testing.T) {
			s, r := pair(t, q)
			meet(t, s, r)
			const n = 400
			go func() {
				for i := range n {
					if _, err := s.WriteBatch(message(i), whole(message(i)), 0); err != nil {
						t.Error(err)
						return
					}
					time.Sleep(200 * time.Microsecond)
				}
			}()
			receive(t, r, n)
			for end := time.Now().Add(10 * time.Second); r.Details().Received < n || s.Details().Sent < n; {
				if time.Now().After(end) {
					t.Fatalf("%+v %+v", s.Details(), r.Details())
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

func TestWrongSecretDeliversNothing(t *testing.T) {
	for _, c := range []struct{ sender, receiver string }{
		{"&secret=wrong--horse", "&secret=correct-horse"},
		{"&profile=main", "&secret=correct-horse"},
		{"&secret=correct-horse", "&profile=main"},
		{"", "&secret=correct-horse"},
	} {
		t.Run(c.sender+" to "+c.receiver, func(t *testing.T) {
			port := evenPort(t)
			rc, _ := ParseURL(fmt.Sprintf("rist://@127.0.0.1:%d?buffer=60%s", port, c.receiver), true)
			r, err := Listen(context.Background(), rc)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			sc, _ := ParseURL(fmt.Sprintf("rist://127.0.0.1:%d?buffer=60%s", port, c.sender), false)
			s, err := Dial(context.Background(), sc)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
			for range 20 {
				_, _ = s.WriteBatch(message(500), whole(message(500)), 0)
				if n, _ := r.ReadBatch(arena, spans, 50*time.Millisecond); n > 0 {
					t.Fatal("delivered")
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	s, r := pair(t, "")
	for _, n := range []int{0, DefaultPacketSize + 1} {
		m := make([]byte, n)
		if _, err := s.WriteBatch(m, whole(m), 0); tsterr.KindOf(err) != tsterr.RISTPayloadTooLarge {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	arena, spans := make([]byte, 10), make([]transport.Span, 4)
	for _, d := range []time.Duration{0, 5 * time.Millisecond} {
		if _, err := r.ReadBatch(arena, spans, d); !transport.IsTimeout(err) {
			t.Error(err)
		}
	}
	if _, err := Listen(context.Background(), r.cfg); tsterr.KindOf(err) != tsterr.RISTPeerCreateFailed {
		t.Error("the same port again:", err)
	}
}

func TestParkedCallsEnd(t *testing.T) {
	leak.Check(t)
	for end, want := range map[string]tsterr.Kind{"cancel": tsterr.Cancelled, "close": tsterr.Closed} {
		_, r := pair(t, "")
		errs := make(chan error)
		go func() {
			_, err := r.ReadBatch(make([]byte, 100), make([]transport.Span, 1), transport.Forever)
			errs <- err
		}()
		_ = r.Stats()
		if end == "cancel" {
			r.Cancel()
		} else {
			_ = r.Close()
		}
		if err := <-errs; tsterr.KindOf(err) != want {
			t.Errorf("%s: %v", end, err)
		}
	}
}

func TestURLs(t *testing.T) {
	for _, c := range []struct {
		url    string
		listen bool
		kind   tsterr.Kind
	}{
		{"rist://127.0.0.1:5000", false, tsterr.OK},
		{"rist://@[::1]:5000?profile=main&buffer=100&session_timeout=5&cname=x&compression=no&what=ever", true, tsterr.OK},
		{"rist://127.0.0.1:5000?bandwidth=5&recovery_maxbitrate=5", false, tsterr.OK},
		{"rist://127.0.0.1:5000", true, tsterr.RISTInvalidConfig},
		{"rist://u:p@127.0.0.1:5000", true, tsterr.OK},
		{"rist://u:p@127.0.0.1:5000", false, tsterr.RISTInvalidConfig},
		{"rist://@127.0.0.1:5000", false, tsterr.RISTInvalidConfig},
		{"rist://localhost:5000", false, tsterr.RISTURL},
		{"rist://:5000", false, tsterr.RISTURL},
		{"RIST://127.0.0.1:5000", false, tsterr.RISTURL},
		{"rist://127.0.0.1:5000?profile=best", false, tsterr.RISTURL},
		{"rist://127.0.0.1:5000?bandwidth=5&recovery_maxbitrate=6", false, tsterr.RISTURL},
		{"rist://127.0.0.1:5000?aes-type=128", false, tsterr.RISTURL},
		{"rist://127.0.0.1:5000?aes-type=100&secret=x", false, tsterr.RISTURL},
		{"rist://127.0.0.1:5000?compression=maybe", false, tsterr.RISTURL},
		{"rist://127.0.0.1:5000?buffer=-1", false, tsterr.RISTURL},
	} {
		if _, err := ParseURL(c.url, c.listen); tsterr.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.url, err)
		}
	}
	c, _ := ParseURL("rist://127.0.0.1:5000?secret=x", false)
	if err := c.validate(); err != nil || c.KeySize != 256 || c.Profile != Main {
		t.Errorf("%+v %v", c, err)
	}
	c.Secret = strings.Repeat("x", 128)
	if tsterr.KindOf(c.validate()) != tsterr.RISTInvalidConfig {
		t.Error("a long secret passes")
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("rist://@127.0.0.1:5000?buffer=100&secret=x&aes-type=192", true)
	f.Fuzz(func(t *testing.T, s string, listen bool) {
		_, err := ParseURL(s, listen)
		if k := tsterr.KindOf(err); err != nil && k != tsterr.RISTURL && k != tsterr.RISTInvalidConfig {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
