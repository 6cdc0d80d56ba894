package rtsp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
	"github.com/pion/rtcp"

	"github.com/tstrans/tstrans/core/rtp"
)

// serverSession is what a client set up on its connection.
type serverSession struct {
	c       *serverConn
	id      string
	url     *base.URL
	mount   *Mount
	publish *PublishMount // of a publisher

	mu       sync.Mutex // guards what follows
	p        *peer
	playing  bool
	set      int          // tracks set up
	channels map[byte]int // interleaved channel to 2*track (+1: RTCP)
}

func (c *serverConn) newSession(u *base.URL, m *Mount) *serverSession {
	ses := &serverSession{
		c: c, id: randomHex(8), url: u.CloneWithoutCredentials(), mount: m, channels: map[byte]int{},
	}
	c.mu.Lock()
	c.session = ses
	c.mu.Unlock()
	return ses
}

func (ses *serverSession) header() base.HeaderValue {
	return base.HeaderValue{fmt.Sprintf("%s;timeout=%d", ses.id, max(1, int(ses.c.s.cfg.SessionTimeout/time.Second)))}
}

func (ses *serverSession) byChannel(ch byte) (track int, control, ok bool) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	k, ok := ses.channels[ch]
	return k / 2, k&1 == 1, ok
}

// player is the peer that plays now.
func (ses *serverSession) player() *peer {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if !ses.playing {
		return nil
	}
	return ses.p
}

// end frees the session.
func (ses *serverSession) end() {
	ses.mu.Lock()
	p, playing := ses.p, ses.playing
	ses.playing = false
	ses.mu.Unlock()
	if playing {
		ses.mount.removePeer(p)
		if p.conn == nil {
			p.stop()
		}
	}
	if ses.publish != nil {
		ses.publish.left(ses.c)
	}
}

// controlPath splits the track's number off the path of SETUP.
func controlPath(path string) (string, int) {
	i := strings.LastIndex(path, "/trackID=")
	if i < 0 {
		return path, 0
	}
	n, err := strconv.Atoi(path[i+len("/trackID="):])
	if err != nil || n < 0 {
		return path, 0
	}
	if i == 0 {
		return "/", n
	}
	return path[:i], n
}

// offers reads the transports that a client can do.
func offers(v base.HeaderValue) []headers.Transport {
	if len(v) != 1 {
		return nil
	}
	var out []headers.Transport
	for i, part := range strings.Split(v[0], ",") {
		if i == 8 {
			break
		}
		var th headers.Transport
		if th.Unmarshal(base.HeaderValue{withoutSource(part)}) == nil {
			out = append(out, th)
		}
	}
	return out
}

// withoutSource drops source=name: reading it would look a name up for whoever asks.
func withoutSource(s string) string {
	var keep []string
	for _, p := range strings.Split(s, ";") {
		p = strings.TrimSpace(p)
		if name, ok := strings.CutPrefix(p, "source="); ok {
			if _, err := netip.ParseAddr(name); err != nil {
				continue
			}
		}
		keep = append(keep, p)
	}
	return strings.Join(keep, ";")
}

func (c *serverConn) setup(req *base.Request) *base.Response {
	if len(req.Header["Transport"]) == 0 {
		return answer(base.StatusBadRequest)
	}
	ses := c.current()
	if ses != nil && ses.publish != nil {
		return c.setupRecord(ses, req)
	}
	path, i := controlPath(req.URL.Path)
	m := c.s.find(path)
	if m == nil {
		if m = c.s.find(req.URL.Path); m == nil {
			return answer(base.StatusNotFound)
		}
		i = 0
	}
	list := offers(req.Header["Transport"])
	if ses != nil && (ses.mount != m || ses.player() != nil) {
		return answer(base.StatusMethodNotValidInThisState)
	}
	for _, th := range list {
		if th.Mode != nil && *th.Mode == headers.TransportModeRecord {
			return answer(base.StatusMethodNotValidInThisState) // ANNOUNCE comes first
		}
	}
	medias := m.medias()
	if m.packer == nil {
		i = 0 // any number means the one media
	}
	if i >= len(medias) || medias[i].Kind == KindOther {
		return answer(base.StatusNotFound)
	}
	for k := range list {
		th := &list[k]
		if th.Secure || (m.mcast != nil && th.Protocol == headers.TransportProtocolTCP) {
			continue
		}
		if m.mcast == nil && th.Protocol == headers.TransportProtocolUDP &&
			(th.ClientPorts == nil || (th.Delivery != nil && *th.Delivery == headers.TransportDeliveryMulticast)) {
			continue
		}
		if ses == nil {
			ses = c.newSession(req.URL, m)
		}
		reply, err := ses.setupPlay(i, medias, th)
		if err != nil {
			return answer(base.StatusInternalServerError)
		}
		if reply == "" {
			continue
		}
		res := answer(base.StatusOK)
		res.Header["Session"] = ses.header()
		res.Header["Transport"] = base.HeaderValue{reply}
		return res
	}
	return answer(base.StatusUnsupportedTransport)
}

// setupPlay sets up track i for a player and gives the transport of the answer.
func (ses *serverSession) setupPlay(i int, medias []Media, th *headers.Transport) (string, error) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	m, s := ses.mount, ses.c.s
	if mc := m.mcast; mc != nil {
		ses.p = m.group
		ses.set = 1
		return fmt.Sprintf("RTP/AVP;multicast;destination=%v;port=%d-%d;ttl=%d", mc.Group, mc.Port, mc.Port+1, mc.TTL), nil
	}
	if ses.p == nil {
		ses.p = newPeer(m, len(medias))
		ses.p.owner = ses.c
	}
	t := &ses.p.tracks[i]
	if th.Protocol == headers.TransportProtocolTCP {
		ch := byte(s.channels.Add(1)-1) * 2 //nolint:gosec // the numbers go round
		t.tcp, t.channel = true, ch
		ses.channels[ch], ses.channels[ch+1] = 2*i, 2*i+1
		ses.p.prepare(i, medias[i])
		ses.set++
		return fmt.Sprintf("RTP/AVP/TCP;unicast;interleaved=%d-%d;ssrc=%08X", ch, ch+1, t.out.SSRC), nil
	}
	a, b := th.ClientPorts[0], th.ClientPorts[1]
	if a < 1 || a > 65535 || b < 1 || b > 65535 {
		return "", nil
	}
	pair, err := s.udp.open()
	if err != nil {
		return "", err
	}
	// To the client's own address, whatever it names as destination: nobody else
	// can be made to receive a stream.
	peer := addrOf(ses.c.w.nc.RemoteAddr())
	t.to, t.rtcpTo = netip.AddrPortFrom(peer, uint16(a)), netip.AddrPortFrom(peer, uint16(b)) //nolint:gosec // checked
	t.direct = pair.rtp.NewSegments(t.to)
	ses.p.udp = &s.udp
	s.udp.register(t.to, t.rtcpTo, udpPeer{c: ses.c, track: i})
	ses.p.prepare(i, medias[i])
	ses.set++
	port := pair.rtp.LocalAddr().Port()
	return fmt.Sprintf("RTP/AVP;unicast;client_port=%d-%d;server_port=%d-%d;ssrc=%08X", a, b, port, port+1, t.out.SSRC), nil
}

func (c *serverConn) play(req *base.Request) (*base.Response, func() bool) {
	ses := c.current()
	if ses == nil {
		return answer(base.StatusSessionNotFound), nil
	}
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.publish != nil || ses.set == 0 {
		return answer(base.StatusMethodNotValidInThisState), nil
	}
	res := answer(base.StatusOK)
	res.Header["Session"] = ses.header()
	if v := req.Header["Range"]; len(v) == 1 {
		res.Header["Range"] = base.HeaderValue{"npt=0.000-"}
	}
	if ses.playing {
		return res, nil
	}
	if ses.mount.mcast != nil {
		return res, func() bool { return c.startPlaying(ses) }
	}
	var info []string
	u := strings.TrimSuffix(ses.mountURL(req.URL), "/")
	for i := range ses.p.tracks {
		t := &ses.p.tracks[i]
		if !t.on {
			continue
		}
		e := fmt.Sprintf("url=%s/trackID=%d;seq=%d", u, i, t.out.Sequence())
		if ts, ok := ses.mount.rtpTime(t, i); ok {
			e += fmt.Sprintf(";rtptime=%d", ts)
		}
		info = append(info, e)
	}
	res.Header["RTP-Info"] = base.HeaderValue{strings.Join(info, ",")}
	return res, func() bool { return c.startPlaying(ses) }
}

// startPlaying begins to send, after the answer went out.
func (c *serverConn) startPlaying(ses *serverSession) bool {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.playing {
		return true
	}
	if ses.mount.mcast != nil { // the group is sent to anyhow: this only counts
		ses.p = newPeer(ses.mount, 0)
		ses.p.owner, ses.p.conn = c, ses.mount.group.conn
	} else if ses.p.stopped() {
		ses.p = ses.p.again()
	}
	if !ses.mount.addPeer(ses.p) {
		return false
	}
	ses.playing = true
	if ses.p.conn == nil {
		ses.p.begin()
	}
	return true
}

// mountURL is the URL of the stream without a track.
func (ses *serverSession) mountURL(u *base.URL) string {
	v := u.CloneWithoutCredentials()
	v.RawQuery = ""
	p, _ := controlPath(v.Path)
	v.Path, v.RawPath = p, ""
	return v.String()
}

func (c *serverConn) pause() *base.Response {
	ses := c.current()
	if ses == nil {
		return answer(base.StatusSessionNotFound)
	}
	ses.mu.Lock()
	p, playing := ses.p, ses.playing
	ses.playing = false
	ses.mu.Unlock()
	if ses.publish != nil {
		return answer(base.StatusMethodNotValidInThisState)
	}
	if playing {
		ses.mount.removePeer(p)
		if p.conn == nil {
			p.stop()
		}
	}
	res := answer(base.StatusOK)
	res.Header["Session"] = ses.header()
	return res
}

// rtpTime is the time stamp that track i of a player shows now.
func (m *Mount) rtpTime(t *peerTrack, i int) (uint32, bool) {
	now := time.Now()
	if m.packer == nil {
		return uint32(ticks(now.Sub(m.start))) - t.base, true //nolint:gosec // it wraps
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.packer
	if !k.anchored {
		return 0, false
	}
	pts := k.anchorPTS + ticks(now.Sub(k.anchor))
	return uint32(pts * int64(k.tracks[i].media.Rate) / rtp.ClockRate), true //nolint:gosec // it wraps
}

// countReports counts the receiver reports of a compound packet.
func countReports(b []byte) (n uint64) {
	ps, err := rtcp.Unmarshal(b)
	if err != nil {
		return 0
	}
	for _, p := range ps {
		if _, ok := p.(*rtcp.ReceiverReport); ok {
			n++
		}
	}
	return n
}
