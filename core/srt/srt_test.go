package srt

import (
	"bytes"
	"context"
	"encoding/binary"
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

func config(t testing.TB, url string) Config {
	t.Helper()
	c, err := ParseURL(url, NewConfig())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func listener(t testing.TB, query string) *Listener {
	t.Helper()
	l, err := Listen(context.Background(), config(t, "srt://127.0.0.1:0?mode=listener"+query))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func caller(t testing.TB, l *Listener, query string) *Conn {
	t.Helper()
	c, err := Dial(context.Background(), config(t, fmt.Sprintf("srt://127.0.0.1:%d?mode=caller%s", l.LocalAddr().Port(), query)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func pair(t testing.TB, callerQuery, listenerQuery string) (*Conn, *Conn) {
	t.Helper()
	l := listener(t, listenerQuery)
	a := caller(t, l, callerQuery)
	b, err := l.Accept(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return a, b
}

func message(i int) []byte {
	m := bytes.Repeat([]byte{byte(i)}, DefaultPayload)
	binary.BigEndian.PutUint64(m, uint64(i))
	return m
}

func whole(b []byte) []transport.Span { return []transport.Span{{Len: uint32(len(b))}} }

// exchange sends n numbered messages and checks that they arrive whole and in order.
func exchange(t *testing.T, from, to *Conn, n int) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range n {
			if _, err := from.WriteBatch(message(i), whole(message(i)), transport.Forever); err != nil {
				t.Error("send", i, err)
				return
			}
		}
	})
	defer wg.Wait()
	arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
	for got := 0; got < n; {
		k, err := to.ReadBatch(arena, spans, 10*time.Second)
		if err != nil {
			t.Fatalf("receive after %d of %d: %v", got, n, err)
		}
		for _, s := range spans[:k] {
			if m := arena[s.Off : s.Off+s.Len]; !bytes.Equal(m, message(got)) {
				t.Fatalf("message %d differs, %d bytes", got, len(m))
			}
			got++
		}
	}
}

func TestBothWays(t *testing.T) {
	leak.Check(t)
	for _, q := range [][2]string{
		{"&latency=20", "&latency=20"},
		{"&latency=20&passphrase=correct-horse&pbkeylen=32", "&latency=20&passphrase=correct-horse"},
		{"&latency=20&congestion=file", "&latency=20&congestion=file"},
		{"&streamid=cam-01&packetfilter=fec,cols:5,rows:1", "&packetfilter=fec"},
	} {
		t.Run(q[0], func(t *testing.T) {
			a, b := pair(t, q[0], q[1])
			if strings.Contains(q[0], "cam-01") && (b.StreamID() != "cam-01" || a.StreamID() != "cam-01") {
				t.Errorf("stream id %q, %q", a.StreamID(), b.StreamID())
			}
			if a.PeerAddr() != b.LocalAddr() || b.PeerAddr().Port() != a.LocalAddr().Port() {
				t.Error(a.PeerAddr(), b.LocalAddr(), b.PeerAddr(), a.LocalAddr())
			}
			exchange(t, a, b, 300)
			exchange(t, b, a, 300)
			if d := a.Details(); d.PacketsSent < 300 || d.BytesSent < 300*(DefaultPayload+44) {
				t.Errorf("%+v", d)
			}
			if s := b.Stats(); s.MessagesReceived != 300 || s.BytesReceived != 300*DefaultPayload {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestStreamIDLengths(t *testing.T) {
	l := listener(t, "")
	for _, n := range []int{1, 2, 3, 4, 5, 511, 512} {
		id := strings.Repeat("x", n)
		_ = caller(t, l, "&streamid="+id)
		b, err := l.Accept(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if b.StreamID() != id {
			t.Errorf("%d characters arrive as %q", n, b.StreamID())
		}
		_ = b.Close()
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, listener, caller string }{
		{"wrong passphrase", "&passphrase=correct-horse", "&passphrase=wrong--horse"},
		{"no passphrase", "&passphrase=correct-horse", ""},
		{"unexpected passphrase", "", "&passphrase=correct-horse"},
		{"other congestion", "&congestion=live", "&congestion=file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listener(t, c.listener)
			_, err := Dial(context.Background(), config(t, fmt.Sprintf("srt://127.0.0.1:%d?%s", l.LocalAddr().Port(), strings.TrimPrefix(c.caller, "&"))))
			if tsterr.KindOf(err) != tsterr.SRTConnectFailed {
				t.Error(err)
			}
			if _, err := l.Accept(20 * time.Millisecond); !transport.IsTimeout(err) {
				t.Error("the listener saw it:", err)
			}
			_ = caller(t, l, c.listener) // it keeps serving
			if b, err := l.Accept(10 * time.Second); err != nil {
				t.Error(err)
			} else {
				_ = b.Close()
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	port := silent.LocalAddr().(*net.UDPAddr).Port
	_, err = Dial(context.Background(), config(t, fmt.Sprintf("srt://127.0.0.1:%d?conntimeo=200", port)))
	if tsterr.KindOf(err) != tsterr.SRTTimeout {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	if _, err = Dial(ctx, config(t, fmt.Sprintf("srt://127.0.0.1:%d", port))); tsterr.KindOf(err) != tsterr.Cancelled {
		t.Error(err)
	}
}

func TestListenErrors(t *testing.T) {
	l := listener(t, "")
	for url, want := range map[string]tsterr.Kind{
		fmt.Sprintf("srt://127.0.0.1:%d?mode=listener", l.LocalAddr().Port()): tsterr.SRTConnectFailed,
		"srt://192.0.2.1:9?mode=listener":                                     tsterr.SRTConnectFailed,
		"srt://127.0.0.1:9":                                                   tsterr.SRTConfigInvalid,
		"srt://no-such-host.invalid:9?mode=listener":                          tsterr.SRTConfigInvalid,
		"srt://127.0.0.1:0?mode=listener&mss=10":                              tsterr.SRTConfigInvalid,
		"srt://127.0.0.1:0?mode=listener&fc=1":                                tsterr.SRTConfigInvalid,
		"srt://127.0.0.1:0?mode=listener&packetfilter=nonsense":               tsterr.SRTConfigInvalid,
	} {
		x, err := Listen(context.Background(), config(t, url))
		if tsterr.KindOf(err) != want {
			t.Errorf("%s: %v", url, err)
		}
		if err == nil {
			_ = x.Close()
		}
	}
}

func TestIPv6(t *testing.T) {
	probe, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	_ = probe.Close()
	l, err := Listen(context.Background(), config(t, "srt://[::]:0?mode=listener"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := Dial(context.Background(), config(t, fmt.Sprintf("srt://[::1]:%d", l.LocalAddr().Port())))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestRendezvous(t *testing.T) {
	leak.Check(t)
	ports := [2]int{}
	for i := range ports {
		p, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = p.LocalAddr().(*net.UDPAddr).Port
		_ = p.Close()
	}
	conns := [2]*Conn{}
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() {
			url := fmt.Sprintf("srt://127.0.0.1:%d?mode=rendezvous&localport=%d&conntimeo=10000", ports[1-i], ports[i])
			var err error
			if conns[i], err = Dial(context.Background(), config(t, url)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if !t.Failed() {
		exchange(t, conns[0], conns[1], 50)
	}
	for _, c := range conns {
		if c != nil {
			_ = c.Close()
		}
	}
}

func TestPeerCloses(t *testing.T) {
	leak.Check(t)
	a, b := pair(t, "&latency=50", "&latency=50")
	for i := range 20 {
		if _, err := a.WriteBatch(message(i), whole(message(i)), time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
	got := 0
	for {
		n, err := b.ReadBatch(arena, spans, 10*time.Second)
		if err != nil {
			if tsterr.KindOf(err) != tsterr.SRTBroken {
				t.Error(err)
			}
			break
		}
		got += n
	}
	if got != 20 {
		t.Errorf("%d of 20 messages delivered before the end", got)
	}
	if _, err := b.ReadBatch(arena, spans, 0); tsterr.KindOf(err) != tsterr.SRTClosed || b.Alive() {
		t.Error(err, b.Alive())
	}
	if d := b.Details(); d != (Stats{}) {
		t.Errorf("%+v", d)
	}
}

func TestTooLarge(t *testing.T) {
	a, _ := pair(t, "&payloadsize=1000", "")
	if _, err := a.WriteBatch(message(1), whole(message(1)), time.Second); tsterr.KindOf(err) != tsterr.SRTTooLarge {
		t.Error(err)
	}
	if !a.Alive() {
		t.Error("the connection ended")
	}
}

func TestTimeouts(t *testing.T) {
	_, b := pair(t, "", "")
	arena, spans := make([]byte, ReadArena), make([]transport.Span, 1)
	for _, d := range []time.Duration{0, time.Millisecond, 60 * time.Millisecond} {
		if _, err := b.ReadBatch(arena, spans, d); !transport.IsTimeout(err) {
			t.Errorf("%v: %v", d, err)
		}
	}
	if _, err := b.ReadBatch(arena[:100], spans, 0); tsterr.KindOf(err) != tsterr.BufferTooSmall {
		t.Error(err)
	}
}

func TestIdleTimeout(t *testing.T) {
	_, b := pair(t, "", "&peeridletimeo=100")
	if _, err := b.ReadBatch(make([]byte, ReadArena), make([]transport.Span, 1), transport.Forever); tsterr.KindOf(err) != tsterr.SRTBroken {
		t.Error(err)
	}
}

func TestParkedCallsEnd(t *testing.T) {
	leak.Check(t)
	for end, want := range map[string]tsterr.Kind{"cancel": tsterr.Cancelled, "close": tsterr.Closed} {
		a, b := pair(t, "", "")
		l := listener(t, "")
		errs := make(chan error, 2)
		go func() {
			_, err := b.ReadBatch(make([]byte, ReadArena), make([]transport.Span, 1), transport.Forever)
			errs <- err
		}()
		go func() { _, err := l.Accept(transport.Forever); errs <- err }()
		_, _ = b.Stats(), b.Details()
		if end == "cancel" {
			b.Cancel()
			l.Cancel()
		} else {
			_ = b.Close()
			_ = l.Close()
		}
		for range 2 {
			if err := <-errs; tsterr.KindOf(err) != want {
				t.Errorf("%s: %v", end, err)
			}
		}
		_ = a.Close()
		_ = b.Close()
	}
}

func TestDescriptorTurnsReadable(t *testing.T) {
	leak.Check(t)
	a, b := pair(t, "&latency=20", "&latency=20")
	fd, err := b.FD()
	if err != nil {
		t.Fatal(err)
	}
	arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
	for i := range 5 {
		if _, err := a.WriteBatch(message(i), whole(message(i)), time.Second); err != nil {
			t.Fatal(err)
		}
		waitReadable(t, fd)
		if n, err := b.ReadBatch(arena, spans, 0); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	_ = a.Close()
	waitReadable(t, fd)
	_ = b.Close()
}

func TestURLs(t *testing.T) {
	for _, c := range []struct {
		url string
		ok  bool
	}{
		{"srt://h:1", true},
		{"srt://h:1/path?latency=1", true},
		{"srt://:1?mode=listener", true},
		{"srt://[::1]:1?latency=100000&latency=2", true},
		{"srt://h:1?passphrase=a%20b%20c%20d%20e%20f&pbkeylen=24&rcvlatency=1&peerlatency=2&mss=1500", true},
		{"srt://h:1?pkt_size=1456&payload_size=0&maxbw=18446744073709551", true},
		{"srt://h:1?inputbw=1&oheadbw=5&srt_streamid=abc&lossmaxttl=1&tlpktdrop=0&ffs=100&smoother=file", true},
		{"srt://h:1?connect_timeout=0&linger=0&recv_buffer_size=1&send_buffer_size=1&x-recvtimeout=0&x-sendtimeout=1", true},
		{"srt://h:1?peeridletimeo=1000&kmrefreshrate=1000&enforcedencryption=1&iptos=184&sndbuf=100000&snddropdelay=1", true},
		{"srt://h:1?minversion=1.3.0&ipv6only=1&bindtodevice=lo&nakreport=1&drifttracer=0&retransmitalgo=1", true},
		{"srt://h:1?mode=rendezvous&localport=5", true},
		{"SRT://h:1", false},
		{"udp://h:1", false},
		{"srt://h", false},
		{"srt://h:65536", false},
		{"srt://h:1#frag", false},
		{"srt://:1", false},
		{"srt://u:p@h:1", false},
		{"srt://h:1?mode=rendezvous", false},
		{"srt://h:1?mode=Caller", false},
		{"srt://h:1?LATENCY=1", false},
		{"srt://h:1?latency=xx&latency=1", false},
		{"srt://h:1?latency=", false},
		{"srt://h:1?latency=-1", false},
		{"srt://h:1?latency=+1", true},
		{"srt://h:1?latency=2147483648", false},
		{"srt://h:1?passphrase=short", false},
		{"srt://h:1?pbkeylen=0", false},
		{"srt://h:1?payloadsize=1457", false},
		{"srt://h:1?oheadbw=4", false},
		{"srt://h:1?tlpktdrop=true", false},
		{"srt://h:1?congestion=Live", false},
		{"srt://h:1?adapter=lo", false},
		{"srt://h:1?timeout=1", false},
		{"srt://h:1?groupconnect=1", false},
		{"srt://h:1?cryptomode=2", false},
		{"srt://h:1?minversion=1.3", false},
		{"srt://h:1?streamid=" + strings.Repeat("a", 513), false},
	} {
		_, err := ParseURL(c.url, NewConfig())
		if (err == nil) != c.ok || err != nil && tsterr.KindOf(err) != tsterr.SRTConfigInvalid {
			t.Errorf("%.70s: %v", c.url, err)
		}
	}
}

func TestURLWinsOverSetters(t *testing.T) {
	base := NewConfig()
	for _, kv := range [][2]string{{"latency", "300"}, {"conntimeo", "7"}} {
		if err := base.Set(kv[0], kv[1]); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ParseURL("srt://h:1?latency=20", base)
	if err != nil || len(c.values) != 1 || c.values[0].num != 20 || c.ConnectTimeout != 7*time.Millisecond {
		t.Errorf("%+v %v", c, err)
	}
	if base.values[0].num != 300 {
		t.Error("the base changed")
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("srt://127.0.0.1:9000?mode=caller&latency=20&passphrase=0123456789&streamid=x")
	f.Add("srt://[::1]:1?mode=listener&maxbw=1&minversion=1.2.3")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ParseURL(s, NewConfig()); err != nil && tsterr.KindOf(err) != tsterr.SRTConfigInvalid {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
