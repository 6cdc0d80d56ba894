package klv

import (
	"github.com/tstrans/tstrans/core/tsterr"
)

// Report is what decoding a set found besides its values.
type Report struct {
	Errors    []FieldError
	Duplicate uint64 // the first tag met twice, with HasDup
	HasDup    bool
	Present   [4]uint64 // bit per item index: a value or an error was met
	LeadID    uint64    // the pack's number, where the set is a pack
	Items     int       // TLVs met
}

// Has tells whether an item of the table was met.
func (r *Report) Has(it *Item) bool { return r.Present[it.index>>6]>>(it.index&63)&1 != 0 }

func (r *Report) note(it *Item) { r.Present[it.index>>6] |= 1 << (it.index & 63) }

type span struct{ from, to int32 }

// Decode decodes a set's body (behind key and length) to a tuple: the number
// of a pack, then the items in field order, the tags that carry a reserved
// value where the record lists them, the unknown items, and the field errors.
// Only broken framing is an error.
func (s *Set) Decode(w *Tree, body []byte) (*Report, *tsterr.Error) {
	rep := &Report{}
	if !s.decode(w, body, 0, rep) {
		return rep, tsterr.At(tsterr.KLVTruncatedSet, s.Name, 0, "%s: an item reaches beyond the set's end", s.Name)
	}
	return rep, nil
}

func (s *Set) decode(w *Tree, body []byte, depth int, rep *Report) bool {
	if depth > MaxDepth || len(body) > 1<<31-1 {
		return false
	}
	n := len(s.Items) + 2
	if s.Sentinels {
		n++
	}
	if s.Plain {
		n = len(s.Items)
	}
	off := 0
	if s.LeadID != "" {
		id, used, ok := ReadOID(body)
		if !ok {
			return false
		}
		n, off, rep.LeadID = n+1, used, id
		w.Tuple(n)
		w.Uint(id)
	} else {
		w.Tuple(n)
	}
	first := off
	var store [64]span
	spans := store[:]
	if len(s.Items) > len(spans) {
		spans = make([]span, len(s.Items))
	}
	unknown := 0
	for off < len(body) {
		t, next, ok := Next(body, off)
		if !ok && s.Tail {
			body = body[:off]
			rep.Errors = append(rep.Errors, FieldError{Kind: TruncatedField})
			break
		}
		if !ok {
			return false
		}
		off = next
		rep.Items++
		it := s.Item(t.Tag)
		if it == nil {
			unknown++
			continue
		}
		if rep.Has(it) && !it.Multi && !rep.HasDup {
			rep.HasDup, rep.Duplicate = true, t.Tag
		}
		rep.note(it)
		spans[it.index] = span{int32(t.Body), int32(t.Body + len(t.Value))}
	}
	var sentinels []uint64
	for i := range s.Items {
		it := &s.Items[i]
		switch {
		case it.Multi:
			s.multi(w, it, body, first, depth, rep)
		case !rep.Has(it):
			if it.EmptyTuple {
				w.Tuple(0)
			} else {
				w.None()
			}
		default:
			v := body[spans[i].from:spans[i].to]
			if s.Sentinels && it.Type == TSLinear {
				if _, got := it.scalar(v); got == gotSentinel {
					sentinels = append(sentinels, uint64(it.Tag))
					w.None()
					continue
				}
			}
			at := len(w.B)
			if fe := it.tree(w, v, depth); fe.Kind != NoFieldError {
				rep.Errors = append(rep.Errors, fe)
				if it.Partial {
					continue
				}
				w.B = w.B[:at]
				if it.EmptyTuple {
					w.Tuple(0)
				} else {
					w.None()
				}
			}
		}
	}
	if s.Sentinels {
		w.Tuple(len(sentinels))
		for _, t := range sentinels {
			w.Uint(t)
		}
	}
	if s.Plain {
		for i := range s.Items {
			if it := &s.Items[i]; it.Required && !rep.Has(it) {
				rep.Errors = append(rep.Errors, FieldError{Kind: TruncatedField, Tag: uint64(it.Tag)})
			}
		}
		return true
	}
	w.Tuple(unknown)
	for off = first; unknown > 0; {
		t, next, _ := Next(body, off)
		off = next
		if s.Item(t.Tag) == nil {
			w.Tuple(2)
			w.Uint(t.Tag)
			w.Bytes(t.Value)
			unknown--
		}
	}
	w.Errors(rep.Errors)
	return true
}

// multi decodes every occurrence of a repeating item, in wire order.
func (s *Set) multi(w *Tree, it *Item, body []byte, off, depth int, rep *Report) {
	at, n := w.open(), 0
	for off < len(body) {
		t, next, _ := Next(body, off)
		off = next
		if t.Tag != uint64(it.Tag) {
			continue
		}
		cut := len(w.B)
		if fe := it.tree(w, t.Value, depth); fe.Kind != NoFieldError {
			rep.Errors = append(rep.Errors, fe)
			w.B = w.B[:cut]
			continue
		}
		n++
	}
	w.shut(at, n)
}

// Errors appends field errors as a tuple of (kind, tag, message).
func (t *Tree) Errors(errs []FieldError) {
	t.Tuple(len(errs))
	for i := range errs {
		t.Tuple(3)
		t.Uint(uint64(errs[i].Kind))
		t.Uint(errs[i].Tag)
		t.Text(errs[i].Message())
	}
}

// AppendTree appends the body of a set that came as a tuple of Decode's shape:
// items ascending by tag, then reserved values, then the unknown items in the
// order given. Unknown items whose tag the table has, or that the encoder
// writes itself, are left out.
func (s *Set) AppendTree(dst []byte, v Value, mark Indicator, depth int) ([]byte, *tsterr.Error) {
	lead := 0
	if s.LeadID != "" {
		lead = 1
	}
	n := lead + len(s.Items) + 2
	if s.Sentinels {
		n++
	}
	if s.Plain {
		n -= 2
	}
	if v.Form != '(' || v.Len != n || depth > MaxDepth {
		return dst, errTree("not a record of " + s.Name)
	}
	parts := v.Tuple()
	if lead == 1 {
		if parts[0].Form != 'i' {
			return dst, errTree(s.LeadID + " must be an integer")
		}
		if parts[0].Int < 0 && !parts[0].Wide {
			return dst, tsterr.New(tsterr.Overflow, "%s must not be negative", s.LeadID)
		}
		dst = AppendOID(dst, uint64(parts[0].Int))
	}
	fields := parts[lead:]
	var err *tsterr.Error
	for _, it := range s.order {
		p := fields[it.index]
		if p.None() || it.DecodeOnly || it.EmptyTuple && p.Len == 0 {
			if it.Required && !s.listed(fields, it) {
				return dst, missingErr(s, it)
			}
			continue
		}
		if it.Multi {
			err = p.Elems(func(_ int, e Value) (err *tsterr.Error) {
				dst, err = it.appendItem(dst, e, mark, depth)
				return err
			})
		} else {
			dst, err = it.appendItem(dst, p, mark, depth)
		}
		if err != nil {
			return dst, err
		}
	}
	rest := fields[len(s.Items):]
	if s.Plain {
		return dst, nil
	}
	if s.Sentinels {
		err = rest[0].Elems(func(_ int, e Value) *tsterr.Error {
			if it := s.Item(uint64(e.Int)); it != nil && it.Type == TSLinear && fields[it.index].None() {
				dst = AppendOID(dst, uint64(it.Tag))
				dst = append(dst, byte(it.Len))
				dst = appendUint(dst, it.lin.Sentinel(), it.Len)
			}
			return nil
		})
		if err != nil {
			return dst, err
		}
		rest = rest[1:]
	}
	return s.appendUnknown(dst, rest[0])
}

// listed tells whether an absent item is among the tags that carry the reserved value.
func (s *Set) listed(fields []Value, it *Item) bool {
	if !s.Sentinels || it.Type != TSLinear {
		return false
	}
	for _, e := range fields[len(s.Items)].Tuple() {
		if uint64(e.Int) == uint64(it.Tag) {
			return true
		}
	}
	return false
}

// appendUnknown appends (tag, bytes) pairs that the table does not have.
func (s *Set) appendUnknown(dst []byte, v Value) ([]byte, *tsterr.Error) {
	if v.None() {
		return dst, nil
	}
	if v.Form != '(' {
		return dst, errUnknown()
	}
	err := v.Elems(func(_ int, e Value) *tsterr.Error {
		p := e.Tuple()
		if len(p) != 2 || p[0].Form != 'i' || p[1].Form != 's' {
			return errUnknown()
		}
		if tag := uint64(p[0].Int); s.Item(tag) == nil && !s.IsReserved(tag) {
			dst = AppendTLV(dst, tag, p[1].Data)
		}
		return nil
	})
	return dst, err
}

func errUnknown() *tsterr.Error {
	e := tsterr.New(tsterr.InvalidArg, "unknown items are pairs of tag and bytes")
	e.Field = "unknown"
	return e
}

// appendItem appends tag, length and value.
func (it *Item) appendItem(dst []byte, v Value, mark Indicator, depth int) ([]byte, *tsterr.Error) {
	return appendPrefixed(AppendOID(dst, uint64(it.Tag)), func(b []byte) ([]byte, *tsterr.Error) {
		return it.appendTree(b, v, mark, depth)
	})
}

// missingErr tells which item lacks. It has its tag even where a value out of
// range is told without one (NoTag).
func missingErr(s *Set, it *Item) *tsterr.Error {
	e := tsterr.New(tsterr.KLVEncMissingMandatoryItem, "tag %d (%s) of %s is mandatory", it.Tag, it.Name, s.Name)
	e.Field = it.Name
	return e.With("tag", int64(it.Tag))
}

// RequireTags reports the first of tags whose item a record of s lacks.
func RequireTags(s *Set, v Value, tags []uint64) *tsterr.Error {
	parts := v.Tuple()
	if len(parts) < len(s.Items) {
		return errTree("not a record of " + s.Name)
	}
	for _, tag := range tags {
		it := s.Item(tag)
		if parts[it.index].None() {
			return missingErr(s, it)
		}
	}
	return nil
}
