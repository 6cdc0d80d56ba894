package udp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

func pair(t testing.TB, query string) (*Sender, *Receiver) {
	t.Helper()
	r, err := Listen(context.Background(), ReceiverConfig{Host: "127.0.0.1", ReceiveBuffer: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	cfg, err := ParseSenderURL(fmt.Sprintf("udp://127.0.0.1:%d%s", r.Port(), query))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Dial(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, r
}

func whole(b []byte) []transport.Span { return []transport.Span{{Len: uint32(len(b))}} }

func readAll(t *testing.T, r *Receiver, want int) [][]byte {
	t.Helper()
	arena, spans := make([]byte, 1<<20), make([]transport.Span, 64)
	var got [][]byte
	for len(got) < want {
		n, err := r.ReadBatch(arena, spans, 10*time.Second)
		if err != nil {
			t.Fatalf("after %d datagrams: %v", len(got), err)
		}
		for _, sp := range spans[:n] {
			got = append(got, bytes.Clone(arena[sp.Off:sp.Off+sp.Len]))
		}
	}
	return got
}

func TestDatagrams(t *testing.T) {
	leak.Check(t)
	s, r := pair(t, "?pkt_size=65507")
	want := [][]byte{[]byte("a"), {}, bytes.Repeat([]byte{0x47}, 1316), bytes.Repeat([]byte{1}, 65507), []byte("end")}
	var data []byte
	spans := make([]transport.Span, 0, len(want))
	for _, m := range want {
		spans = append(spans, transport.Span{Off: uint32(len(data)), Len: uint32(len(m))})
		data = append(data, m...)
	}
	if n, err := s.WriteBatch(data, spans, time.Second); n != len(want) || err != nil {
		t.Fatal(n, err)
	}
	for i, m := range readAll(t, r, len(want)) {
		if !bytes.Equal(m, want[i]) {
			t.Errorf("datagram %d: %d bytes, want %d", i, len(m), len(want[i]))
		}
	}
	if st := s.Stats(); st.MessagesSent != 5 || st.BytesSent != uint64(len(data)) || st.SendErrors != 0 {
		t.Errorf("sender %+v", st)
	}
	if st := r.Stats(); st.MessagesReceived != 5 || st.BytesReceived != uint64(len(data)) || st.MessagesDropped != 0 {
		t.Errorf("receiver %+v", st)
	}
}

func TestSmallArenaKeepsTheDatagram(t *testing.T) {
	s, r := pair(t, "")
	m := bytes.Repeat([]byte{7}, 1000)
	if _, err := s.WriteBatch(m, whole(m), 0); err != nil {
		t.Fatal(err)
	}
	spans := make([]transport.Span, 4)
	_, err := r.ReadBatch(make([]byte, 999), spans, 5*time.Second)
	if tsterr.KindOf(err) != tsterr.BufferTooSmall {
		t.Fatal(err)
	}
	n, err := r.ReadBatch(make([]byte, 1000), spans, 5*time.Second)
	if n != 1 || err != nil || spans[0].Len != 1000 {
		t.Fatal(n, err, spans[0])
	}
}

func TestTooLong(t *testing.T) {
	s, _ := pair(t, "?pkt_size=100")
	m := make([]byte, 101)
	_, err := s.WriteBatch(m, whole(m), 0)
	if tsterr.KindOf(err) != tsterr.UDPPayloadTooLarge {
		t.Fatal(err)
	}
	if st := s.Stats(); st.SendErrors != 1 || st.MessagesSent != 0 {
		t.Errorf("%+v", st)
	}
	s, _ = pair(t, "?pkt_size=70000")
	m = make([]byte, 65508) // one more than the protocol carries
	_, err = s.WriteBatch(m, whole(m), 0)
	if tsterr.KindOf(err) != tsterr.UDPIO || s.Stats().SendErrors != 1 {
		t.Fatal(err, s.Stats())
	}
}

func TestNoListenerIsNoError(t *testing.T) {
	s, r := pair(t, "")
	_ = r.Close()
	for range 200 {
		if _, err := s.WriteBatch([]byte("x"), whole([]byte("x")), time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTimeoutCancelClose(t *testing.T) {
	leak.Check(t)
	_, r := pair(t, "")
	arena, spans := make([]byte, 2048), make([]transport.Span, 1)
	for _, d := range []time.Duration{0, time.Millisecond, 0} {
		if _, err := r.ReadBatch(arena, spans, d); !transport.IsTimeout(err) {
			t.Fatalf("%v: %v", d, err)
		}
	}
	for name, end := range map[string]func(r *Receiver){
		"cancel": func(r *Receiver) { r.Cancel() },
		"close":  func(r *Receiver) { _ = r.Close() },
	} {
		_, r := pair(t, "")
		errs := make(chan error)
		go func() {
			_, err := r.ReadBatch(arena, spans, transport.Forever)
			errs <- err
		}()
		_ = r.Stats() // does not wait for the parked call
		end(r)
		want := map[string]tsterr.Kind{"cancel": tsterr.Cancelled, "close": tsterr.Closed}[name]
		if err := <-errs; tsterr.KindOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.ReadBatch(arena, spans, transport.Forever); tsterr.KindOf(err) != want {
			t.Errorf("%s, later: %v", name, err)
		}
	}
}

func TestIdleTimeout(t *testing.T) {
	r, err := Listen(context.Background(), ReceiverConfig{Host: "127.0.0.1", IdleTimeout: 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	_, err = r.ReadBatch(make([]byte, 10), make([]transport.Span, 1), transport.Forever)
	if tsterr.KindOf(err) != tsterr.UDPBroken {
		t.Fatal(err)
	}
}

func TestManyCancels(t *testing.T) {
	leak.Check(t)
	for range 200 {
		r, err := Listen(context.Background(), ReceiverConfig{Host: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = r.ReadBatch(make([]byte, 10), make([]transport.Span, 1), transport.Forever) })
		wg.Go(r.Cancel)
		wg.Go(func() { r.Stats() })
		wg.Wait()
		_ = r.Close()
		_ = r.Close()
	}
}

func TestMulticastOnLoopback(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil || lo.Flags&net.FlagUp == 0 {
		t.Skip("no loopback interface")
	}
	rc, err := ParseReceiverURL("udp://@239.255.77.1:0?iface=127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Listen(context.Background(), rc)
	if err != nil {
		t.Skipf("this system joins no group: %v", err)
	}
	defer func() { _ = r.Close() }()
	sc, err := ParseSenderURL(fmt.Sprintf("udp://239.255.77.1:%d?iface=127.0.0.1&ttl=0", r.Port()))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Dial(context.Background(), sc)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.WriteBatch([]byte("group"), whole([]byte("group")), time.Second); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, r, 1); string(got[0]) != "group" {
		t.Errorf("%q", got[0])
	}
}

func TestSenderURLs(t *testing.T) {
	for _, c := range []struct {
		url  string
		kind tsterr.Kind // OK: fine
	}{
		{"udp://127.0.0.1:9", tsterr.OK},
		{"udp://[::1]:9?ttl=255&tos=0xB8&sndbuf=64K&pkt_size=0&iface=qq&what=ever", tsterr.OK},
		{"udp://127.0.0.1:0", tsterr.OK},
		{"udp://127.0.0.1:9/path?tos=184", tsterr.OK},
		{"UDP://127.0.0.1:9", tsterr.UDPURL},
		{"rtp://127.0.0.1:9", tsterr.UDPURL},
		{"udp://:9", tsterr.UDPURL},
		{"udp://127.0.0.1", tsterr.UDPURL},
		{"udp://127.0.0.1:65536", tsterr.UDPURL},
		{"udp://127.0.0.1:+5", tsterr.UDPURL},
		{"udp://127.0.0.1:", tsterr.UDPURL},
		{"udp://@127.0.0.1:9", tsterr.UDPURL},
		{"udp://u:p@127.0.0.1:9", tsterr.UDPURL},
		{"udp://::1:9", tsterr.UDPURL},
		{"udp://127.0.0.1:9?ttl=256", tsterr.UDPURL},
		{"udp://127.0.0.1:9?ttl=0x10", tsterr.UDPURL},
		{"udp://127.0.0.1:9?tos=0x100", tsterr.UDPURL},
		{"udp://127.0.0.1:9?sndbuf=5G", tsterr.UDPURL},
		{"udp://127.0.0.1:9?sndbuf=-1", tsterr.UDPURL},
		{"udp://127.0.0.1:9?ttl=%zz", tsterr.UDPURL},
		{"udp://" + strings.Repeat("a", 9000) + ":9", tsterr.UDPURL},
	} {
		if _, err := ParseSenderURL(c.url); tsterr.KindOf(err) != c.kind {
			t.Errorf("%.60s: %v", c.url, err)
		}
	}
}

func TestListenErrors(t *testing.T) {
	_, r := pair(t, "")
	for _, c := range []struct {
		cfg  ReceiverConfig
		kind tsterr.Kind
	}{
		{ReceiverConfig{Host: "127.0.0.1", Port: r.Port()}, tsterr.UDPIO},
		{ReceiverConfig{Host: "192.0.2.1"}, tsterr.UDPIO},
		{ReceiverConfig{Host: "239.1.1.1", Interface: "lo"}, tsterr.UDPIO},
		{ReceiverConfig{Host: "no-such-host.invalid"}, tsterr.UDPURL},
	} {
		if _, err := Listen(context.Background(), c.cfg); tsterr.KindOf(err) != c.kind {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

func FuzzURLs(f *testing.F) {
	f.Add("udp://127.0.0.1:9?ttl=1&tos=0x10&sndbuf=1K")
	f.Add("udp://@[ff02::1]:1?iface=lo&rcvbuf=1M")
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) error{
			func(s string) error { _, err := ParseSenderURL(s); return err },
			func(s string) error { _, err := ParseReceiverURL(s); return err },
		} {
			if err := parse(s); err != nil && tsterr.KindOf(err) != tsterr.UDPURL {
				t.Fatalf("%q: %v", s, err)
			}
		}
	})
}

func BenchmarkDatagram(b *testing.B) {
	s, r := pair(b, "")
	m := make([]byte, 1316)
	one, arena, spans := whole(m), make([]byte, 1<<16), make([]transport.Span, 32)
	b.SetBytes(1316)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.WriteBatch(m, one, transport.Forever); err != nil {
			b.Fatal(err)
		}
		if _, err := r.ReadBatch(arena, spans, transport.Forever); err != nil {
			b.Fatal(err)
		}
	}
}
