package rtp

// DefaultMaxUnit bounds an access unit that is put together from packets, in bytes.
const DefaultMaxUnit = 8 << 20

// Unit is an access unit or a metadata unit taken out of its packets.
type Unit struct {
	// Data is valid until the packet after next is pushed.
	Data      []byte
	Timestamp uint32
	Key       bool // random access
	NewSource bool // the first of another SSRC
	Gap       bool // something is missing before it
}

// AssemblyStats count what became of packets and units.
type AssemblyStats struct {
	Units            uint64
	Dropped          uint64 // units with a packet missing
	Oversize         uint64 // units over the bound
	PacketsDiscarded uint64 // of damaged units, late or not understood
	NALsDiscarded    uint64 // empty, forbidden, or without their start
	Gaps             uint64
	Duplicates       uint64
	ParameterSets    uint64 // parameter sets that came new or changed
	SSRCChanges      uint64
}

// Assembler collects the packets of one time stamp: the part that the payload
// formats of whole units have in common. A missing packet costs the unit.
type Assembler struct {
	// MaxUnit bounds a unit in bytes. It defaults to DefaultMaxUnit.
	MaxUnit int
	Stats   AssemblyStats

	started bool
	ssrc    uint32
	next    uint16
	open    bool
	skip    bool // the rest of time stamp ts belongs to a unit that was dropped
	ts      uint32
	key     bool
	source  bool
	gap     bool
	bufs    [3][]byte // the open unit and up to two that are ready
	at      int
	ready   [2]Unit
	n, out  int
}

// Begin takes the next packet's header and reports whether its payload is to be
// used. fresh tells that a unit begins with it.
func (a *Assembler) Begin(p *Packet) (use, fresh bool) {
	if a.out == a.n {
		a.out, a.n = 0, 0
	}
	if !a.started {
		a.started, a.ssrc, a.next = true, p.SSRC, p.Sequence
	}
	if p.SSRC != a.ssrc {
		a.drop()
		a.skip = false
		a.Stats.SSRCChanges++
		a.ssrc, a.next, a.source = p.SSRC, p.Sequence, true
	}
	switch d := p.Sequence - a.next; {
	case d == 0:
	case d == 0xFFFF:
		a.Stats.Duplicates++
		return false, false
	case d >= 1<<15 && -d < maxDropout:
		a.Stats.PacketsDiscarded++
		return false, false
	default:
		a.Stats.Gaps++
		a.gap = true
		if a.open {
			a.drop()
			a.skip = true
		}
	}
	a.next = p.Sequence + 1
	if a.open && p.Timestamp != a.ts {
		a.finish()
	}
	if a.skip && p.Timestamp == a.ts {
		a.Stats.PacketsDiscarded++
		a.skip = !p.Marker
		return false, false
	}
	a.skip = false
	if !a.open {
		a.open, a.ts, a.key, fresh = true, p.Timestamp, false, true
		a.bufs[a.at] = a.bufs[a.at][:0]
	}
	return true, fresh
}

// Append adds bytes to the open unit.
func (a *Assembler) Append(b ...byte) { a.AppendBytes(b) }

// AppendBytes adds bytes to the open unit; a unit over the bound is dropped.
func (a *Assembler) AppendBytes(b []byte) {
	limit := a.MaxUnit
	if limit <= 0 {
		limit = DefaultMaxUnit
	}
	if !a.open {
		return
	}
	if len(a.bufs[a.at])+len(b) > limit {
		a.Stats.Oversize++
		a.open, a.skip = false, true
		return
	}
	a.bufs[a.at] = append(a.bufs[a.at], b...)
}

// Open is the unit so far.
func (a *Assembler) Open() []byte { return a.bufs[a.at] }

// Key marks the open unit as a random access point.
func (a *Assembler) Key() { a.key = true }

// End takes the packet's marker: with it the unit is complete.
func (a *Assembler) End(marker bool) {
	if !marker {
		return
	}
	a.skip = false
	if a.open {
		a.finish()
	}
}

// Assembly reads the counters.
func (a *Assembler) Assembly() AssemblyStats { return a.Stats }

// Abandon gives the open unit up; what else comes of its time stamp is skipped.
func (a *Assembler) Abandon() {
	if a.open {
		a.drop()
		a.skip = true
	}
}

func (a *Assembler) drop() {
	if a.open {
		a.open = false
		a.Stats.Dropped++
	}
}

func (a *Assembler) finish() {
	a.open = false
	if len(a.bufs[a.at]) == 0 {
		return
	}
	a.Stats.Units++
	if a.n == len(a.ready) { // the caller left units lying
		a.ready[0], a.n = a.ready[1], 1
		a.out = max(0, a.out-1)
	}
	a.ready[a.n] = Unit{Data: a.bufs[a.at], Timestamp: a.ts, Key: a.key, NewSource: a.source, Gap: a.gap}
	a.n++
	a.source, a.gap = false, false
	a.at = (a.at + 1) % len(a.bufs)
}

// Unit gives a complete unit; call it until there is none after each packet.
func (a *Assembler) Unit() (Unit, bool) {
	if a.out == a.n {
		return Unit{}, false
	}
	a.out++
	return a.ready[a.out-1], true
}
