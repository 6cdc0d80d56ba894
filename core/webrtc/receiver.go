package webrtc

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtph264"
	"github.com/tstrans/tstrans/core/rtp/rtph265"
)

const (
	videoWindow = 512 // packets that may arrive out of order
	audioWindow = 16
	audioWait   = 4 // packets of audio behind a missing one before it is given up

	videoPatience = 600 * time.Millisecond // how long a repair may take
	audioPatience = 80 * time.Millisecond
	gapTick       = 20 * time.Millisecond
	nackInterval  = 60 * time.Millisecond
	maxNacks      = 10
	maxMissing    = 256 // asked for at once

	keyFrameInterval = 500 * time.Millisecond
	// keyPatience is when pictures are passed on without a key frame: some encoders
	// refresh little by little and send none.
	keyPatience = 3 * time.Second
)

// waiting is a packet behind a gap.
type waiting struct {
	used   bool
	packet rtp.Packet
	memory []byte
}

// nacked counts how often a packet was asked for.
type nacked struct {
	times int
	last  time.Time
}

// receiver is one incoming stream.
type receiver struct {
	p  *Peer
	tr *transceiver

	mu       sync.Mutex
	codecs   []rtpCodec
	active   bool
	ended    bool
	ssrc     uint32
	rtxSSRC  uint32
	heard    time.Time
	pt       uint8
	codec    rtpCodec
	unpack   depacketizer
	nack     bool
	levelID  uint8
	level    int // in -dBov, -1: never said
	waiting  []waiting
	held     int
	next     uint16
	started  bool
	gapSince time.Time
	ticking  bool
	missing  map[uint16]nacked

	first    bool // firstTS is set
	firstTS  uint32
	lastTS   uint32
	ticks    int64
	waitKey  bool
	keySince time.Time
	asked    time.Time

	// RFC 3550 appendix A.3 and A.8.
	baseSeq                      uint32
	maxSeq                       uint32 // extended
	received                     uint64
	jitter                       float64
	transit                      float64
	expectedPrior, receivedPrior uint64
	lastSR                       uint64
	lastSRTime                   time.Time
	srRTP, srPackets, srOctets   uint32

	frames, droppedFrames, repaired uint64
	keyFramesAsked                  uint64
	bytes, bytesPrior               uint64
	priorTime                       time.Time
	estimate                        float64
}

func newReceiver(p *Peer, tr *transceiver) *receiver {
	return &receiver{p: p, tr: tr, waitKey: tr.kind == Video, level: -1}
}

// setup takes what was negotiated.
func (r *receiver) setup(codecs []rtpCodec, exts []extension, active bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codecs, r.active, r.levelID = codecs, active, 0
	for _, e := range exts {
		if e.uri == extAudioLevel {
			r.levelID = e.id
		}
	}
}

// hear notes how loud a packet says it is (RFC 6464 §3).
func (r *receiver) hear(h *pion.Header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.levelID != 0 {
		if b := h.GetExtension(r.levelID); len(b) > 0 {
			r.level = int(b[0] & 0x7F)
		}
	}
}

func (r *receiver) window() int {
	if r.tr.kind == Video {
		return videoWindow
	}
	return audioWindow
}

// choose sets up for the codec of a payload type.
func (r *receiver) choose(pt uint8) bool {
	if r.unpack != nil && r.pt == pt {
		return true
	}
	for i := range r.codecs {
		c := r.codecs[i]
		if c.pt != pt || c.codec == RTX {
			continue
		}
		r.pt, r.codec = pt, c
		r.nack = c.hasFeedback("nack")
		switch c.codec {
		case H264:
			r.unpack = rtph264.NewDepacketizer(rtph264.Config{Injection: rtph264.InjectBeforeIDR, MaxUnit: maxFrame})
		case H265:
			r.unpack = rtph265.NewDepacketizer()
		case VP8:
			d := &vp8Depacketizer{}
			d.MaxUnit = maxFrame
			r.unpack = d
		default:
			r.unpack = &packetDepacketizer{}
		}
		return true
	}
	return false
}

// repairPacket takes the original out of a repair (RFC 4588 §4); false for padding.
func (r *receiver) repairPacket(p *rtp.Packet) bool {
	if len(p.Payload) < 2 {
		return false
	}
	for i := range r.codecs {
		if c := &r.codecs[i]; c.pt == p.PayloadType {
			apt := c.apt()
			if apt < 0 {
				return false
			}
			p.PayloadType, p.SSRC = uint8(apt), r.ssrc //nolint:gosec // 7 bits
			p.Sequence = binary.BigEndian.Uint16(p.Payload)
			p.Payload = p.Payload[2:]
			return true
		}
	}
	return false
}

// packet takes a packet of the stream, or of its repairs.
func (r *receiver) packet(p *rtp.Packet, repair bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.active || r.ended {
		return
	}
	now := time.Now()
	if repair {
		if !r.started || !r.repairPacket(p) {
			return
		}
		r.repaired++
	}
	if !r.choose(p.PayloadType) {
		return
	}
	r.bytes += uint64(len(p.Payload))
	if !repair {
		if !r.count(p, now) {
			return
		}
	}
	if !r.started {
		r.started, r.next = true, p.Sequence
	}
	delete(r.missing, p.Sequence)
	switch d := p.Sequence - r.next; {
	case d == 0:
		r.push(p)
		r.drain(now)
	case d >= 1<<15:
		return // late
	case int(d) >= r.window():
		r.restart(p, now)
	default:
		r.keep(p)
		r.gap(now)
	}
}

// count keeps the statistics; false for a packet of another world, which restarts
// them (RFC 3550 appendix A.1).
func (r *receiver) count(p *rtp.Packet, now time.Time) bool {
	seq := uint32(p.Sequence)
	if r.received == 0 {
		r.baseSeq, r.maxSeq = seq, seq
	} else {
		d := p.Sequence - uint16(r.maxSeq) //nolint:gosec // the low half
		if d < 1<<15 {
			r.maxSeq += uint32(d)
		}
	}
	r.received++
	r.heard = now
	arrival := float64(now.UnixNano()) / 1e9 * float64(r.codec.clock)
	transit := arrival - float64(p.Timestamp)
	if r.received > 1 {
		d := transit - r.transit
		if d < 0 {
			d = -d
		}
		if d < 1<<30 { // not across a wrap of the timestamp
			r.jitter += (d - r.jitter) / 16
		}
	}
	r.transit = transit
	return true
}

func (r *receiver) lost() int64 {
	if r.received == 0 {
		return 0
	}
	return int64(r.maxSeq) - int64(r.baseSeq) + 1 - int64(r.received) //nolint:gosec // counts
}

func (r *receiver) keep(p *rtp.Packet) {
	if r.waiting == nil {
		r.waiting = make([]waiting, r.window())
	}
	w := &r.waiting[int(p.Sequence)%len(r.waiting)]
	if w.used {
		return // the same once more
	}
	w.used, w.packet = true, *p
	w.memory = append(w.memory[:0], p.Payload...)
	w.packet.Payload = w.memory
	r.held++
}

// gap asks for what is missing before the packets that wait.
func (r *receiver) gap(now time.Time) {
	if r.gapSince.IsZero() {
		r.gapSince = now
	}
	if r.nack {
		r.ask(now)
	}
	if r.tr.kind == Audio && r.held >= audioWait {
		r.skip(now)
	}
	if !r.ticking && !r.gapSince.IsZero() {
		r.ticking = true
		time.AfterFunc(gapTick, r.tick)
	}
}

// ask sends a NACK for missing packets that were not asked for lately.
func (r *receiver) ask(now time.Time) {
	var seqs []uint16
	left := r.held
	for seq := r.next; left > 0 && len(seqs) < maxMissing; seq++ {
		if r.waiting[int(seq)%len(r.waiting)].used {
			left--
			continue
		}
		n := r.missing[seq]
		if n.times >= maxNacks || now.Sub(n.last) < nackInterval {
			continue
		}
		if r.missing == nil {
			r.missing = map[uint16]nacked{}
		}
		r.missing[seq] = nacked{n.times + 1, now}
		seqs = append(seqs, seq)
	}
	if len(seqs) > 0 {
		r.p.sendControl([]rtcp.Packet{&rtcp.TransportLayerNack{
			SenderSSRC: r.tr.sender.ssrc, MediaSSRC: r.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs),
		}})
	}
}

func (r *receiver) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticking = false
	if r.ended || r.held == 0 {
		return
	}
	now := time.Now()
	patience := videoPatience
	if r.tr.kind == Audio {
		patience = audioPatience
	}
	if now.Sub(r.gapSince) > patience {
		r.skip(now)
	} else if r.nack {
		r.ask(now)
	}
	if r.held > 0 {
		r.ticking = true
		time.AfterFunc(gapTick, r.tick)
	}
}

// skip gives up what is missing before the next packet that waits.
func (r *receiver) skip(now time.Time) {
	for r.held > 0 && !r.waiting[int(r.next)%len(r.waiting)].used {
		delete(r.missing, r.next)
		r.next++
	}
	r.gapSince = time.Time{}
	r.drain(now)
}

// restart begins anew with a packet far ahead.
func (r *receiver) restart(p *rtp.Packet, now time.Time) {
	for i := range r.waiting {
		r.waiting[i].used = false
	}
	r.held, r.missing, r.gapSince, r.next = 0, nil, time.Time{}, p.Sequence
	r.push(p)
	r.drain(now)
}

// drain passes on what waits in order.
func (r *receiver) drain(now time.Time) {
	for r.held > 0 {
		w := &r.waiting[int(r.next)%len(r.waiting)]
		if !w.used {
			r.gapSince = now
			r.gap(now)
			return
		}
		w.used = false
		r.held--
		r.push(&w.packet)
	}
	r.gapSince = time.Time{}
}

// push takes the packet that is next, and hands out units that are complete.
func (r *receiver) push(p *rtp.Packet) {
	r.next = p.Sequence + 1
	if !r.choose(p.PayloadType) {
		return
	}
	r.unpack.Push(p)
	for {
		u, ok := r.unpack.Unit()
		if !ok {
			return
		}
		r.deliver(u)
	}
}

func (r *receiver) deliver(u rtp.Unit) {
	if !r.first {
		r.first, r.firstTS, r.lastTS = true, u.Timestamp, u.Timestamp
	}
	r.ticks += int64(int32(u.Timestamp - r.lastTS)) //nolint:gosec // the distance, across wraps
	r.lastTS = u.Timestamp
	if r.tr.kind == Video {
		now := time.Now()
		if u.Gap && r.frames > 0 && !r.waitKey {
			r.waitKey, r.keySince = true, now
		}
		if r.waitKey && !u.Key {
			if r.keySince.IsZero() {
				r.keySince = now
			}
			r.askKeyFrame(now)
			if now.Sub(r.keySince) < keyPatience {
				r.droppedFrames++
				return
			}
		}
		r.waitKey, r.keySince = false, time.Time{}
	}
	if !r.p.take(len(u.Data)) {
		r.droppedFrames++
		r.waitKey = r.tr.kind == Video
		return
	}
	r.frames++
	e := Event{
		Kind: EventFrame, Code: uint32(r.codec.codec), Object: r.tr.number, Value: r.ticks, Clock: r.codec.clock,
		Data: append([]byte(nil), u.Data...), from: r.p,
	}
	if u.Key {
		e.Flags = FlagKey
	}
	r.p.emit(e)
}

func (r *receiver) askKeyFrame(now time.Time) {
	if r.ssrc == 0 || now.Sub(r.asked) < keyFrameInterval {
		return
	}
	r.asked = now
	r.keyFramesAsked++
	r.p.sendControl([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: r.tr.sender.ssrc, MediaSSRC: r.ssrc}})
}

// requestKeyFrame asks at the caller's wish.
func (r *receiver) requestKeyFrame() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.askKeyFrame(time.Now())
}

// senderReport notes a report of the other side.
func (r *receiver) senderReport(sr *rtcp.SenderReport, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastSR, r.lastSRTime, r.srRTP = sr.NTPTime, now, sr.RTPTime
	r.srPackets, r.srOctets = sr.PacketCount, sr.OctetCount
}

// report gives a receiver report (RFC 3550 §6.4.2), and for video what bit rate
// this side takes.
func (r *receiver) report(now time.Time) []rtcp.Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.active || r.received == 0 {
		return nil
	}
	expected := uint64(r.maxSeq-r.baseSeq) + 1
	de, dr := expected-r.expectedPrior, r.received-r.receivedPrior
	r.expectedPrior, r.receivedPrior = expected, r.received
	fraction := uint8(0)
	if de > dr && de > 0 {
		fraction = uint8(min(255, (de-dr)<<8/de)) //nolint:gosec // at most 255
	}
	lost := min(max(r.lost(), -1<<23), 1<<23-1)
	b := rtcp.ReceptionReport{
		SSRC: r.ssrc, FractionLost: fraction, TotalLost: uint32(lost) & 0xFFFFFF, //nolint:gosec // 24 bits of two's complement
		LastSequenceNumber: r.maxSeq, Jitter: uint32(r.jitter),
	}
	if !r.lastSRTime.IsZero() {
		b.LastSenderReport = uint32(r.lastSR >> 16) //nolint:gosec // the middle
		b.Delay = uint32(now.Sub(r.lastSRTime).Seconds() * 65536)
	}
	out := []rtcp.Packet{&rtcp.ReceiverReport{SSRC: r.tr.sender.ssrc, Reports: []rtcp.ReceptionReport{b}}}
	if r.tr.kind == Video && r.codec.hasFeedback("goog-remb") {
		out = append(out, &rtcp.ReceiverEstimatedMaximumBitrate{
			SenderSSRC: r.tr.sender.ssrc, Bitrate: float32(r.estimated(float64(fraction)/256, now)), SSRCs: []uint32{r.ssrc},
		})
	}
	return out
}

// Bounds of the estimate, in bits a second.
const (
	startEstimate = 1_000_000
	minEstimate   = 100_000
	maxEstimate   = 20_000_000
)

// estimated follows loss: it grows while little is lost and the sender makes use of
// it, and falls below what arrives where much is.
func (r *receiver) estimated(loss float64, now time.Time) float64 {
	if r.estimate == 0 {
		r.estimate, r.priorTime, r.bytesPrior = startEstimate, now, r.bytes
		return r.estimate
	}
	rate := float64(r.bytes-r.bytesPrior) * 8 / max(0.1, now.Sub(r.priorTime).Seconds())
	r.priorTime, r.bytesPrior = now, r.bytes
	switch {
	case loss > 0.10:
		r.estimate = rate * (1 - 0.5*loss)
	case loss < 0.02 && rate > 0.6*r.estimate:
		r.estimate = max(1.25*r.estimate, 1.25*rate)
	}
	r.estimate = min(max(r.estimate, minEstimate), maxEstimate)
	return r.estimate
}

// end hands out that nothing more arrives, once.
func (r *receiver) end() {
	r.mu.Lock()
	was := r.ended
	r.ended = true
	r.waiting, r.missing, r.held = nil, nil, 0
	r.mu.Unlock()
	if !was {
		r.p.emit(Event{Kind: EventReceiveEnd, Object: r.tr.number})
	}
}
