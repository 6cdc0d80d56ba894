package klv

// ReadLength reads a BER length (SMPTE ST 336 §K.2): short form below 0x80,
// long form 0x81..0x88. It returns the length and how many bytes it took.
// Indefinite lengths (0x80), more than eight octets and lengths beyond 2^62
// are malformed; long forms that are not minimal are accepted.
func ReadLength(b []byte) (n uint64, used int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	c := b[0]
	if c < 0x80 {
		return uint64(c), 1, true
	}
	k := int(c & 0x7f)
	if k == 0 || k > 8 || len(b) < 1+k {
		return 0, 0, false
	}
	for _, x := range b[1 : 1+k] {
		n = n<<8 | uint64(x)
	}
	if n > 1<<62 {
		return 0, 0, false
	}
	return n, 1 + k, true
}

// LengthSize tells how many bytes the minimal BER form of n takes.
func LengthSize(n int) int {
	switch {
	case n < 0x80:
		return 1
	case n < 1<<8:
		return 2
	case n < 1<<16:
		return 3
	case n < 1<<24:
		return 4
	case n < 1<<32:
		return 5
	}
	return 9
}

// AppendLength appends the minimal BER form of n.
func AppendLength(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	k := LengthSize(n) - 1
	dst = append(dst, 0x80|byte(k))
	for i := k - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// maxOIDSize bounds a BER-OID integer: ten groups of seven bits hold 64 bits.
const maxOIDSize = 10

// ReadOID reads a BER-OID integer (base 128, continuation bit 0x80; MISB
// ST 0107.4 §6.3). Values that do not fit 64 bits are malformed.
func ReadOID(b []byte) (v uint64, used int, ok bool) {
	for i, c := range b {
		if i == maxOIDSize || v > (1<<64-1)>>7 {
			return 0, 0, false
		}
		v = v<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return v, i + 1, true
		}
	}
	return 0, 0, false
}

// OIDSize tells how many bytes the BER-OID form of v takes.
func OIDSize(v uint64) int {
	n := 1
	for v >>= 7; v != 0; v >>= 7 {
		n++
	}
	return n
}

// AppendOID appends v in BER-OID form.
func AppendOID(dst []byte, v uint64) []byte {
	for i := OIDSize(v) - 1; i > 0; i-- {
		dst = append(dst, 0x80|byte(v>>(7*i)))
	}
	return append(dst, byte(v)&0x7f)
}

// TLV is one item of a local set. Value aliases the walked bytes.
type TLV struct {
	Tag   uint64
	Start int // offset of the tag's first byte
	Body  int // offset of the value's first byte
	Value []byte
}

// Next reads the item that starts at off. It reports false where the bytes do
// not hold a whole item.
func Next(b []byte, off int) (t TLV, next int, ok bool) {
	if off+1 < len(b) && b[off] < 0x80 && b[off+1] < 0x80 { // the common item: one-byte tag and length
		s, e := off+2, off+2+int(b[off+1])
		if e > len(b) {
			return TLV{}, 0, false
		}
		return TLV{uint64(b[off]), off, s, b[s:e]}, e, true
	}
	tag, n, ok := ReadOID(b[off:])
	if !ok {
		return TLV{}, 0, false
	}
	s := off + n
	size, n, ok := ReadLength(b[s:])
	if !ok {
		return TLV{}, 0, false
	}
	s += n
	if size > uint64(len(b)-s) {
		return TLV{}, 0, false
	}
	e := s + int(size)
	return TLV{tag, off, s, b[s:e]}, e, true
}

// AppendTLV appends tag, minimal length and value.
func AppendTLV(dst []byte, tag uint64, v []byte) []byte {
	dst = AppendOID(dst, tag)
	dst = AppendLength(dst, len(v))
	return append(dst, v...)
}
