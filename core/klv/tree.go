package klv

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/tstrans/tstrans/core/tsterr"
)

// A value tree is how a structured value crosses the C ABI. It is a prefix
// code of nine forms, all integers little endian:
//
//	N            nothing
//	T, F         true, false
//	i int32      integer
//	l int32 n, |n| x uint16   integer of |n| digits of 15 bits, least significant first, negative where n < 0
//	g double     number
//	s uint32 n, n bytes       byte string
//	u uint32 n, n bytes       text (UTF-8)
//	( uint32 n, n values      tuple
//
// These are the forms that Python's marshal uses in its version 2, so that
// Python reads and writes a tree at C speed.

// Tree appends values to a byte slice.
type Tree struct {
	B           []byte
	InnerErrors int // field errors inside nested sets
	InnerDup    int // nested sets with a repeated item
	InnerFrames int // series whose element lengths are broken
}

// None appends nothing.
func (t *Tree) None() { t.B = append(t.B, 'N') }

// Bool appends a truth value.
func (t *Tree) Bool(v bool) {
	if v {
		t.B = append(t.B, 'T')
		return
	}
	t.B = append(t.B, 'F')
}

// Uint appends an integer.
func (t *Tree) Uint(v uint64) {
	if v <= math.MaxInt32 {
		t.B = append(t.B, 'i')
		t.B = binary.LittleEndian.AppendUint32(t.B, uint32(v))
		return
	}
	t.digits(v, false)
}

// Int appends an integer.
func (t *Tree) Int(v int64) {
	switch {
	case v >= math.MinInt32 && v <= math.MaxInt32:
		t.B = append(t.B, 'i')
		t.B = binary.LittleEndian.AppendUint32(t.B, uint32(v))
	case v < 0:
		t.digits(-uint64(v), true)
	default:
		t.digits(uint64(v), false)
	}
}

func (t *Tree) digits(v uint64, neg bool) {
	n := (bits.Len64(v) + 14) / 15
	t.B = append(t.B, 'l')
	if neg {
		t.B = binary.LittleEndian.AppendUint32(t.B, uint32(-n))
	} else {
		t.B = binary.LittleEndian.AppendUint32(t.B, uint32(n))
	}
	for ; n > 0; n-- {
		t.B = binary.LittleEndian.AppendUint16(t.B, uint16(v&0x7fff))
		v >>= 15
	}
}

// Float appends a number.
func (t *Tree) Float(v float64) {
	t.B = append(t.B, 'g')
	t.B = binary.LittleEndian.AppendUint64(t.B, math.Float64bits(v))
}

// Bytes appends bytes.
func (t *Tree) Bytes(v []byte) {
	t.B = append(t.B, 's')
	t.B = binary.LittleEndian.AppendUint32(t.B, uint32(len(v)))
	t.B = append(t.B, v...)
}

// Text appends text.
func (t *Tree) Text(v string) {
	t.B = append(t.B, 'u')
	t.B = binary.LittleEndian.AppendUint32(t.B, uint32(len(v)))
	t.B = append(t.B, v...)
}

func (t *Tree) textBytes(v []byte) {
	t.B = append(t.B, 'u')
	t.B = binary.LittleEndian.AppendUint32(t.B, uint32(len(v)))
	t.B = append(t.B, v...)
}

// Tuple appends the head of a tuple; its n values follow.
func (t *Tree) Tuple(n int) {
	t.B = append(t.B, '(')
	t.B = binary.LittleEndian.AppendUint32(t.B, uint32(n))
}

// open appends the head of a tuple whose size is not known yet.
func (t *Tree) open() int {
	t.Tuple(0)
	return len(t.B) - 4
}

// shut fills in the size of a tuple begun with open.
func (t *Tree) shut(at, n int) { binary.LittleEndian.PutUint32(t.B[at:], uint32(n)) }

// Value is one value read from a tree: Form is its prefix letter.
type Value struct {
	Form byte
	Int  int64 // i, l; the low 64 bits of an unsigned value above the signed range
	Wide bool  // an unsigned value above the signed range
	Num  float64
	Data []byte // s, u: the bytes; '(': the encoded elements
	Len  int    // '(': the number of elements
}

// errTree is a tree that breaks the form: a caller's bug, not bad input.
func errTree(msg string) *tsterr.Error { return tsterr.New(tsterr.InvalidArg, "value tree: %s", msg) }

// ReadTree reads one value and returns what follows it.
func ReadTree(b []byte) (Value, []byte, *tsterr.Error) { return readTree(b, 0) }

func readTree(b []byte, depth int) (v Value, rest []byte, err *tsterr.Error) {
	if len(b) == 0 || depth > 2*MaxDepth {
		return v, nil, errTree("ends early or is nested too deeply")
	}
	v.Form = b[0]
	b = b[1:]
	switch v.Form {
	case 'N', 'T', 'F':
		if v.Form == 'T' {
			v.Int = 1
		}
		return v, b, nil
	case 'i':
		if len(b) < 4 {
			break
		}
		v.Int = int64(int32(binary.LittleEndian.Uint32(b)))
		return v, b[4:], nil
	case 'g':
		if len(b) < 8 {
			break
		}
		v.Num = math.Float64frombits(binary.LittleEndian.Uint64(b))
		return v, b[8:], nil
	case 'l':
		return readDigits(v, b)
	case 's', 'u':
		if len(b) < 4 {
			break
		}
		n := uint64(binary.LittleEndian.Uint32(b))
		if n > uint64(len(b)-4) {
			break
		}
		v.Data = b[4 : 4+n]
		return v, b[4+n:], nil
	case '(', '[':
		if len(b) < 4 {
			break
		}
		n := binary.LittleEndian.Uint32(b)
		if uint64(n) > uint64(len(b)) {
			break
		}
		v.Form, v.Len = '(', int(n)
		b = b[4:]
		rest = b
		for range v.Len {
			if _, rest, err = readTree(rest, depth+1); err != nil {
				return v, nil, err
			}
		}
		v.Data = b[:len(b)-len(rest)]
		return v, rest, nil
	}
	return v, nil, errTree("unknown form or too short")
}

func readDigits(v Value, b []byte) (Value, []byte, *tsterr.Error) {
	if len(b) < 4 {
		return v, nil, errTree("too short")
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	neg := n < 0
	if neg {
		n = -n
	}
	b = b[4:]
	if n > len(b)/2 {
		return v, nil, errTree("too short")
	}
	var u uint64
	over := false
	for i := n - 1; i >= 0; i-- {
		over = over || u>>49 != 0
		u = u<<15 | uint64(binary.LittleEndian.Uint16(b[2*i:])&0x7fff)
	}
	if over || neg && u > 1<<63 {
		return v, nil, tsterr.New(tsterr.Overflow, "integer does not fit 64 bits")
	}
	v.Form = 'i'
	v.Int, v.Wide = int64(u), u > math.MaxInt64
	if neg {
		v.Int, v.Wide = -int64(u), false
	}
	return v, b[2*n:], nil
}

// Elems iterates over a tuple's elements. The tree was checked when v was read.
func (v *Value) Elems(f func(i int, e Value) *tsterr.Error) *tsterr.Error {
	b := v.Data
	for i := range v.Len {
		e, rest, err := ReadTree(b)
		if err != nil {
			return err
		}
		if err = f(i, e); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// Tuple gives a tuple's elements; nil for another form.
func (v *Value) Tuple() []Value {
	if v.Form != '(' {
		return nil
	}
	out := make([]Value, 0, min(v.Len, len(v.Data)))
	b := v.Data
	for range v.Len {
		e, rest, err := ReadTree(b)
		if err != nil {
			return out
		}
		out = append(out, e)
		b = rest
	}
	return out
}

// None reports an absent value.
func (v *Value) None() bool { return v.Form == 'N' || v.Form == 0 }

// Float gives a number, also of an integer form.
func (v *Value) Float() (float64, bool) {
	switch v.Form {
	case 'g':
		return v.Num, true
	case 'i', 'T', 'F':
		if v.Wide {
			return float64(uint64(v.Int)), true
		}
		return float64(v.Int), true
	}
	return 0, false
}
