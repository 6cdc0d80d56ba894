package rtp

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	pion "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

func newReceiver(t testing.TB, query string) *Receiver {
	t.Helper()
	cfg, err := parseReceiver("rtp://127.0.0.1:0" + query)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func newSender(t testing.TB, to netip.AddrPort, query string) *Sender {
	t.Helper()
	cfg, err := ParseSenderURL(fmt.Sprintf("rtp://%v%s", to, query))
	if err != nil {
		t.Fatal(err)
	}
	cfg.PacketSize = 1328
	s, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func send(t testing.TB, s *Sender, msgs ...[]byte) {
	t.Helper()
	var data []byte
	spans := make([]transport.Span, 0, len(msgs))
	for _, m := range msgs {
		spans = append(spans, transport.Span{Off: uint32(len(data)), Len: uint32(len(m))}) //nolint:gosec // small
		data = append(data, m...)
	}
	if n, err := s.WriteBatch(data, spans, transport.Forever); n != len(msgs) || err != nil {
		t.Fatal(n, err)
	}
}

func recv(t testing.TB, r *Receiver, n int) [][]byte {
	t.Helper()
	var out [][]byte
	arena, spans := make([]byte, 1<<20), make([]transport.Span, 100)
	for len(out) < n {
		k, err := r.ReadBatch(arena, spans, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spans[:k] {
			out = append(out, bytes.Clone(arena[s.Off:s.Off+s.Len]))
		}
	}
	return out
}

func TestSenderToReceiver(t *testing.T) {
	leak.Check(t)
	for _, query := range []string{"", "?reorder=50"} {
		r := newReceiver(t, query)
		s := newSender(t, r.LocalAddr(), "")
		want := make([][]byte, 0, 200)
		for i := range 200 {
			want = append(want, bytes.Repeat([]byte{byte(i)}, i*6))
		}
		send(t, s, want...)
		for i, got := range recv(t, r, len(want)) {
			if !bytes.Equal(got, want[i]) {
				t.Fatalf("message %d has %d bytes, wanted %d", i, len(got), len(want[i]))
			}
		}
		in, out := r.Stats(), s.Stats()
		if out.MessagesSent != 200 || in.MessagesReceived != 200 || in.BytesReceived != out.BytesSent {
			t.Errorf("%+v, %+v", in, out)
		}
		_, err := s.WriteBatch(make([]byte, 1317), []transport.Span{{Len: 1317}}, 0)
		if tsterr.KindOf(err) != tsterr.RTPTooLarge {
			t.Error(err)
		}
		send(t, s, []byte("still usable"))
		_ = s.Close()
		if _, err := s.WriteBatch(nil, []transport.Span{{}}, 0); tsterr.KindOf(err) != tsterr.Closed {
			t.Error(err)
		}
		_ = r.Close()
	}
}

// What goes out is what RFC 3550 says, read by another implementation.
func TestSenderOnTheWire(t *testing.T) {
	t.Parallel()
	pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pc.Close() }()
	now := epoch()
	cfg, err := ParseSenderURL(fmt.Sprintf("rtp://%v?ssrc=0x11223344", pc.LocalAddr()))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Now = func() time.Time { return now }
	s, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var last pion.Packet
	for i := range 5 {
		send(t, s, bytes.Repeat([]byte{0x47}, 188*i))
		buf := make([]byte, 2000)
		n, err := pc.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		var p pion.Packet
		if err := p.Unmarshal(buf[:n]); err != nil {
			t.Fatal(err)
		}
		if p.PayloadType != 33 || p.Marker || p.Padding || p.Extension || p.SSRC != 0x11223344 || len(p.Payload) != 188*i {
			t.Fatalf("%v", &p)
		}
		if i > 0 && (p.SequenceNumber != last.SequenceNumber+1 || p.Timestamp != last.Timestamp+90_000) {
			t.Fatalf("%v after %v", &p, &last)
		}
		last = p
		now = now.Add(time.Second)
	}
}

func TestReceiverSkipsWhatIsNotItsStream(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "")
	c, err := net.Dial("udp4", r.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	other := packet(5, 0, 1)
	other[1] = 96
	for _, b := range [][]byte{{}, []byte("short"), make([]byte, 100), other, packet(6, 0, 1)} {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if got := recv(t, r, 1); !bytes.Equal(got[0], []byte{0, 6}) {
		t.Fatalf("%x", got[0])
	}
	if s := r.InboundStats(); s.Malformed != 4 || s.Packets != 1 {
		t.Errorf("%+v", s)
	}
}

func TestReceiverSmallArenaKeepsThePacket(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "")
	s := newSender(t, r.LocalAddr(), "")
	send(t, s, []byte("0123456789"), []byte("abcdef"))
	_, err := r.ReadBatch(make([]byte, 5), make([]transport.Span, 4), 5*time.Second)
	if tsterr.KindOf(err) != tsterr.BufferTooSmall {
		t.Fatal(err)
	}
	arena, spans := make([]byte, 12), make([]transport.Span, 4)
	for _, want := range []string{"0123456789", "abcdef"} {
		n, err := r.ReadBatch(arena, spans, 5*time.Second)
		if n != 1 || err != nil || string(arena[spans[0].Off:][:spans[0].Len]) != want {
			t.Fatal(n, err, string(arena))
		}
	}
}

func TestReceiverTimeoutCancelClose(t *testing.T) {
	leak.Check(t)
	read := func(r *Receiver, d time.Duration) tsterr.Kind {
		_, err := r.ReadBatch(make([]byte, 2000), make([]transport.Span, 1), d)
		return tsterr.KindOf(err)
	}
	r := newReceiver(t, "")
	for _, d := range []time.Duration{0, time.Millisecond} {
		if k := read(r, d); k != tsterr.Timeout {
			t.Fatal(k)
		}
	}
	for _, c := range []struct {
		end  func(*Receiver)
		want tsterr.Kind
	}{
		{func(r *Receiver) { r.Cancel() }, tsterr.Cancelled},
		{func(r *Receiver) { _ = r.Close() }, tsterr.Closed},
	} {
		ended := newReceiver(t, "?recv_timeout=5000")
		if ended.DefaultTimeout() != 5*time.Second {
			t.Error(ended.DefaultTimeout())
		}
		done := make(chan tsterr.Kind)
		go func() { done <- read(ended, transport.Forever) }()
		c.end(ended)
		if k := <-done; k != c.want {
			t.Error(k)
		}
		if k := read(ended, 0); k != c.want {
			t.Error(k)
		}
		_ = ended.Close()
		_ = ended.Close()
	}
	_ = r.Close()
}

func TestReportsBetweenSenderAndReceiver(t *testing.T) {
	leak.Check(t)
	var r *Receiver
	for range 50 { // the port after a free one may be taken
		cfg, _ := ParseReceiverURL("rtp://127.0.0.1:0?rtcp=1")
		var err error
		if r, err = Listen(t.Context(), cfg); err == nil {
			break
		}
	}
	if r == nil {
		t.Fatal("no pair of ports")
	}
	s := newSender(t, r.LocalAddr(), "?rtcp=1")
	send(t, s, []byte("one"))
	recv(t, r, 1)
	_ = s.Close() // says goodbye
	end := time.Now().Add(10 * time.Second)
	for !r.InboundStats().Bye {
		if time.Now().After(end) {
			t.Fatal("no goodbye")
		}
		time.Sleep(time.Millisecond)
	}
	if m := r.Clock(); !m.Valid || m.Rate != 90_000 {
		t.Errorf("%+v", m)
	}
	_ = r.Close()
}

func TestMulticastWithSourcePin(t *testing.T) {
	t.Parallel()
	cfg, err := ParseReceiverURL("rtp://239.255.20.7:0?iface=127.0.0.1&source=127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	s := newSender(t, netip.AddrPortFrom(cfg.Addr.Addr(), r.LocalAddr().Port()), "?iface=127.0.0.1&ttl=1")
	send(t, s, []byte("to the group"))
	if got := recv(t, r, 1); string(got[0]) != "to the group" {
		t.Fatalf("%q", got[0])
	}
	for _, iface := range []string{"lo", "::1"} {
		cfg.Interface = iface
		if _, err := Listen(t.Context(), cfg); tsterr.KindOf(err) != tsterr.RTPIfaceUnsupported {
			t.Error(iface, err)
		}
	}
}

func TestUnbindable(t *testing.T) {
	t.Parallel()
	cfg, _ := ParseReceiverURL("rtp://192.0.2.1:5004")
	_, err := Listen(t.Context(), cfg)
	if tsterr.KindOf(err) != tsterr.RTPIO {
		t.Error(err)
	}
}

func BenchmarkSenderToReceiver(b *testing.B) {
	r := newReceiver(b, "")
	s := newSender(b, r.LocalAddr(), "")
	data := make([]byte, 1316*32)
	spans := make([]transport.Span, 32)
	for i := range spans {
		spans[i] = transport.Span{Off: uint32(1316 * i), Len: 1316} //nolint:gosec // small
	}
	arena, got := make([]byte, 1<<18), make([]transport.Span, 64)
	b.SetBytes(1316)
	b.ReportAllocs()
	for i := 0; i < b.N; i += 32 {
		if _, err := s.WriteBatch(data, spans, transport.Forever); err != nil {
			b.Fatal(err)
		}
		for n := 0; n < 32; {
			k, err := r.ReadBatch(arena, got, time.Second)
			if err != nil {
				b.Fatal(err)
			}
			n += k
		}
	}
}
