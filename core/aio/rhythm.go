package aio

// patientFor is how many packets in a row may be early before a stream takes the earlier tick: ten seconds of 20 ms.
const patientFor = 500

// rhythm keeps a stream on its tick. The owner looks at fixed instants; packets that arrive about one of them would
// now be seen at it and now at the next, and their user would see jitter of a whole tick. So what comes a tick before
// its time waits for it; what comes later moves the time.
type rhythm struct {
	period   int64 // ns between packets, 0: none is kept
	last     int64 // when the stream was read
	waited   uint64
	patience int
}

// early tells whether a stream that has something is to be read at the next tick rather than now.
func (r *rhythm) early(e *Engine) bool {
	t := e.instant
	ahead := r.last + r.period - t
	// A little off the tick is on it: the owner wakes some microseconds late.
	waits := r.period > 0 && e.tick > 0 && ahead > e.tick/2 && ahead < e.tick+e.tick/2 && r.waited != e.ticks
	if waits && r.patience < patientFor {
		r.patience++
		r.waited = e.ticks
		return true
	}
	if waits || r.waited != e.ticks-1 { // it was early for so long, or this one was in time
		r.patience = 0
	}
	r.last = t
	return false
}
