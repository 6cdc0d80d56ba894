package rtsp

import (
	"net/netip"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// PIDs of elementary media that is put into MPEG-TS; each further one of a kind
// has one 0x10 higher.
const (
	remuxPMT   = 0x1000
	remuxVideo = 0x100
	remuxKLV   = 0x101
	remuxAudio = 0x102
	remuxOther = 0x103
)

// Values of stream_type for G.711, which MPEG-TS has no way of its own for:
// user-private ones that cameras after GB/T 28181 use.
const (
	streamTypeALaw = 0x90
	streamTypeULaw = 0x91
)

// opusDescriptors are the registration and the channel configuration of stereo,
// which a decoder of Opus gives for any packet (Opus in MPEG-TS, draft of the
// Xiph.Org Foundation, §2).
const opusDescriptors = "\x05\x04Opus" + "\x7F\x02\x80\x02"

// stream is the elementary stream that a media becomes; ok is false where it is
// MPEG-TS or nothing.
func (m *Media) stream() (s mpegts.MuxStream, ok bool) {
	s = mpegts.MuxStream{PID: remuxVideo, Class: mpegts.MuxVideo, Codec: m.codec()}
	switch m.Kind {
	case KindH264, KindH265:
	case KindAAC, KindLATM, KindMPEGAudio:
		s.PID, s.Class = remuxAudio, mpegts.MuxAudio
	case KindKLV:
		s.PID, s.Class, s.CarriesPTS = remuxKLV, mpegts.MuxKLV, true
	case KindOpus, KindALaw, KindULaw:
		s.PID, s.Class, s.CarriesPTS = remuxOther, mpegts.MuxData, true
		switch m.Kind { //nolint:exhaustive // these three
		case KindOpus:
			s.StreamType = mpegts.StreamTypePrivatePES
			s.Descriptors = [][]byte{[]byte(opusDescriptors[:6]), []byte(opusDescriptors[6:])}
		case KindALaw:
			s.StreamType = streamTypeALaw
		default:
			s.StreamType = streamTypeULaw
		}
	case KindMP2T, KindOther:
		return s, false
	}
	return s, true
}

// provisionalAfter is how long sender reports are waited for before the times
// of arrival are taken for the relation of the media's clocks.
const provisionalAfter = 2 * time.Second

// Alignment says how the clocks of a session's media were related. The numbers
// are those of the Python enumeration.
type Alignment int

// How the clocks of a session's media were related.
const (
	AlignNotApplicable Alignment = iota // MPEG-TS has one clock
	AlignPending
	AlignProvisional
	AlignSenderReport
)

// ingest takes the packets of a session's media and gives MPEG-TS: what arrives
// as such as it is, elementary media remultiplexed.
type ingest struct {
	mu     sync.Mutex // packets may come from several threads
	tracks []*track
	mux    *mpegts.Muxer
	out    func(ts []byte)
	raw    func(p *rtp.Packet) // instead, where packets are wanted
	start  time.Time
	epoch  uint64 // NTP time of the session's zero
	hasNTP bool

	units, dropped       uint64
	klvUnits, klvDropped uint64
	steps                uint64
}

// newIngest makes the tracks of the chosen media. raw hands packets through.
func newIngest(medias []Media, hold time.Duration, source netip.Addr, out func(ts []byte), raw func(*rtp.Packet)) (*ingest, error) {
	g := &ingest{out: out, raw: raw}
	prog := mpegts.MuxProgram{Number: 1, PMTPID: remuxPMT}
	var classes [5]mpegts.Handle
	for _, m := range medias {
		t := newTrack(m, hold, source)
		g.tracks = append(g.tracks, t)
		s, ok := m.stream()
		if !ok {
			continue
		}
		t.handle = classes[s.Class]
		s.PID += 0x10 * uint16(t.handle) //nolint:gosec // at most fifteen
		classes[s.Class]++
		prog.Streams = append(prog.Streams, s)
	}
	if len(prog.Streams) == 0 || raw != nil {
		return g, nil
	}
	if classes[mpegts.MuxVideo]+classes[mpegts.MuxAudio] == 0 {
		// Nothing that bears a clock: the clock rides on a stream without packets.
		prog.Streams = append(prog.Streams, mpegts.MuxStream{PID: remuxVideo, Class: mpegts.MuxVideo, Codec: mpegts.CodecH264})
	}
	cfg := mpegts.NewMuxConfig(prog)
	cfg.BufferPackets = rtp.DefaultMaxUnit/mpegts.PacketSize*2 + 100
	m, err := mpegts.NewMuxer(cfg)
	if err != nil {
		return nil, tsterr.Wrap(tsterr.RTSPProtocol, err, "the media cannot be multiplexed")
	}
	g.mux = m
	return g, nil
}

// only is the track with a payload type that no other has, -1 without one.
func (g *ingest) only(pt uint8) int {
	found := -1
	for i, t := range g.tracks {
		if t.media.PayloadType == pt {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// packet takes a datagram or frame of track i.
func (g *ingest) packet(i int, b []byte, from netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tracks[i]
	t.in.Push(b, from, now)
	g.drain(t, now)
}

// control takes an RTCP packet of track i.
func (g *ingest) control(i int, b []byte, from netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tracks[i]
	t.in.Control(b, from, now)
	g.align(t)
}

// wait is how long until held packets are due; negative when none are.
func (g *ingest) wait(i int, now time.Time) time.Duration { return g.tracks[i].in.Wait(now) }

// due delivers what has been held long enough.
func (g *ingest) due(i int, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drain(g.tracks[i], now)
}

func (g *ingest) drain(t *track, now time.Time) {
	if g.start.IsZero() {
		g.start = now
	}
	for {
		p, ok := t.in.Pop(now)
		if !ok {
			return
		}
		switch {
		case g.raw != nil:
			g.raw(&p)
		case t.depay == nil:
			if len(p.Payload) > 0 {
				g.out(p.Payload)
			}
		default:
			t.depay.Push(&p)
			for u, ok := t.depay.Unit(); ok; u, ok = t.depay.Unit() {
				g.unit(t, &u, now)
			}
		}
	}
}

func (g *ingest) unit(t *track, u *rtp.Unit, now time.Time) {
	g.align(t)
	pts := t.pts(u, now.Sub(g.start))
	var err error
	switch t.media.Kind {
	case KindH264, KindH265:
		err = g.mux.PushVideoTo(t.handle, u.Data, mpegts.VideoPush{PTS: pts, KeyFrame: u.Key})
	case KindAAC, KindLATM, KindMPEGAudio:
		err = g.mux.PushAudioTo(t.handle, u.Data, pts)
	case KindKLV:
		err = g.mux.PushKLVTo(t.handle, u.Data, pts, 0)
	case KindOpus, KindALaw, KindULaw:
		err = g.mux.PushDataTo(t.handle, u.Data, pts)
	case KindMP2T, KindOther:
	}
	switch {
	case t.media.Kind == KindKLV && err == nil:
		g.klvUnits++
	case t.media.Kind == KindKLV:
		g.klvDropped++
	case err == nil:
		g.units++
	default:
		g.dropped++
	}
	if b := g.mux.Pending(); len(b) > 0 {
		g.out(b)
		g.mux.Discard(len(b))
	}
}

// align puts a track on the wall clock of the sender's reports. The first track
// with one stays where it is and sets the origin for the others.
func (g *ingest) align(t *track) {
	m := t.in.Clock()
	if g.mux == nil || !m.Valid || t.reported || !t.placed {
		return
	}
	last, ok := m.Time(t.lastTS)
	if !ok {
		return
	}
	t.reported = true
	at := rtp.NTP(last)
	if !g.hasNTP {
		g.hasNTP = true
		g.epoch = at - ntpTicks(t.lastPTS)
		return
	}
	pts := ticks(rtp.NTPTime(at).Sub(rtp.NTPTime(g.epoch)))
	if step := max(pts-t.lastPTS, t.lastPTS-pts); step >= minAlignStep && step < maxAlignStep {
		t.offset += pts - t.lastPTS
		g.steps++
	}
}

// What a report may move a media by, in ticks: not less than a millisecond,
// which is rounding, and not more than a minute, which is nonsense.
const (
	minAlignStep = rtp.ClockRate / 1000
	maxAlignStep = 60 * rtp.ClockRate
)

// ntpTicks is a span of 90 kHz ticks in NTP's 1/2^32 s.
func ntpTicks(t int64) uint64 {
	return uint64(t/rtp.ClockRate)<<32 + uint64(t%rtp.ClockRate)<<32/rtp.ClockRate //nolint:gosec // it wraps
}

// alignment tells how the clocks are related now.
func (g *ingest) alignment(now time.Time) Alignment {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mux == nil {
		return AlignNotApplicable
	}
	for _, t := range g.tracks {
		if !t.reported {
			if g.start.IsZero() || now.Sub(g.start) < provisionalAfter {
				return AlignPending
			}
			return AlignProvisional
		}
	}
	return AlignSenderReport
}

// assembly adds up what the payload formats counted.
func (g *ingest) assembly() (video, klv rtp.AssemblyStats) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.tracks {
		if t.depay == nil || g.raw != nil {
			continue
		}
		s := t.depay.Assembly()
		to := &video
		if t.media.Kind == KindKLV {
			to = &klv
		}
		to.Units += s.Units
		to.Dropped += s.Dropped + s.Oversize
		to.SSRCChanges += s.SSRCChanges
	}
	return video, klv
}

// inbound adds up what arrived.
func (g *ingest) inbound() (sum rtp.InboundStats) {
	for i, t := range g.tracks {
		s := t.in.Stats()
		sum.Packets += s.Packets
		sum.Bytes += s.Bytes
		sum.PayloadBytes += s.PayloadBytes
		sum.Lost += s.Lost
		sum.Duplicates += s.Duplicates
		sum.Reordered += s.Reordered
		sum.TooLate += s.TooLate
		sum.Malformed += s.Malformed
		sum.Rejected += s.Rejected
		sum.SSRCChanges += s.SSRCChanges
		sum.SRReceived += s.SRReceived
		sum.RRReceived += s.RRReceived
		sum.RRSent += s.RRSent
		sum.FractionLost = max(sum.FractionLost, s.FractionLost)
		if i == 0 {
			sum.JitterTicks = s.JitterTicks
		}
	}
	return sum
}

// alignSteps is how often a report moved a media's clock.
func (g *ingest) alignSteps() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.steps
}
