package dgram

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

func listen(t *testing.T, cfg Config) *Conn {
	t.Helper()
	if !cfg.Addr.IsValid() {
		cfg.Addr = netip.MustParseAddrPort("127.0.0.1:0")
	}
	c, err := Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestBatchKeepsDatagramsApart(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		a := listen(t, Config{Addr: netip.MustParseAddrPort(host)})
		b := listen(t, Config{Addr: netip.MustParseAddrPort(host)})
		want := make([][]byte, 0, BatchSize)
		for i := range BatchSize {
			payload := bytes.Repeat([]byte{byte(i)}, i*20)
			head := []byte(fmt.Sprintf("head%02d", i))
			want = append(want, append(append([]byte{}, head...), payload...))
			if !a.Add(head, payload, b.LocalAddr()) {
				t.Fatal("batch is full too early")
			}
		}
		if a.Add(nil, nil, b.LocalAddr()) {
			t.Fatal("a full batch took one more")
		}
		if n, err := a.Flush(); n != BatchSize || err != nil {
			t.Fatal(n, err)
		}
		var got [][]byte
		for len(got) < len(want) {
			n, err := b.Receive(5 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				d, from := b.Datagram(i)
				if from != a.LocalAddr() {
					t.Fatalf("from %v, sent by %v", from, a.LocalAddr())
				}
				got = append(got, append([]byte{}, d...))
			}
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("datagram %d: %q", i, got[i])
			}
		}
	}
}

func TestLongestAndEmptyDatagram(t *testing.T) {
	t.Parallel()
	a, b := listen(t, Config{SendBuffer: 1 << 20}), listen(t, Config{ReceiveBuffer: 1 << 20})
	for _, size := range []int{0, 65507} {
		if err := a.Send(make([]byte, size), b.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Receive(5 * time.Second); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if d, _ := b.Datagram(0); len(d) != size {
			t.Fatalf("%d bytes of %d", len(d), size)
		}
	}
	if err := a.Send(make([]byte, 65508), b.LocalAddr()); err == nil {
		t.Fatal("a datagram over the limit was sent")
	}
}

func TestTimeoutThenDataThenWake(t *testing.T) {
	t.Parallel()
	a, b := listen(t, Config{}), listen(t, Config{})
	for _, d := range []time.Duration{0, time.Millisecond} {
		if _, err := b.Receive(d); !errors.Is(err, ErrTimeout) {
			t.Fatal(err)
		}
	}
	if err := a.Send([]byte("x"), b.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Receive(-1); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	done := make(chan error)
	go func() {
		_, err := b.Receive(-1)
		done <- err
	}()
	b.Wake()
	if err := <-done; !errors.Is(err, ErrAwake) {
		t.Fatal(err)
	}
	if _, err := b.Receive(-1); !errors.Is(err, ErrAwake) {
		t.Fatal(err)
	}
}

func TestSendToNobodyKeepsSending(t *testing.T) {
	t.Parallel()
	a, b := listen(t, Config{}), listen(t, Config{})
	gone := listen(t, Config{})
	nobody := gone.LocalAddr()
	_ = gone.Close()
	for range 3 {
		a.Add([]byte("lost"), nil, nobody)
		a.Add([]byte("kept"), nil, b.LocalAddr())
		if _, err := a.Flush(); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Receive(5 * time.Second); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	r := listen(t, Config{Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	s := listen(t, Config{Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	seg := s.NewSegments(r.LocalAddr())
	if seg == nil {
		t.Skip("this system does not cut datagrams")
	}
	data := make([]byte, 10*1328+7)
	for i := range data {
		data[i] = byte(i / 100)
	}
	for _, n := range []int{1, 1328, 1329, 5 * 1328, len(data)} {
		if room := seg.Room(1328); room < 11 {
			t.Fatalf("room for %d", room)
		}
		if !seg.Send(data[:n], 1328) {
			t.Fatalf("%d bytes were refused", n)
		}
		for at := 0; at < n; {
			k, err := r.Receive(5 * time.Second)
			if err != nil {
				t.Fatalf("%v after %d of %d", err, at, n)
			}
			for i := range k {
				d, from := r.Datagram(i)
				if len(d) != min(1328, n-at) || !bytes.Equal(d, data[at:at+len(d)]) || from != s.LocalAddr() {
					t.Fatalf("%d bytes at %d of %d from %v", len(d), at, n, from)
				}
				at += len(d)
			}
		}
	}
	if seg.Room(40_000) != 1 || seg.Room(65_001) != 0 || seg.Room(0) != 0 {
		t.Error(seg.Room(40_000), seg.Room(65_001), seg.Room(0))
	}
	_ = s.Close()
	if !seg.Send(data, 1328) { // it is gone, as any datagram may be
		t.Error("a closed socket asks for another way")
	}
}

func TestMulticastOnLoopback(t *testing.T) {
	t.Parallel()
	lo := netip.MustParseAddr("127.0.0.1")
	group := netip.MustParseAddr("239.255.17.9")
	r := listen(t, Config{Addr: netip.AddrPortFrom(group, 0), Interface: lo})
	s := listen(t, Config{Addr: netip.AddrPortFrom(lo, 0), Interface: lo, TTL: 1})
	if err := s.Send([]byte("to all"), netip.AddrPortFrom(group, r.LocalAddr().Port())); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Receive(5 * time.Second); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if d, from := r.Datagram(0); string(d) != "to all" || from != s.LocalAddr() {
		t.Fatalf("%q from %v", d, from)
	}
}

func BenchmarkDatagram(b *testing.B) {
	cfg := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), ReceiveBuffer: 4 << 20}
	tx, err := Listen(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = tx.Close() }()
	rx, err := Listen(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rx.Close() }()
	head, payload := make([]byte, 12), make([]byte, 1316)
	b.SetBytes(1328)
	b.ReportAllocs()
	for i := 0; i < b.N; i += BatchSize {
		for range BatchSize {
			tx.Add(head, payload, rx.LocalAddr())
		}
		if _, err := tx.Flush(); err != nil {
			b.Fatal(err)
		}
		for got := 0; got < BatchSize; {
			n, err := rx.Receive(time.Second)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
}

// What a socket holds for 64 datagrams of any size is no part of the heap.
func TestReceivingSocketsAreSmall(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const sockets = 20
	conns := make([]*Conn, 0, sockets)
	before := heap()
	for range sockets {
		c := listen(t, Config{})
		if _, err := c.Receive(0); !errors.Is(err, ErrTimeout) {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	if each := (heap() - before) / sockets; each > 100_000 {
		t.Errorf("%d bytes of heap a socket", each)
	}
	runtime.KeepAlive(conns)
}
