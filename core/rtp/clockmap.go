package rtp

import (
	"math"
	"time"
)

// Timeline turns the 32-bit time stamps of one source into ones that do not
// wrap. The first becomes 0.
type Timeline struct {
	started bool
	last    uint32
	ext     int64
}

// Extend gives the distance from the first time stamp, in ticks. Steps of up to
// 2^31 in either direction are followed.
func (t *Timeline) Extend(ts uint32) int64 {
	if !t.started {
		t.started, t.last = true, ts
		return t.ext
	}
	t.ext += int64(int32(ts - t.last)) //nolint:gosec // the wrap is the point
	t.last = ts
	return t.ext
}

// Last is the value given last.
func (t *Timeline) Last() int64 { return t.ext }

// Rebase makes ts stand for ext from now on: a new source continues a timeline.
func (t *Timeline) Rebase(ts uint32, ext int64) { t.started, t.last, t.ext = true, ts, ext }

// ntpEpoch is the number of seconds from 1900 to 1970.
const ntpEpoch = 2_208_988_800

// NTPTime turns a 64-bit NTP time stamp (RFC 5905 §6) into a time; the era is
// the one that puts it between 1968 and 2104.
func NTPTime(n uint64) time.Time {
	sec := int64(n >> 32)
	if sec < 1<<31 {
		sec += 1 << 32
	}
	return time.Unix(sec-ntpEpoch, int64(((n&0xFFFFFFFF)*1e9+1<<31)>>32)) //nolint:gosec // below 1e9
}

// NTP is the 64-bit NTP time stamp of a time.
func NTP(t time.Time) uint64 {
	frac := (uint64(t.Nanosecond())<<32 + 5e8) / 1e9 //nolint:gosec // not negative
	return uint64(t.Unix()+ntpEpoch)<<32 + frac      //nolint:gosec // wraps in 2036 as it should
}

// ClockMap is what a sender report says: one instant in NTP time and in RTP
// ticks (RFC 3550 §6.4.1). With the rate it maps any time stamp near it.
type ClockMap struct {
	NTP       uint64
	Timestamp uint32
	Rate      int // Hz
	Valid     bool
}

// Time is the sender's wall clock at an RTP time stamp.
func (m ClockMap) Time(ts uint32) (time.Time, bool) {
	if !m.Valid || m.Rate <= 0 {
		return time.Time{}, false
	}
	ticks := int64(int32(ts - m.Timestamp)) //nolint:gosec // the wrap is the point
	d := time.Duration(math.Round(float64(ticks) * 1e9 / float64(m.Rate)))
	return NTPTime(m.NTP).Add(d), true
}

// TimestampAt is the RTP time stamp at a wall-clock time.
func (m ClockMap) TimestampAt(t time.Time) (uint32, bool) {
	if !m.Valid {
		return 0, false
	}
	ticks := int64(math.Round(t.Sub(NTPTime(m.NTP)).Seconds() * float64(m.Rate)))
	return m.Timestamp + uint32(ticks), true //nolint:gosec // the wrap is the point
}
