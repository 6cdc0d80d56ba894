package hls

import (
	"time"

	"github.com/tstrans/tstrans/core/clock"
)

// slack keeps EXTINF below what would round up past the target duration
// (RFC 8216bis §4.4.3.1: rounded to the nearest second it is at most that).
const slack = 499 * time.Millisecond

// cutter decides from the times of pictures where segments and parts end.
// Times are 90 kHz ticks modulo 2^33, in decode order.
type cutter struct {
	want, limit, part int64 // segment aim, segment bound, part bound; ticks

	started   bool
	segStart  int64
	partStart int64
	last      int64
	step      int64 // between the last two pictures
	lastKey   int64
	hasKey    bool
	gop       int64 // between the last two key frames, 0 unknown
	keyInPart bool  // the open part has a key frame
	keyFirst  bool  // the open segment begins with one
}

// verdict is what a picture does to what is open.
type verdict struct {
	cut, forced bool          // end the segment before the picture
	endPart     bool          // end the part before it
	segment     time.Duration // of what ends
	partTime    time.Duration
	independent bool // the ended part has a key frame
	broken      bool // what follows does not continue it
	last        bool // nothing follows
}

func toTicks(d time.Duration) int64 { return int64(d) * 9 / 100_000 }

func newCutter(cfg *Config) cutter {
	return cutter{
		want: toTicks(cfg.SegmentDuration), limit: toTicks(cfg.target() + slack), part: toTicks(cfg.PartDuration),
	}
}

// maxJump is the step of time between two pictures past which the stream began
// anew: the pictures before and after it do not belong together.
const maxJump = 10 * clock.TicksPerSecond

// picture is told of a picture before it is written; must says that it cannot
// stand in the open segment.
func (c *cutter) picture(t int64, key, must bool) (v verdict) {
	if !c.started {
		c.open(t, key)
		return v
	}
	d := clock.DiffPTS(c.last, t)
	if d > maxJump || d < -maxJump {
		v.segment, v.partTime, v.independent = c.end()
		v.cut, v.endPart, v.broken = true, c.part > 0, true
		c.step, c.gop, c.hasKey = 0, 0, false
		c.open(t, key)
		return v
	}
	if d > 0 {
		c.step = d
	} else {
		t = c.last // pictures out of order, without decode times
	}
	age := clock.DiffPTS(c.segStart, t)
	if key {
		if c.hasKey {
			c.gop = max(0, clock.DiffPTS(c.lastKey, t))
		}
		v.cut = age > 0 && (must || age+c.step/2 >= c.want || age+c.gop > c.limit)
		c.lastKey, c.hasKey = t, true
	}
	if !v.cut && age > 0 && age+c.step > c.limit {
		v.cut, v.forced = true, !key
	}
	partAge := clock.DiffPTS(c.partStart, t)
	if v.cut {
		v.segment, v.partTime, v.endPart = ticks90k(age), ticks90k(partAge), c.part > 0
		v.independent = c.keyInPart
		c.open(t, key)
		return v
	}
	if c.part > 0 && partAge > 0 && partAge+c.step > c.part {
		v.endPart, v.partTime, v.independent = true, ticks90k(partAge), c.keyInPart
		c.partStart, c.keyInPart = t, false
	}
	c.last = t
	c.keyInPart = c.keyInPart || key
	return v
}

func (c *cutter) open(t int64, key bool) {
	c.started, c.segStart, c.partStart, c.last = true, t, t, t
	c.keyInPart, c.keyFirst = key, key
	if key {
		c.lastKey, c.hasKey = t, true
	}
}

// end gives the durations of what is open as if a picture came one step after
// the last, and forgets it.
func (c *cutter) end() (segment, part time.Duration, independent bool) {
	if !c.started {
		return 0, 0, false
	}
	t := c.last + c.step
	c.started = false
	return ticks90k(clock.DiffPTS(c.segStart, t)), ticks90k(clock.DiffPTS(c.partStart, t)), c.keyInPart
}

// due tells whether a picture at t cannot wait: the part or the segment would
// pass its bound.
func (c *cutter) due(t int64) bool {
	return c.part > 0 && clock.DiffPTS(c.partStart, t)+c.step > c.part+c.part/2 ||
		clock.DiffPTS(c.segStart, t)+c.step > c.limit
}

// touch notes a picture at which nothing may end.
func (c *cutter) touch(t int64) {
	if d := clock.DiffPTS(c.last, t); d > 0 {
		c.step = d
	}
	c.last = t
}
