package rtsp

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Shape tells what a publisher sends. The numbers are those of the Python enumeration.
type Shape int

// What a publisher sends.
const (
	ShapeMP2T Shape = iota
	ShapeElementary
)

// Publisher describes who publishes to a mount.
type Publisher struct {
	Peer       netip.AddrPort
	Shape      Shape
	KLV        bool
	Since      time.Time
	Generation uint64
}

// PublishStats count a publish mount.
type PublishStats struct {
	Inbound              rtp.InboundStats
	FramesEmitted        uint64 // pieces of MPEG-TS given on
	FramesDroppedApp     uint64 // that the application did not take in time
	FramesDroppedReaders uint64 // packets that clients which read too slowly lost
	UnitsEmitted         uint64
	UnitsDropped         uint64
	KLVEmitted           uint64
	KLVDropped           uint64
	Alignment            Alignment
	AlignmentSteps       uint64
	SSRCChanges          uint64
	Generation           uint64
	PeerCount            uint64
}

// PublishMount is a path that a client fills with ANNOUNCE and RECORD. Other
// clients can play it, and the application can take it.
type PublishMount struct {
	s        *Server
	m        *Mount
	onDemand bool
	data     *queue
	taken    atomic.Bool
	emitted  atomic.Uint64 // written under the ingest's lock, which comes before mu

	mu         sync.Mutex // guards what follows
	by         *serverConn
	info       Publisher
	recording  bool
	ingest     *ingest
	medias     []Media
	generation uint64
	over       EndReason
	base       PublishStats // of earlier publishers
}

// AddPublishMount adds a path that a publisher may fill.
func (s *Server) AddPublishMount(path string) (*PublishMount, error) {
	return s.addPublish(path, false)
}

func (s *Server) addPublish(path string, onDemand bool) (*PublishMount, error) {
	m, err := s.newMount(path, Published, MountConfig{})
	if err != nil {
		return nil, err
	}
	p := &PublishMount{s: s, m: m, onDemand: onDemand, data: newQueue()}
	m.publish = p
	return p, s.addMount(m)
}

// NextPublisher waits for a mount that was made on demand for a publisher. It
// returns nil when none came within the timeout; negative waits for ever.
func (s *Server) NextPublisher(ctx context.Context, timeout time.Duration) (*PublishMount, error) {
	var expired <-chan time.Time
	if timeout >= 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		expired = t.C
	}
	for {
		s.mu.Lock()
		if s.stopped {
			s.mu.Unlock()
			return nil, tsterr.New(tsterr.RTSPServer, "the server has stopped")
		}
		if len(s.waiting) > 0 {
			p := s.waiting[0]
			s.waiting = s.waiting[1:]
			more := len(s.waiting) > 0
			s.mu.Unlock()
			if more {
				token(s.arrived)
			}
			return p, nil
		}
		s.mu.Unlock()
		select {
		case <-s.arrived:
		case <-s.done:
		case <-expired:
			return nil, nil //nolint:nilnil // nobody came
		case <-ctx.Done():
			return nil, tsterr.New(tsterr.Cancelled, "cancelled")
		}
	}
}

// announce reserves a mount for a publisher (RFC 2326 §10.3).
func (c *serverConn) announce(req *base.Request) *base.Response {
	if v := req.Header["Content-Type"]; len(v) != 1 || !strings.EqualFold(strings.TrimSpace(v[0]), "application/sdp") {
		return answer(base.StatusBadRequest)
	}
	if c.current() != nil {
		return answer(base.StatusMethodNotValidInThisState)
	}
	d, err := parseSDP(req.Body)
	if err != nil {
		return answer(base.StatusBadRequest)
	}
	info, ok := shapeOf(d)
	if !ok {
		return answer(base.StatusUnsupportedMediaType)
	}
	m := c.s.find(req.URL.Path)
	if m == nil {
		if !c.s.cfg.AcceptUnregistered {
			return answer(base.StatusNotFound)
		}
		var code base.StatusCode
		if m, code = c.s.demand(req.URL.Path); m == nil {
			return answer(code)
		}
	}
	if m.publish == nil {
		return answer(base.StatusUnsupportedTransport)
	}
	info.Peer = remoteOf(c)
	if !m.publish.reserve(c, d.Medias, info) {
		return answer(base.StatusForbidden)
	}
	ses := c.newSession(req.URL, m)
	ses.publish = m.publish
	res := answer(base.StatusOK)
	res.Header["Session"] = ses.header()
	return res
}

func remoteOf(c *serverConn) netip.AddrPort {
	a, _ := netip.ParseAddrPort(c.w.nc.RemoteAddr().String())
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// shapeOf tells what a description is: one MPEG-TS media, or one H.264 media
// and at most one of KLV.
func shapeOf(d *Description) (Publisher, bool) {
	var n [kindCount]int
	for _, m := range d.Medias {
		n[m.Kind]++
		if m.Mode2 {
			return Publisher{}, false
		}
	}
	switch {
	case len(d.Medias) == 1 && n[KindMP2T] == 1:
		return Publisher{Shape: ShapeMP2T}, true
	case n[KindH264] == 1 && n[KindH264]+n[KindKLV] == len(d.Medias) && n[KindKLV] <= 1:
		return Publisher{Shape: ShapeElementary, KLV: n[KindKLV] == 1}, true
	}
	return Publisher{}, false
}

// demand makes a mount for a publisher that came unasked.
func (s *Server) demand(path string) (*Mount, base.StatusCode) {
	s.mu.Lock()
	full := len(s.waiting) >= maxWaiting || s.onDemand >= maxOnDemand
	if !full {
		s.onDemand++
	}
	s.mu.Unlock()
	if full {
		return nil, base.StatusServiceUnavailable
	}
	p, err := s.addPublish(path, true)
	if err != nil {
		s.mu.Lock()
		s.onDemand--
		s.mu.Unlock()
		return nil, base.StatusForbidden
	}
	s.mu.Lock()
	s.waiting = append(s.waiting, p)
	s.mu.Unlock()
	token(s.arrived)
	return p.m, 0
}

func (p *PublishMount) reserve(c *serverConn, medias []Media, info Publisher) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by != nil || p.over != EndNone {
		return false
	}
	g, err := newIngest(medias, rtp.DefaultHold, netip.Addr{}, p.emit, nil)
	if err != nil {
		return false
	}
	p.by, p.info, p.medias, p.ingest, p.recording = c, info, medias, g, false
	return true
}

// setupRecord sets up a track of a publisher.
func (c *serverConn) setupRecord(ses *serverSession, req *base.Request) *base.Response {
	p := ses.publish
	p.mu.Lock()
	medias := p.medias
	p.mu.Unlock()
	ses.mu.Lock()
	defer ses.mu.Unlock()
	// Publishers name the control attributes of their own description; without
	// one the tracks come in order.
	i := ses.set
	for k := range medias {
		if ctl := medias[k].Control; ctl != "" && strings.HasSuffix(req.URL.String(), ctl) {
			i = k
		}
	}
	if i >= len(medias) {
		return answer(base.StatusNotFound)
	}
	list := offers(req.Header["Transport"])
	for k := range list {
		th := &list[k]
		if th.Secure || (th.Delivery != nil && *th.Delivery == headers.TransportDeliveryMulticast) {
			continue
		}
		res := answer(base.StatusOK)
		res.Header["Session"] = ses.header()
		if th.Protocol == headers.TransportProtocolTCP {
			ch := [2]int{2 * i, 2*i + 1}
			if th.InterleavedIDs != nil { // the publisher sends on what it asked for
				ch = *th.InterleavedIDs
			}
			if ch[0] < 0 || ch[0] > 255 || ch[1] < 0 || ch[1] > 255 {
				continue
			}
			ses.channels[byte(ch[0])], ses.channels[byte(ch[1])] = 2*i, 2*i+1 //nolint:gosec // checked
			ses.set++
			res.Header["Transport"] = base.HeaderValue{
				fmt.Sprintf("RTP/AVP/TCP;unicast;interleaved=%d-%d;mode=record", ch[0], ch[1]),
			}
			return res
		}
		if th.ClientPorts == nil || th.ClientPorts[0] < 1 || th.ClientPorts[0] > 65535 ||
			th.ClientPorts[1] < 1 || th.ClientPorts[1] > 65535 {
			continue
		}
		pair, err := c.s.udp.open()
		if err != nil {
			return answer(base.StatusInternalServerError)
		}
		a, b := uint16(th.ClientPorts[0]), uint16(th.ClientPorts[1]) //nolint:gosec // checked
		peer := addrOf(c.w.nc.RemoteAddr())
		c.s.udp.register(netip.AddrPortFrom(peer, a), netip.AddrPortFrom(peer, b), udpPeer{c: c, track: i})
		ses.set++
		port := pair.rtp.LocalAddr().Port()
		res.Header["Transport"] = base.HeaderValue{
			fmt.Sprintf("RTP/AVP;unicast;client_port=%d-%d;server_port=%d-%d;mode=record", a, b, port, port+1),
		}
		return res
	}
	return answer(base.StatusUnsupportedTransport)
}

// record begins to take what the publisher sends.
func (c *serverConn) record() (*base.Response, func() bool) {
	ses := c.current()
	if ses == nil || ses.publish == nil {
		return answer(base.StatusMethodNotValidInThisState), nil
	}
	p := ses.publish
	ses.mu.Lock()
	set := ses.set
	ses.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if set < len(p.medias) || p.by != c {
		return answer(base.StatusMethodNotValidInThisState), nil
	}
	if !p.recording {
		p.recording = true
		p.info.Since = time.Now()
		p.info.Generation = p.generation
	}
	res := answer(base.StatusOK)
	res.Header["Session"] = ses.header()
	return res, stay
}

// packet takes what a publisher sends.
func (p *PublishMount) packet(ses *serverSession, i int, control bool, b []byte, from netip.Addr, now time.Time) {
	p.mu.Lock()
	g, ok := p.ingest, p.by == ses.c && p.recording && p.over == EndNone
	p.mu.Unlock()
	switch {
	case !ok || i >= len(g.tracks):
	case control:
		g.control(i, b, from, now)
	default:
		p.s.recvPackets.Add(1)
		p.s.recvBytes.Add(uint64(len(b)))
		g.packet(i, b, from, now)
	}
}

// emit gives MPEG-TS on, to the clients that play and to the application.
func (p *PublishMount) emit(ts []byte) {
	p.emitted.Add(1)
	p.m.PushTS(ts)
	for p.taken.Load() && len(ts) > 0 {
		n := min(len(ts), maxMessage)
		p.data.put(ts[:n], nil, nil)
		ts = ts[n:]
	}
}

// maxMessage is the longest message of a data plane, in bytes: whole packets.
const maxMessage = 64 << 10 / 188 * 188

// left notes that the publisher is gone.
func (p *PublishMount) left(c *serverConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by != c {
		return
	}
	p.base = p.sum()
	p.by, p.recording, p.ingest, p.medias = nil, false, nil, nil
	p.generation++
}

// sum adds the present publisher to the earlier ones. mu is held.
func (p *PublishMount) sum() PublishStats {
	s := p.base
	if p.ingest == nil {
		return s
	}
	in := p.ingest.inbound()
	s.Inbound.Packets += in.Packets
	s.Inbound.PayloadBytes += in.PayloadBytes
	s.Inbound.Malformed += in.Malformed
	s.Inbound.Rejected += in.Rejected
	s.Inbound.Reordered += in.Reordered
	s.Inbound.Lost += in.Lost
	s.SSRCChanges += in.SSRCChanges
	video, klv := p.ingest.assembly()
	s.UnitsEmitted += video.Units
	s.UnitsDropped += video.Dropped
	s.KLVEmitted += klv.Units
	s.KLVDropped += klv.Dropped
	s.AlignmentSteps += p.ingest.alignSteps()
	return s
}

// Stats reads the counters, of all publishers so far.
func (p *PublishMount) Stats() PublishStats {
	p.mu.Lock()
	s := p.sum()
	g := p.ingest
	s.FramesEmitted, s.Generation = p.emitted.Load(), p.generation
	p.mu.Unlock()
	if g != nil {
		s.Alignment = g.alignment(time.Now())
	}
	s.FramesDroppedApp = p.data.Stats().MessagesDropped
	s.FramesDroppedReaders = p.m.dropped.Load()
	s.PeerCount = uint64(p.m.PeerCount()) //nolint:gosec // not negative
	return s
}

// Mount is what clients play.
func (p *PublishMount) Mount() *Mount { return p.m }

// Path is the mount's path.
func (p *PublishMount) Path() string { return p.m.path }

// PeerCount is how many clients play the mount.
func (p *PublishMount) PeerCount() int { return p.m.PeerCount() }

// Generation is how many publishers have left.
func (p *PublishMount) Generation() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.generation
}

// Publisher tells who publishes now.
func (p *PublishMount) Publisher() (Publisher, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.info, p.recording
}

func (p *PublishMount) active() bool {
	_, ok := p.Publisher()
	return ok
}

// Cancel ends the mount's data plane and its publisher.
func (p *PublishMount) Cancel() {
	p.data.Cancel()
	p.end(EndCancelled)
}

// end ends the data plane; the first reason stays.
func (p *PublishMount) end(why EndReason) {
	p.mu.Lock()
	if p.over == EndNone {
		p.over = why
	}
	by := p.by
	p.mu.Unlock()
	p.data.finish(tsterr.New(tsterr.EOS, "the mount has ended"))
	if by != nil {
		_ = by.w.nc.Close()
	}
}

// PublishedStream is the data plane of a publish mount: MPEG-TS.
type PublishedStream struct {
	*queue
	p *PublishMount
}

// Take hands out the data plane, once. It goes on over changes of publishers.
func (p *PublishMount) Take() (*PublishedStream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over == EndCancelled || !p.taken.CompareAndSwap(false, true) {
		return nil, tsterr.New(tsterr.RTSPClosed, "the data plane was taken before")
	}
	return &PublishedStream{p.data, p}, nil
}

// End tells why the stream ended.
func (d *PublishedStream) End() (EndReason, string) {
	d.p.mu.Lock()
	defer d.p.mu.Unlock()
	if d.p.over != EndNone {
		return d.p.over, ""
	}
	if d.life.Cancelled() {
		return EndCancelled, ""
	}
	return EndNone, ""
}

// DefaultTimeout is for ever.
func (d *PublishedStream) DefaultTimeout() time.Duration { return transport.Forever }

// Inbound counts the publisher's packets.
func (d *PublishedStream) Inbound() rtp.InboundStats { return d.p.Stats().Inbound }
