package bits

import "math/bits"

// Writer appends bit fields to a buffer. The zero Writer is ready for use.
type Writer struct {
	buf  []byte
	free int // unused low bits of the last byte
}

// NewWriter appends to buf, which starts at a whole byte.
func NewWriter(buf []byte) Writer { return Writer{buf: buf} }

// U writes the low width bits of v, 0 to 64 of them.
func (w *Writer) U(width int, v uint64) {
	if width < 64 {
		v &= 1<<uint(width) - 1
	}
	for width > 0 {
		if w.free == 0 {
			w.buf = append(w.buf, 0)
			w.free = 8
		}
		n := min(width, w.free)
		part := byte(v >> uint(width-n) & (1<<uint(n) - 1))
		w.buf[len(w.buf)-1] |= part << uint(w.free-n)
		w.free -= n
		width -= n
	}
}

// Flag writes one bit.
func (w *Writer) Flag(v bool) {
	if v {
		w.U(1, 1)
		return
	}
	w.U(1, 0)
}

// UE writes an unsigned Exp-Golomb code (H.264 §9.1).
func (w *Writer) UE(v uint32) {
	k := uint64(v) + 1
	n := bits.Len64(k)
	w.U(n-1, 0)
	w.U(n, k)
}

// SE writes a signed Exp-Golomb code (H.264 §9.1.1).
func (w *Writer) SE(v int32) {
	if v > 0 {
		w.UE(uint32(v)*2 - 1)
		return
	}
	w.UE(uint32(-int64(v)) * 2)
}

// Trailing writes rbsp_trailing_bits: a one and zeros up to a whole byte.
func (w *Writer) Trailing() {
	w.U(1, 1)
	w.free = 0
}

// Align fills the last byte with zeros.
func (w *Writer) Align() { w.free = 0 }

// Bytes gives what was written; a last byte that is not full ends in zeros.
func (w *Writer) Bytes() []byte { return w.buf }

// Len tells how many bits the buffer holds.
func (w *Writer) Len() int { return len(w.buf)*8 - w.free }
