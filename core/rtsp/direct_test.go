package rtsp

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// A client that stops and goes on is served by the pushing thread, by its own,
// and by the former again: nothing is lost, twice or out of order on the way.
func TestChangesBetweenDirectAndQueued(t *testing.T) {
	leak.Check(t)
	for _, elementary := range []bool{false, true} {
		s := start(t, ServerConfig{Fanout: 1 << 20})
		m, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo), Elementary: elementary})
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, ClientConfig{URL: s.url("/live"), Transport: TransportTCP})
		c.data.mu.Lock()
		c.data.limit = 300_000
		c.data.mu.Unlock()
		st := take(t, c)
		await(t, "the player", func() bool { return m.PeerCount() == 1 })
		p := (*m.peers.Load())[0]
		behind := func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.behind
		}
		var pushed [][]byte
		push := func(size int) {
			au := picture(len(pushed), size)
			if err := m.PushVideo(Only, au, mpegts.VideoPush{PTS: int64(len(pushed)) * 900, KeyFrame: true}); err != nil {
				t.Fatal(err)
			}
			pushed = append(pushed, au)
		}
		all := &memory{make(chan []byte, 1<<16)}
		arena, spans := make([]byte, 1<<20), make([]transport.Span, 64)
		for range 3 {
			push(1000)
			if behind() {
				t.Error("a client that keeps up is behind")
			}
			for !behind() {
				push(200_000) // until the connection takes no more, most likely amid one
			}
			push(300) // and some that are queued
			push(50_000)
			for end := time.Now().Add(patience); c.Inbound().Packets < m.Stats().PacketsPushed || behind() || st.waits(); {
				n, err := st.ReadBatch(arena, spans, 10*time.Millisecond)
				if tsterr.KindOf(err) != tsterr.Timeout && err != nil || time.Now().After(end) {
					t.Fatal(err, c.Inbound(), m.Stats())
				}
				for _, sp := range spans[:n] {
					all.c <- append([]byte(nil), arena[sp.Off:sp.Off+sp.Len]...)
				}
			}
		}
		stop := append([]byte(nil), picture(len(pushed), 10)...) // completes the one before
		if err := m.PushVideo(Only, stop, mpegts.VideoPush{PTS: int64(len(pushed)) * 900}); err != nil {
			t.Fatal(err)
		}
		for v := 0; v < len(pushed); {
			n, err := st.ReadBatch(arena, spans, 10*time.Millisecond)
			for _, sp := range spans[:n] {
				all.c <- append([]byte(nil), arena[sp.Off:sp.Off+sp.Len]...)
			}
			if err != nil { // everything has come
				break
			}
		}
		got := only(collect(t, all, count(mpegts.EventVideo, len(pushed)-1)), mpegts.EventVideo)
		for i, v := range got {
			if !bytes.Equal(v.payload, pushed[i]) {
				t.Fatalf("elementary %v: picture %d of %d differs", elementary, i, len(pushed))
			}
		}
		in := c.Inbound()
		if in.Lost != 0 || in.Duplicates != 0 || in.Reordered != 0 || m.Stats().FramesDropped != 0 {
			t.Errorf("elementary %v: %+v, dropped %d", elementary, in, m.Stats().FramesDropped)
		}
		_ = c.Close()
		_ = s.Close()
	}
}

// Clients that keep up cost a push no memory, by TCP and by UDP.
func TestDirectPushAllocatesNothing(t *testing.T) {
	s, m := liveServer(t, ServerConfig{})
	var got atomic.Int64
	for i := range 4 {
		r := rawDial(t, s)
		how := "RTP/AVP/TCP;unicast;interleaved=0-1"
		media := io.Reader(r.r)
		if i >= 2 {
			pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = pc.Close() })
			port := pc.LocalAddr().(*net.UDPAddr).AddrPort().Port() //nolint:forcetypeassert // it is one
			how = fmt.Sprintf("RTP/AVP;unicast;client_port=%d-%d", port, port+1)
			media = pc
		}
		r.ask("SETUP " + s.url("/live") + " RTSP/1.0\nCSeq: 1\nTransport: " + how)
		r.ask("PLAY " + s.url("/live") + " RTSP/1.0\nCSeq: 2")
		go func() {
			buf := make([]byte, 1<<16)
			for {
				n, err := media.Read(buf)
				if err != nil {
					return
				}
				got.Add(int64(n))
			}
		}()
	}
	await(t, "the players", func() bool { return m.PeerCount() == 4 })
	ts := make([]byte, 40*mpegts.PacketSize)
	for i := range 40 {
		ts[i*mpegts.PacketSize] = 0x47
	}
	want, end := int64(0), time.Now().Add(patience)
	push := func() {
		m.PushTS(ts)
		want += 4 * int64(len(ts))
		for got.Load() < want && time.Now().Before(end) {
			runtime.Gosched()
		}
	}
	push()
	push() // and the early reports
	if n := testing.AllocsPerRun(100, push); n > 1 {
		t.Errorf("a push allocates %v times", n)
	}
}

// Who joins gets the tables with the next push, however soon they came last.
func TestJoiningGetsTables(t *testing.T) {
	s, m := liveServer(t, ServerConfig{})
	pts := int64(0)
	push := func() {
		if err := m.PushVideo(Only, picture(0, 100), mpegts.VideoPush{PTS: pts, KeyFrame: true}); err != nil {
			t.Fatal(err)
		}
		pts += 90 // a millisecond: the tables come ten times a second
	}
	push()
	for i := range 5 {
		push()
		c := dial(t, ClientConfig{URL: s.url("/live"), Transport: TransportTCP})
		st := take(t, c)
		await(t, "the player", func() bool { return m.PeerCount() == 1 })
		push()
		push()
		if v := only(collect(t, st, count(mpegts.EventVideo, 1)), mpegts.EventVideo); len(v) == 0 {
			t.Errorf("client %d sees nothing", i)
		}
		_ = c.Close()
		await(t, "its leaving", func() bool { return m.PeerCount() == 0 })
	}
}
