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
	Assembly() rtp.AssemblyStats
}

// track is one arriving media of a session. Its methods belong to the thread
// that owns the ingest.
type track struct {
	media Media
	in    *rtp.Inbound
	depay depacketizer // nil: the payload is MPEG-TS, or packets are wanted

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
	in := rtp.NewInbound(rtp.InboundConfig{PayloadType: m.PayloadType, ClockRate: m.Rate, Hold: hold, Source: source})
	return &track{media: m, in: in, depay: m.depacketizer()}
}

// depacketizer makes what takes the media out of its packets, nil for MPEG-TS.
func (m *Media) depacketizer() depacketizer {
	switch m.Kind {
	case KindH264:
		return rtph264.NewDepacketizer(rtph264.Config{Injection: rtph264.InjectBeforeIDR, ParameterSets: m.Sets})
	case KindH265:
		return rtph265.NewDepacketizer(m.Sets...)
	case KindAAC:
		return rtpaac.NewDepacketizer(m.AAC)
	case KindKLV:
		return rtpklv.NewDepacketizer()
	case KindMPEGAudio:
		return rtpaudio.NewMPEG()
	case KindLATM:
		return rtpaudio.NewLATM(m.LATM)
	case KindOpus:
		return rtpaudio.NewOpus()
	case KindALaw, KindULaw:
		return rtpaudio.NewPlain()
	case KindMP2T, KindOther:
	}
	return nil
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
