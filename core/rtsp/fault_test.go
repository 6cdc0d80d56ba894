package rtsp

import (
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	prtp "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// middle is a connection between client and server that can be cut.
type middle struct {
	l      net.Listener
	mu     sync.Mutex
	conns  []*net.TCPConn
	frozen atomic.Bool
}

func newMiddle(t testing.TB, to string) *middle {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &middle{l: l}
	t.Cleanup(func() { m.cut(false); _ = l.Close() })
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				_ = a.Close()
				continue
			}
			m.mu.Lock()
			m.conns = append(m.conns, a.(*net.TCPConn), b.(*net.TCPConn)) //nolint:forcetypeassert // both are
			m.mu.Unlock()
			go m.copy(a, b)
			go m.copy(b, a)
		}
	}()
	return m
}

func (m *middle) copy(to, from net.Conn) {
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		for m.frozen.Load() {
			time.Sleep(time.Millisecond)
		}
		if err != nil {
			_ = to.Close()
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// cut ends the connections, with a reset or in order.
func (m *middle) cut(reset bool) {
	m.frozen.Store(false)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		if reset {
			_ = c.SetLinger(0)
		}
		_ = c.Close()
	}
	m.conns = nil
}

// TestDeadServerEndsTheStream: a client hears of a server's end within a second
// where the network tells it, and else when a keep-alive is not answered.
func TestDeadServerEndsTheStream(t *testing.T) {
	const session, answer = time.Second, 2 * time.Second
	for _, tr := range []Transport{TransportUDP, TransportTCP} {
		for _, how := range []string{"reset", "fin", "silence", "stop", "stop at once", "cancel"} {
			s, m := liveServer(t, ServerConfig{SessionTimeout: session})
			pump(t, m, 500, false)
			mid := newMiddle(t, s.Addr().String())
			c := dial(t, ClientConfig{URL: "rtsp://" + mid.l.Addr().String() + "/live", Transport: tr, Timeout: answer})
			st := take(t, c)
			collect(t, st, count(mpegts.EventVideo, 3))
			want, within := EndTransportFailed, time.Second
			begun := time.Now()
			switch how {
			case "reset":
				mid.cut(true)
			case "fin":
				mid.cut(false)
			case "silence":
				mid.frozen.Store(true)
				want, within = EndKeepAliveFailed, session/2+answer+time.Second
			case "stop":
				go func() { _ = s.Stop(5 * time.Second) }()
				want = EndCleanTeardown
			case "stop at once":
				go func() { _ = s.Stop(0) }()
				want = EndCleanTeardown
			case "cancel":
				s.Cancel()
			}
			collect(t, st, func([]sample) bool { return false }) // ends
			if took := time.Since(begun); took > within {
				t.Errorf("transport %d, %s: the stream ended after %v, wanted %v", tr, how, took, within)
			}
			if r, detail := st.End(); r != want || (detail == "") != (want == EndCleanTeardown) {
				t.Errorf("transport %d, %s: reason %d (%s), wanted %d", tr, how, r, detail, want)
			}
			if err := c.Play(); err == nil {
				t.Errorf("transport %d, %s: PLAY works", tr, how)
			}
			_ = c.Close()
			mid.cut(false)
		}
	}
}

func TestLossesAreReported(t *testing.T) {
	leak.Check(t)
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{&format.MPEGTS{}}}
	for _, hold := range []time.Duration{0, -1} {
		p := newPeerServer(t, nil, everyWay, media)
		s := dial(t, ClientConfig{URL: "rtsp://" + p.RTSPAddress + "/ts", Transport: TransportUDP, Hold: hold})
		st := take(t, s)
		<-p.ready
		r := rand.New(rand.NewSource(7))
		const n = 3000
		lost, dups := 0, 0
		var out []*prtp.Packet
		for i := range n {
			k := &prtp.Packet{
				Header:  prtp.Header{Version: 2, PayloadType: 33, SequenceNumber: uint16(65000 + i), SSRC: 9}, //nolint:gosec // it wraps
				Payload: append([]byte{0x47, byte(i >> 8), byte(i)}, make([]byte, 185)...),
			}
			if x := r.Float64(); x < 0.05 && i > 0 && i < n-1 {
				lost++
				continue
			}
			out = append(out, k)
			if r.Float64() < 0.01 {
				out = append(out, k)
				dups++
			}
			if r.Float64() < 0.02 && len(out) > 3 { // put it behind its successors
				j := len(out) - 3
				out[j], out[len(out)-1] = out[len(out)-1], out[j]
			}
		}
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i, k := range out {
				if i%20 == 0 {
					time.Sleep(time.Millisecond)
				}
				p.write(t, media, k)
			}
		}()
		seen, last, ooo, twice := map[int]bool{}, -1, 0, 0
		arena, spans := make([]byte, 1<<18), make([]transport.Span, 64)
		for last < n-1 || len(seen) < n-lost {
			k, err := st.ReadBatch(arena, spans, patience)
			if err != nil {
				t.Fatalf("%v after %d of %d", err, len(seen), n-lost)
			}
			for _, sp := range spans[:k] {
				i := int(arena[sp.Off+1])<<8 | int(arena[sp.Off+2])
				if seen[i] {
					twice++
				}
				if i < last {
					ooo++
				}
				seen[i], last = true, max(last, i)
			}
		}
		wg.Wait()
		in := s.Inbound()
		// Of a packet and its repeat that trade places the order decides which is
		// the repeat; the number of both is exact.
		if int(in.Lost) != lost || int(in.Duplicates) != dups { //nolint:gosec // small
			t.Errorf("hold %v: lost %d of %d, repeats %d of %d", hold, in.Lost, lost, in.Duplicates, dups)
		}
		if hold == 0 && (ooo != 0 || twice != 0) {
			t.Errorf("%d out of order, %d twice", ooo, twice)
		}
		if hold < 0 && ooo == 0 {
			t.Error("nothing was out of order: the test shows nothing")
		}
		_ = s.Close()
		p.end()
	}
}

func TestStalledClientSlowsNobody(t *testing.T) {
	leak.Check(t)
	s, m := liveServer(t, ServerConfig{Fanout: 64})
	stalled := rawDial(t, s)
	_ = stalled.c.(*net.TCPConn).SetReadBuffer(4096) //nolint:forcetypeassert // it is one
	stalled.ask("SETUP " + s.url("/live") + " RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1")
	stalled.ask("PLAY " + s.url("/live") + " RTSP/1.0\nCSeq: 2") // and never reads again
	good := dial(t, ClientConfig{URL: s.url("/live"), Transport: TransportTCP})
	st := take(t, good)
	await(t, "both players", func() bool { return m.PeerCount() == 2 })
	pushed, read := 0, uint64(0)
	arena, spans := make([]byte, 1<<17), make([]transport.Span, 64)
	for m.Stats().FramesDropped < 1000 { // the stalled one's queue is full long since
		if err := m.PushVideo(Only, picture(pushed, 20_000), mpegts.VideoPush{PTS: int64(pushed) * 900, KeyFrame: true}); err != nil {
			t.Fatal(err)
		}
		pushed++
		for read < m.Stats().PacketsPushed { // the good one keeps up
			n, err := st.ReadBatch(arena, spans, patience)
			if err != nil {
				t.Fatal(err)
			}
			read += uint64(n) //nolint:gosec // not negative
		}
		for _, p := range *m.peers.Load() {
			p.mu.Lock()
			if p.backlog > 64+20_000/packetPayload+3 {
				t.Fatalf("%d packets wait", p.backlog)
			}
			p.mu.Unlock()
		}
	}
	if in := good.Inbound(); in.Lost != 0 {
		t.Errorf("the good client lost %d", in.Lost)
	}
	_ = good.Close()
	begun := time.Now()
	_ = s.Stop(0) // does not wait for the stalled one: 0.3 s, and what a busy machine adds
	took := time.Since(begun)
	t.Logf("stopping took %v", took)
	if took > 3*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestSlowApplication(t *testing.T) {
	leak.Check(t)
	// By TCP the server waits; nothing is lost, and control calls work.
	s, m := liveServer(t, ServerConfig{Fanout: 1 << 20, SessionTimeout: time.Second})
	c := dial(t, ClientConfig{URL: s.url("/live"), Transport: TransportTCP})
	c.data.mu.Lock()
	c.data.limit = 200_000
	c.data.mu.Unlock()
	st := take(t, c)
	await(t, "the player", func() bool { return m.PeerCount() == 1 })
	const n = 100
	for i := range n {
		if err := m.PushVideo(Only, picture(i, 20_000), mpegts.VideoPush{PTS: int64(i) * 900, KeyFrame: true}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the full queue", func() bool { return c.stalled.Load() })
	got := collect(t, st, count(mpegts.EventVideo, n-1))
	checkPictures(t, "slow", got, 20_000)
	if d := st.Stats().MessagesDropped; d != 0 {
		t.Errorf("%d messages dropped", d)
	}
	for i := range n {
		_ = m.PushVideo(Only, picture(n+i, 20_000), mpegts.VideoPush{PTS: int64(n+i) * 900, KeyFrame: true})
	}
	await(t, "the full queue", func() bool { return c.stalled.Load() })
	if err := c.Pause(); err != nil {
		t.Error(err)
	}
	_ = c.Close()
	// By UDP the oldest go, and are counted.
	c = dial(t, ClientConfig{URL: s.url("/live"), Transport: TransportUDP})
	c.data.mu.Lock()
	c.data.limit = 50_000
	c.data.mu.Unlock()
	st = take(t, c)
	await(t, "the player", func() bool { return m.PeerCount() == 1 })
	await(t, "drops", func() bool {
		_ = m.PushVideo(Only, picture(0, 20_000), mpegts.VideoPush{PTS: 1 << 20, KeyFrame: true})
		return st.Stats().MessagesDropped > 0
	})
	_ = c.Close()
}

func TestServerKilledAndRestarted(t *testing.T) {
	leak.Check(t)
	s, m := liveServer(t, ServerConfig{})
	addr := s.Addr().String()
	for range 3 {
		stop := pump(t, m, 500, false)
		c := dial(t, ClientConfig{URL: "rtsp://" + addr + "/live"})
		st := take(t, c)
		collect(t, st, count(mpegts.EventVideo, 3))
		s.Cancel()
		stop()
		collect(t, st, func([]sample) bool { return false })
		_ = c.Close()
		await(t, "the address", func() bool {
			n, err := Start(t.Context(), ServerConfig{BindAddr: addr})
			if err != nil {
				return false
			}
			s = n
			return true
		})
		var err error
		if m, err = s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)}); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
}

func TestCancel(t *testing.T) {
	leak.Check(t)
	s, m := liveServer(t, ServerConfig{})
	c := dial(t, ClientConfig{URL: s.url("/live")})
	st := take(t, c)
	done := make(chan error)
	go func() {
		_, err := st.ReadBatch(make([]byte, 2000), make([]transport.Span, 1), transport.Forever)
		done <- err
	}()
	c.Cancel()
	if err := <-done; tsterr.KindOf(err) != tsterr.EOS {
		t.Error(err)
	}
	if r, _ := st.End(); r != EndCancelled {
		t.Error(r)
	}
	if err := c.Pause(); tsterr.KindOf(err) != tsterr.Cancelled {
		t.Error(err)
	}
	_ = c.Close()
	await(t, "the goodbye", func() bool { return m.PeerCount() == 0 })
	// The data plane alone.
	c = dial(t, ClientConfig{URL: s.url("/live")})
	st = take(t, c)
	go func() {
		_, err := st.ReadBatch(make([]byte, 2000), make([]transport.Span, 1), transport.Forever)
		done <- err
	}()
	_ = st.Close()
	if err := <-done; tsterr.KindOf(err) != tsterr.Closed {
		t.Error(err)
	}
	if err := c.Pause(); err != nil {
		t.Error(err)
	}
	// A connect that never gets an answer.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if _, err := Dial(t.Context(), ClientConfig{URL: "rtsp://" + l.Addr().String() + "/x", Timeout: 50 * time.Millisecond}); tsterr.KindOf(err) != tsterr.RTSPTimeout {
		t.Error(err)
	}
	_ = c.Close()
}

// TestManyClients is the load of the issue: 200 clients on one mount of 2 Mb/s.
// It takes seconds, or with TSTRANS_SOAK set two minutes and a half. A first
// crowd brings the process to its size: the runtime keeps the threads, stacks and
// tables that it once needed. The second must leave nothing behind: what a client
// has, 100 kB and more, would be 20 MB.
func TestManyClients(t *testing.T) {
	leak.Check(t)
	clients, length, growth := 20, 2*time.Second, 20<<20 // the race detector's sizes are others
	if os.Getenv("TSTRANS_SOAK") != "" {
		clients, length, growth = 200, 2*time.Minute, 8<<20
	}
	s, m := liveServer(t, ServerConfig{MaxSessions: clients + 1})
	crowd(t, s, m, clients, length/4)
	before, memory := descriptors(t), resident(t)
	crowd(t, s, m, clients, length)
	n, now := descriptors(t), resident(t)
	t.Logf("descriptors %d before, %d after; resident %.1f MB before, %.1f MB after",
		before, n, float64(memory)/(1<<20), float64(now)/(1<<20))
	if n > before {
		t.Errorf("%d descriptors, %d before", n, before)
	}
	if now > memory+growth {
		t.Errorf("%d MB resident, %d before", now>>20, memory>>20)
	}
}

// crowd plays a mount of 2 Mb/s to many clients for a while; all have left when it returns.
func crowd(t *testing.T, s *Server, m *Mount, clients int, length time.Duration) {
	t.Helper()
	earlier := m.Stats()
	cs := make([]*Session, clients)
	for i := range cs {
		tr := TransportTCP
		if i%2 == 1 {
			tr = TransportUDP
		}
		c, err := Dial(t.Context(), ClientConfig{URL: s.url("/live"), Transport: tr})
		if err != nil {
			t.Fatal(err)
		}
		cs[i] = c
	}
	var wg sync.WaitGroup
	var events atomic.Uint64
	stop := make(chan struct{})
	for _, c := range cs {
		st, err := c.Take() // not the helper's: that would hold it until the test ends
		if err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { _ = st.Close() }()
			arena, spans := make([]byte, 1<<17), make([]transport.Span, 64)
			for {
				n, err := st.ReadBatch(arena, spans, 100*time.Millisecond)
				events.Add(uint64(n)) //nolint:gosec // not negative
				if k := tsterr.KindOf(err); k != tsterr.OK && k != tsterr.Timeout {
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
	}
	await(t, "the players", func() bool { return m.PeerCount() == clients })
	pushed, origin := 0, int64(earlier.PacketsPushed)*3000          //nolint:gosec // beyond the time stamps of the last crowd
	for begun := time.Now(); time.Since(begun) < length; pushed++ { // 30 pictures a second of 8.3 kB
		if err := m.PushVideo(Only, picture(pushed, 8300), mpegts.VideoPush{PTS: origin + int64(pushed)*3000, KeyFrame: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(begun.Add(time.Duration(pushed+1) * time.Second / 30)))
	}
	dropped := func() uint64 { return m.Stats().FramesDropped - earlier.FramesDropped }
	want := (m.Stats().PacketsPushed - earlier.PacketsPushed) * uint64(clients) //nolint:gosec // small
	await(t, "the packets", func() bool { return events.Load()+dropped() >= want*95/100 })
	close(stop)
	wg.Wait()
	var lost uint64
	for _, c := range cs {
		lost += c.Inbound().Lost
		_ = c.Close()
	}
	await(t, "the clients' end", func() bool { return s.Stats().ActiveSessions == 0 && m.PeerCount() == 0 })
	t.Logf("%d clients, %d pictures, %d packets of %d, %d lost, %d dropped", clients, pushed, events.Load(), want, lost, dropped())
	clear(cs)
	runtime.GC() // pools keep what they have for one collection
	debug.FreeOSMemory()
}

// resident is how much memory of the process is in use; 0 where that is not to be had.
func resident(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

func BenchmarkFanout(b *testing.B) {
	for _, clients := range []int{1, 50} {
		b.Run(fmt.Sprintf("%d TCP clients", clients), func(b *testing.B) {
			s, m := liveServer(b, ServerConfig{})
			var wg sync.WaitGroup
			for range clients {
				c := rawDial(b, s)
				c.ask("SETUP " + s.url("/live") + " RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1")
				c.ask("PLAY " + s.url("/live") + " RTSP/1.0\nCSeq: 2")
				wg.Add(1)
				go func() {
					defer wg.Done()
					_ = c.c.SetDeadline(time.Time{})
					_, _ = io.Copy(io.Discard, c.c)
				}()
			}
			await(b, "the players", func() bool { return m.PeerCount() == clients })
			au := picture(0, 8300)
			b.SetBytes(int64(len(au) * clients))
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := m.PushVideo(Only, au, mpegts.VideoPush{PTS: int64(i) * 3000}); err != nil {
					b.Fatal(err)
				}
				for _, p := range *m.peers.Load() {
					for !p.drained() {
						runtime.Gosched()
					}
				}
			}
			b.StopTimer()
			_ = s.Close()
			wg.Wait()
		})
	}
}
