package klv

import "math"

// Linear is the linear map of MISB ST 0601 between an n-byte integer and a
// range. Unsigned: raw 0..2^n-1 covers Min..Max. Signed: raw
// -(2^(n-1)-1)..2^(n-1)-1 covers Min..Max and the most negative raw value is
// reserved as a sentinel.
type Linear struct {
	Min, Max float64
	Bytes    int
	Signed   bool

	step   float64
	offset float64 // value of raw 0
	rawMax float64
}

// NewLinear makes a map with its step computed.
func NewLinear(bytes int, lo, hi float64, signed bool) Linear {
	l := Linear{Min: lo, Max: hi, Bytes: bytes, Signed: signed}
	full := math.Ldexp(1, 8*bytes)
	if signed {
		l.step = (hi - lo) / (full - 2)
		l.offset = (hi + lo) / 2
		l.rawMax = full/2 - 1
	} else {
		l.step = (hi - lo) / (full - 1)
		l.offset = lo
		l.rawMax = full - 1
	}
	return l
}

// Step is the resolution: the value of one count.
func (l *Linear) Step() float64 { return l.step }

// Decode gives the value of a raw integer (sign-extended where signed).
func (l *Linear) Decode(raw int64) float64 { return l.offset + float64(raw)*l.step }

// Encode gives the raw integer nearest to v, halves away from zero. It reports
// false where v is outside the range or not a number.
func (l *Linear) Encode(v float64) (int64, bool) {
	if !(v >= l.Min && v <= l.Max) {
		return 0, false
	}
	r := math.Round((v - l.offset) / l.step)
	if r > l.rawMax { // the division may round beyond the last count
		r = l.rawMax
	} else if r < -l.rawMax {
		r = -l.rawMax
	}
	return int64(r), true
}

// Sentinel is the reserved raw pattern of the signed map, as the low bytes.
func (l *Linear) Sentinel() uint64 { return 1 << (8*l.Bytes - 1) }
