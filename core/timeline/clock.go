package timeline

import (
	"math"
	"sort"
	"sync"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Three clocks meet on a live stream, all in seconds:
//
//	GEN     capture time of the pictures, as the program that makes them counts
//	HLS     the stream's own time: 0 at the first picture of the epoch
//	CLIENT  a player's time: 0 at the start of the playlist it loaded first

// Offset maps between HLS and CLIENT for a playlist of segments of constant
// length numbered from 0: stream = client + sequence x target duration.
type Offset struct {
	Sequence int64   // EXT-X-MEDIA-SEQUENCE of the playlist that the player loaded first
	Target   float64 // length of a segment, in seconds
}

// Seconds is the distance of the two clocks.
func (o Offset) Seconds() float64 { return float64(o.Sequence) * o.Target }

// Stream gives the HLS time of a CLIENT time.
func (o Offset) Stream(client float64) float64 { return client + o.Seconds() }

// Client gives the CLIENT time of an HLS time.
func (o Offset) Client(stream float64) float64 { return stream - o.Seconds() }

// maxPairs bounds what a Map remembers: over 36 minutes of 30 pictures a second
// whose spacing never repeats; a steady rate needs two pairs for any length.
const maxPairs = 1 << 16

// pairTolerance is how far a picture may be from the line through its neighbours
// and still be left out, in seconds: far below the length of any picture.
const pairTolerance = 1e-6

type pair struct{ gen, hls float64 }

// Map relates GEN to HLS: an encoder takes its pictures as equally spaced
// whatever their capture times were, so whoever feeds it notes both for each
// picture. Pairs on a line are folded; the oldest fall out beyond 65,536 kept.
// Any number of goroutines.
type Map struct {
	mu    sync.RWMutex
	pairs []pair
	tail  pair // the newest, where it lies on the line of the last two kept
	on    bool // tail is in use
}

// Add notes that the picture captured at gen is shown at hls. Both must grow.
func (m *Map) Add(gen, hls float64) error {
	if math.IsNaN(gen) || math.IsInf(gen, 0) || math.IsNaN(hls) || math.IsInf(hls, 0) {
		return fault(tsterr.TimelineInvalid, "time", "a time that is no finite number")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	last, ok := m.last()
	if ok && (gen <= last.gen || hls <= last.hls) {
		return fault(tsterr.TimelineInvalid, "time", "times must grow: (%v, %v) after (%v, %v)", gen, hls, last.gen, last.hls)
	}
	next := pair{gen, hls}
	if n := len(m.pairs); n >= 2 {
		a, b := m.pairs[n-2], m.pairs[n-1]
		if math.Abs(line(a.gen, b.gen, a.hls, b.hls, gen)-hls) <= pairTolerance {
			m.tail, m.on = next, true
			return nil
		}
		if m.on {
			m.pairs = append(m.pairs, m.tail)
			m.on = false
		}
	}
	m.pairs = append(m.pairs, next)
	if len(m.pairs) > maxPairs {
		m.pairs = append(m.pairs[:0], m.pairs[len(m.pairs)-maxPairs/2:]...)
	}
	return nil
}

func (m *Map) last() (pair, bool) {
	if m.on {
		return m.tail, true
	}
	if n := len(m.pairs); n > 0 {
		return m.pairs[n-1], true
	}
	return pair{}, false
}

// HLS gives the stream time of a capture time: on the line between the pictures
// around it, at the pace of real time outside of all. False without any picture.
func (m *Map) HLS(gen float64) (float64, bool) {
	return m.find(gen, func(p pair) (float64, float64) { return p.gen, p.hls })
}

// Gen gives the capture time of a stream time, likewise.
func (m *Map) Gen(hls float64) (float64, bool) {
	return m.find(hls, func(p pair) (float64, float64) { return p.hls, p.gen })
}

func (m *Map) find(x float64, xy func(pair) (float64, float64)) (float64, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.pairs) == 0 {
		return 0, false
	}
	at := func(i int) (float64, float64) {
		if i == len(m.pairs) {
			return xy(m.tail)
		}
		return xy(m.pairs[i])
	}
	n := len(m.pairs)
	if m.on {
		n++
	}
	i := sort.Search(n, func(i int) bool { v, _ := at(i); return v >= x })
	switch i {
	case n: // behind the newest
		x0, y0 := at(n - 1)
		return y0 + x - x0, true
	case 0: // before the oldest
		x0, y0 := at(0)
		return y0 + x - x0, true
	}
	x0, y0 := at(i - 1)
	x1, y1 := at(i)
	return line(x0, x1, y0, y1, x), true
}

// line is y at x on the line through (x0, y0) and (x1, y1).
func line(x0, x1, y0, y1, x float64) float64 { return y0 + (x-x0)*(y1-y0)/(x1-x0) }
