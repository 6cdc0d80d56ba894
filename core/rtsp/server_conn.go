package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// serverBuffer is the read buffer of a connection: more than a header line.
const serverBuffer = 4096

// serverConn is one client's connection and the one session it may have.
type serverConn struct {
	s     *Server
	w     *wire
	auth  verifier
	ended chan struct{}
	seen  atomic.Int64 // when the client was heard last by UDP, in Unix nanoseconds

	mu      sync.Mutex // guards what follows
	session *serverSession
	cseq    int // of requests to the client
}

func newServerConn(s *Server, nc net.Conn) *serverConn {
	c := &serverConn{
		s: s, w: newWire(nc, serverBuffer), auth: verifier{want: s.cfg.Credentials}, ended: make(chan struct{}),
	}
	c.w.limit = s.cfg.MessageTimeout
	return c
}

// idleLimit is how long a client may be silent.
func (c *serverConn) idleLimit() time.Duration { return 2 * c.s.cfg.SessionTimeout }

// run answers requests until the connection ends.
func (c *serverConn) run() {
	defer c.s.loops.Done()
	defer close(c.ended)
	defer c.s.removeConn(c)
	defer c.endSession()
	defer func() { _ = c.w.nc.Close() }()
	if t, ok := c.w.nc.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(context.Background(), c.s.cfg.MessageTimeout)
		err := t.HandshakeContext(ctx)
		cancel()
		if err != nil {
			return
		}
	}
	heard := time.Now()
	for {
		m, err := c.w.read(heard.Add(c.idleLimit()))
		switch {
		case errors.Is(err, errIdle):
			if udp := time.Unix(0, c.seen.Load()); udp.After(heard) {
				heard = udp
				continue
			}
			return
		case errors.Is(err, errSyntax):
			_ = c.w.send(base.Response{StatusCode: base.StatusBadRequest, Header: base.Header{}}, farewellTimeout) // it ends here
			return
		case err != nil:
			return
		}
		heard = time.Now()
		switch {
		case m.isFrame:
			c.frame(m.channel, m.frame, heard)
		case m.req != nil:
			if !c.serve(m.req) {
				return
			}
		}
	}
}

// serve answers a request; false ends the connection.
func (c *serverConn) serve(req *base.Request) bool {
	res, after := c.handle(req)
	if v := req.Header["CSeq"]; len(v) > 0 {
		res.Header["CSeq"] = v[:1]
	}
	res.Header["Server"] = base.HeaderValue{userAgent}
	if err := c.w.send(res, c.idleLimit()); err != nil {
		return false
	}
	if after != nil {
		return after()
	}
	return true
}

// answer makes an answer without a body.
func answer(code base.StatusCode) *base.Response {
	return &base.Response{StatusCode: code, Header: base.Header{}}
}

// stay keeps the connection after the answer.
func stay() bool { return true }

// hangUp ends it.
func hangUp() bool { return false }

// public are the methods that are understood.
const public = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER, ANNOUNCE, RECORD"

// handle makes the answer, and what is to be done once it was sent.
func (c *serverConn) handle(req *base.Request) (*base.Response, func() bool) {
	if v := req.Header["CSeq"]; len(v) == 0 {
		return answer(base.StatusBadRequest), nil
	}
	switch req.Method {
	case base.Options:
		res := answer(base.StatusOK)
		res.Header["Public"] = base.HeaderValue{public}
		return res, nil
	case base.GetParameter, base.SetParameter:
		return c.parameter(req), nil
	case base.Pause:
		return c.pause(), nil
	case base.Teardown:
		if c.current() == nil {
			return answer(base.StatusSessionNotFound), nil
		}
		return answer(base.StatusOK), hangUp
	case base.Describe, base.Setup, base.Play, base.Announce, base.Record:
	default:
		return answer(base.StatusNotImplemented), nil
	}
	if !c.auth.ok(req) {
		res := answer(base.StatusUnauthorized)
		res.Header["WWW-Authenticate"] = c.auth.challenge()
		return res, nil
	}
	if req.URL == nil {
		return answer(base.StatusBadRequest), nil
	}
	switch req.Method { //nolint:exhaustive // the others were answered above
	case base.Describe:
		return c.describe(req), nil
	case base.Setup:
		return c.setup(req), nil
	case base.Play:
		return c.play(req)
	case base.Announce:
		return c.announce(req), nil
	}
	return c.record()
}

func (c *serverConn) current() *serverSession {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// parameter answers GET_PARAMETER and SET_PARAMETER, which keep sessions alive.
func (c *serverConn) parameter(req *base.Request) *base.Response {
	res := answer(base.StatusOK)
	if ses := c.current(); ses != nil {
		res.Header["Session"] = base.HeaderValue{ses.id}
	} else if len(req.Header["Session"]) > 0 {
		return answer(base.StatusSessionNotFound)
	}
	return res
}

// describeWait is how long a description waits for the configuration of a
// stream that nothing was pushed to yet.
const describeWait = 3 * time.Second

func (c *serverConn) describe(req *base.Request) *base.Response {
	m := c.s.find(req.URL.Path)
	if m == nil {
		return answer(base.StatusNotFound)
	}
	medias := m.medias()
	for end := time.Now().Add(describeWait); incomplete(medias) && time.Now().Before(end); medias = m.medias() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-c.s.done:
			return answer(base.StatusServiceUnavailable)
		}
	}
	addr, port, ttl := addrOf(c.w.nc.LocalAddr()), uint16(0), 0
	if m.mcast != nil {
		addr, port, ttl = m.mcast.Group, m.mcast.Port, m.mcast.TTL
	}
	res := answer(base.StatusOK)
	res.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
	u := req.URL.CloneWithoutCredentials()
	u.RawQuery = ""
	res.Header["Content-Base"] = base.HeaderValue{strings.TrimSuffix(u.String(), "/") + "/"}
	res.Body = describe(addr, port, ttl, medias)
	return res
}

func incomplete(medias []Media) bool {
	for i := range medias {
		if medias[i].Kind == KindOther {
			return true
		}
	}
	return false
}

// frame takes an interleaved frame from the client.
func (c *serverConn) frame(channel byte, b []byte, now time.Time) {
	ses := c.current()
	if ses == nil {
		return
	}
	if i, control, ok := ses.byChannel(channel); ok {
		c.datagram(i, control, b, netip.Addr{}, now)
	}
}

// datagram takes an RTP or RTCP packet of track i, however it came.
func (c *serverConn) datagram(i int, control bool, b []byte, from netip.Addr, now time.Time) {
	c.seen.Store(now.UnixNano())
	ses := c.current()
	switch {
	case ses == nil:
	case ses.publish != nil:
		ses.publish.packet(ses, i, control, b, from, now)
	case control:
		c.s.rtcpReceived.Add(countReports(b))
	}
}

// farewell tells the client that the server ends its session (notice 5402).
func (c *serverConn) farewell(drain time.Duration) {
	ses := c.current()
	if ses == nil {
		_ = c.w.nc.Close()
		return
	}
	if p := ses.player(); p != nil && drain > 0 {
		end := time.Now().Add(drain)
		for !p.drained() && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
		}
	}
	c.mu.Lock()
	c.cseq++
	seq := c.cseq
	c.mu.Unlock()
	req := base.Request{Method: base.Announce, URL: ses.url, Header: base.Header{
		"CSeq": base.HeaderValue{strconv.Itoa(seq)}, "Session": base.HeaderValue{ses.id},
		"Notice": base.HeaderValue{`5402 "Server-initiated teardown"`},
	}}
	within := farewellTimeout / 2
	if p := ses.player(); p != nil {
		p.halt()
		_ = c.w.nc.SetWriteDeadline(time.Now().Add(within)) // of a write that is stuck
	}
	_ = c.w.send(req, within) // the connection is closed next
}

// endSession frees what the session held.
func (c *serverConn) endSession() {
	c.mu.Lock()
	ses := c.session
	c.session = nil
	c.mu.Unlock()
	if ses != nil {
		ses.end()
		c.s.udp.forget(c)
	}
}
