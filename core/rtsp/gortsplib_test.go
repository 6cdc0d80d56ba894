package rtsp

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	prtp "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// memory is a transport.Reader over what a peer received.
type memory struct {
	c chan []byte
}

func (m *memory) ReadBatch(arena []byte, spans []transport.Span, d time.Duration) (int, error) {
	select {
	case b := <-m.c:
		spans[0] = transport.Span{Len: uint32(copy(arena, b))} //nolint:gosec // small
		return 1, nil
	case <-time.After(d):
		return 0, transport.Timeout("memory")
	}
}
func (*memory) Stats() transport.Stats { return transport.Stats{} }
func (*memory) Cancel()                {}
func (*memory) Close() error           { return nil }

// peerClient plays a mount with gortsplib's client.
func peerClient(t *testing.T, url string, tr *gortsplib.Transport, tc *tls.Config) (*memory, *gortsplib.Client) {
	t.Helper()
	u, err := base.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Transport: tr, TLSConfig: tc, AnyPortEnable: true}
	if err = c.Start2(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	d, _, err := c.Describe(u)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetupAll(d.BaseURL, d.Medias); err != nil {
		t.Fatal(err)
	}
	m := &memory{c: make(chan []byte, 10000)}
	c.OnPacketRTPAny(func(_ *description.Media, f format.Format, p *prtp.Packet) {
		if _, ok := f.(*format.MPEGTS); ok {
			m.c <- bytes.Clone(p.Payload)
		}
	})
	if _, err := c.Play(nil); err != nil {
		t.Fatal(err)
	}
	return m, c
}

func TestGortsplibPlaysOurMount(t *testing.T) {
	leak.Check(t)
	udp, tcp := gortsplib.TransportUDP, gortsplib.TransportTCP
	cert, key, pool := certificate(t)
	for _, c := range []struct {
		name  string
		tr    *gortsplib.Transport
		creds Credentials
		tls   bool
	}{
		{"udp", &udp, Credentials{}, false},
		{"tcp", &tcp, Credentials{}, false},
		{"auto", nil, Credentials{}, false},
		{"basic", &tcp, Credentials{Scheme: Basic, User: "u", Password: "p", Realm: "r"}, false},
		{"digest", &udp, Credentials{Scheme: DigestMD5, User: "u", Password: "p", Realm: "r"}, false},
		{"digest sha-256", &tcp, Credentials{Scheme: DigestSHA256, User: "u", Password: "p", Realm: "r"}, false},
		{"tls", &tcp, Credentials{}, true},
	} {
		cfg := ServerConfig{Credentials: c.creds}
		scheme := "rtsp://u:p@"
		var tc *tls.Config
		if c.tls {
			cfg.CertPEM, cfg.KeyPEM = cert, key
			scheme, tc = "rtsps://", &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
		}
		s := start(t, cfg)
		m, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo, mpegts.MuxKLV)})
		if err != nil {
			t.Fatal(err)
		}
		stop := pump(t, m, 3000, true)
		got, peer := peerClient(t, scheme+s.Addr().String()+"/live", c.tr, tc)
		checkPictures(t, c.name, collect(t, got, count(mpegts.EventKLV, 20)), 3000)
		stop()
		peer.Close()
		_ = s.Close()
	}
}

// checkPictures compares what pump pushed with what came, whole and in order.
func checkPictures(t *testing.T, name string, got []sample, size int) {
	t.Helper()
	v := only(got, mpegts.EventVideo)
	if len(v) < 3 {
		t.Fatalf("%s: %d pictures", name, len(v))
	}
	first := -1
	for i := range 100000 {
		if bytes.Equal(v[0].payload, picture(i, size)) {
			first = i
			break
		}
	}
	for i, p := range v {
		if first < 0 || !bytes.Equal(p.payload, picture(first+i, size)) {
			t.Fatalf("%s: picture %d of %d differs", name, i, len(v))
		}
	}
	for _, d := range only(got, mpegts.EventDiscontinuity) {
		t.Errorf("%s: %+v", name, d)
	}
}

// peerServer serves one stream with gortsplib's server.
type peerServer struct {
	*gortsplib.Server
	stream *gortsplib.ServerStream
	creds  bool
	ready  chan struct{}
	once   sync.Once
	ended  sync.Once
}

func (p *peerServer) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if p.creds && !ctx.Conn.VerifyCredentials(ctx.Request, "u", "p") {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, authError()
	}
	return &base.Response{StatusCode: base.StatusOK}, p.stream, nil
}

func (p *peerServer) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if p.creds && !ctx.Conn.VerifyCredentials(ctx.Request, "u", "p") {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, authError()
	}
	return &base.Response{StatusCode: base.StatusOK}, p.stream, nil
}

func (p *peerServer) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	p.once.Do(func() { close(p.ready) })
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (*peerServer) OnPause(*gortsplib.ServerHandlerOnPauseCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// serving is how a peer's server sends by UDP.
type serving int

const (
	everyWay serving = iota
	noUDP
	groupOnly
)

// routed tells whether groups have a way out.
func routed(t *testing.T) bool {
	t.Helper()
	c, err := net.Dial("udp4", "239.255.0.1:9")
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func newPeerServer(t *testing.T, methods []auth.VerifyMethod, serves serving, medias ...*description.Media) *peerServer {
	t.Helper()
	p := &peerServer{creds: methods != nil, ready: make(chan struct{})}
	for range 50 {
		pair, err := bindPair(mustAddr("127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		a, b := pair.rtp.LocalAddr().String(), pair.rtcp.LocalAddr().String()
		pair.close()
		p.Server = &gortsplib.Server{Handler: p, RTSPAddress: "127.0.0.1:0", UDPRTPAddress: a, UDPRTCPAddress: b, AuthMethods: methods}
		if serves != everyWay {
			p.UDPRTPAddress, p.UDPRTCPAddress = "", ""
		}
		if serves == groupOnly {
			g := freeGroup(t)
			p.MulticastIPRange = netip.PrefixFrom(g.Group, 24).Masked().String()
			p.MulticastRTPPort, p.MulticastRTCPPort = int(g.Port), int(g.Port)+1
		}
		// The server does not tell the port it bound.
		p.Listen = func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err == nil {
				p.RTSPAddress = l.Addr().String()
			}
			return l, err
		}
		if p.Start() == nil {
			break
		}
	}
	p.stream = &gortsplib.ServerStream{Server: p.Server, Desc: &description.Session{Medias: medias}}
	if err := p.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	return p
}

func (p *peerServer) end() {
	p.ended.Do(func() {
		p.stream.Close()
		p.Close()
	})
}

func (p *peerServer) write(t *testing.T, m *description.Media, ps ...*prtp.Packet) {
	for _, k := range ps {
		if err := p.stream.WritePacketRTP(m, k); err != nil {
			t.Error(err)
		}
	}
}

func TestWePlayGortsplibsMPEGTS(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		name    string
		tr      Transport
		methods []auth.VerifyMethod
		serves  serving
	}{
		{"udp", TransportUDP, nil, everyWay},
		{"tcp", TransportTCP, nil, everyWay},
		{"fallback", TransportAuto, nil, noUDP},
		{"group", TransportUDP, nil, groupOnly},
		{"basic", TransportAuto, []auth.VerifyMethod{auth.VerifyMethodBasic}, everyWay},
		{"digest", TransportTCP, []auth.VerifyMethod{auth.VerifyMethodDigestMD5}, everyWay},
		{"digest sha-256", TransportUDP, []auth.VerifyMethod{auth.VerifyMethodDigestSHA256}, everyWay},
	} {
		if c.serves == groupOnly && !routed(t) {
			continue // there is no way out for groups here, and that server sends them nowhere else
		}
		media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{&format.MPEGTS{}}}
		p := newPeerServer(t, c.methods, c.serves, media)
		url := "rtsp://" + p.RTSPAddress + "/ts"
		if c.methods != nil {
			for _, bad := range []*Credentials{nil, {User: "u", Password: "wrong"}} {
				if _, err := Dial(t.Context(), ClientConfig{URL: url, Credentials: bad}); tsterr.KindOf(err) != tsterr.RTSPAuthFailed {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			url = "rtsp://u:p@" + p.RTSPAddress + "/ts"
		}
		s := dial(t, ClientConfig{URL: url, Transport: c.tr})
		<-p.ready
		mux, err := mpegts.NewMuxer(mpegts.NewMuxConfig(program(mpegts.MuxVideo)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			seq := uint16(65500)
			for i := 0; ctx.Err() == nil; i++ {
				_ = mux.PushVideo(picture(i, 3000), mpegts.VideoPush{PTS: int64(i) * 900, KeyFrame: true})
				for b := mux.Pending(); len(b) > 0; b = mux.Pending() {
					n := min(len(b), packetPayload)
					p.write(t, media, &prtp.Packet{
						Header:  prtp.Header{Version: 2, PayloadType: 33, SequenceNumber: seq, Timestamp: uint32(i * 900), SSRC: 9}, //nolint:gosec // small
						Payload: bytes.Clone(b[:n]),
					})
					seq++
					mux.Discard(n)
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
		checkPictures(t, c.name, collect(t, take(t, s), count(mpegts.EventVideo, 20)), 3000)
		if c.serves != groupOnly { // a PAUSE of a group's player kills that server
			if err := s.Pause(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		cancel()
		wg.Wait()
		_ = s.Close()
		p.end()
	}
}

func TestWePlayGortsplibsElementaryMedia(t *testing.T) {
	leak.Check(t)
	nals := [][]byte{{0x67, 0x42, 0, 0x1E, 0x8D, 0x68, 0x50}, {0x68, 0xCE, 0x38, 0x80}}
	for _, tr := range []Transport{TransportUDP, TransportTCP} {
		fv := &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: nals[0], PPS: nals[1]}
		fk := &format.KLV{PayloadTyp: 97}
		video := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{fv}}
		klv := &description.Media{Type: description.MediaTypeApplication, Formats: []format.Format{fk}}
		other := &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{&format.G722{}}}
		p := newPeerServer(t, nil, everyWay, other, video, klv)
		s := dial(t, ClientConfig{URL: "rtsp://" + p.RTSPAddress + "/cam", Transport: tr})
		if m := s.Medias(); len(m) != 2 || m[0].Kind != KindH264 || m[1].Kind != KindKLV {
			t.Fatalf("%+v", m)
		}
		<-p.ready
		ev, _ := fv.CreateEncoder()
		ek, _ := fk.CreateEncoder()
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 30 {
				time.Sleep(5 * time.Millisecond)
				// No parameter sets in the stream: those of the description are put in.
				vs, _ := ev.Encode([][]byte{append([]byte{0x65}, bytes.Repeat([]byte{byte(i + 1)}, 4000)...)})
				ks, _ := ek.Encode(metadata(i, 3000))
				for _, x := range append(vs, ks...) {
					x.Timestamp = uint32(1000 + i*3000) //nolint:gosec // small
				}
				p.write(t, video, vs...)
				p.write(t, klv, ks...)
			}
		}()
		got := collect(t, take(t, s), func(got []sample) bool {
			return len(only(got, mpegts.EventVideo)) >= 28 && len(only(got, mpegts.EventKLV)) >= 28
		})
		for i, v := range only(got, mpegts.EventVideo)[:28] {
			want := append([]byte{0, 0, 0, 1}, nals[0]...)
			want = append(append(want, 0, 0, 0, 1), nals[1]...)
			want = append(append(want, 0, 0, 0, 1, 0x65), bytes.Repeat([]byte{byte(i + 1)}, 4000)...)
			if !bytes.Equal(v.payload, want) || v.codec != mpegts.CodecH264 {
				t.Fatalf("picture %d has %d bytes, wanted %d", i, len(v.payload), len(want))
			}
		}
		for i, k := range only(got, mpegts.EventKLV)[:28] {
			if !bytes.Equal(k.payload, metadata(i, 3000)) {
				t.Fatalf("metadata %d differs", i)
			}
		}
		wg.Wait()
		_ = s.Close()
		p.end()
	}
}

func authError() error { return liberrors.ErrServerAuth{} }

// certificate makes a self-signed certificate for 127.0.0.1.
func certificate(t testing.TB) (cert, key []byte, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	kder, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: kder})
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return cert, key, pool
}

func TestTLS(t *testing.T) {
	leak.Check(t)
	cert, key, _ := certificate(t)
	s := start(t, ServerConfig{BindAddr: "rtsps://127.0.0.1:0", CertPEM: cert, KeyPEM: key})
	m, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)})
	if err != nil {
		t.Fatal(err)
	}
	stop := pump(t, m, 2000, false)
	url := "rtsps://" + s.Addr().String() + "/live"
	c := dial(t, ClientConfig{URL: url, RootCertsPEM: cert})
	checkPictures(t, "tls", collect(t, take(t, c), count(mpegts.EventVideo, 10)), 2000)
	_ = c.Close()
	stop()
	other, _, _ := certificate(t)
	for name, cfg := range map[string]ClientConfig{
		"unknown authority": {URL: url, RootCertsPEM: other},
		"system's roots":    {URL: url},
		"no PEM":            {URL: url, RootCertsPEM: []byte("nothing")},
	} {
		if _, err := Dial(t.Context(), cfg); tsterr.KindOf(err) != tsterr.RTSPTLS {
			t.Error(name, err)
		}
	}
	for _, bad := range []ServerConfig{{CertPEM: cert}, {CertPEM: []byte("x"), KeyPEM: key}} {
		bad.BindAddr = "127.0.0.1:0"
		if _, err := Start(t.Context(), bad); tsterr.KindOf(err) != tsterr.RTSPTLS {
			t.Error(err)
		}
	}
}

func TestGortsplibPublishes(t *testing.T) {
	leak.Check(t)
	udp, tcp := gortsplib.TransportUDP, gortsplib.TransportTCP
	for _, tr := range []*gortsplib.Transport{&udp, &tcp} {
		s := start(t, ServerConfig{AcceptUnregistered: true})
		p, err := s.AddPublishMount("/in")
		if err != nil {
			t.Fatal(err)
		}
		st, err := p.Take()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = p.Take(); tsterr.KindOf(err) != tsterr.RTSPClosed {
			t.Error(err)
		}
		fv := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
		media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{fv}}
		for round := range 2 { // one publisher after the other
			c := &gortsplib.Client{Transport: tr}
			if err = c.StartRecording(s.url("/in"), &description.Session{Medias: []*description.Media{media}}); err != nil {
				t.Fatal(err)
			}
			if info, ok := p.Publisher(); !ok || info.Shape != ShapeElementary || info.KLV || info.Generation != uint64(round) { //nolint:gosec // small
				t.Errorf("%+v %v", info, ok)
			}
			busy := &gortsplib.Client{Transport: tr}
			if err = busy.StartRecording(s.url("/in"), &description.Session{Medias: []*description.Media{media}}); err == nil {
				t.Error("two publishers at once")
			}
			busy.Close()
			e, _ := fv.CreateEncoder()
			reader := dial(t, ClientConfig{URL: s.url("/in"), Transport: TransportTCP})
			var wg sync.WaitGroup
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range 25 {
					time.Sleep(3 * time.Millisecond)
					ps, _ := e.Encode([][]byte{{0x67, 1, 2, 3}, {0x68, 1, 2}, append([]byte{0x65}, bytes.Repeat([]byte{byte(i + 1)}, 3000)...)})
					for _, x := range ps {
						x.Timestamp = uint32(i * 3000) //nolint:gosec // small
						if writeErr := c.WritePacketRTP(media, x); writeErr != nil {
							t.Error(writeErr)
						}
					}
				}
			}()
			got := only(collect(t, st, count(mpegts.EventVideo, 20)), mpegts.EventVideo)
			for _, v := range got[1:] {
				if n := len(v.payload); n != 4*3+4+3+3001 {
					t.Fatalf("a picture of %d bytes", n)
				}
			}
			if len(only(collect(t, take(t, reader), count(mpegts.EventVideo, 1)), mpegts.EventVideo)) == 0 {
				t.Error("the reader saw nothing")
			}
			_ = reader.Close()
			wg.Wait()
			c.Close()
			await(t, "the publisher's end", func() bool { return p.Generation() == uint64(round+1) }) //nolint:gosec // small
		}
		if ps := p.Stats(); ps.UnitsEmitted < 40 || ps.Inbound.Packets == 0 || ps.UnitsDropped != 0 || ps.Generation != 2 {
			t.Errorf("%+v", ps)
		}
		// One on a path nobody added.
		c := &gortsplib.Client{Transport: tr}
		if err = c.StartRecording(s.url("/new/one"), &description.Session{Medias: []*description.Media{media}}); err != nil {
			t.Fatal(err)
		}
		q, err := s.NextPublisher(t.Context(), patience)
		if err != nil || q == nil || q.Path() != "/new/one" {
			t.Fatal(q, err)
		}
		if q, err := s.NextPublisher(t.Context(), 0); q != nil || err != nil {
			t.Fatal(q, err)
		}
		c.Close()
		if err := s.RemoveMount("/in"); err != nil {
			t.Error(err)
		}
		collect(t, st, func([]sample) bool { return false }) // ends
		if r, _ := st.End(); r != EndCleanTeardown {
			t.Error(r)
		}
		_ = st.Close()
		_ = s.Close()
	}
}
