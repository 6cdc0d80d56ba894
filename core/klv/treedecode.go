package klv

import (
	"math"
	"slices"
)

// tree decodes one value of any type and appends it to w. On an error it may
// leave a partial value behind: the caller cuts w back.
func (it *Item) tree(w *Tree, v []byte, depth int) FieldError {
	if depth > MaxDepth {
		return FieldError{Kind: TruncatedField, Tag: uint64(it.Tag)}
	}
	switch it.Type {
	case TText, TBytes:
		if k := it.data(v); k != NoFieldError {
			return it.fail(v)
		}
		if it.Type == TText {
			w.textBytes(v)
		} else {
			w.Bytes(v)
		}
		return FieldError{}
	case TText16:
		text, ok := decodeUTF16(nil, v)
		if !ok {
			return FieldError{Kind: InvalidUTF16, Tag: uint64(it.Tag)}
		}
		w.textBytes(text)
		return FieldError{}
	case TOIDs:
		return it.oids(w, v)
	case TSeq:
		return it.seq(w, v, depth)
	case TSeries:
		return it.series(w, v, depth)
	case TSet:
		return it.nested(w, v, depth)
	case TSDCC:
		w.Bytes(v)
		return FieldError{}
	}
	bits, got := it.scalar(v)
	switch {
	case got == gotValue:
		it.number(w, bits)
	case got == gotError && (!it.Lenient || len(v) != it.Len), got == gotSpecial && !it.Lenient:
		return it.fail(v)
	default: // no value: reserved, special, or outside the range of a lenient part
		w.None()
	}
	return FieldError{}
}

// nested decodes a set inside another. What is wrong inside it is its own
// record's to tell; w only counts it, for callers that accept no error at all.
func (it *Item) nested(w *Tree, v []byte, depth int) FieldError {
	rep := &Report{}
	if !it.Set.decode(w, v, depth+1, rep) {
		return FieldError{Kind: TruncatedField, Tag: uint64(it.Tag)}
	}
	w.InnerErrors += len(rep.Errors)
	if rep.HasDup {
		w.InnerDup++
	}
	if it.Set.Plain && len(rep.Errors) > 0 {
		fe := rep.Errors[0]
		fe.Tag = uint64(it.Tag)
		return fe
	}
	return FieldError{}
}

func (it *Item) number(w *Tree, bits uint64) {
	switch it.Class() {
	case ClassFloat:
		w.Float(math.Float64frombits(bits))
	case ClassInt:
		w.Int(int64(bits))
	default:
		w.Uint(bits)
	}
}

func (it *Item) oids(w *Tree, v []byte) FieldError {
	at, n := w.open(), 0
	for len(v) > 0 {
		u, used, ok := ReadOID(v)
		if !ok {
			return FieldError{Kind: TruncatedField, Tag: uint64(it.Tag)}
		}
		w.Uint(u)
		v = v[used:]
		n++
	}
	w.shut(at, n)
	return FieldError{}
}

// series decodes elements that each stand behind a BER length. The first fault
// ends it, unless the item keeps what can be read: then the elements before a
// broken length, and those beside an unreadable one, stay.
func (it *Item) series(w *Tree, v []byte, depth int) (first FieldError) {
	at, n := w.open(), 0
	for len(v) > 0 {
		size, used, ok := ReadLength(v)
		if !ok || size > uint64(len(v)-used) {
			w.InnerFrames++
			first = FieldError{Kind: TruncatedField, Tag: uint64(it.Tag)}
			break
		}
		e := v[used : used+int(size)]
		v = v[used+int(size):]
		cut := len(w.B)
		if fe := it.Fields[0].tree(w, e, depth+1); fe.Kind != NoFieldError {
			w.B = w.B[:cut]
			fe.Tag = uint64(it.Tag)
			if first.Kind == NoFieldError {
				first = fe
			}
			if it.Partial {
				continue
			}
			break
		}
		n++
	}
	w.shut(at, n)
	return first
}

// seq decodes the parts of a pack in order.
func (it *Item) seq(w *Tree, v []byte, depth int) FieldError {
	if it.KeepLen {
		w.Tuple(len(it.Fields) + 1)
	} else {
		w.Tuple(len(it.Fields))
	}
	size := 0
	total, last := len(v), -1
	if it.Lens != nil && !slices.Contains(it.Lens, total) {
		if total < it.Len {
			return FieldError{Kind: TruncatedField, Tag: uint64(it.Tag)}
		}
		return FieldError{Kind: InvalidLength, Tag: uint64(it.Tag), Want: it.Lens[0], Got: total}
	}
	for i := range it.Fields {
		f := &it.Fields[i]
		if len(v) == 0 && f.absent(w, &last) {
			size = 0
			continue
		}
		part, rest, null, k := f.take(v, len(it.Fields)-i)
		if k != NoFieldError {
			return FieldError{Kind: k, Tag: uint64(it.Tag), Want: f.Len, Got: len(v)}
		}
		v = rest
		last = len(w.B)
		size = len(part)
		if null {
			w.None()
			continue
		}
		if fe := f.tree(w, part, depth+1); fe.Kind != NoFieldError {
			fe.Tag = uint64(it.Tag)
			if len(part) == 0 && f.Class() <= ClassInt {
				fe.Kind = TruncatedField
			}
			return fe
		}
	}
	if len(v) > 0 {
		return FieldError{Kind: InvalidLength, Tag: uint64(it.Tag), Want: total - len(v), Got: total}
	}
	if it.KeepLen {
		w.Uint(uint64(size))
	}
	return FieldError{}
}

// absent appends what a missing part stands for; false where the part is a must.
func (f *Item) absent(w *Tree, last *int) bool {
	switch {
	case f.Copies && *last >= 0:
		w.B = append(w.B, w.B[*last:]...)
	case f.HasDef:
		w.Uint(f.Default)
	case f.Optional && f.EmptyTuple:
		w.Tuple(0)
	case f.Optional:
		w.None()
	case f.Type == TText && !f.Prefixed:
		w.Text("") // text that takes the rest of the pack, of which nothing is left
	default:
		return false
	}
	return true
}

// take cuts a part's bytes off v. left is how many parts remain, this one
// included.
func (f *Item) take(v []byte, left int) (part, rest []byte, null bool, k FieldErrorKind) {
	if f.Prefixed {
		n, used, ok := ReadLength(v)
		if !ok || n > uint64(len(v)-used) {
			return nil, nil, false, TruncatedField
		}
		part, rest = v[used:used+int(n)], v[used+int(n):]
		return part, rest, n == 0 && f.Nullable, NoFieldError
	}
	n := len(v)
	switch f.Type {
	case TUint, TInt, TLinear, TSLinear:
		n = f.Len
	case TIMAPB:
		n = f.Len
		if f.Share {
			if len(v)%left != 0 {
				return nil, nil, false, InvalidLength
			}
			n = len(v) / left
		}
	case TBytes:
		if f.Len > 0 {
			if len(v) != f.Len && f.Optional {
				return nil, nil, false, InvalidLength
			}
			n = f.Len
		}
	case TOID:
		_, used, ok := ReadOID(v)
		if !ok {
			return nil, nil, false, TruncatedField
		}
		n = used
	case TBERLen:
		_, used, ok := ReadLength(v)
		if !ok {
			return nil, nil, false, TruncatedField
		}
		n = used
	}
	if n > len(v) || n == 0 && f.Type != TText && f.Type != TSeries && f.Type != TBytes && f.Type != TOIDs {
		return nil, nil, false, TruncatedField
	}
	return v[:n], v[n:], false, NoFieldError
}
