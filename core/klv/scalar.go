package klv

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/tstrans/tstrans/core/tsterr"
)

// outcome is what decoding one scalar gave.
type outcome uint8

const (
	gotValue    outcome = iota
	gotSentinel         // the reserved value of a signed linear item
	gotSpecial          // a special IMAPB value
	gotError
)

// readUint reads a big-endian integer of 1 to 8 bytes.
func readUint(v []byte) uint64 {
	switch len(v) {
	case 1:
		return uint64(v[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(v))
	case 4:
		return uint64(binary.BigEndian.Uint32(v))
	case 8:
		return binary.BigEndian.Uint64(v)
	}
	var u uint64
	for _, c := range v {
		u = u<<8 | uint64(c)
	}
	return u
}

// readInt reads a two's complement integer of 1 to 8 bytes.
func readInt(v []byte) int64 {
	n := 64 - 8*len(v)
	return int64(readUint(v)<<n) >> n
}

func appendUint(dst []byte, u uint64, n int) []byte {
	switch n {
	case 1:
		return append(dst, byte(u))
	case 2:
		return binary.BigEndian.AppendUint16(dst, uint16(u))
	case 4:
		return binary.BigEndian.AppendUint32(dst, uint32(u))
	case 8:
		return binary.BigEndian.AppendUint64(dst, u)
	}
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, byte(u>>(8*i)))
	}
	return dst
}

// scalar decodes a number. bits is the double's bit pattern, or the integer;
// for gotSpecial it is the code's Special in the top five bits and its payload.
func (it *Item) scalar(v []byte) (bits uint64, got outcome) {
	switch it.Type {
	case TLinear:
		if len(v) != it.Len {
			return 0, gotError
		}
		return math.Float64bits(it.lin.offset + float64(readUint(v))*it.lin.step), gotValue
	case TSLinear:
		if len(v) != it.Len {
			return 0, gotError
		}
		raw := readInt(v)
		if raw == -1<<(8*it.Len-1) {
			return 0, gotSentinel
		}
		return math.Float64bits(it.lin.offset + float64(raw)*it.lin.step), gotValue
	case TUint:
		if len(v) != it.Len {
			return 0, gotError
		}
		u := readUint(v)
		if it.Max > 0 && float64(u) > it.Max {
			return 0, gotError
		}
		return u, gotValue
	case TInt:
		if len(v) != it.Len {
			return 0, gotError
		}
		return uint64(readInt(v)), gotValue
	case TVarUint:
		if len(v) == 0 || len(v) > it.MaxLen {
			return 0, gotError
		}
		return readUint(v), gotValue
	case TVarInt:
		if len(v) == 0 || len(v) > it.MaxLen {
			return 0, gotError
		}
		return uint64(readInt(v)), gotValue
	case TOID:
		u, n, ok := ReadOID(v)
		if !ok || n != len(v) {
			return 0, gotError
		}
		return u, gotValue
	case TBERLen:
		u, n, ok := ReadLength(v)
		if !ok || n != len(v) {
			return 0, gotError
		}
		return u, gotValue
	case TIMAPB:
		if len(v) == 0 || len(v) > it.MaxLen || it.fixed && len(v) != it.Len {
			return 0, gotError
		}
		x, sp, payload, ok := it.imapb.Decode(readUint(v), len(v))
		switch {
		case !ok:
			return 0, gotError
		case sp != NotSpecial:
			return uint64(sp)<<specialShift | payload, gotSpecial
		}
		return math.Float64bits(x), gotValue
	}
	return 0, gotError
}

// usualLen is the length the encoder writes a number in.
func (it *Item) usualLen(bits uint64) int {
	switch it.Type {
	case TVarUint:
		return minBytes(bits)
	case TVarInt:
		return minIntBytes(int64(bits))
	case TOID, TBERLen:
		return 0 // never asked for: such items do not stand alone
	}
	return it.Len
}

// minIntBytes tells in how few bytes v fits in two's complement.
func minIntBytes(v int64) int {
	n := 1
	for n < 8 && v != v<<(64-8*n)>>(64-8*n) {
		n++
	}
	return n
}

// data checks text and bytes; anything else is not data.
func (it *Item) data(v []byte) FieldErrorKind {
	limit := it.MaxLen
	if it.Len > 0 && it.Type == TBytes && len(v) != it.Len {
		return InvalidLength
	}
	if limit > 0 && len(v) > limit {
		return InvalidLength
	}
	if it.Type == TText && !validUTF8(v) {
		return InvalidUTF8
	}
	return NoFieldError
}

// validUTF8 is utf8.Valid with a quick way for short ASCII.
func validUTF8(v []byte) bool {
	for _, c := range v {
		if c >= 0x80 {
			return utf8.Valid(v)
		}
	}
	return true
}

// fail describes why a scalar or datum was refused.
func (it *Item) fail(v []byte) FieldError {
	e := FieldError{Kind: InvalidLength, Tag: uint64(it.Tag), Want: it.Len, Got: len(v), Min: it.Min, Max: it.Max}
	switch it.Type {
	case TUint:
		if len(v) == it.Len {
			e.Kind, e.Value = OutOfRange, float64(readUint(v))
		}
	case TVarUint, TVarInt:
		e.Want = it.MaxLen
	case TOID, TBERLen:
		e.Kind = TruncatedField
	case TIMAPB:
		e.Want = it.MaxLen
		if !it.Exact && len(v) > 0 && len(v) <= it.MaxLen && (!it.fixed || len(v) == it.Len) {
			e.Kind, e.Value = OutOfRange, math.NaN()
			if code, s := readUint(v), &it.imapb.scale[len(v)]; code>>(8*len(v)-1) == 0 || code == 1<<(8*len(v)-1) {
				e.Value = (float64(code)-s.zero)*s.sR + it.Min
			}
		}
	case TText, TText16, TBytes:
		if e.Want == 0 {
			e.Want = it.MaxLen
		}
		e.Kind = it.data(v)
	}
	return e
}

// encodeErr makes an encode error that names the item.
func (it *Item) encodeErr(k tsterr.Kind, format string, args ...any) *tsterr.Error {
	e := tsterr.New(k, format, args...)
	e.Field = it.Name
	if it.NoTag {
		return e.With("tag", 0)
	}
	return e.With("tag", int64(it.Tag))
}

func (it *Item) rangeErr(v float64) *tsterr.Error {
	hint := ""
	if it.Hint != "" {
		hint = "; " + it.Hint + " has a wider range"
	}
	return it.encodeErr(tsterr.KLVEncOutOfRange, "tag %d (%s): %v is outside [%v, %v]%s", it.Tag, it.Name, v, it.Min, it.Max, hint)
}

func (it *Item) widthErr() *tsterr.Error {
	return it.encodeErr(tsterr.Overflow, "tag %d (%s): the integer does not fit", it.Tag, it.Name)
}

// Indicator tells the encoder to write the standard's mark for a value out of
// range, where the item has one, rather than to fail.
type Indicator bool

// appendFloat appends a mapped number.
func (it *Item) appendFloat(dst []byte, v float64, mark Indicator) ([]byte, *tsterr.Error) {
	switch it.Type {
	case TIMAPB:
		code, ok := it.imapb.Encode(v, it.Len)
		if !ok {
			if !bool(mark) || math.IsNaN(v) {
				return dst, it.rangeErr(v)
			}
			sp := SpecialAboveMax
			if v < it.Min {
				sp = SpecialBelowMin
			}
			code, _ = EncodeSpecial(sp, 0, it.Len)
		}
		return appendUint(dst, code, it.Len), nil
	case TLinear, TSLinear:
		raw, ok := it.lin.Encode(v)
		if !ok {
			if !bool(mark) || math.IsNaN(v) || it.Sentinel != MeansOutOfRange {
				return dst, it.rangeErr(v)
			}
			return appendUint(dst, it.lin.Sentinel(), it.Len), nil
		}
		return appendUint(dst, uint64(raw), it.Len), nil
	}
	return dst, it.encodeErr(tsterr.InvalidArg, "tag %d (%s): must be an integer", it.Tag, it.Name)
}

// appendInt appends an integer given as 64 bits; wide says that it is above
// the signed range.
func (it *Item) appendInt(dst []byte, v int64, wide bool) ([]byte, *tsterr.Error) {
	u := uint64(v)
	switch it.Type {
	case TUint:
		if !wide && v < 0 || it.Len < 8 && u>>(8*it.Len) != 0 {
			return dst, it.widthErr()
		}
		if it.Max > 0 && float64(u) > it.Max {
			return dst, it.rangeErr(float64(u))
		}
		return appendUint(dst, u, it.Len), nil
	case TVarUint:
		if !wide && v < 0 {
			return dst, it.widthErr()
		}
		n := max(minBytes(u), it.least)
		if it.Full && it.least == 0 && n > 4 {
			n = it.MaxLen
		}
		if n > it.MaxLen {
			if it.Max > 0 && float64(u) > it.Max {
				return dst, it.rangeErr(float64(u))
			}
			if n > it.Wide {
				return dst, it.widthErr()
			}
		}
		return appendUint(dst, u, n), nil
	case TOID:
		if !wide && v < 0 {
			return dst, it.widthErr()
		}
		if it.Max > 0 && float64(u) > it.Max {
			return dst, it.widthErr()
		}
		return AppendOID(dst, u), nil
	case TBERLen:
		if wide || v < 0 {
			return dst, it.widthErr()
		}
		return AppendLength(dst, int(v)), nil
	case TInt, TVarInt:
		n := it.Len
		if it.Type == TVarInt {
			n = max(minIntBytes(v), it.least)
			if n > it.MaxLen {
				return dst, it.widthErr()
			}
		}
		if wide || n < 8 && v != v<<(64-8*n)>>(64-8*n) {
			return dst, it.widthErr()
		}
		return appendUint(dst, u, n), nil
	case TLinear, TSLinear, TIMAPB:
		return it.appendFloat(dst, float64(v), false)
	}
	return dst, it.encodeErr(tsterr.InvalidArg, "tag %d (%s): cannot be an integer", it.Tag, it.Name)
}

// appendData appends text or bytes.
func (it *Item) appendData(dst, v []byte) ([]byte, *tsterr.Error) {
	if it.MaxLen > 0 && len(v) > it.MaxLen {
		k := tsterr.KLVEncStringTooLong
		if it.Type == TBytes {
			k = tsterr.KLVEncOutOfRange
		}
		return dst, it.encodeErr(k, "tag %d (%s): %d bytes, at most %d fit", it.Tag, it.Name, len(v), it.MaxLen)
	}
	if it.Type == TBytes && it.Len > 0 && len(v) != it.Len {
		return dst, it.encodeErr(tsterr.KLVEncOutOfRange, "tag %d (%s): %d bytes, must be %d", it.Tag, it.Name, len(v), it.Len)
	}
	if it.Type == TText16 {
		return appendUTF16(dst, v), nil
	}
	return append(dst, v...), nil
}
