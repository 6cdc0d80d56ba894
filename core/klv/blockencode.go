package klv

import (
	"math"

	"github.com/tstrans/tstrans/core/tsterr"
)

// EncodeOptions tells how to write a record.
type EncodeOptions struct {
	Mark     Indicator // write the standard's mark for values out of range
	Defaults bool      // write items that have a default although they are absent
}

// EncodeBlock appends the items of a record: typed items ascending by tag,
// then the reserved and special values, then the unknown items in their order.
func (s *Set) EncodeBlock(dst, block []byte, opt EncodeOptions) ([]byte, *tsterr.Error) {
	r, err := ParseRecord(s, block)
	if err != nil {
		return dst, err
	}
	var at [MaxFields + 1]uint8
	for i := range r.n {
		at[r.b[blockHeader+i]] = uint8(i + 1)
	}
	widths, err := r.widths()
	if err != nil {
		return dst, err
	}
	for _, it := range s.order {
		i := int(at[it.index])
		if i > 0 && widths != nil {
			it = it.inWidth(widths)
		}
		if i == 0 {
			if opt.Defaults && it.HasDef {
				dst = append(AppendOID(dst, uint64(it.Tag)), byte(it.Len))
				dst = appendUint(dst, it.Default, it.Len)
			}
			continue
		}
		_, slot := r.Slot(i - 1)
		if dst, err = it.appendSlot(dst, &r, slot, opt.Mark); err != nil {
			return dst, err
		}
	}
	if r.extras == 0 {
		return dst, nil
	}
	return s.encodeExtras(dst, &r, &at)
}

// widths gives the lengths that some values came in, nil where all are usual.
func (r *Record) widths() ([]Value, *tsterr.Error) {
	if r.extras == 0 {
		return nil, nil
	}
	ex, err := r.Extras()
	if err != nil || ex.Len < 5 {
		return nil, err
	}
	return ex.Tuple()[4].Tuple(), nil
}

// inWidth gives the item, or a copy that is written in the length its value
// came in.
func (it *Item) inWidth(widths []Value) *Item {
	for i := range widths {
		p := widths[i].Tuple()
		if len(p) != 2 || uint64(p[0].Int) != uint64(it.Tag) || p[1].Int < 1 || p[1].Int > int64(it.MaxLen) {
			continue
		}
		own := *it
		own.least = int(p[1].Int)
		if it.Type == TIMAPB {
			own.Len = own.least
		}
		return &own
	}
	return it
}

// appendSlot appends the TLV, or for a repeating item the TLVs, of one slot.
func (it *Item) appendSlot(dst []byte, r *Record, slot uint64, mark Indicator) ([]byte, *tsterr.Error) {
	if class := it.Class(); it.Tag < 0x80 && class <= ClassInt {
		// The common case: one-byte tag, and a number never needs a long length.
		dst = append(dst, byte(it.Tag), 0)
		at := len(dst)
		var err *tsterr.Error
		switch class {
		case ClassFloat:
			dst, err = it.appendFloat(dst, math.Float64frombits(slot), mark)
		case ClassUint:
			dst, err = it.appendInt(dst, int64(slot), slot > math.MaxInt64)
		default:
			dst, err = it.appendInt(dst, int64(slot), false)
		}
		if err != nil {
			return dst, err
		}
		dst[at-1] = byte(len(dst) - at)
		return dst, nil
	}
	if it.Tag < 0x80 {
		dst = append(dst, byte(it.Tag), 0)
	} else if !it.Multi {
		dst = append(AppendOID(dst, uint64(it.Tag)), 0)
	}
	at := len(dst) - 1
	var err *tsterr.Error
	switch it.Class() {
	case ClassFloat:
		dst, err = it.appendFloat(dst, math.Float64frombits(slot), mark)
	case ClassUint:
		dst, err = it.appendInt(dst, int64(slot), slot > math.MaxInt64)
	case ClassInt:
		dst, err = it.appendInt(dst, int64(slot), false)
	case ClassText, ClassBytes:
		dst, err = it.appendData(dst, r.Data(slot))
	default:
		v, _, e := ReadTree(r.Data(slot))
		if e != nil {
			return dst, e
		}
		if it.Multi {
			if it.Tag < 0x80 {
				dst = dst[:at-1]
			}
			return it.appendMulti(dst, v, mark)
		}
		dst, err = it.appendTree(dst, v, mark, 0)
	}
	if err != nil {
		return dst, err
	}
	return fixLength(dst, at), nil
}

func (it *Item) appendMulti(dst []byte, v Value, mark Indicator) ([]byte, *tsterr.Error) {
	if v.Form != '(' {
		return dst, it.typeErr("a tuple")
	}
	err := v.Elems(func(_ int, e Value) (err *tsterr.Error) {
		if it.Type == TSDCC { // (tags before it, bytes): where it stands follows from its tag here
			p := e.Tuple()
			if len(p) != 2 {
				return it.typeErr("a tuple of matrices")
			}
			e = p[1]
		}
		dst, err = it.appendItem(dst, e, mark, 0)
		return err
	})
	return dst, err
}

func (s *Set) encodeExtras(dst []byte, r *Record, at *[MaxFields + 1]uint8) ([]byte, *tsterr.Error) {
	ex, err := r.Extras()
	if err != nil {
		return dst, err
	}
	p := ex.Tuple()
	if !p[2].None() {
		err = p[2].Elems(func(_ int, e Value) *tsterr.Error {
			if it := s.Item(uint64(e.Int)); it != nil && it.Type == TSLinear && it.Sentinel != NoMeaning && at[it.index] == 0 {
				dst = append(AppendOID(dst, uint64(it.Tag)), byte(it.Len))
				dst = appendUint(dst, it.lin.Sentinel(), it.Len)
			}
			return nil
		})
		if err != nil {
			return dst, err
		}
	}
	if !p[3].None() {
		err = p[3].Elems(func(_ int, e Value) (err *tsterr.Error) {
			dst, err = s.appendSpecial(dst, e, at)
			return err
		})
		if err != nil {
			return dst, err
		}
	}
	return s.appendUnknown(dst, p[0])
}

// appendSpecial appends one (tag, name, payload).
func (s *Set) appendSpecial(dst []byte, e Value, at *[MaxFields + 1]uint8) ([]byte, *tsterr.Error) {
	p := e.Tuple()
	if len(p) != 3 || p[0].Form != 'i' || p[1].Form != 'u' || p[2].Form != 'i' {
		return dst, errSpecial("special values are triples of tag, name and payload")
	}
	sp, ok := ParseSpecial(string(p[1].Data))
	if !ok {
		return dst, errSpecial("unknown special value " + string(p[1].Data))
	}
	it := s.Item(uint64(p[0].Int))
	if it == nil || it.Type != TIMAPB || at[it.index] != 0 {
		return dst, nil
	}
	n := it.Len
	code, ok := EncodeSpecial(sp, uint64(p[2].Int), n)
	for ; !ok && n < it.MaxLen; code, ok = EncodeSpecial(sp, uint64(p[2].Int), n) {
		n++ // a payload that came from a longer value needs that length again
	}
	if !ok {
		return dst, it.encodeErr(tsterr.KLVEncOutOfRange, "tag %d (%s): payload %d does not fit %s on %d bytes", it.Tag, it.Name, p[2].Int, sp, it.Len)
	}
	dst = append(AppendOID(dst, uint64(it.Tag)), byte(n))
	return appendUint(dst, code, n), nil
}

func errSpecial(msg string) *tsterr.Error {
	e := tsterr.New(tsterr.InvalidArg, "%s", msg)
	e.Field = "imapb_specials"
	return e
}
