package bits

import (
	"encoding/binary"
	"math/bits"

	"github.com/tstrans/tstrans/core/tsterr"
)

// maxGolombZeros is the longest prefix of an Exp-Golomb code: ue(v) goes up to
// 2^32-2 (H.264 §9.1), whose code has 31 zeros, a one and 31 more bits.
const maxGolombZeros = 31

// Reader reads bit fields from a buffer. The first read past the end, or the
// first malformed code, is kept: from then on every read gives zero, so that a
// parser checks Err once for a run of fields.
//
// A reader of an RBSP skips emulation prevention bytes (00 00 03) on the fly,
// so that the head of a large slice costs nothing for its tail. The offsets in
// errors count bits of the buffer, those bytes included.
//
// The zero Reader is empty. The buffer is only read, and not kept beyond the
// life of the Reader.
type Reader struct {
	buf   []byte
	next  int    // index of the next byte to load
	cache uint64 // unread bits, left-aligned
	n     int    // how many bits of cache are unread
	done  int    // bits given out
	zeros int    // zero bytes just loaded, for emulation prevention
	rbsp  bool
	fail  failure
}

// failure is what an error is made from; it is kept as values so that a Reader
// can live on the stack.
type failure struct {
	kind   tsterr.Kind
	offset int
	needed int
}

// NewReader reads plain bytes. A field that does not fit fails with the offset
// of its first bit and its whole width.
func NewReader(buf []byte) Reader { return Reader{buf: buf} }

// NewRBSP reads the bytes after a NAL unit header, emulation prevention bytes
// still in place. A field that does not fit fails at the end of the data, with
// one bit missing: Exp-Golomb codes have no width to tell.
func NewRBSP(buf []byte) Reader { return Reader{buf: buf, rbsp: true} }

// fill loads bytes until 57 bits or more are there, or the buffer ends. Eight
// bytes without a zero among them cannot hold emulation prevention, unless zeros
// came before, so that they are loaded at once.
func (r *Reader) fill() {
	if r.next+8 <= len(r.buf) {
		v := binary.BigEndian.Uint64(r.buf[r.next:])
		if !r.rbsp || (r.zeros == 0 && (v-lowBits)&^v&highBits == 0) {
			k := (64 - r.n) / 8
			r.cache |= v >> uint(r.n) &^ (1<<uint(64-r.n-8*k) - 1)
			r.n += 8 * k
			r.next += k
			return
		}
	}
	for r.n <= 56 && r.next < len(r.buf) {
		b := r.buf[r.next]
		r.next++
		if r.rbsp {
			if b == 3 && r.zeros >= 2 {
				r.zeros = 0
				continue
			}
			if b == 0 {
				r.zeros++
			} else {
				r.zeros = 0
			}
		}
		r.cache |= uint64(b) << (56 - r.n)
		r.n += 8
	}
}

// The constants of the test for a zero byte in a word.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// U reads an unsigned field of 0 to 32 bits.
func (r *Reader) U(width int) uint32 {
	if r.n < width {
		r.fill()
		if r.n < width {
			r.short(width)
			return 0
		}
	}
	v := uint32(r.cache >> 32 >> (32 - uint(width)))
	r.take(width)
	return v
}

// U64 reads an unsigned field of 0 to 64 bits.
func (r *Reader) U64(width int) uint64 {
	if width <= 32 {
		return uint64(r.U(width))
	}
	hi := uint64(r.U(width - 32))
	return hi<<32 | uint64(r.U(32))
}

// Flag reads one bit.
func (r *Reader) Flag() bool { return r.U(1) != 0 }

// Skip passes over width bits.
func (r *Reader) Skip(width int) {
	for width > 32 && r.fail.kind == 0 {
		r.U(32)
		width -= 32
	}
	if width <= 32 {
		r.U(width)
	}
}

// UE reads an unsigned Exp-Golomb code, ue(v) (H.264 §9.1).
func (r *Reader) UE() uint32 {
	if r.n < 32 {
		r.fill()
	}
	// A code whose bits are all loaded, the usual case.
	if z := bits.LeadingZeros64(r.cache); z < 16 && 2*z < r.n {
		v := uint32(r.cache>>uint(63-2*z)) - 1
		r.take(2*z + 1)
		return v
	}
	start := r.done
	zeros := 0
	for {
		if r.n == 0 {
			r.fill()
			if r.n == 0 {
				r.short(1)
				return 0
			}
		}
		z := bits.LeadingZeros64(r.cache)
		if z >= r.n {
			zeros += r.n
			if zeros > maxGolombZeros {
				r.stop(tsterr.CodecInvalidGolomb, start, 0)
				return 0
			}
			r.take(r.n)
			continue
		}
		zeros += z
		r.take(z + 1)
		break
	}
	if zeros > maxGolombZeros {
		r.stop(tsterr.CodecInvalidGolomb, start, 0)
		return 0
	}
	return 1<<zeros - 1 + r.U(zeros)
}

// SE reads a signed Exp-Golomb code, se(v) (H.264 §9.1.1).
func (r *Reader) SE() int32 {
	k := r.UE()
	if k&1 != 0 {
		return int32(k>>1 + 1) //nolint:gosec // the table of §9.1.1 maps 2^32-1 to -2^31
	}
	return -int32(k >> 1) //nolint:gosec // k>>1 is below 2^31
}

// Align passes over bits up to the next whole byte.
func (r *Reader) Align() { r.U(-r.done & 7) }

// Offset tells how many bits have been read.
func (r *Reader) Offset() int { return r.done }

// Failed tells whether a read has failed; loops over counts that come from the
// input end on it.
func (r *Reader) Failed() bool { return r.fail.kind != 0 }

// Err gives the first failure, a *tsterr.Error with the attributes offset_bits
// and, for missing data, needed_bits.
func (r *Reader) Err() error {
	f := r.fail
	if f.kind == 0 {
		return nil
	}
	f.offset = r.position(f.offset)
	switch f.kind {
	case tsterr.CodecInvalidGolomb:
		return tsterr.At(f.kind, "", int64(f.offset/8), "invalid Exp-Golomb code at bit %d", f.offset).
			With("offset_bits", int64(f.offset))
	default:
		return Short(f.offset, f.needed)
	}
}

// position turns an offset in bits read into one in the buffer, just behind the
// last bit read before it; a negative one means the end of the buffer.
func (r *Reader) position(offset int) int {
	if offset < 0 {
		return len(r.buf) * 8
	}
	if !r.rbsp || offset == 0 {
		return offset
	}
	last, zeros := (offset-1)/8, 0
	for i, b := range r.buf {
		if b == 3 && zeros >= 2 {
			zeros = 0
			continue
		}
		if last == 0 {
			return i*8 + (offset-1)&7 + 1
		}
		last--
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return len(r.buf) * 8
}

// Short is the error for data that ends before a field does.
func Short(offset, needed int) error {
	return tsterr.At(tsterr.CodecTruncatedRBSP, "", int64(offset/8),
		"truncated RBSP at bit %d (needed %d more bits)", offset, needed).
		With("offset_bits", int64(offset)).With("needed_bits", int64(needed))
}

func (r *Reader) take(width int) {
	r.cache <<= uint(width)
	r.n -= width
	r.done += width
}

func (r *Reader) short(width int) {
	if r.rbsp {
		r.stop(tsterr.CodecTruncatedRBSP, -1, 1)
		return
	}
	r.stop(tsterr.CodecTruncatedRBSP, r.done, width)
}

// stop keeps the first failure and empties the reader.
func (r *Reader) stop(kind tsterr.Kind, offset, needed int) {
	if r.fail.kind == 0 {
		r.fail = failure{kind, offset, needed}
	}
	r.cache, r.n, r.next = 0, 0, len(r.buf)
}
