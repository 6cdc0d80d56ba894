package mp4

import "slices"

// clock turns the times of pushes into those of the file: decode times where
// none were given, and ticks of the file's scale.
type clock struct {
	scale   uint32
	frameNs uint64
	hint    int   // pictures out of order as the stream says; -1 unknown
	depth   int   // how far decode times run behind; -1 before start
	base    int64 // the first decode time
	last    int64 // the newest decode time
	order   [reorderWindow + 1]int64
	n       int // used entries of order: the presentation times not yet taken as decode times
	early   int // samples still to get a time before the first picture
	first   int64
}

func (c *clock) started() bool { return c.depth >= 0 }

// start finds the reorder depth from the first samples and gives each its
// decode time: the i-th smallest presentation time, depth pictures later
// (ISO/IEC 14496-12 §8.6.1.3 wants the composition offset, this is the
// smallest one that never is negative).
func (c *clock) start(first []sample) {
	depth := 0
	for i := range first {
		later := 0
		for j := range i {
			if first[j].pts-first[i].pts > 0 {
				later++
			}
		}
		depth = max(depth, later)
	}
	c.depth = min(max(depth, c.hint, 0), reorderWindow)
	c.early = c.depth
	c.first = first[0].pts
	if first[0].known {
		c.last = first[0].dts
	} else {
		c.last = c.first - int64(uint64(c.depth)*c.frameNs)
	}
	c.base = c.last
	for i := range first {
		c.next(&first[i])
	}
}

// next gives one sample its decode time and keeps them from going back.
func (c *clock) next(s *sample) {
	at, _ := slices.BinarySearchFunc(c.order[:c.n], s.pts, func(a, b int64) int {
		switch d := a - b; {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	copy(c.order[at+1:c.n+1], c.order[at:c.n])
	c.order[at] = s.pts
	c.n++
	var dts int64
	if c.early > 0 {
		dts = c.first - int64(uint64(c.early)*c.frameNs)
		c.early--
	} else {
		dts = c.order[0]
		copy(c.order[:], c.order[1:c.n])
		c.n--
	}
	if !s.known {
		s.dts, s.known = dts, true
	}
	if s.dts-c.last < 0 {
		s.dts = c.last
	}
	c.last = s.dts
}

// ticks gives t in ticks of the file, counted from the first decode time.
func (c *clock) ticks(t int64) int64 {
	d := t - c.base
	if d < 0 {
		return -int64(mulDiv(uint64(-d), uint64(c.scale), 1e9))
	}
	return int64(mulDiv(uint64(d), uint64(c.scale), 1e9))
}
