package hls

import (
	"encoding/binary"
	"time"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/codec/misp"
	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/mpegts"
)

// itemTime is the Precision Time Stamp of MISB ST 0601 (item 2), and of the
// other local sets that carry it under the same number.
const itemTime = 2

// dater keeps one point at which the media's clock and the date are both known.
type dater struct {
	clock Clock
	pts   int64 // 90 kHz ticks
	at    time.Time
}

// anchor says that the picture at pts was taken at t.
func (d *dater) anchor(pts int64, t time.Time) { d.pts, d.at = pts, t }

// wall anchors the first picture at the system's time.
func (d *dater) wall(pts int64, now time.Time) {
	if d.clock == WallClock && d.at.IsZero() {
		d.anchor(pts, now)
	}
}

// date is when the picture at pts was taken, zero where nobody knows.
func (d *dater) date(pts int64) time.Time {
	if d.clock == NoClock || d.at.IsZero() {
		return time.Time{}
	}
	return d.at.Add(ticks90k(clock.DiffPTS(d.pts, pts)))
}

// klv takes the time of a KLV unit.
func (d *dater) klv(unit []byte, pts int64) {
	if d.clock != SensorClock {
		return
	}
	if t, ok := klvTime(unit); ok {
		d.anchor(pts, t)
	}
}

// picture takes the time stamp in an access unit, where it has one.
func (d *dater) picture(c mpegts.Codec, au []byte, pts int64) {
	if d.clock != SensorClock {
		return
	}
	v := codec.H264
	switch c {
	case mpegts.CodecH264:
	case mpegts.CodecH265:
		v = codec.H265
	default:
		return
	}
	t, ok, err := misp.Extract(v, au)
	if !ok || err != nil {
		return // a broken stamp is no stamp
	}
	us := t.Value
	if t.Nano {
		us /= 1000
	}
	if at, ok := micros(us); ok {
		d.anchor(pts, at)
	}
}

// micros refuses what is no date of this century or so: an unset clock would
// put the whole presentation into 1970.
func micros(us uint64) (time.Time, bool) {
	const first, last = 631_152_000_000_000, 4_102_444_800_000_000 // 1990 to 2100
	if us < first || us > last {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(us)), true
}

// klvTime reads the time of a KLV unit: item 2 of a local set, or an ST 0605
// time stamp pack.
func klvTime(unit []byte) (time.Time, bool) {
	body, _, _, err := klv.Envelope(unit)
	if err != nil {
		return time.Time{}, false
	}
	if len(body) >= 9 && len(unit) >= 16 && klv.UL(unit[:16]) == klv.PrecisionTimeUL {
		return micros(binary.BigEndian.Uint64(body[1:9]))
	}
	for at := 0; at < len(body); {
		t, next, ok := klv.Next(body, at)
		if !ok || next <= at {
			return time.Time{}, false
		}
		if t.Tag == itemTime && len(t.Value) == 8 {
			return micros(binary.BigEndian.Uint64(t.Value))
		}
		at = next
	}
	return time.Time{}, false
}
