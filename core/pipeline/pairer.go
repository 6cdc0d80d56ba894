// Package pipeline joins what the other packages deliver: here, the KLV record
// that belongs to each picture.
//
// MISB ST 1402 carries metadata beside the video and leaves the pairing to the
// receiver; the policy here is the nearest presentation time within a tolerance.
package pipeline

import (
	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/tsterr"
)

// MaxBuffered is the largest number of records or pictures a Pairer may hold.
const MaxBuffered = 1<<31 - 1

// Mode says when a picture without a record near enough is given up.
type Mode uint8

const (
	// Realtime decides each picture when it arrives.
	Realtime Mode = iota
	// Buffered lets a picture wait for records that arrive later.
	Buffered
)

// PairerConfig configures a Pairer. Times are in ticks of 1/90000 s.
type PairerConfig struct {
	// VideoPID and KLVPID name the two streams, for Records. They default to 0.
	VideoPID, KLVPID uint16
	Mode             Mode
	// Tolerance is the largest distance of a pair, inclusive. It defaults to 0: equal times only.
	Tolerance int64
	// MaxLag is how far records may run ahead of a waiting picture before it is
	// given up. Only Buffered uses it. It defaults to 0.
	MaxLag int64
	// MaxBufferedKLV is the number of records kept. It defaults to 32.
	MaxBufferedKLV int
	// MaxBufferedVideo is the number of pictures that may wait. Only Buffered uses it. It defaults to 32.
	MaxBufferedVideo int
}

// DefaultTolerance is 300 ms, in ticks.
const DefaultTolerance = 300 * clock.TicksPerSecond / 1000

func (c PairerConfig) withDefaults() (PairerConfig, error) {
	if c.MaxBufferedKLV == 0 {
		c.MaxBufferedKLV = 32
	}
	if c.MaxBufferedVideo == 0 {
		c.MaxBufferedVideo = 32
	}
	switch {
	case c.Mode > Buffered:
		return c, tsterr.At(tsterr.InvalidArg, "mode", tsterr.NoOffset, "mode %d is unknown", c.Mode)
	case c.Tolerance < 0:
		return c, tsterr.At(tsterr.InvalidArg, "tolerance", tsterr.NoOffset, "tolerance must not be negative")
	case c.MaxLag < 0:
		return c, tsterr.At(tsterr.InvalidArg, "max_lag", tsterr.NoOffset, "max_lag must not be negative")
	case c.MaxBufferedKLV < 0 || c.MaxBufferedKLV > MaxBuffered:
		return c, tsterr.At(tsterr.InvalidArg, "max_buffered_klv", tsterr.NoOffset,
			"max_buffered_klv must be 1 to %d", MaxBuffered)
	case c.MaxBufferedVideo < 0 || c.MaxBufferedVideo > MaxBuffered:
		return c, tsterr.At(tsterr.InvalidArg, "max_buffered_video", tsterr.NoOffset,
			"max_buffered_video must be 1 to %d", MaxBuffered)
	}
	return c, nil
}

// Verdict says what became of one or two inputs.
type Verdict uint8

const (
	// Paired names a picture and its record. The record stays usable for the next picture.
	Paired Verdict = iota + 1
	// UnpairedVideo names a picture that no record came near enough to.
	UnpairedVideo
	// UnpairedKLV names a record that is leaving without ever having been paired.
	UnpairedKLV
	// Released names a record that is leaving and was paired before: the caller
	// may let go of it.
	Released
	// PassThrough names, in Video, an event of neither stream.
	PassThrough
)

// NoRef is the reference of the part that an Output does not have.
const NoRef = ^uint64(0)

// Output is one decision. Video and KLV are the caller's references.
type Output struct {
	Verdict Verdict
	Video   uint64
	KLV     uint64
}

// PairerStats counts decisions.
type PairerStats struct {
	Paired        uint64
	UnpairedVideo uint64
	UnpairedKLV   uint64
	PassThrough   uint64
}

type sample struct {
	ref    uint64
	pts    int64
	paired bool // records only
}

// Pairer pairs pictures with KLV records by presentation time. It holds
// references of the caller's and their times, never payloads. It is for one
// goroutine at a time.
//
// Waiting pictures are decided in the order of their arrival, so a picture
// behind one that still waits is not paired before it, however near a record is.
type Pairer struct {
	cfg   PairerConfig
	klv   fifo
	video fifo
	stats PairerStats

	newest int64 // time of the last record
	seen   bool  // there was one
}

// NewPairer makes a Pairer.
func NewPairer(cfg PairerConfig) (*Pairer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Pairer{cfg: cfg}, nil
}

// Video takes a picture and appends what is thereby decided to out. ref must not be NoRef.
func (p *Pairer) Video(out []Output, ref uint64, pts int64) []Output {
	p.video.push(sample{ref: ref, pts: pts})
	if p.cfg.Mode == Realtime {
		if k := p.nearest(pts); k != nil {
			return p.pair(out, k)
		}
		return p.giveUp(out)
	}
	out = p.decide(out)
	if p.video.len() > p.cfg.MaxBufferedVideo {
		out = p.giveUp(out)
	}
	return out
}

// KLV takes a record and appends what is thereby decided to out. ref must not be NoRef.
func (p *Pairer) KLV(out []Output, ref uint64, pts int64) []Output {
	p.klv.push(sample{ref: ref, pts: pts})
	if p.klv.len() > p.cfg.MaxBufferedKLV {
		out = p.drop(out, p.klv.pop())
	}
	p.newest, p.seen = pts, true
	return p.decide(out)
}

// decide takes the waiting pictures in the order of their arrival: each is
// paired, or given up because the records are too far ahead of it, or it waits
// on, and with it all behind it.
func (p *Pairer) decide(out []Output) []Output {
	for p.video.len() > 0 {
		pts := p.video.all()[0].pts
		if k := p.nearest(pts); k != nil {
			out = p.pair(out, k)
		} else if p.seen && p.newest > pts && distance(p.newest, pts) > uint64(p.cfg.MaxLag) {
			out = p.giveUp(out)
		} else {
			break
		}
	}
	return out
}

// Flush ends the wait of every picture, in order and with a record where one is
// near enough, then lets go of every record.
// Nothing is held afterwards; both kinds may follow again.
func (p *Pairer) Flush(out []Output) []Output {
	for p.video.len() > 0 {
		if k := p.nearest(p.video.all()[0].pts); k != nil {
			out = p.pair(out, k)
		} else {
			out = p.giveUp(out)
		}
	}
	for p.klv.len() > 0 {
		out = p.drop(out, p.klv.pop())
	}
	return out
}

// Held returns how many pictures and records are held.
func (p *Pairer) Held() int { return p.video.len() + p.klv.len() }

// Stats returns the counters.
func (p *Pairer) Stats() PairerStats { return p.stats }

// ResetStats sets the counters to zero.
func (p *Pairer) ResetStats() { p.stats = PairerStats{} }

// pair ends the wait of the first picture, with a record.
func (p *Pairer) pair(out []Output, k *sample) []Output {
	k.paired = true
	p.stats.Paired++
	return append(out, Output{Paired, p.video.pop().ref, k.ref})
}

// giveUp ends the wait of the first picture, without a record.
func (p *Pairer) giveUp(out []Output) []Output {
	p.stats.UnpairedVideo++
	return append(out, Output{UnpairedVideo, p.video.pop().ref, NoRef})
}

func (p *Pairer) drop(out []Output, k sample) []Output {
	if k.paired {
		return append(out, Output{Released, NoRef, k.ref})
	}
	p.stats.UnpairedKLV++
	return append(out, Output{UnpairedKLV, NoRef, k.ref})
}

// nearest finds the record of the smallest distance within the tolerance; of
// two at the same distance the one that arrived later.
func (p *Pairer) nearest(pts int64) *sample {
	var best *sample
	limit := uint64(p.cfg.Tolerance)
	held := p.klv.all()
	for i := range held {
		if d := distance(held[i].pts, pts); d <= limit {
			best, limit = &held[i], d
		}
	}
	return best
}

// distance is |a-b| of any two times, without wrap: a pair never spans the
// 33-bit wrap unless the demuxer unwraps.
func distance(a, b int64) uint64 {
	if a > b {
		return uint64(a) - uint64(b)
	}
	return uint64(b) - uint64(a)
}

// fifo is a queue that keeps its memory.
type fifo struct {
	buf  []sample
	head int
}

func (f *fifo) len() int      { return len(f.buf) - f.head }
func (f *fifo) all() []sample { return f.buf[f.head:] }

func (f *fifo) push(s sample) {
	if f.head > 0 && len(f.buf) == cap(f.buf) {
		f.buf = f.buf[:copy(f.buf, f.buf[f.head:])]
		f.head = 0
	}
	f.buf = append(f.buf, s)
}

func (f *fifo) pop() sample {
	s := f.buf[f.head]
	f.head++
	return s
}
