package hls

import (
	"slices"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/mp4"
	"github.com/tstrans/tstrans/core/mpegts"
)

// decodeClock finds decode times where only presentation times are given: the
// i-th smallest of them, as many pictures later as the stream may reorder.
type decodeClock struct {
	depth   int // pictures out of order, as the parameter sets say
	last    int64
	step    int64
	started bool
	base    int64   // of 33 bits, that the line below counts from
	line    []int64 // presentation times not yet taken, ticks from base
	at      int64   // newest on that line
	early   int     // pictures still to get a time before the first
}

// picture gives the decode time of the next picture. reset says that time
// jumped.
func (d *decodeClock) picture(c mpegts.Codec, au []byte, pts int64, key bool) int64 {
	if key {
		if n, ok := reorderDepth(c, au); ok && (n != d.depth || !d.started) {
			d.depth = n
			d.started = false
		}
	}
	if d.depth == 0 {
		return pts
	}
	x := int64(0)
	if d.started {
		x = d.at + clock.DiffPTS((d.base+d.at)&(clock.PTSModulus-1), pts)
	}
	if j := x - d.at; !d.started || j > maxJump || j < -maxJump {
		if d.step == 0 {
			d.step = clock.TicksPerSecond / 25
		}
		*d = decodeClock{depth: d.depth, step: d.step, started: true, base: pts, early: d.depth, last: -1 << 40}
		x = 0
	}
	if x > d.at && len(d.line) > 0 {
		d.step = max(1, (x-d.line[0])/int64(len(d.line)))
	}
	d.at = max(d.at, x)
	i, _ := slices.BinarySearch(d.line, x)
	d.line = slices.Insert(d.line, i, x)
	var t int64
	if d.early > 0 {
		t = -int64(d.early) * d.step
		d.early--
	} else {
		t = d.line[0]
		d.line = slices.Delete(d.line, 0, 1)
	}
	if t <= d.last {
		t = d.last + 1
	}
	d.last = t
	return (d.base + t) & (clock.PTSModulus - 1)
}

// reorderDepth reads it from the parameter sets of a key frame.
func reorderDepth(c mpegts.Codec, au []byte) (int, bool) {
	switch c {
	case mpegts.CodecH264:
		return mp4.ReorderDepth(mp4.H264, au)
	case mpegts.CodecH265:
		return mp4.ReorderDepth(mp4.HEVC, au)
	}
	return 0, false
}
