package klv

import (
	"encoding/binary"
	"math"
)

// Table collects records of one set as columns: one value a row and item, no
// object a record. The zero value with Set filled in is ready.
type Table struct {
	Set     *Set
	dec     BlockDecoder
	cols    [MaxFields]*column
	rows    int
	scratch []byte

	labels   [][]byte // distinct universal labels
	labelRow []int32
	extras   []extra
}

type extra struct {
	row  int
	tree []byte
}

// column holds one item. Rows before the first value and behind the last are
// not stored: start is the row of vals[0].
type column struct {
	start int
	count int // values present
	vals  []uint64
	valid []uint64 // one bit a stored row
	index map[string]int64
	dict  [][]byte
}

// Rows is the number of rows.
func (t *Table) Rows() int { return t.rows }

// Add appends one row from a record's label and body, which Walk accepted on
// t.Decoder.
func (t *Table) Add(ul, body []byte) {
	row := t.rows
	t.rows++
	w := &t.dec
	for i, bits := range w.num[:w.nNum] {
		t.col(w.numID[i], row).put(row, bits)
	}
	for i := range w.nDat {
		id := w.datID[i]
		it := &t.Set.Items[id]
		v := body[w.dat[i].from:w.dat[i].to]
		if it.Class() == ClassTree {
			var ok bool
			if t.scratch, ok = w.tree(t.scratch[:0], it, v, body); !ok {
				continue
			}
			v = t.scratch
		}
		c := t.col(id, row)
		c.put(row, uint64(c.lookup(v)))
	}
	t.label(ul)
	if w.unknown > 0 || len(w.errs) > 0 || len(w.sent) > 0 || len(w.specials) > 0 {
		t.extras = append(t.extras, extra{row, w.extras(nil, body)})
	}
}

// Decoder is what walks a body before Add.
func (t *Table) Decoder() *BlockDecoder { return &t.dec }

func (t *Table) col(id uint8, row int) *column {
	c := t.cols[id]
	if c == nil {
		c = &column{start: row}
		t.cols[id] = c
	}
	return c
}

func (c *column) put(row int, bits uint64) {
	at := row - c.start
	for len(c.vals) < at {
		c.vals = append(c.vals, 0)
	}
	c.vals = append(c.vals, bits)
	for len(c.valid) <= at>>6 {
		c.valid = append(c.valid, 0)
	}
	c.valid[at>>6] |= 1 << (at & 63)
	c.count++
}

// lookup gives the dictionary index of v.
func (c *column) lookup(v []byte) int64 {
	if n := len(c.dict); n > 0 && string(c.dict[n-1]) == string(v) {
		return int64(n - 1) // text seldom changes
	}
	if i, ok := c.index[string(v)]; ok {
		return i
	}
	if c.index == nil {
		c.index = map[string]int64{}
	}
	i := int64(len(c.dict))
	own := append([]byte(nil), v...)
	c.dict = append(c.dict, own)
	c.index[string(own)] = i
	return i
}

func (t *Table) label(ul []byte) {
	for i := len(t.labels) - 1; i >= 0; i-- {
		if string(t.labels[i]) == string(ul) {
			t.labelRow = append(t.labelRow, int32(i))
			return
		}
	}
	t.labelRow = append(t.labelRow, int32(len(t.labels)))
	t.labels = append(t.labels, append([]byte(nil), ul...))
}

// Present gives how many rows have a field.
func (t *Table) Present(field int) int {
	if field >= len(t.Set.Items) || t.cols[field] == nil {
		return 0
	}
	return t.cols[field].count
}

// Column fills values (8 bytes a row) and, where not nil, valid (one byte a
// row). Absent numbers are NaN or 0, absent data -1.
func (t *Table) Column(field int, values, valid []byte) {
	class := t.Set.Items[field].Class()
	none := uint64(0)
	switch {
	case class == ClassFloat:
		none = math.Float64bits(math.NaN())
	case class > ClassInt:
		none = math.MaxUint64
	}
	c := t.cols[field]
	for row := range t.rows {
		bits, ok := none, false
		if c != nil {
			if at := row - c.start; at >= 0 && at < len(c.vals) && c.valid[at>>6]>>(at&63)&1 != 0 {
				bits, ok = c.vals[at], true
			}
		}
		binary.NativeEndian.PutUint64(values[8*row:], bits)
		if valid != nil {
			valid[row] = 0
			if ok {
				valid[row] = 1
			}
		}
	}
}

// Dictionary appends the distinct values of a data column as a tuple.
func (t *Table) Dictionary(w *Tree, field int) {
	c := t.cols[field]
	if c == nil {
		w.Tuple(0)
		return
	}
	w.Tuple(len(c.dict))
	for _, v := range c.dict {
		switch t.Set.Items[field].Class() {
		case ClassText:
			w.textBytes(v)
		case ClassTree:
			w.B = append(w.B, v...)
		default:
			w.Bytes(v)
		}
	}
}

// Extras appends (extras, labels, label index a row).
func (t *Table) Extras(w *Tree) {
	w.Tuple(3)
	w.Tuple(len(t.extras))
	for _, e := range t.extras {
		w.Tuple(2)
		w.Uint(uint64(e.row))
		w.B = append(w.B, e.tree...)
	}
	w.Tuple(len(t.labels))
	for _, l := range t.labels {
		w.Bytes(l)
	}
	b := make([]byte, 0, 4*len(t.labelRow))
	for _, i := range t.labelRow {
		b = binary.NativeEndian.AppendUint32(b, uint32(i))
	}
	w.Bytes(b)
}
