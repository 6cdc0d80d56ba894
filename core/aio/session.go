package aio

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/audio"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/flow"
	"github.com/tstrans/tstrans/core/rtp/rtcp"
	"github.com/tstrans/tstrans/core/rtp/rtpvideo"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Config says what a session is. Times are in the units of their names.
type Config struct {
	Video        bool
	Local        netip.AddrPort // of RTP; RTCP takes the next port
	LocalRTCP    netip.AddrPort // overrides that
	Remote       netip.AddrPort
	PayloadType  int
	SSRC         uint32
	ClockRate    int    // Hz of the timestamps. It defaults to 8000, 90000 for video.
	CNAME        string // It defaults to "aiortp".
	RTCPInterval time.Duration
	NACK         bool // answer NACKs
	Duplicate    bool // send every packet a second time, behind the next one
	Symmetric    bool // send to where media comes from
	Capacity     int  // of the jitter buffer, packets
	Prefetch     int  // frames held back
	// AsReference keeps what the peer this follows does where it is a fault: see the documentation of tstrans.aio.
	AsReference bool

	// Audio.
	Codec        audio.Codec // nil: payloads are delivered as they are, or Foreign
	Foreign      bool        // the user has the codec: payloads come as RecRaw, losses as RecConceal
	SampleRate   int         // of the codec, Hz
	FrameSamples int         // of the codec, a channel
	DTMFType     int         // payload type of telephone events
	SkipGaps     bool
	Conceal      bool
	Playout      bool
	MaxDelayMS   int
	Paced        bool
	NoiseSend    bool // comfort noise in pauses of a paced session
	NoiseType    int  // its payload type

	// Video.
	VideoCodec rtpvideo.Codec
	FrameStep  uint32 // timestamp units a frame
}

// Session is one flow in both directions. Its methods may be called from any thread.
type Session struct {
	e    *Engine
	hub  *Hub
	cfg  Config
	slot uint32
	gen  uint32

	rhythm              rhythm
	rtp, rtcp           int // descriptors
	local, localRTCP    netip.AddrPort
	remote, remoteRTCP  target
	six                 bool
	closed              bool
	malformed, oversize uint64
	unsent, dropped     uint64
	sourceChanges       uint64

	out       *flow.Sender
	previous  []byte // the last packet, of Duplicate
	in        *flow.Statistics
	source    uint32
	hasSource bool
	lastSR    uint32
	lastSRAt  time.Time
	report    rtcp.Report
	reported  bool
	rtcpTimer *timer

	voice *voice
	video *video
}

// Open binds a session and starts it; its records go to hub.
func (e *Engine) Open(cfg Config, hub *Hub) (*Session, error) {
	s := &Session{e: e, hub: hub, cfg: cfg, rtp: -1, rtcp: -1}
	if cfg.ClockRate <= 0 || cfg.PayloadType < 0 || cfg.PayloadType > 127 || !cfg.Local.IsValid() {
		return nil, tsterr.New(tsterr.InvalidArg, "payload type %d at %d Hz on %v", cfg.PayloadType, cfg.ClockRate, cfg.Local)
	}
	s.out, s.in = newSender(cfg), newReception(cfg)
	if err := s.parts(); err != nil {
		return nil, err
	}
	if err := s.bind(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.add(s); err != nil {
		s.unbind()
		return nil, err
	}
	for i, fd := range [2]int{s.rtp, s.rtcp} {
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.slot)<<1 | int32(i)} //nolint:gosec // below MaxSessions
		if err := unix.EpollCtl(e.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			s.end()
			return nil, tsterr.IOError(err, "epoll_ctl")
		}
	}
	s.setRemote(cfg.Remote)
	if cfg.RTCPInterval > 0 {
		s.rtcpTimer = newTimer(func(t int64) {
			s.sendReport()
			s.e.timers.set(s.rtcpTimer, t+s.interval())
		})
		e.timers.set(s.rtcpTimer, now()+s.interval())
	}
	if s.voice != nil {
		s.voice.start()
		s.rhythm.period = s.voice.ptime
	}
	e.kick() // a timer may be due before what the owner sleeps for
	return s, nil
}

func newSender(cfg Config) *flow.Sender {
	step := cfg.FrameStep
	if !cfg.Video {
		step = uint32(cfg.FrameSamples) //nolint:gosec // bounded by the caller
		if step == 0 {
			step = uint32(cfg.ClockRate / 50) //nolint:gosec // positive
		}
	}
	return flow.NewSender(cfg.SSRC, uint8(cfg.PayloadType), step, cfg.NACK) //nolint:gosec // checked by the caller
}

func newReception(cfg Config) *flow.Statistics { return flow.NewStatistics(cfg.ClockRate) }

func (s *Session) parts() (err error) {
	if s.cfg.Video {
		s.video, err = newVideo(s)
	} else {
		s.voice, err = newVoice(s)
	}
	return err
}

func (s *Session) bind() (err error) {
	if s.rtp, s.local, err = bind(s.cfg.Local); err != nil {
		return err
	}
	control := s.cfg.LocalRTCP
	if !control.IsValid() {
		p := s.cfg.Local.Port()
		if p != 0 {
			if p == 65535 {
				s.unbind()
				return tsterr.New(tsterr.InvalidArg, "no port behind 65535 for RTCP")
			}
			p++
		}
		control = netip.AddrPortFrom(s.cfg.Local.Addr(), p)
	}
	if s.rtcp, s.localRTCP, err = bind(control); err != nil {
		s.unbind()
		return err
	}
	s.six = s.local.Addr().Is6() && !s.local.Addr().Is4In6()
	return nil
}

func (s *Session) unbind() {
	for _, fd := range [2]*int{&s.rtp, &s.rtcp} {
		if *fd >= 0 {
			_ = unix.Close(*fd)
			*fd = -1
		}
	}
}

// interval is the time to the next report: half to one and a half times the configured one.
func (s *Session) interval() int64 {
	return int64(float64(s.cfg.RTCPInterval) * (0.5 + rand.Float64())) //nolint:gosec // no secret
}

// setRemote takes the peer's address; that of RTCP is the next port, or the same where there is none.
func (s *Session) setRemote(a netip.AddrPort) {
	s.remote.set(a, s.six)
	if p := a.Port(); p != 0 && p != 65535 {
		a = netip.AddrPortFrom(a.Addr(), p+1)
	}
	s.remoteRTCP.set(a, s.six)
}

// with runs f on an open session, with everything posted before done.
func (s *Session) with(f func() error) error {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.e.flush()
	if s.closed {
		return tsterr.New(tsterr.Closed, "the session is closed")
	}
	err := f()
	s.e.publish()
	s.e.nudge() // a timer may be due before what the owner sleeps for
	return err
}

// Flush sends what was posted.
func (s *Session) Flush() error { return s.with(func() error { return nil }) }

// UpdateRemote takes another address of the peer.
func (s *Session) UpdateRemote(a netip.AddrPort) error {
	return s.with(func() error { s.setRemote(a); return nil })
}

// Local gives the addresses that are bound.
func (s *Session) Local() (media, control netip.AddrPort) { return s.local, s.localRTCP }

// Lane identifies the session for posts.
func (s *Session) Lane() uint64 { return uint64(s.gen)<<32 | uint64(s.slot) }

// Close says goodbye and frees the session. A second call does nothing.
func (s *Session) Close() error {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	if s.closed {
		return nil
	}
	s.e.flush()
	b, err := (&rtcp.Packet{Type: rtcp.BYE, Sources: []uint32{s.out.SSRC}}).Marshal(nil)
	if err == nil {
		s.remoteRTCP.send(s.rtcp, b)
	}
	s.end()
	s.e.kick() // the owner ends where this was the last
	return nil
}

func (s *Session) end() {
	s.closed = true
	s.e.timers.stop(s.rtcpTimer)
	if s.voice != nil {
		s.voice.stop()
	}
	if s.video != nil {
		s.e.timers.stop(s.video.expire)
	}
	s.unbind()
	s.e.remove(s)
}

// send makes and sends a packet.
func (s *Session) send(payloadType uint8, marker bool, ts uint32, payload []byte) {
	if len(payload) > maxDatagram-256 {
		s.oversize++
		return
	}
	b := s.out.Packet(payloadType, marker, ts, payload)
	if !s.remote.send(s.rtp, b) {
		s.unsent++
	}
	if s.cfg.Duplicate {
		if len(s.previous) > 0 {
			s.remote.send(s.rtp, s.previous)
		}
		s.previous = append(s.previous[:0], b...)
	}
}

// datagram takes what arrived on one of the sockets.
func (s *Session) datagram(t time.Time, b []byte, from netip.AddrPort, control bool) {
	switch {
	case rtp.IsSTUN(b):
		if answer := rtp.AppendSTUNAnswer(nil, b, from); len(answer) > 0 {
			var to target
			to.set(from, s.six)
			fd := s.rtp
			if control {
				fd = s.rtcp
			}
			to.send(fd, answer)
		}
	case rtcp.Is(b):
		list, err := rtcp.Unmarshal(nil, b)
		if err != nil {
			s.malformed++
			return
		}
		if s.cfg.Symmetric && from != s.remoteRTCP.addr {
			s.remoteRTCP.set(from, s.six)
		}
		for i := range list {
			s.control(t, &list[i])
		}
	default:
		var p rtp.Packet
		if err := p.Unmarshal(b); err != nil {
			s.malformed++
			return
		}
		if s.cfg.Symmetric && from != s.remote.addr {
			s.remote.set(from, s.six)
		}
		if s.video != nil {
			s.video.packet(t, &p)
		} else {
			s.voice.packet(t, &p)
		}
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// from notes the source of media; changed tells that it is another than before.
func (s *Session) from(ssrc uint32) (changed bool) {
	if s.hasSource && s.source == ssrc {
		return false
	}
	changed = s.hasSource
	s.source, s.hasSource = ssrc, true
	if changed {
		s.sourceChanges++
		s.in = flow.NewStatistics(s.cfg.ClockRate)
		s.lastSR = 0
	}
	return changed
}

func (s *Session) control(t time.Time, p *rtcp.Packet) {
	switch p.Type {
	case rtcp.SR, rtcp.RR:
		if p.Type == rtcp.SR {
			s.lastSR, s.lastSRAt = uint32(p.NTP>>16), t //nolint:gosec // the middle 32 bits
		}
		for i := range p.Reports {
			r := &p.Reports[i]
			if r.SSRC != s.out.SSRC {
				continue
			}
			s.report, s.reported = *r, true
			if s.hub != nil {
				var b [24]byte
				s.hub.put(s, RecReport, 0, 0, rtcp.AppendReport(b[:0], r), 0, 0)
			}
		}
	case rtcp.RTPFB:
		if p.Format == rtcp.FmtNACK && s.cfg.NACK {
			for _, seq := range p.Lost[:min(len(p.Lost), maxRetransmit)] {
				if b := s.out.Sent(seq); b != nil {
					s.remote.send(s.rtp, b)
				}
			}
		}
	case rtcp.PSFB:
		if s.video != nil && (p.Format == rtcp.FmtPLI || p.Format == rtcp.FmtFIR) && s.hub != nil {
			s.hub.put(s, RecKeyframe, 0, 0, nil, 0, 0)
		}
	}
}

// ntp is a time as a 64-bit NTP time.
func ntp(t time.Time) uint64 {
	const epoch = 2208988800                                           // seconds from 1900 to 1970
	return uint64(t.Unix()+epoch)<<32 | uint64(t.Nanosecond())<<32/1e9 //nolint:gosec // not negative
}

// sendReport sends a report where there is something to tell (RFC 3550 §6.4).
func (s *Session) sendReport() {
	heard := s.in.Begun
	if s.out.Packets == 0 && !heard {
		return
	}
	p := rtcp.Packet{Type: rtcp.RR, SSRC: s.out.SSRC}
	t := time.Now()
	if s.out.Packets > 0 {
		p.Type, p.NTP, p.RTP = rtcp.SR, ntp(t), s.out.Last
		p.Packets, p.Octets = uint32(s.out.Packets), uint32(s.out.Octets) //nolint:gosec // they wrap on the wire
	}
	if heard {
		r := rtcp.Report{
			SSRC: s.source, FractionLost: s.in.FractionLost(), Lost: s.in.Lost(), Highest: s.in.Highest(), Jitter: s.in.Jitter(),
		}
		if s.lastSR != 0 {
			r.LSR, r.DLSR = s.lastSR, uint32(t.Sub(s.lastSRAt).Seconds()*65536) //nolint:gosec // hours at most
		}
		p.Reports = []rtcp.Report{r}
	}
	b, err := p.Marshal(nil)
	if err != nil {
		return
	}
	if b, err = rtcp.AppendCNAME(b, s.out.SSRC, s.cfg.CNAME); err == nil {
		s.remoteRTCP.send(s.rtcp, b)
	}
}

// Stats is a picture of a session.
type Stats struct {
	SSRC                       uint32
	Sent, Octets               uint64
	Heard                      bool
	Received                   uint64
	Lost                       int32
	Jitter                     uint32
	Reported                   bool
	RemoteFraction             uint8
	RemoteLost                 int32
	RemoteJitter               uint32
	Concealed                  uint64
	QueueDepth, Paced          uint64
	EmptyTicks, NoiseSent      uint64
	Playout                    flow.PlayoutStats
	DelayMS, TargetMS          float64
	Malformed, Oversize        uint64
	Unsent, Dropped            uint64
	DecodeErrors, QueueDropped uint64
	SourceChanges              uint64
	Timestamp                  uint32
}

// Stats counts everything posted before.
func (s *Session) Stats() (st Stats, err error) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	if !s.closed {
		s.e.flush()
		s.e.nudge()
	}
	st = Stats{
		SSRC: s.out.SSRC, Sent: s.out.Packets, Octets: s.out.Octets, Malformed: s.malformed, Oversize: s.oversize,
		Unsent: s.unsent, Dropped: s.dropped, SourceChanges: s.sourceChanges,
	}
	if s.in.Begun {
		st.Heard, st.Received, st.Lost, st.Jitter = true, s.in.Received, s.in.Lost(), s.in.Jitter()
	}
	if s.reported {
		st.Reported, st.RemoteFraction = true, s.report.FractionLost
		st.RemoteLost, st.RemoteJitter = s.report.Lost, s.report.Jitter
	}
	if s.voice != nil {
		s.voice.stats(&st)
	}
	return st, nil
}
