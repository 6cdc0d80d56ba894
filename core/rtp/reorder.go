package rtp

import "time"

// ReorderWindow is how many packets a reorder buffer holds at most.
const ReorderWindow = 512

// DefaultHold is how long a reorder buffer waits for a missing packet.
const DefaultHold = 50 * time.Millisecond

// Reorder puts the packets of one source in order and drops repeats. A missing
// packet holds those after it back until it comes or until the first of them
// has waited for the hold time. In order, nothing waits and nothing is copied.
type Reorder struct {
	hold    time.Duration
	slots   [ReorderWindow]held
	next    uint16
	ssrc    uint32
	started bool
	n       int // packets held
	cur     Packet
	hasCur  bool
	late    uint64 // came after their turn, or twice
}

type held struct {
	full bool
	at   time.Time
	p    Packet
	buf  []byte
}

// NewReorder makes a buffer with a hold time.
func NewReorder(hold time.Duration) *Reorder { return &Reorder{hold: hold} }

// Push takes a packet; its payload is kept until the next call of Push or
// copied. It reports false when the packet does not fit before what is held has
// been taken with Drain: a new source, or one too far ahead.
func (r *Reorder) Push(p Packet, now time.Time) bool {
	if !r.started || (p.SSRC != r.ssrc && r.n == 0) {
		r.started, r.ssrc, r.next = true, p.SSRC, p.Sequence
	}
	if p.SSRC != r.ssrc {
		return false
	}
	ahead := p.Sequence - r.next
	switch {
	case ahead == 0:
		r.cur, r.hasCur = p, true
		r.next++
		return true
	case ahead >= 1<<15: // behind
		if -ahead < maxDropout {
			r.late++
			return true
		}
		if r.n > 0 {
			return false
		}
		r.next = p.Sequence
		return r.Push(p, now)
	case ahead >= ReorderWindow:
		if r.n > 0 {
			return false
		}
		r.next = p.Sequence // a gap longer than the window: nothing to wait for
		return r.Push(p, now)
	}
	s := &r.slots[p.Sequence%ReorderWindow]
	if s.full {
		r.late++
		return true
	}
	s.buf = append(s.buf[:0], p.Payload...)
	p.Payload = s.buf
	s.full, s.at, s.p = true, now, p
	r.n++
	return true
}

// Pop gives the next packet in order, valid until the next Push.
func (r *Reorder) Pop(now time.Time) (Packet, bool) {
	if r.hasCur {
		r.hasCur = false
		return r.cur, true
	}
	if r.n == 0 {
		return Packet{}, false
	}
	if s := &r.slots[r.next%ReorderWindow]; s.full {
		return r.take(s), true
	}
	if s := r.first(); now.Sub(s.at) >= r.hold {
		r.next = s.p.Sequence
		return r.take(s), true
	}
	return Packet{}, false
}

// Drain gives the next held packet whatever is missing before it.
func (r *Reorder) Drain() (Packet, bool) {
	if r.hasCur {
		r.hasCur = false
		return r.cur, true
	}
	if r.n == 0 {
		return Packet{}, false
	}
	s := r.first()
	r.next = s.p.Sequence
	return r.take(s), true
}

func (r *Reorder) take(s *held) Packet {
	s.full = false
	r.n--
	r.next++
	return s.p
}

// first is the held packet closest to its turn; there is one.
func (r *Reorder) first() *held {
	for i := r.next; ; i++ {
		if s := &r.slots[i%ReorderWindow]; s.full {
			return s
		}
	}
}

// Wait is how long the first held packet will be held still; negative when
// none is.
func (r *Reorder) Wait(now time.Time) time.Duration {
	if r.n == 0 {
		return -1
	}
	return max(0, r.hold-now.Sub(r.first().at))
}
