package webrtc

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtcp"

	"github.com/tstrans/tstrans/core/codec/h264"
	"github.com/tstrans/tstrans/core/codec/h265"
	"github.com/tstrans/tstrans/core/codec/opus"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtph264"
	"github.com/tstrans/tstrans/core/rtp/rtph265"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	maxPayload  = 1300 // bytes of a packet's payload
	historySize = 128  // packets that can be repaired
	maxFrame    = 16 << 20

	// A picture of up to burst packets goes out at once; the rest follows in steps, so
	// that a key frame does not overrun the receiver's socket.
	burst        = 64
	paceStep     = 32
	paceInterval = 4 * time.Millisecond
	maxPaced     = 4096 // packets that wait; a frame beyond is dropped
)

// sender is one outgoing stream.
type sender struct {
	p  *Peer
	tr *transceiver

	ssrc, rtxSSRC uint32
	streamID      string
	trackID       string // guarded by p.mu, as hasTrack
	hasTrack      bool

	mu      sync.Mutex
	active  bool
	codecs  []rtpCodec
	started bool // the caller was told to send
	codec   rtpCodec
	rtxPT   uint8
	mid     string
	midID   uint8
	timeID  uint8
	levelID uint8
	level   int // of what is sent next, in -dBov; -1: unknown
	shared  bool
	seq     uint16
	rtxSeq  uint16
	picture uint16
	base    uint32

	payloads rtp.Payloads
	history  [][]byte
	paced    [][]byte
	pacing   bool

	packets, octets, droppedFrames, resent uint64
	keyFramesAsked                         uint64
	bitrateAsked                           uint64 // bits a second
	lastTimestamp                          uint32
	lastTime                               time.Time

	remote remoteReport
}

// remoteReport is what the other side says of a stream of ours.
type remoteReport struct {
	at       time.Time
	received uint32 // packets, as far as its report tells
	lost     int32
	fraction uint8
	jitter   uint32
	rtt      time.Duration
	hasRTT   bool
}

func newSender(p *Peer, tr *transceiver) *sender {
	return &sender{
		p: p, tr: tr, ssrc: random32(), rtxSSRC: random32(), streamID: p.streamID, seq: uint16(random32() >> 17), //nolint:gosec // random
		rtxSeq: uint16(random32() >> 17), picture: uint16(random32() >> 17), base: random32(), level: -1, //nolint:gosec // random
	}
}

// setup takes what was negotiated and tells the caller where it changes what to do.
func (s *sender) setup(codecs []rtpCodec, mid string, exts []extension, active bool) {
	s.mu.Lock()
	before, was := s.codec, s.active
	s.mid, s.midID, s.timeID, s.levelID = mid, 0, 0, 0
	for _, e := range exts {
		switch e.uri {
		case extMid:
			s.midID = e.id
		case extAbsSendTime:
			s.timeID = e.id
		case extAudioLevel:
			s.levelID = e.id
		}
	}
	s.codec, s.rtxPT, s.codecs = rtpCodec{}, 0, codecs
	for _, c := range codecs {
		if c.codec != RTX {
			s.codec, s.rtxPT = c, repairOf(codecs, c.pt)
			break
		}
	}
	s.active = active && s.codec.codec != UnknownCodec
	changed := s.active != was || s.active && before.codec != s.codec.codec
	code, now := s.codec.codec, s.active
	if now {
		s.started = true
	}
	s.mu.Unlock()
	if !changed {
		return
	}
	if !now {
		code = UnknownCodec
	}
	s.p.emit(Event{Kind: EventSend, Code: uint32(code), Object: s.tr.number})
}

// timestampOf is the RTP time of now, for sender reports.
func (s *sender) timestampOf(now time.Time) uint32 {
	if epoch := s.p.epoch.Load(); s.shared && epoch != 0 {
		return s.base + uint32(int64(float64(now.UnixNano()-epoch)*1e-9*float64(s.codec.clock))) //nolint:gosec // wraps on purpose
	}
	return s.lastTimestamp + uint32(now.Sub(s.lastTime).Seconds()*float64(s.codec.clock)) //nolint:gosec // wraps on purpose
}

// send cuts a unit into packets and sends them. timestamp counts the codec's clock.
func (s *sender) send(c Codec, data []byte, timestamp int64) error {
	if len(data) > maxFrame {
		return tsterr.New(tsterr.InvalidArg, "a frame of %d bytes", len(data))
	}
	if c == OpusTS {
		return s.sendUnits(data, timestamp)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.active || len(data) == 0 {
		return nil // paused, or nothing to send
	}
	if c != s.codec.codec && !s.switchTo(c) {
		return tsterr.New(tsterr.WebRTCOperation, "%s was negotiated, not the codec of this frame", s.codec.name)
	}
	s.payloads.Reset()
	switch c {
	case H264:
		rtph264.Packetize(&s.payloads, data, maxPayload)
	case H265:
		rtph265.Packetize(&s.payloads, data, maxPayload)
	case VP8:
		s.picture = (s.picture + 1) & 0x7FFF
		packetizeVP8(&s.payloads, data, s.picture, maxPayload)
	default:
		s.payloads.Data = append(s.payloads.Data, data...)
		s.payloads.Close()
	}
	if len(s.payloads.Ends) == 0 {
		return tsterr.New(tsterr.InvalidArg, "no NAL unit with a start code in %d bytes", len(data))
	}
	if len(s.paced)+len(s.payloads.Ends) > maxPaced {
		s.droppedFrames++
		return nil
	}
	ts := s.base + uint32(timestamp) //nolint:gosec // wraps on purpose
	s.lastTimestamp, s.lastTime = ts, time.Now()
	if s.shared && s.tr.kind == Video {
		s.p.anchor(s.lastTime.UnixNano() - int64(float64(timestamp)/float64(s.codec.clock)*1e9))
	}
	packets := s.build(ts)
	for _, p := range packets {
		s.packets++
		s.octets += uint64(len(p) - s.headerSize())
		s.remember(p)
	}
	if s.pacing {
		s.paced = append(s.paced, packets...)
		return nil
	}
	if len(packets) > burst {
		s.paced = append(s.paced, packets[burst:]...)
		packets = packets[:burst]
		s.pacing = true
		time.AfterFunc(paceInterval, s.pace)
	}
	s.out(packets)
	return nil
}

// sendUnits sends what a PES packet holds, one unit a packet.
func (s *sender) sendUnits(data []byte, timestamp int64) error {
	for len(data) > 0 {
		var u opus.Unit
		n, err := u.Unmarshal(data)
		if err != nil {
			return err
		}
		if err := s.send(Opus, u.Packet, timestamp); err != nil {
			return err
		}
		timestamp += int64(u.Samples)
		data = data[n:]
	}
	return nil
}

// switchTo takes another codec that was negotiated too: encoded tracks bring their own.
func (s *sender) switchTo(codec Codec) bool {
	for _, c := range s.codecs {
		if c.codec == codec {
			s.codec, s.rtxPT = c, repairOf(s.codecs, c.pt)
			return true
		}
	}
	return false
}

func (s *sender) out(packets [][]byte) {
	s.p.t.batch(func(add func([]byte)) {
		for _, p := range packets {
			add(p)
		}
	})
}

func (s *sender) pace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(paceStep, len(s.paced))
	s.out(s.paced[:n])
	s.paced = append(s.paced[:0], s.paced[n:]...)
	if s.pacing = len(s.paced) > 0; s.pacing {
		time.AfterFunc(paceInterval, s.pace)
	}
}

func (s *sender) extensionSize() int {
	n := 0
	if s.midID != 0 && len(s.mid) > 0 && len(s.mid) <= 16 {
		n += 1 + len(s.mid)
	}
	if s.timeID != 0 {
		n += 4
	}
	if s.levelID != 0 && s.level >= 0 {
		n += 2
	}
	return (n + 3) &^ 3
}

func (s *sender) headerSize() int {
	if n := s.extensionSize(); n > 0 {
		return rtp.HeaderSize + 4 + n
	}
	return rtp.HeaderSize
}

// build writes the packets of the payloads into memory of their own: the history
// keeps them.
func (s *sender) build(ts uint32) [][]byte {
	head := s.headerSize()
	mem := make([]byte, 0, len(s.payloads.Data)+head*len(s.payloads.Ends))
	packets := make([][]byte, len(s.payloads.Ends))
	for i := range packets {
		payload, last := s.payloads.At(i)
		from := len(mem)
		mem = mem[:from+head]
		h := rtp.Packet{Marker: last && s.tr.kind == Video, PayloadType: s.codec.pt, Sequence: s.seq, Timestamp: ts, SSRC: s.ssrc}
		h.PutHeader(mem[from:])
		s.putExtensions(mem[from : from+head])
		s.seq++
		mem = append(mem, payload...)
		packets[i] = mem[from:len(mem):len(mem)]
	}
	return packets
}

// putExtensions writes one-byte extension elements (RFC 8285 §4.2).
func (s *sender) putExtensions(h []byte) {
	n := len(h) - rtp.HeaderSize
	if n == 0 {
		return
	}
	h[0] |= 0x10
	e := h[rtp.HeaderSize:]
	e[0], e[1] = 0xBE, 0xDE
	binary.BigEndian.PutUint16(e[2:], uint16((n-4)/4)) //nolint:gosec // short
	at := 4
	if s.midID != 0 && len(s.mid) > 0 && len(s.mid) <= 16 {
		e[at] = s.midID<<4 | byte(len(s.mid)-1)
		copy(e[at+1:], s.mid)
		at += 1 + len(s.mid)
	}
	if s.timeID != 0 {
		t := absSendTime(time.Now())
		e[at], e[at+1], e[at+2], e[at+3] = s.timeID<<4|2, byte(t>>16), byte(t>>8), byte(t)
		at += 4
	}
	if s.levelID != 0 && s.level >= 0 {
		e[at], e[at+1] = s.levelID<<4, byte(s.level)
	}
}

// absSendTime is 6.18 fixed-point seconds of NTP time.
func absSendTime(t time.Time) uint32 { return uint32(ntp(t)>>14) & 0xFFFFFF }

// ntp gives NTP time (RFC 3550 §4): seconds since 1900 in 32.32 fixed point.
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	ns := uint64(t.UnixNano()) //nolint:gosec // after 1970
	return (ns/1e9+since1900)<<32 | (ns%1e9)<<32/1e9
}

func (s *sender) remember(p []byte) {
	if s.tr.kind != Video {
		return
	}
	if s.history == nil {
		s.history = make([][]byte, historySize)
	}
	s.history[binary.BigEndian.Uint16(p[2:])%historySize] = p
}

// repair answers a NACK with the packets asked for, as repairs where both sides
// know how (RFC 4588), else once more as they were.
func (s *sender) repair(asked []uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.history == nil || !s.active {
		return
	}
	var packets [][]byte
	for _, seq := range asked {
		p := s.history[seq%historySize]
		if p == nil || binary.BigEndian.Uint16(p[2:]) != seq {
			continue
		}
		s.resent++
		if s.rtxPT == 0 {
			packets = append(packets, p)
			continue
		}
		head := rtp.HeaderSize
		if p[0]&0x10 != 0 {
			head += 4 + 4*int(binary.BigEndian.Uint16(p[head+2:]))
		}
		r := make([]byte, 0, len(p)+2)
		r = append(append(append(r, p[:head]...), p[2], p[3]), p[head:]...)
		r[1] = r[1]&0x80 | s.rtxPT
		binary.BigEndian.PutUint16(r[2:], s.rtxSeq)
		binary.BigEndian.PutUint32(r[8:], s.rtxSSRC)
		s.rtxSeq++
		packets = append(packets, r)
	}
	if len(packets) > 0 {
		s.out(packets)
	}
}

// report gives a sender report with its description, nil while nothing was sent.
func (s *sender) report(now time.Time) []rtcp.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.active || s.packets == 0 {
		return nil
	}
	return []rtcp.Packet{
		&rtcp.SenderReport{
			SSRC: s.ssrc, NTPTime: ntp(now), RTPTime: s.timestampOf(now),
			PacketCount: uint32(s.packets), OctetCount: uint32(s.octets), //nolint:gosec // they wrap (RFC 3550 §6.4.1)
		},
		s.p.sdes(s.ssrc),
	}
}

// reported takes a reception report of the other side (RFC 3550 §6.4.1).
func (s *sender) reported(r rtcp.ReceptionReport, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := int32(r.TotalLost<<8) >> 8 //nolint:gosec // a signed number of 24 bits
	m := remoteReport{at: now, lost: lost, fraction: r.FractionLost, jitter: r.Jitter, rtt: s.remote.rtt, hasRTT: s.remote.hasRTT}
	m.received = uint32(max(0, int64(s.packets)-int64(lost))) //nolint:gosec // a count
	if r.LastSenderReport != 0 {
		elapsed := uint32(ntp(now)>>16) - r.LastSenderReport - r.Delay //nolint:gosec // wraps on purpose
		if elapsed < 1<<31 {
			rtt := time.Duration(float64(elapsed) / 65536 * float64(time.Second))
			if m.hasRTT {
				rtt = time.Duration(0.85*float64(m.rtt) + 0.15*float64(rtt))
			}
			m.rtt, m.hasRTT = rtt, true
		}
	}
	s.remote = m
}

// stop tells the other side, and forgets what could be repaired.
func (s *sender) stop() {
	s.mu.Lock()
	was := s.active && s.packets > 0
	s.active, s.history, s.paced = false, nil, nil
	s.mu.Unlock()
	if was {
		s.p.sendControl([]rtcp.Packet{&rtcp.Goodbye{Sources: []uint32{s.ssrc}}})
	}
}

// IsKeyFrame tells whether a unit can be decoded without those before it.
func IsKeyFrame(c Codec, unit []byte) bool {
	switch c {
	case H264:
		return h264.IsRandomAccess(unit)
	case H265:
		return h265.IsRandomAccess(unit)
	case VP8:
		return len(unit) > 0 && unit[0]&1 == 0
	}
	return true
}
