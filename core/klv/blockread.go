package klv

import (
	"encoding/binary"
	"math"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Record is a view of one block. Its methods expect a block that this package
// wrote; ParseRecord checks one that came from outside.
type Record struct {
	set    *Set
	b      []byte
	n, d   int
	slots  int
	extras int
}

func errBlock(msg string) *tsterr.Error {
	return tsterr.New(tsterr.InvalidArg, "record block: %s", msg)
}

// ParseRecord checks a block's bounds and returns a view that aliases it.
func ParseRecord(s *Set, b []byte) (Record, *tsterr.Error) {
	if len(b) < blockHeader {
		return Record{}, errBlock("shorter than its header")
	}
	size := binary.LittleEndian.Uint32(b)
	r := Record{
		set: s, n: int(binary.LittleEndian.Uint16(b[4:])), d: int(binary.LittleEndian.Uint16(b[6:])),
		extras: int(binary.LittleEndian.Uint32(b[blockExtras:])),
	}
	r.slots = blockHeader + pad8(r.n)
	if uint64(size) > uint64(len(b)) || r.n > MaxFields || r.d > r.n || r.slots+8*r.n > int(size) || r.extras > int(size) {
		return Record{}, errBlock("its header does not fit its size")
	}
	r.b = b[:size]
	for i, id := range r.b[blockHeader : blockHeader+r.n] {
		if int(id) >= len(s.Items) {
			return Record{}, errBlock("unknown field index")
		}
		isData := s.Items[id].Class() > ClassInt
		if isData != (i >= r.n-r.d) {
			return Record{}, errBlock("a slot of the wrong class")
		}
		if isData {
			p := r.b[r.slots+8*i:]
			if uint64(binary.LittleEndian.Uint32(p))+uint64(binary.LittleEndian.Uint32(p[4:])) > uint64(size) {
				return Record{}, errBlock("data beyond its end")
			}
		}
	}
	return r, nil
}

// Len is the number of slots.
func (r *Record) Len() int { return r.n }

// UL is the universal label, aliasing the block.
func (r *Record) UL() []byte { return r.b[blockULStart : blockULStart+ULSize] }

// Slot gives item and raw slot number i.
func (r *Record) Slot(i int) (*Item, uint64) {
	return &r.set.Items[r.b[blockHeader+i]], binary.LittleEndian.Uint64(r.b[r.slots+8*i:])
}

// Data gives the bytes that a data slot points to.
func (r *Record) Data(slot uint64) []byte {
	at := uint32(slot)
	return r.b[at : at+uint32(slot>>32)]
}

// Find gives the slot of a field; false where the item is absent.
func (r *Record) Find(name string) (uint64, bool) {
	for i := range r.n {
		if it, v := r.Slot(i); it.Name == name {
			return v, true
		}
	}
	return 0, false
}

// Float gives a mapped number by field name.
func (r *Record) Float(name string) (float64, bool) {
	v, ok := r.Find(name)
	return math.Float64frombits(v), ok
}

// Text gives a text or bytes item by field name.
func (r *Record) Text(name string) (string, bool) {
	v, ok := r.Find(name)
	if !ok {
		return "", false
	}
	return string(r.Data(v)), true
}

// Extras gives the tuple (unknown, field errors, sentinel tags, IMAPB specials,
// and maybe unusual lengths); no value where the block has none.
func (r *Record) Extras() (Value, *tsterr.Error) {
	if r.extras == 0 {
		return Value{}, nil
	}
	v, _, err := ReadTree(r.b[r.extras:])
	if err == nil && (v.Form != '(' || v.Len != 4 && v.Len != 5) {
		err = errBlock("extras are not a tuple of four or five")
	}
	return v, err
}
