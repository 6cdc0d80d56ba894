package codec

import (
	"bytes"
	"encoding/binary"
)

// StartCode finds the first Annex B start code (00 00 01, or 00 00 00 01) in
// buf at or after from (H.264 and H.265 §B.1). The code is buf[start:end]; both
// are -1 when there is none.
func StartCode(buf []byte, from int) (start, end int) {
	i := IndexStartCode(buf, from)
	if i < 0 {
		return -1, -1
	}
	start = i
	if i > from && buf[i-1] == 0 {
		start--
	}
	return start, i + 3
}

// NALs iterates over the NAL units of an Annex B byte stream:
//
//	for n := codec.NewNALs(au); n.Next(); {
//		use(n.Unit)
//	}
//
// Bytes before the first start code and empty units are passed over. A unit
// keeps its emulation prevention bytes, and the last one its trailing zeros.
type NALs struct {
	// Unit is the current NAL unit with its header; it aliases the buffer.
	Unit []byte
	// Offset is where Unit starts in the buffer.
	Offset int

	buf  []byte
	next int // where the unit after the current one starts, -1 after the last
}

// NewNALs starts an iteration; buf is read as it goes.
func NewNALs(buf []byte) NALs {
	_, end := StartCode(buf, 0)
	return NALs{buf: buf, next: end}
}

// Next goes to the next unit, and tells whether there is one.
func (n *NALs) Next() bool {
	for n.next >= 0 && n.next < len(n.buf) {
		from := n.next
		start, end := StartCode(n.buf, from)
		n.next = end
		if start < 0 {
			start = len(n.buf)
		}
		if start > from {
			n.Unit, n.Offset = n.buf[from:start:start], from
			return true
		}
	}
	n.Unit = nil
	return false
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// zeroPairs is not 0 when two neighbouring bytes of the nine in b are zero; the
// well-known test for a zero byte in a word, on the bytes or-ed with their
// neighbours. It may be wrong the other way: the caller looks closely.
func zeroPairs(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[1:])
	return (v - lowBits) &^ v & highBits
}

const (
	// denseGap is the distance between zero bytes, in bytes, below which the
	// next denseSpan bytes are tested word by word.
	denseGap  = 16
	denseSpan = 256
)

// IndexStartCode finds the first 00 00 01 at or after from, -1 when there is
// none. Coded pictures have a zero byte every few hundred bytes, so the search
// jumps from one to the next; where they crowd, words are tested instead.
func IndexStartCode(buf []byte, from int) int {
	for i := from; i+2 < len(buf); {
		gap := bytes.IndexByte(buf[i:], 0)
		if gap < 0 {
			return -1
		}
		i += gap
		switch {
		case i+2 >= len(buf):
			return -1
		case buf[i+1] != 0:
			i += 2
		case buf[i+2] == 1:
			return i
		default:
			i++
		}
		if gap >= denseGap {
			continue
		}
		end := min(i+denseSpan, len(buf))
		// A code that starts before end may end up to two bytes on.
		if j := indexDense(buf[:min(end+2, len(buf))], i); j >= 0 {
			return j
		}
		i = end
	}
	return -1
}

// indexDense is IndexStartCode, 32 bytes at a time.
func indexDense(buf []byte, from int) int {
	i := from
	for ; i+33 <= len(buf); i += 32 {
		b := buf[i : i+33 : i+33]
		if zeroPairs(b)|zeroPairs(b[8:])|zeroPairs(b[16:])|zeroPairs(b[24:]) == 0 {
			continue
		}
		// A code that starts here may end up to two bytes on.
		if j := indexSlow(buf[i:min(i+34, len(buf))]); j >= 0 {
			return i + j
		}
	}
	if j := indexSlow(buf[i:]); j >= 0 {
		return i + j
	}
	return -1
}

func indexSlow(b []byte) int {
	for i := 2; i < len(b); i++ {
		switch {
		case b[i] > 1:
			i += 2
		case b[i] == 1 && b[i-1] == 0 && b[i-2] == 0:
			return i - 2
		}
	}
	return -1
}
