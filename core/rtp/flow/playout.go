package flow

import (
	"math"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Bounds and constants of adaptive playout.
const (
	primeFrames   = 2    // held before delivery begins
	adjustTicks   = 25   // ticks of one deviation before a step
	adjustPause   = 1.0  // seconds between two steps
	jitterWeight  = 16   // of the moving average
	resetFrames   = 4    // times the most frames: a timestamp further ahead is another stream
	maxNoiseMS    = 30e3 // comfort noise stops after this long without a word from the sender
	maxPlayoutLen = 4096 // frames held, whatever the configuration says
	g722Rate      = 16000
)

// Action is what a tick asks for.
type Action uint8

// Actions.
const (
	ActNone    Action = iota // nothing is delivered
	ActDecode                // decode Payload
	ActConceal               // stand in for one frame
	ActNoise                 // a frame of comfort noise of Level
)

// Tick is the outcome of one tick of the media clock. Payload is valid until the next call.
type Tick struct {
	Action    Action
	Timestamp uint32
	Payload   []byte
	Level     int
}

// PlayoutConfig says how a Playout works.
type PlayoutConfig struct {
	SampleRate   int // in Hz
	FrameSamples int // of one channel, in a frame
	ClockRate    int // of the timestamps, in Hz. It defaults to SampleRate.
	MaxDelayMS   int // It defaults to 200 ms.
	MaxConcealMS int // in a row; negative: none. It defaults to 120 ms.
	// WaitLate: a frame that misses its tick while nothing behind it is held may still come before the next tick, and
	// is delivered then. So a sender whose clock is slow, or a route that became longer, costs one inserted frame
	// rather than all frames until the buffer is primed anew.
	WaitLate bool
}

// PlayoutStats counts what a Playout did.
type PlayoutStats struct {
	Concealed, LateDropped, Expansions, Accelerations, Suspensions, Noise uint64
}

// Playout delivers one frame a tick from a buffer whose depth follows the jitter measured. It decodes nothing: a
// tick tells what to do. Times are seconds of any monotonic clock.
type Playout struct {
	PlayoutStats
	ptimeMS    float64
	increment  uint32 // of the timestamps, a frame
	clock      float64
	maxFrames  int
	maxConceal float64

	waitLate bool
	waiting  bool // a concealed frame was delivered in place of the head, which may still come

	frames map[uint32][]byte
	free   [][]byte
	last   []byte // the payload of the last tick
	head   uint32
	primed bool

	jitterMS   float64
	arrival    float64
	arrivalTS  uint32
	arrived    bool
	sign       int
	signTicks  int
	adjusted   float64
	streakMS   float64
	noise      bool
	noiseLevel int
	noiseFrom  uint32
	noiseMS    float64
}

// NewPlayout makes a playout; now is the time in seconds.
func NewPlayout(cfg PlayoutConfig, now float64) (*Playout, error) {
	if cfg.SampleRate <= 0 || cfg.FrameSamples <= 0 || cfg.ClockRate < 0 {
		return nil, tsterr.New(tsterr.InvalidArg, "a playout of frames of %d samples at %d Hz", cfg.FrameSamples, cfg.SampleRate)
	}
	if cfg.ClockRate == 0 {
		cfg.ClockRate = cfg.SampleRate
	}
	if cfg.MaxDelayMS == 0 {
		cfg.MaxDelayMS = 200
	}
	if cfg.MaxConcealMS == 0 {
		cfg.MaxConcealMS = 120
	}
	p := &Playout{
		ptimeMS:    1000 * float64(cfg.FrameSamples) / float64(cfg.SampleRate),
		increment:  uint32(cfg.FrameSamples), //nolint:gosec // positive
		clock:      float64(cfg.ClockRate),
		maxConceal: float64(cfg.MaxConcealMS),
		frames:     map[uint32][]byte{},
		adjusted:   now,
		waitLate:   cfg.WaitLate,
	}
	p.maxFrames = min(max(1, int(float64(cfg.MaxDelayMS)/p.ptimeMS)), maxPlayoutLen/4)
	p.increment = uint32(math.Round(float64(cfg.FrameSamples) * float64(cfg.ClockRate) / float64(cfg.SampleRate)))
	p.increment = max(p.increment, 1)
	return p, nil
}

// PtimeMS is the length of a frame in ms.
func (p *Playout) PtimeMS() float64 { return p.ptimeMS }

// Increment is the length of a frame in timestamp units.
func (p *Playout) Increment() uint32 { return p.increment }

// TargetFrames is the depth aimed at.
func (p *Playout) TargetFrames() int {
	return min(max(1, int(math.RoundToEven(2*p.jitterMS/p.ptimeMS))+1), p.maxFrames)
}

// Depth is the number of frames held.
func (p *Playout) Depth() int { return len(p.frames) }

// ahead is the signed distance from the head.
func (p *Playout) ahead(ts uint32) int32 { return int32(ts - p.head) } //nolint:gosec // the sign tells the order

// Put takes a frame that arrived at now.
func (p *Playout) Put(now float64, ts uint32, payload []byte) {
	if p.primed {
		switch d := p.ahead(ts); {
		case d < 0:
			p.LateDropped++
			return
		case int64(d) > int64(resetFrames*p.maxFrames)*int64(p.increment):
			p.Reset()
		}
	}
	p.measure(now, ts)
	if p.waiting && ts == p.head {
		// It is late, not lost: what stood in for it was an insertion.
		p.waiting, p.streakMS = false, 0
		p.Concealed--
		p.Expansions++
	}
	if old, ok := p.frames[ts]; ok {
		p.frames[ts] = append(old[:0], payload...)
		return
	}
	p.frames[ts] = append(p.buffer(), payload...)
	if !p.primed && len(p.frames) >= primeFrames {
		p.head, p.primed, p.streakMS = p.earliest(), true, 0
		p.follow()
	}
	if len(p.frames) > maxPlayoutLen {
		p.drop(p.earliest())
		p.LateDropped++
	}
}

// follow takes the sender's step for ours where its timestamps run slower: G.722 counts 8,000 a second for 16,000
// samples (RFC 3551 §4.5.2), and not every sender does.
func (p *Playout) follow() {
	if p.clock != g722Rate {
		return
	}
	for ts := range p.frames {
		if d := ts - p.head; d > 0 && d < p.increment && 2*d == p.increment {
			p.clock *= float64(d) / float64(p.increment)
			p.increment = d
			return
		}
	}
}

func (p *Playout) buffer() []byte {
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b[:0]
	}
	return nil
}

func (p *Playout) drop(ts uint32) {
	if b, ok := p.frames[ts]; ok {
		delete(p.frames, ts)
		if len(p.free) < 64 {
			p.free = append(p.free, b)
		}
	}
}

// measure follows the jitter of arrivals; those out of order do not count.
func (p *Playout) measure(now float64, ts uint32) {
	if p.arrived {
		step := int32(ts - p.arrivalTS) //nolint:gosec // the sign tells the order
		if step <= 0 {
			return
		}
		if ms := float64(step) / p.clock * 1000; ms <= maxNoiseMS {
			d := math.Abs((now-p.arrival)*1000 - ms)
			p.jitterMS += (d - p.jitterMS) / jitterWeight
		}
	}
	p.arrived, p.arrival, p.arrivalTS = true, now, ts
}

// prune drops what lies behind the head: frames off its grid, which no tick asks for.
func (p *Playout) prune() {
	if p.primed {
		for ts := range p.frames {
			if p.ahead(ts) < 0 {
				p.drop(ts)
				p.LateDropped++
			}
		}
	}
}

func (p *Playout) earliest() uint32 {
	var best uint32
	first := true
	for ts := range p.frames {
		if first || int32(ts-best) < 0 { //nolint:gosec // the sign tells the order
			best, first = ts, false
		}
	}
	return best
}

// restart forgets the frames and the position, not the jitter.
func (p *Playout) restart() {
	for ts := range p.frames {
		p.drop(ts)
	}
	p.primed, p.streakMS = false, 0
	p.noise, p.waiting = false, false
}

// Reset begins anew: another source.
func (p *Playout) Reset() {
	p.restart()
	p.jitterMS, p.arrived = 0, false
	p.sign, p.signTicks = 0, 0
}

// Suppress drops what is held: something else takes the place of audio (a DTMF event). Nothing is counted.
func (p *Playout) Suppress() { p.restart() }

// SetNoise tells that the sender fell silent at ts, with comfort noise of a level in -dBov.
// Where nothing was delivered yet, the noise begins right away.
func (p *Playout) SetNoise(level int, ts uint32) {
	if !p.noise { // a refresh does not begin the silence anew
		p.noise, p.noiseFrom = true, ts
	}
	p.noiseLevel, p.noiseMS = level, 0
	p.streakMS = 0
	if !p.primed {
		p.head, p.primed = ts+p.increment, true
	}
}

// inNoise tells whether the sender is silent at ts.
func (p *Playout) inNoise(ts uint32) bool {
	return p.noise && int32(ts-p.noiseFrom) >= 0 //nolint:gosec // the sign tells the order
}

// Tick tells what to deliver now.
func (p *Playout) Tick(now float64) Tick {
	if !p.primed {
		return Tick{}
	}
	if p.waiting { // it is lost
		p.waiting = false
		p.head += p.increment
	}
	if len(p.frames) > 2*p.maxFrames {
		p.prune()
	}
	if p.inNoise(p.head) && p.noiseMS < maxNoiseMS { // the depth says nothing of the network meanwhile
		if _, ok := p.frames[p.head]; ok {
			return p.consume()
		}
		return p.noiseTick()
	}
	switch p.adapt(now) {
	case 1:
		p.Expansions++
		return Tick{Action: ActConceal, Timestamp: p.head}
	case -1:
		// A step that falls on a missing frame is spent: concealing it already follows the sender.
		if _, ok := p.frames[p.head]; ok {
			p.Accelerations++
			p.drop(p.head)
			p.head += p.increment
		}
	}
	return p.consume()
}

func (p *Playout) consume() Tick {
	ts := p.head
	b, ok := p.frames[ts]
	if !ok {
		return p.underrun(ts)
	}
	delete(p.frames, ts)
	if p.last != nil && len(p.free) < 64 {
		p.free = append(p.free, p.last)
	}
	p.last = b
	p.head += p.increment
	p.streakMS = 0
	if p.inNoise(ts) {
		p.noise = false
	}
	return Tick{Action: ActDecode, Timestamp: ts, Payload: b}
}

func (p *Playout) noiseTick() Tick {
	ts := p.head
	p.noiseMS += p.ptimeMS
	p.head += p.increment
	p.Noise++
	return Tick{Action: ActNoise, Timestamp: ts, Level: p.noiseLevel}
}

func (p *Playout) underrun(ts uint32) Tick {
	if p.streakMS+p.ptimeMS <= p.maxConceal {
		p.streakMS += p.ptimeMS
		p.Concealed++
		if p.waitLate && len(p.frames) == 0 {
			p.waiting = true
		} else {
			p.head += p.increment
		}
		return Tick{Action: ActConceal, Timestamp: ts}
	}
	p.streakMS = 0
	p.prune()
	if len(p.frames) > 0 {
		p.head = p.earliest()
		return p.consume()
	}
	p.primed, p.noise = false, false
	p.Suspensions++
	return Tick{}
}

// adapt gives 1 to insert a frame, -1 to drop one, 0 to leave the depth.
func (p *Playout) adapt(now float64) int {
	sign := 0
	switch d := p.TargetFrames() - len(p.frames); {
	case d > 0:
		sign = 1
	case d < 0:
		sign = -1
	}
	if sign != p.sign {
		p.sign, p.signTicks = sign, 0
	}
	if sign == 0 {
		return 0
	}
	if p.signTicks++; p.signTicks < adjustTicks || now-p.adjusted < adjustPause {
		return 0
	}
	p.signTicks, p.adjusted = 0, now
	return sign
}
