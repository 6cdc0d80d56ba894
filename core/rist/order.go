package rist

import "slices"

const (
	// maxFlows is how many senders at one address are told apart, and maxPaths how many peers of librist
	// one of them may have.
	maxFlows = 8
	maxPaths = 4
	// takeover is from how many numbers off a new peer is another sender, and not another path of
	// the same: librist lets senders that follow each other share a flow.
	takeover = 64
)

// arrival is what librist says of a message beside its bytes.
type arrival struct {
	ts    uint64 // the sender's clock, in 2^-32 s
	peer  uintptr
	flow  uint32
	seq   uint16
	start bool // the first of its flow, or of what librist took for a new one
}

// order holds messages against what was handed out before. librist hands out what
// was resent twice over, and comes after its turn, once more when its queue runs dry.
type order struct {
	flows [maxFlows]flow
	began bool   // there was a message
	next  int    // the entry that a flow not known yet takes
	lost  uint64 // messages that never came
	late  uint64 // messages held back: twice, or after their turn
	fresh bool   // a flow began that is not the first: whoever asks resets it
}

type flow struct {
	id    uint32
	known bool
	last  arrival
	paths [maxPaths]uintptr
	path  int // the entry that a peer not known yet takes
}

// passes reports whether a peer of the flow was there before.
func (f *flow) passes(peer uintptr) bool {
	if slices.Contains(f.paths[:], peer) {
		return true
	}
	f.paths[f.path] = peer
	f.path = (f.path + 1) % maxPaths
	return false
}

// take reports whether a message is to be handed out, and counts what is missing before it.
func (o *order) take(a arrival) bool {
	f := o.find(a.flow)
	if !f.known {
		o.fresh = o.fresh || o.began
		o.began = true
		*f = flow{id: a.flow, known: true, last: a}
		f.passes(a.peer)
		return true
	}
	ahead := int16(a.seq - f.last.seq) //nolint:gosec // modulo 2^16
	back := int64(a.ts-f.last.ts) <= 0 //nolint:gosec // modulo 2^64
	known := f.passes(a.peer)
	switch {
	case !known && (ahead < -takeover || ahead > takeover): // its clock may be any
		o.fresh = true
	case back && a.start: // the sender counts anew
		o.fresh = true
	case back && ahead <= 0:
		o.late++
		return false
	case ahead > 0 || !a.start:
		// A lower number at a later time comes after an outage of more than half the numbers there are.
		o.lost += uint64(a.seq - f.last.seq - 1)
	}
	f.last = a
	return true
}

func (o *order) find(id uint32) *flow {
	for i := range o.flows {
		if f := &o.flows[i]; f.known && f.id == id {
			return f
		}
	}
	f := &o.flows[o.next]
	o.next = (o.next + 1) % maxFlows
	*f = flow{}
	return f
}
