package klv

import (
	"encoding/binary"
	"math"

	"github.com/tstrans/tstrans/core/tsterr"
)

// A record block is a decoded set in one piece of memory: one 8-byte slot a
// present item. It is what crosses the C ABI for sets that are decoded by the
// thousand, in both directions. All integers are little endian:
//
//	 0  u32  size of the block
//	 4  u16  n, the number of slots
//	 6  u16  d, how many of them (the last d) are data slots
//	 8  u32  offset of the extras, 0 without any
//	12  u32  reserved, 0
//	16  16 bytes  universal label
//	32  n bytes   field index of each slot, zero padding to a multiple of 8
//	    n x 8     slots: a double, an int64 or a uint64; a data slot is
//	              u32 offset from the block's start, u32 length
//	    bytes     what the data slots point to
//	    extras    value tree (unknown, field_errors, sentinel_tags, imapb_specials[, widths])
//
// Number slots come first, in wire order; data slots follow, in wire order.
const (
	blockHeader  = 32
	blockExtras  = 8
	blockULStart = 16
)

// BlockDecoder decodes sets to blocks. It is reused to spare clearing its
// arrays; it holds nothing between calls. One goroutine at a time.
type BlockDecoder struct {
	set   *Set
	pos   [MaxFields + 1]uint8 // 1 + slot position of a field, 0 when absent
	num   [MaxFields]uint64
	numID [MaxFields]uint8
	nNum  int
	dat   [MaxFields]span // in the packet; trees are appended to extra
	datID [MaxFields]uint8
	nDat  int

	unknown  int
	errs     []FieldError
	sent     []uint64
	specials []special3
	widths   []width
	frame    Frame
	try      Tree
}

// width is the length of a value that came in another length than the encoder
// would choose: with it a record goes back as it came.
type width struct {
	tag uint64
	n   int
}

// Frame is what a walk over a body noted about its framing.
type Frame struct {
	First, Last uint64 // tags of the first and last item
	Reserved    int    // offset of the last reserved item's value, 0 for none
	ReservedLen int    // its length
}

type special3 struct {
	tag     uint64
	sp      Special
	payload uint64
}

// drop forgets an earlier occurrence of a field: the last one wins.
func (w *BlockDecoder) drop(it *Item) {
	at := int(w.pos[it.index])
	if at == 0 {
		return
	}
	w.pos[it.index] = 0
	if it.Class() <= ClassInt {
		copy(w.num[at-1:], w.num[at:w.nNum])
		copy(w.numID[at-1:], w.numID[at:w.nNum])
		w.nNum--
		for i := at - 1; i < w.nNum; i++ {
			w.pos[w.numID[i]] = uint8(i + 1)
		}
		return
	}
	copy(w.dat[at-1:], w.dat[at:w.nDat])
	copy(w.datID[at-1:], w.datID[at:w.nDat])
	w.nDat--
	for i := at - 1; i < w.nDat; i++ {
		w.pos[w.datID[i]] = uint8(i + 1)
	}
}

// forget drops what earlier occurrences of a tag left in the extras.
func (w *BlockDecoder) forget(tag uint64) {
	for i := 0; i < len(w.sent); i++ {
		if w.sent[i] == tag {
			w.sent = append(w.sent[:i], w.sent[i+1:]...)
			i--
		}
	}
	for i := 0; i < len(w.widths); i++ {
		if w.widths[i].tag == tag {
			w.widths = append(w.widths[:i], w.widths[i+1:]...)
			i--
		}
	}
	for i := 0; i < len(w.specials); i++ {
		if w.specials[i].tag == tag {
			w.specials = append(w.specials[:i], w.specials[i+1:]...)
			i--
		}
	}
}

// item takes one typed item. Of several the last readable one counts: one that
// cannot be read leaves an error, and the value before it alone.
func (w *BlockDecoder) item(it *Item, v []byte, body int) {
	if it.Multi || it.Type >= TText {
		w.datum(it, v, body)
		return
	}
	bits, got := it.scalar(v)
	if got == gotError {
		w.errs = append(w.errs, it.fail(v))
		return
	}
	w.drop(it)
	if len(w.sent)+len(w.specials)+len(w.widths) > 0 {
		w.forget(uint64(it.Tag))
	}
	switch got {
	case gotValue:
		w.num[w.nNum], w.numID[w.nNum] = bits, it.index
		w.nNum++
		w.pos[it.index] = uint8(w.nNum)
		if len(v) != it.usualLen(bits) {
			w.widths = append(w.widths, width{uint64(it.Tag), len(v)})
		}
	case gotSentinel:
		w.sent = append(w.sent, uint64(it.Tag))
		w.errs = append(w.errs, FieldError{Kind: InvalidSentinel, Tag: uint64(it.Tag)})
	default:
		w.specials = append(w.specials, special3{uint64(it.Tag), Special(bits >> specialShift), bits & (1<<specialShift - 1)})
	}
}

func (w *BlockDecoder) datum(it *Item, v []byte, body int) {
	switch {
	case it.Multi:
		if w.pos[it.index] != 0 {
			return
		}
	case it.Type == TText || it.Type == TBytes:
		if it.data(v) != NoFieldError {
			w.errs = append(w.errs, it.fail(v))
			return
		}
	case w.pos[it.index] != 0:
		// Structured items repeat only in broken records: try before dropping.
		w.try.B = w.try.B[:0]
		if fe := it.tree(&w.try, v, 0); fe.Kind != NoFieldError {
			w.errs = append(w.errs, fe)
			return
		}
	}
	w.drop(it)
	w.dat[w.nDat], w.datID[w.nDat] = span{int32(body), int32(body + len(v))}, it.index
	w.nDat++
	w.pos[it.index] = uint8(w.nDat)
}

// Walk reads a set's body; the set must not be a pack. Append then lays out
// the block. Besides growing its output, this allocates only for items that
// are wrong, reserved, or structured. The Frame is valid until the next Walk.
func (w *BlockDecoder) Walk(s *Set, body []byte) (*Frame, *tsterr.Error) {
	w.reset()
	w.set = s
	if off, ok := w.walk(body); !ok {
		return &w.frame, tsterr.At(tsterr.KLVTruncatedSet, s.Name, int64(off), "the item at byte %d of the body reaches beyond its end", off)
	}
	return &w.frame, nil
}

// Append appends the block of the body walked last. It may be called once a Walk.
func (w *BlockDecoder) Append(dst, ul, body []byte) []byte { return w.append(dst, ul, body) }

// reset clears what the next call must not see.
func (w *BlockDecoder) reset() {
	for _, id := range w.numID[:w.nNum] {
		w.pos[id] = 0
	}
	for _, id := range w.datID[:w.nDat] {
		w.pos[id] = 0
	}
	w.nNum, w.nDat, w.unknown = 0, 0, 0
	w.errs, w.sent, w.specials, w.widths = w.errs[:0], w.sent[:0], w.specials[:0], w.widths[:0]
	w.frame = Frame{}
}

func (w *BlockDecoder) walk(body []byte) (int, bool) {
	s, f := w.set, &w.frame
	if t, _, ok := Next(body, 0); ok {
		f.First = t.Tag
	}
	for off := 0; off < len(body); {
		if next := w.quick(body, off); next > 0 {
			f.Last = uint64(body[off])
			off = next
			continue
		}
		t, next, ok := Next(body, off)
		if !ok {
			return off, false
		}
		off = next
		f.Last = t.Tag
		var it *Item
		if t.Tag < uint64(len(s.byTag)) {
			it = s.byTag[t.Tag]
		} else {
			it = s.Item(t.Tag)
		}
		switch {
		case it != nil:
			w.item(it, t.Value, t.Body)
		case s.IsReserved(t.Tag):
			f.Reserved, f.ReservedLen = t.Body, len(t.Value)
		default:
			w.unknown++
		}
	}
	return 0, true
}

// quick takes the item at off when it is the common case: one-byte tag and
// length, a fixed-size number of the right size, not met before, no sentinel.
// It gives the next item's offset, or 0 to ask for the general way.
func (w *BlockDecoder) quick(body []byte, off int) int {
	if off+2 >= len(body) || body[off] >= 0x80 {
		return 0
	}
	h := &w.set.hot[body[off]]
	if h.kind == hotText {
		return w.quickText(h, body, off)
	}
	next := off + 2 + int(h.size)
	if h.kind == hotNone || body[off+1] != h.size || next > len(body) || w.pos[h.index] != 0 || len(w.sent) > 0 {
		return 0
	}
	v := body[off+2 : next]
	var raw int64 // as signed; unsigned kinds look at the bits
	var u uint64
	switch h.size {
	case 1:
		u = uint64(v[0])
		raw = int64(int8(v[0]))
	case 2:
		x := binary.BigEndian.Uint16(v)
		u, raw = uint64(x), int64(int16(x))
	case 4:
		x := binary.BigEndian.Uint32(v)
		u, raw = uint64(x), int64(int32(x))
	default:
		u = binary.BigEndian.Uint64(v)
		raw = int64(u)
	}
	switch h.kind {
	case hotLinear:
		u = math.Float64bits(h.offset + float64(u)*h.step)
	case hotSLinear:
		if raw == -1<<(8*h.size-1) {
			return 0
		}
		u = math.Float64bits(h.offset + float64(raw)*h.step)
	case hotInt:
		u = uint64(raw)
	}
	n := w.nNum
	w.num[n], w.numID[n] = u, h.index
	w.nNum = n + 1
	w.pos[h.index] = uint8(n + 1)
	return next
}

// quickText is quick for text: short enough, ASCII, not met before.
func (w *BlockDecoder) quickText(h *hotItem, body []byte, off int) int {
	n := body[off+1]
	start := off + 2
	next := start + int(n)
	if n > h.size || next > len(body) || w.pos[h.index] != 0 {
		return 0
	}
	for _, c := range body[start:next] {
		if c >= 0x80 {
			return 0
		}
	}
	w.dat[w.nDat], w.datID[w.nDat] = span{int32(start), int32(next)}, h.index
	w.nDat++
	w.pos[h.index] = uint8(w.nDat)
	return next
}

// Has tells whether the walk met a usable value of an item, by index.
func (w *BlockDecoder) Has(index int) bool { return w.pos[index] != 0 }

func pad8(n int) int { return (n + 7) &^ 7 }

// append lays the block out behind dst.
func (w *BlockDecoder) append(dst, ul, body []byte) []byte {
	base := len(dst)
	n := w.nNum + w.nDat
	head := blockHeader + pad8(n)
	dst = grow(dst, head+8*n)
	b := dst[base:]
	copy(b[blockULStart:], ul[:min(len(ul), ULSize)])
	copy(b[blockHeader:], w.numID[:w.nNum])
	copy(b[blockHeader+w.nNum:], w.datID[:w.nDat])
	for i := n; i < pad8(n); i++ {
		b[blockHeader+i] = 0
	}
	slots := b[head:]
	for i, v := range w.num[:w.nNum] {
		binary.LittleEndian.PutUint64(slots[8*i:], v)
	}
	kept := 0
	for i := range w.nDat {
		it := &w.set.Items[w.datID[i]]
		at := len(dst) - base
		sp := w.dat[i]
		v := body[sp.from:sp.to]
		if it.Type == TText || it.Type == TBytes {
			dst = append(dst, v...)
		} else {
			var ok bool
			if dst, ok = w.tree(dst, it, v, body); !ok {
				continue
			}
		}
		p := dst[base+head+8*(w.nNum+kept):]
		binary.LittleEndian.PutUint32(p, uint32(at))
		binary.LittleEndian.PutUint32(p[4:], uint32(len(dst)-base-at))
		dst[base+blockHeader+w.nNum+kept] = w.datID[i]
		kept++
	}
	if kept != w.nDat {
		return w.squeeze(dst, base, head, n, kept, body)
	}
	return w.finish(dst, base, n, kept, body)
}

// tree appends a structured item's value tree.
func (w *BlockDecoder) tree(dst []byte, it *Item, v, body []byte) ([]byte, bool) {
	t := Tree{B: dst}
	at := len(dst)
	if it.Multi {
		n := w.multi(&t, it, body)
		if n == 0 {
			return t.B[:at], false
		}
		return t.B, true
	}
	if fe := it.tree(&t, v, 0); fe.Kind != NoFieldError {
		w.errs = append(w.errs, fe)
		return t.B[:at], false
	}
	return t.B, true
}

// multi appends the tuple of all occurrences of a repeating item. An ST 1010
// matrix (TSDCC) also names the tags that it is about (MISB ST 0601.19 §8.102).
func (w *BlockDecoder) multi(t *Tree, it *Item, body []byte) int {
	at, n := t.open(), 0
	since := 0
	for off := 0; off < len(body); {
		x, next, _ := Next(body, off)
		off = next
		if x.Tag != uint64(it.Tag) {
			continue
		}
		cut := len(t.B)
		if it.Type == TSDCC {
			if it.Check != nil && !it.Check(x.Value) {
				w.errs = append(w.errs, FieldError{Kind: TruncatedField, Tag: x.Tag})
				since = next
				continue
			}
			t.Tuple(2)
			matrixTags(t, body, since, x)
			t.Bytes(x.Value)
			since = next
			n++
			continue
		}
		if fe := it.tree(t, x.Value, 0); fe.Kind != NoFieldError {
			w.errs = append(w.errs, fe)
			t.B = t.B[:cut]
			continue
		}
		n++
	}
	t.shut(at, n)
	return n
}

// matrixTags appends the tags that a matrix is about: as many as it has rows,
// of those written just before it and behind the matrix before it.
func matrixTags(t *Tree, body []byte, since int, x TLV) {
	rows, _, _ := ReadOID(x.Value)
	total := uint64(0)
	for o := since; o < x.Start; total++ {
		_, o, _ = Next(body, o)
	}
	at, n := t.open(), 0
	for o := since; o < x.Start; total-- {
		y, next, _ := Next(body, o)
		if o = next; total <= rows {
			t.Uint(y.Tag)
			n++
		}
	}
	t.shut(at, n)
}

// squeeze closes the gaps that refused structured items left in the header:
// the head was sized for n slots, fewer are needed. It is the rare path and
// simply builds the block anew.
func (w *BlockDecoder) squeeze(dst []byte, base, head, n, kept int, body []byte) []byte {
	old := append([]byte(nil), dst[base:]...)
	dst = dst[:base]
	m := w.nNum + kept
	newHead := blockHeader + pad8(m)
	shift := head + 8*n - newHead - 8*m
	dst = grow(dst, newHead+8*m)
	b := dst[base:]
	copy(b, old[:blockHeader+m])
	for i := m; i < pad8(m); i++ {
		b[blockHeader+i] = 0
	}
	copy(b[newHead:], old[head:head+8*m])
	for i := w.nNum; i < m; i++ {
		p := b[newHead+8*i:]
		binary.LittleEndian.PutUint32(p, binary.LittleEndian.Uint32(p)-uint32(shift))
	}
	dst = append(dst, old[head+8*n:]...)
	return w.finish(dst, base, m, kept, body)
}

// finish appends the extras and fills the header.
func (w *BlockDecoder) finish(dst []byte, base, n, d int, body []byte) []byte {
	extras := 0
	if w.unknown+len(w.errs)+len(w.sent)+len(w.specials)+len(w.widths) > 0 {
		extras = len(dst) - base
		dst = w.extras(dst, body)
	}
	b := dst[base:]
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	binary.LittleEndian.PutUint16(b[4:], uint16(n))
	binary.LittleEndian.PutUint16(b[6:], uint16(d))
	binary.LittleEndian.PutUint32(b[blockExtras:], uint32(extras))
	binary.LittleEndian.PutUint32(b[blockExtras+4:], 0)
	return dst
}

func (w *BlockDecoder) extras(dst, body []byte) []byte {
	t := Tree{B: dst}
	if len(w.widths) > 0 {
		t.Tuple(5)
	} else {
		t.Tuple(4)
	}
	t.Tuple(w.unknown)
	for off, left := 0, w.unknown; left > 0; {
		x, next, _ := Next(body, off)
		off = next
		if w.set.Item(x.Tag) == nil && !w.set.IsReserved(x.Tag) {
			t.Tuple(2)
			t.Uint(x.Tag)
			t.Bytes(x.Value)
			left--
		}
	}
	t.Errors(w.errs)
	t.Tuple(len(w.sent))
	for _, tag := range w.sent {
		t.Uint(tag)
	}
	t.Tuple(len(w.specials))
	for _, sp := range w.specials {
		t.Tuple(3)
		t.Uint(sp.tag)
		t.Text(sp.sp.String())
		t.Uint(sp.payload)
	}
	if len(w.widths) > 0 {
		t.Tuple(len(w.widths))
		for _, x := range w.widths {
			t.Tuple(2)
			t.Uint(x.tag)
			t.Uint(uint64(x.n))
		}
	}
	return t.B
}

// grow extends b by n bytes without clearing them where it has the room.
func grow(b []byte, n int) []byte {
	if len(b)+n <= cap(b) {
		return b[:len(b)+n]
	}
	return append(b, make([]byte, n)...)
}
