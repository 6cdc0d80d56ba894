package klv

import "math"

// Special is the meaning of an IMAPB code whose top bit is set (MISB ST
// 1201.5 §8.2, table 2).
type Special uint8

// The special values, in the order of their names.
const (
	NotSpecial Special = iota
	SpecialPosInfinity
	SpecialNegInfinity
	SpecialPosQuietNaN
	SpecialNegQuietNaN
	SpecialPosSignalingNaN
	SpecialNegSignalingNaN
	SpecialBelowMin
	SpecialAboveMax
	SpecialUserDefined
	SpecialReserved // a pattern the standard keeps for itself
)

var specialNames = [...]string{
	"", "pos_infinity", "neg_infinity", "pos_quiet_nan", "neg_quiet_nan",
	"pos_signaling_nan", "neg_signaling_nan", "below_min", "above_max", "user_defined", "reserved",
}

// specialShift leaves room for the longest payload, that of 8 bytes without the
// five bits that name the special value.
const specialShift = 64 - 5

// specialTop holds the first byte of each special value.
var specialTop = [...]byte{0, 0xc8, 0xe8, 0xd0, 0xf0, 0xd8, 0xf8, 0xe0, 0xe1, 0xc0, 0x80}

// String names the special value as Python's imapb_specials does.
func (s Special) String() string { return specialNames[s] }

// ParseSpecial is the inverse of String; false for an unknown name.
func ParseSpecial(name string) (Special, bool) {
	for i, n := range specialNames[:SpecialReserved] {
		if n == name && i > 0 {
			return Special(i), true
		}
	}
	return 0, false
}

// IMAPB maps a range to integers of 1 to 8 bytes (MISB ST 1201.5 §7.2).
type IMAPB struct {
	Min, Max float64
	scale    [9]imapbScale
}

type imapbScale struct {
	sF, sR, zero float64
	top          uint64 // the code of Max
}

// NewIMAPB makes a map for [lo, hi]; all lengths share it.
func NewIMAPB(lo, hi float64) *IMAPB {
	m := &IMAPB{Min: lo, Max: hi}
	bPow := math.Ceil(math.Log2(hi - lo))
	for n := 1; n <= 8; n++ {
		dPow := float64(8*n - 1)
		sF := math.Exp2(dPow - bPow)
		s := imapbScale{sF: sF, sR: math.Exp2(bPow - dPow)}
		if lo < 0 && hi > 0 {
			s.zero = sF*lo - math.Floor(sF*lo)
		}
		s.top = uint64(sF*(hi-lo) + s.zero)
		m.scale[n] = s
	}
	return m
}

// Resolution is the value of one count on n bytes.
func (m *IMAPB) Resolution(n int) float64 { return m.scale[n].sR }

// Encode gives the code of v on n bytes. A value that decoding a code gave
// returns to that code; any other truncates as the standard's forward mapping
// does. It reports false where v is out of range or not a number.
func (m *IMAPB) Encode(v float64, n int) (uint64, bool) {
	if !(v >= m.Min && v <= m.Max) {
		return 0, false
	}
	s := &m.scale[n]
	x := s.sF*(v-m.Min) + s.zero
	if near := math.Round(x); near >= 0 && uint64(near) <= s.top && (near-s.zero)*s.sR+m.Min == v {
		return uint64(near), true
	}
	return min(uint64(math.Max(x, 0)), s.top), true
}

// Decode gives the value of a code of n bytes. Codes with the top bit set are
// special, except the lone 80..00, which is the maximum where the range is a
// power of two; ok is false for codes outside the range.
func (m *IMAPB) Decode(code uint64, n int) (v float64, sp Special, payload uint64, ok bool) {
	s := &m.scale[n]
	if code > s.top {
		if code>>(8*n-1) == 0 {
			return 0, NotSpecial, 0, false
		}
		sp, payload = special(code, n)
		return 0, sp, payload, sp != SpecialReserved
	}
	v = (float64(code)-s.zero)*s.sR + m.Min
	// The float arithmetic may leave the range by less than one count.
	return math.Min(math.Max(v, m.Min), m.Max), NotSpecial, 0, true
}

// special sorts a code whose top bit is set. Infinities and the two range marks
// carry no payload: with one they are patterns the standard reserves.
func special(code uint64, n int) (Special, uint64) {
	top := byte(code >> (8*n - 8))
	low := code & (1<<(8*n-5) - 1)
	for sp := SpecialPosInfinity; sp <= SpecialNegSignalingNaN; sp++ {
		if top&0xf8 != specialTop[sp] {
			continue
		}
		if sp <= SpecialNegInfinity && low != 0 {
			return SpecialReserved, code
		}
		return sp, low
	}
	switch {
	case top&0xf8 == 0xc0:
		return SpecialUserDefined, low
	case code == uint64(0xe0)<<(8*n-8):
		return SpecialBelowMin, 0
	case code == uint64(0xe1)<<(8*n-8):
		return SpecialAboveMax, 0
	}
	return SpecialReserved, code
}

// EncodeSpecial gives the code of a special value on n bytes. The payload
// fills the bits below the pattern and must fit them.
func EncodeSpecial(sp Special, payload uint64, n int) (uint64, bool) {
	if sp == NotSpecial || sp >= SpecialReserved {
		return 0, false
	}
	free := 8*n - 5
	if sp == SpecialBelowMin || sp == SpecialAboveMax || sp == SpecialPosInfinity || sp == SpecialNegInfinity {
		free = 0
	}
	if payload>>free != 0 {
		return 0, false
	}
	return uint64(specialTop[sp])<<(8*n-8) | payload, true
}
