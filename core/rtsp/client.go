package rtsp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// clientBuffer holds the longest interleaved frame.
const clientBuffer = 1<<17 + 4

// Dial connects to a server and plays a stream.
func Dial(ctx context.Context, cfg ClientConfig) (*Session, error) {
	t, err := cfg.parse()
	if err != nil {
		return nil, err
	}
	if cfg.Transport < TransportAuto || cfg.Transport > TransportTCP || cfg.Mode < ModeTS || cfg.Mode > ModeH264 {
		return nil, tsterr.New(tsterr.InvalidArg, "unknown transport or mode")
	}
	if t.tls && cfg.Transport == TransportAuto {
		cfg.Transport = TransportTCP // UDP would carry the media in the clear
	}
	nc, err := connect(ctx, &cfg, t)
	if err != nil {
		return nil, err
	}
	s := newSession(cfg, t, nc, transport.NewLife(), newQueue())
	s.loops.Add(1)
	go s.read()
	if err = s.prepare(ctx); err == nil {
		err = s.play(ctx)
	}
	if err != nil {
		_ = s.Close() // says goodbye to a session half made
		return nil, err
	}
	s.loops.Add(1)
	go s.tend()
	return s, nil
}

func newSession(cfg ClientConfig, t *target, nc net.Conn, life *transport.Life, data *queue) *Session {
	s := &Session{
		cfg: cfg, target: t, w: newWire(nc, clientBuffer), ssrc: rand.Uint32(), //nolint:gosec // no secret
		life: life, data: data, closed: make(chan struct{}), pending: map[int]chan *base.Response{},
		timeout: defaultSessionTimeout, urgent: make(chan struct{}), ingest: &ingest{},
	}
	for i := range s.channels {
		s.channels[i] = -1
	}
	return s
}

// defaultSessionTimeout is what holds where the server names none (RFC 2326 §12.37).
const defaultSessionTimeout = 60 * time.Second

// connect opens the connection.
func connect(ctx context.Context, cfg *ClientConfig, t *target) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	tc := &tls.Config{ServerName: t.url.Hostname(), MinVersion: tls.VersionTLS12}
	if t.tls && len(cfg.RootCertsPEM) > 0 {
		tc.RootCAs = x509.NewCertPool()
		if !tc.RootCAs.AppendCertsFromPEM(cfg.RootCertsPEM) {
			return nil, tsterr.New(tsterr.RTSPTLS, "the trust anchors hold no certificate in PEM")
		}
	}
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.host)
	if err != nil {
		return nil, dialError(err, t.host)
	}
	if !t.tls {
		return nc, nil
	}
	c := tls.Client(nc, tc)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, tsterr.Wrap(tsterr.RTSPTLS, err, "TLS with %s", t.host)
	}
	return c, nil
}

func dialError(err error, host string) error {
	var ne net.Error
	kind := tsterr.RTSPIO
	if errors.As(err, &ne) && ne.Timeout() {
		kind = tsterr.RTSPTimeout
	}
	e := tsterr.Wrap(kind, err, "connect to %s", host)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		e = e.With("errno", int64(errno))
	}
	return e
}

// prepare goes from OPTIONS to SETUP (RFC 2326 §10).
func (s *Session) prepare(ctx context.Context) error {
	res, err := s.do(ctx, base.Options, s.target.url, nil)
	if err != nil {
		return err
	}
	if res.StatusCode == base.StatusNotFound {
		return check(res, base.Options)
	}
	res, err = s.do(ctx, base.Describe, s.target.url, base.Header{"Accept": base.HeaderValue{"application/sdp"}})
	if err != nil {
		return err
	}
	if err = check(res, base.Describe); err != nil {
		return err
	}
	d, err := parseSDP(res.Body)
	if err != nil {
		return err
	}
	if s.medias, err = choose(d, s.cfg.Mode); err != nil {
		return err
	}
	baseURL := s.target.url
	for _, key := range []string{"Content-Base", "Content-Location"} {
		if v := res.Header[key]; len(v) == 1 {
			if u, parseErr := base.ParseURL(strings.TrimSpace(v[0])); parseErr == nil {
				baseURL = u.CloneWithoutCredentials()
				break
			}
		}
	}
	if s.controlURL, err = resolve(baseURL, d.Control); err != nil {
		return err
	}
	if absolute(d.Control) { // it is what the media's are relative to, then
		baseURL = s.controlURL
	}
	if err := s.setupAll(ctx, baseURL); err != nil {
		return err
	}
	return s.makeIngest()
}

// setupAll sets the media up. Sound that the server describes and then refuses is
// left out, as long as something else is left: some cameras offer it though it is off.
func (s *Session) setupAll(ctx context.Context, baseURL *base.URL) error {
	var refusal error
	var medias []Media
	for _, m := range s.medias {
		u, err := resolve(baseURL, m.Control)
		if err != nil {
			return err
		}
		switch err = s.setup(ctx, len(medias), u); {
		case err == nil:
			medias = append(medias, m)
		case !answered(err) || !m.Kind.sound():
			return err
		case refusal == nil:
			refusal = err
		}
	}
	if len(medias) == 0 {
		return refusal
	}
	s.medias = medias
	return nil
}

// play begins the flow of packets.
func (s *Session) play(ctx context.Context) error {
	res, err := s.do(ctx, base.Play, s.controlURL, base.Header{"Range": base.HeaderValue{"npt=0.000-"}})
	if err != nil {
		return err
	}
	if err := check(res, base.Play); err != nil {
		return err
	}
	s.rtpInfo(res)
	s.playing.Store(time.Now().UnixNano())
	return nil
}

// choose takes the media that are played: MPEG-TS alone where there is some.
func choose(d *Description, mode Mode) ([]Media, error) {
	var out []Media
	for _, m := range d.Medias {
		switch {
		case mode == ModeH264:
			if m.Kind != KindH264 || len(out) > 0 {
				continue
			}
			if m.Mode2 {
				return nil, tsterr.New(tsterr.RTSPProtocol, "H.264 packetization-mode 2 is not supported")
			}
			out = append(out, m)
		case m.Kind == KindMP2T:
			return []Media{m}, nil
		case m.Kind != KindOther && !m.Mode2 && len(out) < maxTracks:
			out = append(out, m)
		}
	}
	// G.711 is a private stream in MPEG-TS: it comes along with something that is not.
	plain := func(m Media) bool { return m.Kind == KindALaw || m.Kind == KindULaw }
	if !slices.ContainsFunc(out, func(m Media) bool { return !plain(m) }) {
		return nil, tsterr.New(tsterr.RTSPNotFound, "the stream has no media that is understood")
	}
	return out, nil
}

// maxTracks is how many elementary media of a stream are played.
const maxTracks = 8

// makeIngest opens the way for the packets of what was set up.
func (s *Session) makeIngest() error {
	hold := max(0, s.cfg.Hold)
	out := func(ts []byte) { s.deliver(ts, nil) }
	var raw func(p *rtp.Packet)
	if s.cfg.Mode == ModeH264 {
		var head [rtp.HeaderSize]byte
		raw = func(p *rtp.Packet) {
			p.PutHeader(head[:])
			s.deliver(head[:], p.Payload)
		}
	}
	g, err := newIngest(s.medias, hold, netip.Addr{}, out, raw)
	if err != nil {
		return err
	}
	s.pmu.Lock()
	s.ingest = g
	for i, l := range s.links {
		if l.tcp {
			s.channels[l.channel], s.channels[l.control] = int8(2*i), int8(2*i+1) //nolint:gosec // few tracks
		}
	}
	s.pmu.Unlock()
	for i, l := range s.links {
		if l.udp != nil {
			l.udp.start(s, i, l.from)
		}
	}
	return nil
}

// deliver puts bytes before the application. With TCP the reader waits for it,
// as the server then does; with UDP the oldest bytes go.
func (s *Session) deliver(a, b []byte) {
	s.pmu.Lock()
	silent := s.silent
	s.pmu.Unlock()
	if silent {
		return
	}
	if !s.tcp.Load() {
		s.data.put(a, b, nil)
		return
	}
	s.pmu.Lock()
	urgent := s.urgent
	s.pmu.Unlock()
	s.stalled.Store(true)
	s.data.put(a, b, urgent)
	s.stalled.Store(false)
}

// setup sets up track i: by UDP where that will do, then on the connection where
// that will do, and last from a group, for servers that know no other way.
func (s *Session) setup(ctx context.Context, i int, u *base.URL) error {
	refused := func(err error) bool { return tsterr.KindOf(err) == tsterr.RTSPUnsupportedTransport && i == 0 }
	switch {
	case s.cfg.Transport == TransportTCP || (i > 0 && s.links[0].tcp):
		return s.setupTCP(ctx, i, u)
	case i > 0 && s.links[0].group:
		return s.setupUDP(ctx, i, u, fromGroup, nil)
	}
	pair, err := listenPair(ctx, netip.IPv4Unspecified(), s.peer())
	if err != nil {
		return err
	}
	port := pair.rtp.LocalAddr().Port()
	err = s.setupUDP(ctx, i, u, fmt.Sprintf("RTP/AVP;unicast;client_port=%d-%d", port, port+1), pair)
	if refused(err) && s.cfg.Transport == TransportAuto {
		err = s.setupTCP(ctx, i, u)
	}
	if refused(err) {
		if again := s.setupUDP(ctx, i, u, fromGroup, nil); !refused(again) {
			return again
		}
	}
	return err
}

// fromGroup asks for the group that a server sends to.
const fromGroup = "RTP/AVP;multicast"

// setupUDP asks for a transport by UDP, to the ports of pair or, without, to a
// group's. It takes pair over.
func (s *Session) setupUDP(ctx context.Context, i int, u *base.URL, ask string, pair *udpPair) error {
	if pair == nil {
		pair = &udpPair{}
	}
	res, err := s.do(ctx, base.Setup, u, base.Header{"Transport": base.HeaderValue{ask}})
	if err == nil {
		err = check(res, base.Setup)
	}
	if err != nil {
		pair.close()
		return err
	}
	th, err := s.accepted(res, ask)
	if err != nil {
		pair.close()
		return err
	}
	if th.Protocol == headers.TransportProtocolTCP {
		pair.close()
		return s.interleave(i, th)
	}
	l := &link{udp: pair}
	from := s.peer()
	if th.Source != nil {
		if a, ok := netip.AddrFromSlice(*th.Source); ok && !a.IsUnspecified() {
			from = a.Unmap()
		}
	}
	switch {
	case th.Delivery != nil && *th.Delivery == headers.TransportDeliveryMulticast && th.Destination != nil:
		pair.close()
		if l.udp, err = joinPair(ctx, th, s.local()); err != nil {
			return err
		}
		l.group = true
		from = netip.Addr{} // a group may have any sender
	case pair.rtp == nil:
		return errState("SETUP: the answer names no group")
	case th.ServerPorts != nil && from.IsValid():
		to := netip.AddrPortFrom(from, uint16(th.ServerPorts[0]))      //nolint:gosec // a port, or the send fails
		l.rtcpTo = netip.AddrPortFrom(from, uint16(th.ServerPorts[1])) //nolint:gosec // see above
		if th.ServerPorts[0] > 0 && th.ServerPorts[1] > 0 && !to.Addr().IsLoopback() {
			pair.punch(to, l.rtcpTo)
		}
	}
	l.from = from
	s.add(l)
	return nil
}

func (s *Session) add(l *link) {
	s.pmu.Lock()
	s.links = append(s.links, l)
	gone := s.stopping
	s.pmu.Unlock()
	if gone && l.udp != nil { // the connection ended meanwhile
		l.udp.close()
	}
}

func (s *Session) setupTCP(ctx context.Context, i int, u *base.URL) error {
	ask := fmt.Sprintf("RTP/AVP/TCP;unicast;interleaved=%d-%d", 2*i, 2*i+1)
	res, err := s.do(ctx, base.Setup, u, base.Header{"Transport": base.HeaderValue{ask}})
	if err != nil {
		return err
	}
	if err = check(res, base.Setup); err != nil {
		return err
	}
	th, err := s.accepted(res, ask)
	if err != nil {
		return err
	}
	return s.interleave(i, th)
}

func (s *Session) interleave(i int, th *headers.Transport) error {
	ch := [2]int{2 * i, 2*i + 1}
	if th.InterleavedIDs != nil {
		ch = *th.InterleavedIDs
	}
	if ch[0] < 0 || ch[0] > 255 || ch[1] < 0 || ch[1] > 255 {
		return errState("the server names channels beyond 255")
	}
	s.tcp.Store(true)
	s.add(&link{tcp: true, channel: byte(ch[0]), control: byte(ch[1])}) //nolint:gosec // checked
	return nil
}

// rtpInfo takes the beginnings of the media where the server tells all of them.
func (s *Session) rtpInfo(res *base.Response) {
	var info headers.RTPInfo
	if info.Unmarshal(res.Header["RTP-Info"]) != nil || len(info) != len(s.medias) || len(info) < 2 {
		return
	}
	for _, e := range info {
		if e.Timestamp == nil {
			return
		}
	}
	s.ingest.mu.Lock()
	defer s.ingest.mu.Unlock()
	for i, e := range info {
		if !s.ingest.tracks[i].placed {
			s.ingest.tracks[i].rtpTime = e.Timestamp
		}
	}
}

// peer is the server's address, local ours.
func (s *Session) peer() netip.Addr  { return addrOf(s.w.nc.RemoteAddr()) }
func (s *Session) local() netip.Addr { return addrOf(s.w.nc.LocalAddr()) }

func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
