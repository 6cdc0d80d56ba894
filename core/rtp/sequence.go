package rtp

// Bounds of what is taken for one stream (RFC 3550 A.1).
const (
	maxDropout = 3000 // a larger step forward is a restart
	seqWindow  = 1024 // sequence numbers back that are told from repeats
)

// Arrival says how a sequence number stands to the ones before it.
type Arrival uint8

// How a sequence number stands to the ones before it.
const (
	Next      Arrival = iota // the next one, or the first
	Gap                      // numbers in between are missing
	Late                     // one that was missing
	Duplicate                // one that was there already
	Jump                     // too far away; a second in a row is a Restart
	Restart                  // the sender began anew
)

// Sequence follows the sequence numbers of one source and counts what is
// missing, repeated and out of order.
type Sequence struct {
	started  bool
	max      uint16
	cycles   uint64 // extended number of max, less max
	base     uint64 // extended number of the first
	unique   uint64 // since base
	earlier  uint64 // losses before the last restart
	before   uint64 // unique packets before the last restart
	jumpTo   uint32 // the number that would confirm a restart; above 65535: none
	seen     [seqWindow / 64]uint64
	dups     uint64
	late     uint64
	restarts uint64
	expPrior uint64
	recPrior uint64
}

func (s *Sequence) bit(ext uint64) (*uint64, uint64) {
	return &s.seen[ext%seqWindow/64], 1 << (ext % 64)
}

func (s *Sequence) start(seq uint16) {
	s.max, s.cycles, s.jumpTo = seq, 1<<16, 1<<16 // one cycle up, so that earlier numbers stay positive
	s.base, s.unique = s.cycles+uint64(seq), 1
	s.seen = [seqWindow / 64]uint64{}
	w, m := s.bit(s.base)
	*w |= m
	s.expPrior, s.recPrior = 0, 0
}

// Add takes the next number that arrived.
func (s *Sequence) Add(seq uint16) Arrival {
	if !s.started {
		s.started = true
		s.start(seq)
		return Next
	}
	ahead := seq - s.max
	switch {
	case ahead == 0:
		s.dups++
		return Duplicate
	case ahead < maxDropout:
		return s.forward(seq, ahead)
	case -ahead < seqWindow:
		return s.backward(-ahead)
	case uint32(seq) == s.jumpTo:
		s.earlier, s.before = s.Lost(), s.before+s.unique
		s.restarts++
		s.start(seq)
		return Restart
	}
	s.jumpTo = uint32(seq + 1)
	return Jump
}

func (s *Sequence) forward(seq, ahead uint16) Arrival {
	from := s.cycles + uint64(s.max)
	if seq < s.max {
		s.cycles += 1 << 16
	}
	s.max, s.jumpTo = seq, 1<<16
	if ahead >= seqWindow {
		s.seen = [seqWindow / 64]uint64{}
	} else {
		for e := from + 1; e < from+uint64(ahead); e++ {
			w, m := s.bit(e)
			*w &^= m
		}
	}
	w, m := s.bit(from + uint64(ahead))
	*w |= m
	s.unique++
	if ahead > 1 {
		return Gap
	}
	return Next
}

func (s *Sequence) backward(back uint16) Arrival {
	ext := s.cycles + uint64(s.max) - uint64(back)
	w, m := s.bit(ext)
	if *w&m != 0 {
		s.dups++
		return Duplicate
	}
	*w |= m
	s.unique++
	s.late++
	if ext < s.base { // from before the first one: it was never missed
		s.base = ext
	}
	return Late
}

// Extended is the highest number with its cycles, as reports carry it.
func (s *Sequence) Extended() uint32 {
	return uint32(s.cycles + uint64(s.max) - 1<<16) //nolint:gosec // 32 bits by definition
}

func (s *Sequence) expected() uint64 {
	if !s.started {
		return 0
	}
	return s.cycles + uint64(s.max) - s.base + 1
}

// Lost is how many packets never came, as far as is known now: a late one
// takes its loss back.
func (s *Sequence) Lost() uint64 { return s.earlier + s.expected() - s.unique }

// Unique is how many packets came, repeats not counted.
func (s *Sequence) Unique() uint64 { return s.before + s.unique }

// fraction is the share lost since the last call, in 1/256 (RFC 3550 A.3).
func (s *Sequence) fraction() uint8 {
	exp, rec := s.expected(), s.unique
	dExp, dRec := exp-s.expPrior, rec-s.recPrior
	s.expPrior, s.recPrior = exp, rec
	if dExp == 0 || dRec >= dExp {
		return 0
	}
	return uint8(min(255, (dExp-dRec)<<8/dExp)) //nolint:gosec // bounded
}
