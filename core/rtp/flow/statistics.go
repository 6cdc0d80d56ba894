package flow

// Statistics follows the reception of one source (RFC 3550 §6.4, appendix A.3 and A.8).
type Statistics struct {
	Received  uint64
	Cycles    uint32 // wraps of the sequence number, times 65,536
	Base, Max uint16
	Begun     bool

	clock         float64
	jitterQ4      int64
	arrival       int64
	ts            uint32
	expectedPrior int64
	receivedPrior int64
}

// NewStatistics begins for a clock rate in Hz.
func NewStatistics(clockRate int) *Statistics { return &Statistics{clock: float64(clockRate)} }

// Add takes a packet that arrived at now, in seconds of any clock.
func (s *Statistics) Add(now float64, seq uint16, ts uint32) {
	ordered := !s.Begun || int16(seq-s.Max) > 0 //nolint:gosec // the sign tells the order
	s.Received++
	if !s.Begun {
		s.Begun, s.Base = true, seq
	} else if ordered && seq < s.Max {
		s.Cycles += 1 << 16
	}
	if !ordered {
		return
	}
	s.Max = seq
	arrival := int64(now * s.clock)
	if s.Received > 1 && ts != s.ts {
		d := arrival - s.arrival - int64(int32(ts-s.ts)) //nolint:gosec // a step, with its sign
		s.jitterQ4 += max(d, -d) - (s.jitterQ4+8)>>4
	}
	s.arrival, s.ts = arrival, ts
}

// Expected is the number of packets the source sent, as far as the numbers tell.
func (s *Statistics) Expected() int64 {
	if !s.Begun {
		return 0
	}
	return int64(s.Cycles) + int64(s.Max) - int64(s.Base) + 1
}

// Highest is the extended highest sequence number.
func (s *Statistics) Highest() uint32 { return s.Cycles + uint32(s.Max) }

// Lost is what is missing, brought into 24 bits with sign; duplicates count against it.
func (s *Statistics) Lost() int32 {
	return int32(min(max(s.Expected()-int64(s.Received), -1<<23), 1<<23-1)) //nolint:gosec // bounded
}

// Jitter is the interarrival jitter in timestamp units.
func (s *Statistics) Jitter() uint32 {
	return uint32(min(s.jitterQ4>>4, 1<<32-1)) //nolint:gosec // not negative
}

// FractionLost is the share of packets lost since the last call, of 256.
func (s *Statistics) FractionLost() uint8 {
	expected := s.Expected() - s.expectedPrior
	lost := expected - (int64(s.Received) - s.receivedPrior)
	s.expectedPrior, s.receivedPrior = s.Expected(), int64(s.Received) //nolint:gosec // counts packets
	if expected <= 0 || lost <= 0 {
		return 0
	}
	return uint8(min(lost<<8/expected, 255)) //nolint:gosec // bounded
}
