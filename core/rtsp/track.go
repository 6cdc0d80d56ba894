package rtsp

import (
	"net/netip"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtpaac"
	"github.com/tstrans/tstrans/core/rtp/rtpaudio"
	"github.com/tstrans/tstrans/core/rtp/rtph264"
	"github.com/tstrans/tstrans/core/rtp/rtph265"
	"github.com/tstrans/tstrans/core/rtp/rtpklv"
)

// depacketizer is what the payload formats have in common.
type depacketizer interface {
	Push(p *rtp.Packet)
	Unit() (rtp.Unit, bool)
}

// track is one arriving media of a session. Its methods belong to the thread
// that owns the ingest.
type track struct {
	media Media
	in    *rtp.Inbound
	depay depacketizer // nil: the payload is MPEG-TS, or packets are wanted
	stats *rtp.AssemblyStats

	line     rtp.Timeline
	handle   mpegts.Handle
	offset   int64 // of the stream's clock from the track's, in 90 kHz ticks
	placed   bool  // offset is set
	reported bool  // by a sender report
	lastPTS  int64
	lastTS   uint32
	rtpTime  *uint32 // of the beginning, as RTP-Info says
}

func newTrack(m Media, hold time.Duration, source netip.Addr) *track {
	t := &track{media: m, in: rtp.NewInbound(rtp.InboundConfig{
		PayloadType: m.PayloadType, ClockRate: m.Rate, Hold: hold, Source: source,
	})}
	switch m.Kind {
	case KindH264:
		d := rtph264.NewDepacketizer(rtph264.Config{Injection: rtph264.InjectBeforeIDR, ParameterSets: m.Sets})
		t.depay, t.stats = d, &d.Stats
	case KindH265:
		d := rtph265.NewDepacketizer(m.Sets...)
		t.depay, t.stats = d, &d.Stats
	case KindAAC:
		d := rtpaac.NewDepacketizer(m.AAC)
		t.depay, t.stats = d, &d.Stats
	case KindKLV:
		d := rtpklv.NewDepacketizer()
		t.depay, t.stats = d, &d.Stats
	case KindMPEGAudio:
		d := rtpaudio.NewMPEG()
		t.depay, t.stats = d, &d.Stats
	case KindLATM:
		d := rtpaudio.NewLATM(m.LATM)
		t.depay, t.stats = d, &d.Stats
	case KindOpus:
		d := rtpaudio.NewOpus()
		t.depay, t.stats = d, &d.Stats
	case KindALaw, KindULaw:
		d := rtpaudio.NewPlain()
		t.depay, t.stats = d, &d.Stats
	case KindMP2T, KindOther:
	}
	return t
}

// pts puts a time stamp on the session's clock: 90 kHz, 0 where it begins.
func (t *track) pts(u *rtp.Unit, sinceStart time.Duration) int64 {
	if u.NewSource {
		// Another source, another origin: go on where the last one stopped.
		t.line.Rebase(u.Timestamp, t.line.Last())
		t.placed, t.reported = false, false
	}
	t.lastTS = u.Timestamp
	scaled := t.line.Extend(u.Timestamp)
	if t.media.Rate != rtp.ClockRate {
		scaled = scaled * rtp.ClockRate / int64(t.media.Rate)
	}
	if !t.placed {
		t.placed = true
		at := ticks(sinceStart)
		if t.rtpTime != nil {
			d := int64(int32(u.Timestamp - *t.rtpTime)) //nolint:gosec // the wrap is the point
			at = d * rtp.ClockRate / int64(t.media.Rate)
			t.rtpTime = nil
			if at < 0 || at > maxRTPInfo {
				at = ticks(sinceStart)
			}
		}
		t.offset = at - scaled
	}
	t.lastPTS = scaled + t.offset
	return t.lastPTS
}

// maxRTPInfo is how far the first packet may lie from where RTP-Info says the
// media begins, in 90 kHz ticks: ten seconds. Some servers say nonsense there.
const maxRTPInfo = 10 * rtp.ClockRate

// ticks is a span of time in 90 kHz ticks.
func ticks(d time.Duration) int64 {
	return int64(d/time.Second)*rtp.ClockRate + int64(d%time.Second)*rtp.ClockRate/int64(time.Second)
}
