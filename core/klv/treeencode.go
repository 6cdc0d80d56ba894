package klv

import (
	"slices"

	"github.com/tstrans/tstrans/core/tsterr"
)

// appendTree appends the bytes of a value that came as a tree.
func (it *Item) appendTree(dst []byte, v Value, mark Indicator, depth int) ([]byte, *tsterr.Error) {
	if depth > MaxDepth {
		return dst, errTree("nested too deeply")
	}
	switch it.Type {
	case TText, TText16:
		if v.Form != 'u' {
			return dst, it.typeErr("text")
		}
		return it.appendData(dst, v.Data)
	case TBytes, TSDCC:
		if v.Form != 's' {
			return dst, it.typeErr("bytes")
		}
		return it.appendData(dst, v.Data)
	case TOIDs:
		if v.Form != '(' {
			return dst, it.typeErr("a tuple of integers")
		}
		err := v.Elems(func(_ int, e Value) *tsterr.Error {
			if e.Form != 'i' && e.Form != 'T' && e.Form != 'F' {
				return it.typeErr("a tuple of integers")
			}
			if e.Int < 0 && !e.Wide {
				return it.widthErr()
			}
			dst = AppendOID(dst, uint64(e.Int))
			return nil
		})
		return dst, err
	case TSeq:
		return it.appendSeq(dst, v, mark, depth)
	case TSeries:
		if v.Form != '(' {
			return dst, it.typeErr("a tuple")
		}
		err := v.Elems(func(_ int, e Value) (err *tsterr.Error) {
			dst, err = appendPrefixed(dst, func(b []byte) ([]byte, *tsterr.Error) {
				return it.Fields[0].appendTree(b, e, mark, depth+1)
			})
			return err
		})
		return dst, err
	case TSet:
		return it.Set.AppendTree(dst, v, mark, depth+1)
	}
	switch v.Form {
	case 'i', 'T', 'F':
		if v.Wide {
			return it.appendInt(dst, v.Int, true)
		}
		if it.Class() == ClassFloat {
			return it.appendFloat(dst, float64(v.Int), mark)
		}
		return it.appendInt(dst, v.Int, false)
	case 'g':
		if it.Class() != ClassFloat {
			return dst, it.typeErr("an integer")
		}
		return it.appendFloat(dst, v.Num, mark)
	case 'N':
		if it.Lenient {
			code, _ := EncodeSpecial(SpecialUserDefined, 0, it.Len)
			return appendUint(dst, code, it.Len), nil
		}
		if it.Type == TSLinear {
			return appendUint(dst, it.lin.Sentinel(), it.Len), nil
		}
	}
	return dst, it.typeErr("a number")
}

func (it *Item) typeErr(want string) *tsterr.Error {
	return it.encodeErr(tsterr.InvalidArg, "tag %d (%s): must be %s", it.Tag, it.Name, want)
}

// appendPrefixed appends what f appends, behind its BER length.
func appendPrefixed(dst []byte, f func([]byte) ([]byte, *tsterr.Error)) ([]byte, *tsterr.Error) {
	at := len(dst)
	dst, err := f(append(dst, 0))
	if err != nil {
		return dst[:at], err
	}
	return fixLength(dst, at), nil
}

// fixLength writes the length of dst[at+1:] at the place kept for it at at,
// moving the bytes where the length needs more than one.
func fixLength(dst []byte, at int) []byte { return InsertLength(dst, at, len(dst)-at-1) }

// InsertLength writes the minimal BER length n at dst[at], where one byte was
// kept for it, and moves what follows if more are needed.
func InsertLength(dst []byte, at, n int) []byte {
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	k := LengthSize(n)
	end := len(dst)
	for range k - 1 {
		dst = append(dst, 0)
	}
	copy(dst[at+k:], dst[at+1:end])
	AppendLength(dst[at:at], n)
	return dst
}

// appendSeq writes the parts of a pack: absent ones at the end are left out.
func (it *Item) appendSeq(dst []byte, v Value, mark Indicator, depth int) ([]byte, *tsterr.Error) {
	if v.Form != '(' || v.Len != len(it.Fields) && (!it.KeepLen || v.Len != len(it.Fields)+1) {
		return dst, it.typeErr("a record of its kind")
	}
	parts := v.Tuple()
	kept := 0
	if len(parts) > len(it.Fields) {
		kept = int(min(uint64(parts[len(it.Fields)].Int), 8))
		parts = parts[:len(it.Fields)]
	}
	n := len(parts)
	for n > 0 {
		f, p := &it.Fields[n-1], &parts[n-1]
		gone := f.Optional && (p.None() || f.EmptyTuple && p.Len == 0 && p.Form == '(') || f.HasDef && p.Form == 'i' && uint64(p.Int) == f.Default
		if f.Copies && n > 1 { // left out, it would equal the one before
			prev := &parts[n-2]
			gone = p.None() && prev.None() || p.Form == '(' && prev.Form == '(' && string(p.Data) == string(prev.Data)
		}
		if !gone {
			break
		}
		n--
	}
	var err *tsterr.Error
	start := len(dst)
	for i := range n {
		f, p := &it.Fields[i], parts[i]
		if kept > 0 && i == len(it.Fields)-1 {
			own := *f
			own.least = kept
			f = &own
		}
		switch {
		case f.Prefixed && p.None() && f.Nullable:
			dst = append(dst, 0)
			continue
		case f.Prefixed:
			dst, err = appendPrefixed(dst, func(b []byte) ([]byte, *tsterr.Error) { return f.appendTree(b, p, mark, depth+1) })
		case p.None() && f.Optional && f.Type == TOID:
			dst = append(dst, 0) // parts that follow need this one; zero is its neutral value
		default:
			dst, err = f.appendTree(dst, p, mark, depth+1)
		}
		if err != nil {
			return dst, err
		}
	}
	for ; it.Lens != nil && n < len(parts) && !slices.Contains(it.Lens, len(dst)-start); n++ {
		if f := &it.Fields[n]; f.Lenient { // one value of a group needs its neighbours
			if dst, err = f.appendTree(dst, parts[n], mark, depth+1); err != nil {
				return dst, err
			}
		}
	}
	if it.Lens != nil && !slices.Contains(it.Lens, len(dst)-start) {
		return dst, it.encodeErr(tsterr.KLVEncMissingMandatoryItem, "tag %d (%s): a group of values is not complete", it.Tag, it.Name)
	}
	return dst, nil
}
