package rtsp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// EndReason tells why a stream ended.
type EndReason int32

// Why a stream ended; the numbers are those of the Python enumeration.
const (
	EndNone EndReason = iota
	EndCleanTeardown
	EndSessionExpired // the server no longer knew the session
	EndKeepAliveFailed
	EndTransportFailed
	EndProtocolError
	EndCancelled
)

// SessionStats are the RTCP figures of a session.
type SessionStats struct {
	RRReceived, SRReceived uint64
	RRSent, SRSent         uint64
	JitterMicros           uint64 // interarrival jitter of the first media, in us
	FractionLost           uint8  // of the last report sent, in 1/256
}

// Session is a stream being played from a server.
type Session struct {
	cfg    ClientConfig
	target *target
	w      *wire
	ingest *ingest
	medias []Media
	ssrc   uint32 // in our reports

	controlURL *base.URL // of the whole session
	asks       bool      // keep-alives are GET_PARAMETER; belongs to tend
	links      []*link   // by track
	channels   [256]int8 // interleaved channel to 2*track (+1: RTCP), -1: none

	life   *transport.Life // cancelled: no more control calls
	reqMu  sync.Mutex      // one control call at a time
	data   *queue
	loops  sync.WaitGroup
	closed chan struct{} // the connection has ended

	pmu      sync.Mutex // guards what follows
	pending  map[int]chan *base.Response
	cseq     int
	auth     *challenge
	id       string
	timeout  time.Duration // of the session
	torn     bool
	reason   EndReason
	detail   string
	urgent   chan struct{} // closed while an answer is waited for
	waiting  int
	stopping bool
	silent   bool // another session has the stream

	tcp     atomic.Bool             // media comes on the connection
	taken   atomic.Bool             // the data plane was handed out
	stalled atomic.Bool             // the reader waits for the application
	playing atomic.Int64            // since when, in Unix nanoseconds; 0: paused
	heir    atomic.Pointer[Session] // plays instead of this one
	once    sync.Once
}

// link is how the packets of a track come.
type link struct {
	tcp     bool
	channel byte // of RTP
	control byte // of RTCP
	udp     *udpPair
	from    netip.Addr // of the server; not valid: anybody
	group   bool       // udp has joined one
	rtcpTo  netip.AddrPort
}

// errState is a control call at the wrong time.
func errState(what string) error { return tsterr.New(tsterr.RTSPProtocol, "%s", what) }

// do sends a request and waits for its answer, authorising it when asked to.
func (s *Session) do(ctx context.Context, method base.Method, u *base.URL, h base.Header) (*base.Response, error) {
	for attempt := 0; ; attempt++ {
		req := &base.Request{Method: method, URL: u, Header: base.Header{"User-Agent": base.HeaderValue{userAgent}}}
		for k, v := range h {
			req.Header[k] = v
		}
		res, err := s.exchange(ctx, req)
		if err != nil || res.StatusCode != base.StatusUnauthorized {
			return res, err
		}
		if s.target.credentials == nil {
			return nil, tsterr.New(tsterr.RTSPAuthFailed, "the server asks for credentials")
		}
		c, ok := parseChallenge(res.Header["Www-Authenticate"])
		if !ok {
			if c, ok = parseChallenge(res.Header["WWW-Authenticate"]); !ok {
				return nil, tsterr.New(tsterr.RTSPAuthFailed, "the server asks for an authentication that is not known")
			}
		}
		s.pmu.Lock()
		used := s.auth != nil && attempt > 0
		s.auth = c
		s.pmu.Unlock()
		if used && (!c.stale || attempt > 1) {
			return nil, tsterr.New(tsterr.RTSPAuthFailed, "the server refuses the credentials")
		}
	}
}

// exchange sends one request and waits for its answer.
func (s *Session) exchange(ctx context.Context, req *base.Request) (*base.Response, error) {
	ch := make(chan *base.Response, 1)
	s.pmu.Lock()
	s.cseq++
	seq := s.cseq
	s.pending[seq] = ch
	req.Header["CSeq"] = base.HeaderValue{strconv.Itoa(seq)}
	if s.id != "" {
		req.Header["Session"] = base.HeaderValue{s.id}
	}
	if s.auth != nil && s.target.credentials != nil {
		s.auth.authorize(req, s.target.credentials)
	}
	if s.waiting++; s.waiting == 1 {
		close(s.urgent)
	}
	s.pmu.Unlock()
	defer func() {
		s.pmu.Lock()
		delete(s.pending, seq)
		if s.waiting--; s.waiting == 0 {
			s.urgent = make(chan struct{})
		}
		s.pmu.Unlock()
	}()
	if err := s.w.send(req, s.cfg.Timeout); err != nil {
		return nil, s.gone(err)
	}
	t := time.NewTimer(s.cfg.Timeout)
	defer t.Stop()
	select {
	case res := <-ch:
		return res, nil
	case <-t.C:
		return nil, tsterr.New(tsterr.RTSPTimeout, "no answer to %s within %v", req.Method, s.cfg.Timeout)
	case <-ctx.Done():
		return nil, tsterr.New(tsterr.Cancelled, "%s: cancelled", req.Method)
	case <-s.closed:
		select {
		case res := <-ch:
			return res, nil
		default:
		}
		return nil, s.gone(nil)
	}
}

// gone is the error of a connection that ended.
func (s *Session) gone(err error) error {
	_, detail := s.End()
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return tsterr.Wrap(tsterr.RTSPTimeout, err, "the server takes nothing")
	}
	return tsterr.Wrap(tsterr.RTSPIO, err, "the connection has ended %s", detail)
}

// check maps the status of an answer.
func check(res *base.Response, method base.Method) error {
	if res.StatusCode == base.StatusOK {
		return nil
	}
	kind := tsterr.RTSPProtocol
	switch res.StatusCode { //nolint:exhaustive // the rest is one kind
	case base.StatusNotFound:
		kind = tsterr.RTSPNotFound
	case base.StatusUnsupportedTransport:
		kind = tsterr.RTSPUnsupportedTransport
	case base.StatusForbidden:
		kind = tsterr.RTSPAuthFailed
	}
	return tsterr.New(kind, "%s: %d %s", method, res.StatusCode, res.StatusMessage).With("status", int64(res.StatusCode))
}

// answered tells whether an error is a server's answer, and not the lack of one.
func answered(err error) bool {
	var e *tsterr.Error
	return errors.As(err, &e) && slices.ContainsFunc(e.Attrs, func(a tsterr.Attr) bool { return a.Name == "status" })
}

// control makes a control call; the session's Cancel ends it.
func (s *Session) control(method base.Method, h base.Header) error {
	s.reqMu.Lock()
	if n := s.heir.Load(); n != nil {
		s.reqMu.Unlock()
		return n.control(method, h)
	}
	defer s.reqMu.Unlock()
	if err := s.life.Err(string(method)); err != nil {
		return err
	}
	if s.TornDown() {
		return errState("the session was torn down")
	}
	ctx, cancel := s.life.Context(context.Background())
	defer cancel()
	res, err := s.do(ctx, method, s.controlURL, h)
	if err != nil {
		return err
	}
	if err := check(res, method); err != nil {
		return err
	}
	switch {
	case method == base.Pause:
		s.playing.Store(0)
	case s.playing.Load() == 0:
		s.playing.Store(time.Now().UnixNano())
	}
	return nil
}

// Play resumes a paused stream.
func (s *Session) Play() error { return s.control(base.Play, nil) }

// Pause stops the flow of packets and keeps the session.
func (s *Session) Pause() error { return s.control(base.Pause, nil) }

// Teardown ends the session on the server and here. It may be repeated.
func (s *Session) Teardown() error {
	s.once.Do(func() {
		s.pmu.Lock()
		s.torn = true
		s.pmu.Unlock()
		s.reqMu.Lock()
		defer s.reqMu.Unlock()
		if n := s.heir.Load(); n != nil {
			_ = n.Teardown() // never fails
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 4*farewellTimeout)
		defer cancel()
		select {
		case <-s.closed:
		default:
			if s.started() {
				_, _ = s.do(ctx, base.Teardown, s.controlURL, nil) // the session ends either way
			}
		}
		s.finish(EndCleanTeardown, "")
		_ = s.w.nc.Close()
	})
	s.loops.Wait()
	return nil
}

func (s *Session) started() bool {
	s.pmu.Lock()
	defer s.pmu.Unlock()
	return s.id != ""
}

// TornDown reports whether Teardown or Close was called.
func (s *Session) TornDown() bool {
	s.pmu.Lock()
	defer s.pmu.Unlock()
	return s.torn
}

// Cancel ends control calls and the stream; Close still says goodbye.
func (s *Session) Cancel() {
	s.life.Cancel()
	s.active().finish(EndCancelled, "")
}

// Cancelled reports whether Cancel was called.
func (s *Session) Cancelled() bool { return s.life.Cancelled() }

// Interrupt wakes parked calls before a Close.
func (s *Session) Interrupt() { s.life.Cancel() }

// Close is Teardown; it frees everything but the data plane that was taken.
func (s *Session) Close() error {
	err := s.Teardown()
	s.life.Close()
	if !s.taken.Load() {
		_ = s.data.Close()
	}
	return err
}

// finish ends the stream; the first reason stays.
func (s *Session) finish(r EndReason, detail string) {
	s.pmu.Lock()
	if s.reason == EndNone {
		s.reason, s.detail = r, detail
	}
	silent := s.silent
	s.pmu.Unlock()
	if !silent {
		s.data.finish(tsterr.New(tsterr.EOS, "the stream has ended"))
	}
}

// End tells why the stream ended, and details of the reasons that have some.
func (s *Session) End() (EndReason, string) {
	s = s.active()
	s.pmu.Lock()
	defer s.pmu.Unlock()
	return s.reason, s.detail
}

// Medias are what is being played.
func (s *Session) Medias() []Media { return s.medias }

// Stats reads the RTCP figures.
func (s *Session) Stats() SessionStats {
	s = s.active()
	in := s.ingest.inbound()
	st := SessionStats{
		RRReceived: in.RRReceived, SRReceived: in.SRReceived, RRSent: in.RRSent, FractionLost: in.FractionLost,
	}
	if len(s.medias) > 0 {
		st.JitterMicros = uint64(in.JitterTicks) * 1_000_000 / uint64(s.medias[0].Rate) //nolint:gosec // positive
	}
	return st
}

// Inbound counts the packets of all media.
func (s *Session) Inbound() rtp.InboundStats { return s.active().ingest.inbound() }

// Clock is the mapping of the RTP ticks of media i to the server's wall clock.
func (s *Session) Clock(i int) rtp.ClockMap {
	s = s.active()
	if i < 0 || i >= len(s.ingest.tracks) {
		return rtp.ClockMap{}
	}
	return s.ingest.tracks[i].in.Clock()
}

// Alignment tells how the clocks of the media are related.
func (s *Session) Alignment() Alignment { return s.active().ingest.alignment(time.Now()) }

// LocalAddr is where RTP is received by UDP; not valid with TCP.
func (s *Session) LocalAddr() netip.AddrPort {
	s = s.active()
	if l := s.links; len(l) > 0 && l[0].udp != nil {
		return l[0].udp.rtp.LocalAddr()
	}
	return netip.AddrPort{}
}

// Stream is the data plane of a session: MPEG-TS, a message a packet.
type Stream struct {
	*queue
	s *Session
}

// Take hands out the data plane, once.
func (s *Session) Take() (*Stream, error) {
	if s.cfg.Mode != ModeTS {
		return nil, errState("the session was opened for H.264")
	}
	if !s.taken.CompareAndSwap(false, true) {
		return nil, tsterr.New(tsterr.RTSPClosed, "the data plane was taken before")
	}
	return &Stream{s.data, s}, nil
}

// End tells why the stream ended.
func (t *Stream) End() (EndReason, string) {
	if r, d := t.s.End(); r != EndNone {
		return r, d
	}
	if t.life.Cancelled() {
		return EndCancelled, ""
	}
	return EndNone, ""
}

// Inbound counts the packets of all media.
func (t *Stream) Inbound() rtp.InboundStats { return t.s.Inbound() }

// DefaultTimeout is what recv_timeout in the URL says.
func (t *Stream) DefaultTimeout() time.Duration {
	if d := t.s.target.recvTimeout; d > 0 {
		return d
	}
	return transport.Forever
}

// Packets is the data plane of a session opened for H.264: RTP packets.
type Packets struct {
	Stream

	mu    sync.Mutex
	arena []byte
	spans [1]transport.Span
}

// TakePackets hands out the data plane of a session opened for H.264, once.
func (s *Session) TakePackets() (*Packets, error) {
	if s.cfg.Mode != ModeH264 {
		return nil, errState("the session was opened for MPEG-TS")
	}
	if !s.taken.CompareAndSwap(false, true) {
		return nil, tsterr.New(tsterr.RTSPClosed, "the data plane was taken before")
	}
	return &Packets{Stream: Stream{s.data, s}, arena: make([]byte, 1<<17)}, nil
}

// ReadPacket gives the next packet; its payload is valid until the next call.
func (p *Packets) ReadPacket(timeout time.Duration) (k rtp.Packet, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err = p.ReadBatch(p.arena, p.spans[:], timeout); err != nil {
		return k, err
	}
	err = k.Unmarshal(p.arena[:p.spans[0].Len])
	return k, err
}
