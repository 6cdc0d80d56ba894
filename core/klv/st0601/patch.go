package st0601

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// edit is one item to write: its tag, its TLVs in the scratch, and whether a
// place for it was found.
type edit struct {
	tag      uint64
	from, to int
	multi    bool
	done     bool
}

// Patch appends a copy of record in which the items of a block replace those
// of the same tags; other items keep their bytes. New items go in front of a
// trailing item 1, otherwise behind all, ascending by tag. Item 1 is computed
// anew wherever it stands, also where it was wrong; none is added. The label
// and what follows the record are kept.
func Patch(dst, record, block []byte, mark klv.Indicator) ([]byte, error) {
	body, _, end, err := klv.Envelope(record)
	if err != nil {
		return dst, err
	}
	scratch, err := Set.EncodeBlock(nil, block, klv.EncodeOptions{Mark: mark})
	if err != nil {
		return dst, err
	}
	edits := split(scratch)
	out := len(dst)
	dst = append(dst, record[:klv.ULSize]...)
	at := len(dst)
	dst = append(dst, 0)
	trailing := -1 // where a trailing item 1 begins in dst
	for off := 0; off < len(body); {
		t, next, ok := klv.Next(body, off)
		if !ok {
			return dst[:out], tsterr.At(tsterr.KLVTruncatedSet, "item", int64(off), "the item at byte %d of the body reaches beyond its end", off)
		}
		trailing = -1
		if t.Tag == tagChecksum {
			trailing = len(dst)
		}
		if e := find(edits, t.Tag); e == nil {
			dst = append(dst, body[off:next]...)
		} else {
			if !e.done || !e.multi {
				dst = append(dst, scratch[e.from:e.to]...)
			}
			e.done = true
		}
		off = next
	}
	dst = addNew(dst, scratch, edits, trailing)
	dst = klv.InsertLength(dst, at, len(dst)-at-1)
	resum(dst[out:])
	return append(dst, record[end:]...), nil
}

// split lists the items of an encoded body; neighbours of one tag are one edit.
func split(b []byte) []edit {
	edits := make([]edit, 0, 8)
	for off := 0; off < len(b); {
		t, next, _ := klv.Next(b, off)
		if n := len(edits); n > 0 && edits[n-1].tag == t.Tag {
			edits[n-1].to, edits[n-1].multi = next, true
		} else {
			it := Set.Item(t.Tag)
			edits = append(edits, edit{tag: t.Tag, from: off, to: next, multi: it != nil && it.Multi})
		}
		off = next
	}
	return edits
}

func find(edits []edit, tag uint64) *edit {
	for i := range edits {
		if edits[i].tag == tag {
			return &edits[i]
		}
	}
	return nil
}

// addNew adds the edits that replaced nothing, in front of a trailing item 1.
func addNew(dst, scratch []byte, edits []edit, trailing int) []byte {
	var last []byte
	if trailing >= 0 {
		last = append(last, dst[trailing:]...)
		dst = dst[:trailing]
	}
	for i := range edits {
		if !edits[i].done {
			dst = append(dst, scratch[edits[i].from:edits[i].to]...)
		}
	}
	return append(dst, last...)
}

// resum writes each item 1 of a record anew.
func resum(record []byte) {
	body, start, _, err := klv.Envelope(record)
	if err != nil {
		return
	}
	for off := 0; off < len(body); {
		t, next, ok := klv.Next(body, off)
		if !ok {
			return
		}
		if t.Tag == tagChecksum && len(t.Value) >= 2 {
			binary.BigEndian.PutUint16(t.Value, klv.RunningSum(record[:start+t.Body]))
		}
		off = next
	}
}
