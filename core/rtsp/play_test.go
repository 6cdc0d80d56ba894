package rtsp

import (
	"bytes"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

func TestPlayEveryTransport(t *testing.T) {
	leak.Check(t)
	for _, tr := range []Transport{TransportAuto, TransportUDP, TransportTCP} {
		s := start(t, ServerConfig{})
		m, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo, mpegts.MuxKLV)})
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, ClientConfig{URL: s.url("/live"), Transport: tr})
		await(t, "the player", func() bool { return m.PeerCount() == 1 })
		const n = 30
		go func() {
			for i := range n {
				time.Sleep(2 * time.Millisecond) // one burst is more than a socket holds
				if err := m.PushVideo(Only, picture(i, 1000*i), mpegts.VideoPush{PTS: int64(i) * 3000, KeyFrame: true}); err != nil {
					t.Error(err)
				}
				if err := m.PushKLV(Only, metadata(i, 100), int64(i)*3000, 0); err != nil {
					t.Error(err)
				}
			}
		}()
		got := collect(t, take(t, c), count(mpegts.EventKLV, n-2))
		for i, v := range only(got, mpegts.EventVideo) {
			if !bytes.Equal(v.payload, picture(i, 1000*i)) || v.pts != int64(i)*3000 {
				t.Fatalf("transport %d: picture %d has %d bytes, pts %d", tr, i, len(v.payload), v.pts)
			}
		}
		for i, v := range only(got, mpegts.EventKLV) {
			if !bytes.Equal(v.payload, metadata(i, 100)) {
				t.Fatalf("transport %d: metadata %d differs", tr, i)
			}
		}
		if in := c.Inbound(); in.Lost != 0 || in.Malformed != 0 {
			t.Errorf("transport %d: %+v", tr, in)
		}
		if st := m.Stats(); st.PacketsPushed == 0 || st.FramesDropped != 0 || st.PeerCount != 1 {
			t.Errorf("%+v", st)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		await(t, "the player's end", func() bool { return m.PeerCount() == 0 && s.Stats().ActiveSessions == 0 })
		if st := s.Stats(); st.RTPPacketsSent == 0 || st.RTPBytesSent == 0 {
			t.Errorf("%+v", st)
		}
		_ = s.Close()
	}
}

func TestElementaryMount(t *testing.T) {
	leak.Check(t)
	for _, tr := range []Transport{TransportUDP, TransportTCP} {
		s := start(t, ServerConfig{})
		m, err := s.AddUnicastMount("/es", MountConfig{
			Program: program(mpegts.MuxVideo, mpegts.MuxKLV, mpegts.MuxAudio), Elementary: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		adts := append([]byte{0xFF, 0xF1, 0x4C, 0x80, 0x0D, 0x7F, 0xFC}, bytes.Repeat([]byte{7}, 100)...)
		if err := m.PushAudio(Only, adts, 0); err != nil { // the description needs its header
			t.Fatal(err)
		}
		c := dial(t, ClientConfig{URL: s.url("/es"), Transport: tr})
		if len(c.Medias()) != 3 {
			t.Fatalf("%+v", c.Medias())
		}
		await(t, "the player", func() bool { return m.PeerCount() == 1 })
		const n = 20
		go func() {
			for i := range n {
				time.Sleep(2 * time.Millisecond)
				_ = m.PushVideo(Only, picture(i, 5000), mpegts.VideoPush{PTS: 90000 + int64(i)*3000, KeyFrame: true})
				_ = m.PushKLV(Only, metadata(i, 4000), 90000+int64(i)*3000, 0)
				_ = m.PushAudio(Only, adts, 90000+int64(i)*1920)
			}
		}()
		got := collect(t, take(t, c), func(got []sample) bool {
			return len(only(got, mpegts.EventVideo)) >= n-2 && len(only(got, mpegts.EventKLV)) >= n-2 && len(only(got, mpegts.EventAudio)) >= n-2
		})
		v, k, a := only(got, mpegts.EventVideo), only(got, mpegts.EventKLV), only(got, mpegts.EventAudio)
		for i := range n - 2 {
			if !bytes.Equal(v[i].payload, picture(i, 5000)) || !bytes.Equal(k[i].payload, metadata(i, 4000)) || !bytes.Equal(a[i].payload, adts) {
				t.Fatalf("transport %d: unit %d differs", tr, i)
			}
			if v[i].pts-v[0].pts != int64(i)*3000 || k[i].pts-k[0].pts != int64(i)*3000 || a[i].pts-a[0].pts != int64(i)*1920 {
				t.Fatalf("transport %d: unit %d at %d %d %d", tr, i, v[i].pts, k[i].pts, a[i].pts)
			}
		}
		await(t, "alignment by sender reports", func() bool { return c.Alignment() == AlignSenderReport })
		_ = c.Close()
		_ = s.Close()
	}
}

func TestMulticastMount(t *testing.T) {
	leak.Check(t)
	s := start(t, ServerConfig{})
	mc := freeGroup(t)
	m, err := s.AddMulticastMount("/mc", mc, MountConfig{Program: program(mpegts.MuxVideo)})
	if err != nil {
		t.Fatal(err)
	}
	pump(t, m, 2000, false)
	c := dial(t, ClientConfig{URL: s.url("/mc")})
	got := only(collect(t, take(t, c), count(mpegts.EventVideo, 10)), mpegts.EventVideo)
	for i := 1; i < len(got); i++ {
		if !bytes.HasPrefix(got[i].payload[24:], []byte("picture ")) || len(got[i].payload) != len(picture(0, 2000)) {
			t.Fatalf("picture %d: %q", i, got[i].payload[:40])
		}
	}
	if m.PeerCount() != 1 {
		t.Error(m.PeerCount())
	}
	if _, err := Dial(t.Context(), ClientConfig{URL: s.url("/mc"), Transport: TransportTCP}); tsterr.KindOf(err) != tsterr.RTSPUnsupportedTransport {
		t.Error(err)
	}
	_ = c.Close()
	for _, bad := range []MulticastConfig{{Group: mustAddr("10.0.0.1"), TTL: 1}, {Group: mustAddr("239.1.1.1"), TTL: 0}} {
		if _, err := s.AddMulticastMount("/bad", bad, MountConfig{Program: program(mpegts.MuxVideo)}); tsterr.KindOf(err) != tsterr.RTSPMount {
			t.Error(err)
		}
	}
}

// A client of a group has no queue of its own; stopping the server while it
// plays, paused or left ends it like any other.
func TestStopWithGroupClients(t *testing.T) {
	leak.Check(t)
	for _, drain := range []time.Duration{0, 300 * time.Millisecond} {
		s := start(t, ServerConfig{})
		m, err := s.AddMulticastMount("/mc", freeGroup(t), MountConfig{Program: program(mpegts.MuxVideo)})
		if err != nil {
			t.Fatal(err)
		}
		stop := pump(t, m, 2000, false)
		playing, paused, again := dial(t, ClientConfig{URL: s.url("/mc")}), dial(t, ClientConfig{URL: s.url("/mc")}), dial(t, ClientConfig{URL: s.url("/mc")})
		for _, c := range []*Session{paused, again} {
			if err := c.Pause(); err != nil {
				t.Fatal(err)
			}
		}
		if err := again.Play(); err != nil {
			t.Fatal(err)
		}
		gone := dial(t, ClientConfig{URL: s.url("/mc")})
		_ = gone.Close()
		await(t, "two players", func() bool { return m.PeerCount() == 2 })
		st := take(t, playing)
		collect(t, st, count(mpegts.EventVideo, 3))
		begun := time.Now()
		if err := s.Stop(drain); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > drain+5*time.Second {
			t.Errorf("stopping took %v", took)
		}
		stop()
		collect(t, st, func([]sample) bool { return false }) // ends
		for _, c := range []*Session{playing, again} {
			await(t, "the end", func() bool { r, _ := c.End(); return r != EndNone })
			if r, d := c.End(); r != EndCleanTeardown {
				t.Error(r, d)
			}
		}
		for _, c := range []*Session{playing, paused, again} {
			_ = c.Close()
		}
	}
}

func TestPauseAndPlay(t *testing.T) {
	leak.Check(t)
	s := start(t, ServerConfig{})
	m, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)})
	if err != nil {
		t.Fatal(err)
	}
	pump(t, m, 1000, false)
	for _, tr := range []Transport{TransportUDP, TransportTCP} {
		c := dial(t, ClientConfig{URL: s.url("/live"), Transport: tr})
		st := take(t, c)
		collect(t, st, count(mpegts.EventVideo, 3))
		for range 2 {
			if err := c.Pause(); err != nil {
				t.Fatal(err)
			}
			if m.PeerCount() != 0 {
				t.Error("still playing")
			}
			if err := c.Play(); err != nil {
				t.Fatal(err)
			}
			if err := c.Play(); err != nil { // once more changes nothing
				t.Fatal(err)
			}
			await(t, "the player", func() bool { return m.PeerCount() == 1 })
			collect(t, st, count(mpegts.EventVideo, 5))
		}
		if err := c.Teardown(); err != nil {
			t.Fatal(err)
		}
		if err := c.Play(); tsterr.KindOf(err) != tsterr.RTSPProtocol || !c.TornDown() {
			t.Error(err)
		}
		collect(t, st, func([]sample) bool { return false }) // ends
		if r, _ := st.End(); r != EndCleanTeardown {
			t.Error(r)
		}
		if _, err := c.Take(); tsterr.KindOf(err) != tsterr.RTSPClosed {
			t.Error(err)
		}
		_ = c.Close()
	}
}

func TestCredentials(t *testing.T) {
	leak.Check(t)
	for _, scheme := range []Scheme{Basic, DigestMD5, DigestSHA256} {
		s := start(t, ServerConfig{Credentials: Credentials{Scheme: scheme, User: "user", Password: "pa:ss \"word", Realm: "r"}})
		if _, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)}); err != nil {
			t.Fatal(err)
		}
		for _, tr := range []Transport{TransportUDP, TransportTCP} {
			c := dial(t, ClientConfig{URL: s.url("/live"), Transport: tr, Credentials: &Credentials{User: "user", Password: "pa:ss \"word"}})
			if err := c.Pause(); err != nil {
				t.Error(err)
			}
			_ = c.Close()
		}
		for _, bad := range []*Credentials{nil, {User: "user", Password: "wrong"}, {User: "other", Password: "pa:ss \"word"}} {
			if _, err := Dial(t.Context(), ClientConfig{URL: s.url("/live"), Credentials: bad}); tsterr.KindOf(err) != tsterr.RTSPAuthFailed {
				t.Errorf("scheme %d, %v: %v", scheme, bad, err)
			}
		}
		_ = s.Close()
	}
	if _, err := Start(t.Context(), ServerConfig{BindAddr: "127.0.0.1:0", Credentials: Credentials{Scheme: Basic}}); err == nil {
		t.Error("no realm")
	}
}

func TestDialErrors(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{})
	if _, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)}); err != nil {
		t.Fatal(err)
	}
	gone := start(t, ServerConfig{})
	_ = gone.Close()
	for url, want := range map[string]tsterr.Kind{
		s.url("/nowhere"):                tsterr.RTSPNotFound,
		s.url("/live") + "?transport=no": tsterr.RTSPProtocol,
		"http://127.0.0.1/live":          tsterr.RTSPProtocol,
		"rtsp://":                        tsterr.RTSPProtocol,
		gone.url("/live"):                tsterr.RTSPIO,
		"rtsp://no-such-host.invalid/x":  tsterr.RTSPIO,
	} {
		if _, err := Dial(t.Context(), ClientConfig{URL: url}); tsterr.KindOf(err) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
	// Every option of a URL that works.
	for _, q := range []string{"?transport=udp", "?transport=tcp&recv_timeout=100", "?reorder=0", "/", ""} {
		_ = dial(t, ClientConfig{URL: s.url("/live") + q}).Close()
	}
	_ = dial(t, ClientConfig{URL: "RTSP://user:pw@" + s.Addr().String() + "/live"}).Close()
}

func TestMountRules(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{})
	cfg := MountConfig{Program: program(mpegts.MuxVideo)}
	for _, p := range []string{"/", "/a/b", "/tr/", "/with space", "//x"} {
		if _, err := s.AddUnicastMount(p, cfg); err != nil {
			t.Error(p, err)
		}
	}
	for _, p := range []string{"", "x", "/a/b", "/q?x", "/h#x"} {
		if _, err := s.AddUnicastMount(p, cfg); tsterr.KindOf(err) != tsterr.RTSPMount {
			t.Error(p, err)
		}
	}
	for _, u := range []string{"/", "/a/b", "/tr/", "/tr", "/with%20space", "//x"} {
		_ = dial(t, ClientConfig{URL: s.url(u)}).Close()
	}
	if err := s.RemoveMount("/a/b"); err != nil {
		t.Error(err)
	}
	if err := s.RemoveMount("/a/b"); tsterr.KindOf(err) != tsterr.RTSPMount {
		t.Error(err)
	}
	_ = s.Close()
	if _, err := s.AddUnicastMount("/late", cfg); tsterr.KindOf(err) != tsterr.RTSPServer {
		t.Error(err)
	}
}

func TestBindAddresses(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]tsterr.Kind{
		"127.0.0.1:0": 0, "rtsp://127.0.0.1:0": 0, "[::1]:0": 0, "rtsps://127.0.0.1:0": tsterr.RTSPTLS,
		"localhost:0": tsterr.RTSPProtocol, "127.0.0.1:x": tsterr.RTSPProtocol, "127.0.0.1:70000": tsterr.RTSPProtocol,
		"http://127.0.0.1:0": tsterr.RTSPProtocol, "192.0.2.1:5554": tsterr.RTSPIO,
	} {
		s, err := Start(t.Context(), ServerConfig{BindAddr: addr})
		if tsterr.KindOf(err) != want {
			t.Errorf("%s: %v", addr, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
	c := ServerConfig{BindAddr: "10.1.2.3"}
	if a, _, err := c.bindAddress(); err != nil || a.Port() != DefaultPort {
		t.Error(a, err)
	}
}
