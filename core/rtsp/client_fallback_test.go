package rtsp

import (
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// muteUDP makes a server whose datagrams go nowhere.
func muteUDP(t *testing.T, s *Server) {
	t.Helper()
	p, err := s.udp.open()
	if err != nil {
		t.Fatal(err)
	}
	p.close()
}

func TestSilentUDPFallsBackToTCP(t *testing.T) {
	leak.Check(t)
	for _, elementary := range []bool{false, true} {
		s := start(t, ServerConfig{})
		muteUDP(t, s)
		m, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo), Elementary: elementary})
		if err != nil {
			t.Fatal(err)
		}
		stop := pump(t, m, 1000, false)
		c := dial(t, ClientConfig{URL: s.url("/live?udp_timeout=100")})
		if !c.LocalAddr().IsValid() {
			t.Error("it did not begin with UDP")
		}
		st := take(t, c)
		collect(t, st, count(mpegts.EventVideo, 5))
		if c.LocalAddr().IsValid() || c.Inbound().Packets == 0 {
			t.Error(c.LocalAddr(), c.Inbound())
		}
		await(t, "one player", func() bool { return m.PeerCount() == 1 && s.Stats().ActiveSessions == 1 })
		if err := c.Pause(); err != nil {
			t.Fatal(err)
		}
		await(t, "the pause", func() bool { return m.PeerCount() == 0 })
		if err := c.Play(); err != nil {
			t.Fatal(err)
		}
		collect(t, st, count(mpegts.EventVideo, 5))
		if err := c.Teardown(); err != nil {
			t.Fatal(err)
		}
		if r, d := c.End(); r != EndCleanTeardown || !c.TornDown() {
			t.Error(r, d)
		}
		await(t, "the goodbye", func() bool { return m.PeerCount() == 0 })
		if err := c.Play(); tsterr.KindOf(err) != tsterr.RTSPProtocol {
			t.Error(err)
		}
		stop()
	}
}

// Where TCP is no way either, the session by UDP goes on; a paused one is not
// touched, and with UDP asked for there is nothing to fall back to.
func TestNoFallBack(t *testing.T) {
	leak.Check(t)
	group, lone := start(t, ServerConfig{}), start(t, ServerConfig{MaxSessions: 1})
	mc, err := group.AddMulticastMount("/live", freeGroup(t), MountConfig{Program: program(mpegts.MuxVideo)})
	if err != nil {
		t.Fatal(err)
	}
	uni, err := lone.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range []*Mount{mc, uni} {
		s := []*Server{group, lone}[i]
		c := dial(t, ClientConfig{URL: s.url("/live?udp_timeout=30")})
		await(t, "the attempt", func() bool { return time.Since(time.Unix(0, c.playing.Load())) > 300*time.Millisecond })
		stop := pump(t, m, 1000, false)
		collect(t, take(t, c), count(mpegts.EventVideo, 3))
		if c.heir.Load() != nil {
			t.Error("it fell back")
		}
		_ = c.Close()
		stop()
	}
	s, _ := liveServer(t, ServerConfig{})
	muteUDP(t, s)
	forced := dial(t, ClientConfig{URL: s.url("/live?udp_timeout=20"), Transport: TransportUDP})
	never := dial(t, ClientConfig{URL: s.url("/live?udp_timeout=0")})
	paused := dial(t, ClientConfig{URL: s.url("/live?udp_timeout=100")})
	if err := paused.Pause(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	await(t, "some silence", func() bool { return time.Since(begun) > 200*time.Millisecond })
	for _, c := range []*Session{forced, never, paused} {
		if c.heir.Load() != nil {
			t.Error("it fell back")
		}
		_ = c.Close()
	}
}

// The application may end a session at any moment of its falling back.
func TestEndWhileFallingBack(t *testing.T) {
	leak.Check(t)
	s, m := liveServer(t, ServerConfig{})
	muteUDP(t, s)
	for i := range 20 {
		c := dial(t, ClientConfig{URL: s.url("/live?udp_timeout=1")})
		st := take(t, c)
		begun := time.Now()
		await(t, "its turn", func() bool { return time.Since(begun) > time.Duration(i)*time.Millisecond })
		if i%2 == 0 {
			c.Cancel()
		}
		_ = c.Close()
		collect(t, st, func([]sample) bool { return false }) // ends
		if r, d := c.End(); r != EndCleanTeardown && r != EndCancelled {
			t.Error(r, d)
		}
	}
	await(t, "the last goodbye", func() bool { return m.PeerCount() == 0 && s.Stats().ActiveSessions == 0 })
}
