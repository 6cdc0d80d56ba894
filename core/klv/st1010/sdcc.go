// Package st1010 reads and writes standard deviation and correlation
// coefficient matrices in the floating length pack form (MISB ST 1010.3,
// SDCC-FLP), as ST 0601 item 102 and ST 1202 item 9 carry them.
package st1010

import (
	"encoding/binary"
	"math"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// MaxSize bounds the matrix size that is accepted: a larger one cannot refer
// to the items of any set here.
const MaxSize = 256

// Matrix is a decoded SDCC-FLP.
type Matrix struct {
	Size         int
	StdDevs      []float64 // one an element, empty where the pack carries none
	Correlations []float64 // upper triangle by rows, absent ones 0
	Present      []bool    // which correlations the pack carried
}

// correlation is the map of correlation coefficients.
var correlation = klv.NewIMAPB(-1, 1)

// layout is what the parse control says (MISB ST 1010.3 §6.3.2).
//
//	mode 1, one byte:   0 | std dev length (3) | sparse (1) | correlation length (3)
//	mode 2, two bytes:  1 | 0 | sparse (1) | correlation is IMAPB (1) | correlation length (4)
//	                    0 | 0 | 0 | std dev is IMAPB (1) | std dev length (4)
type layout struct {
	stdLen, corrLen     int
	stdIMAPB, corrIMAPB bool
	sparse              bool
	used                int
}

func control(b []byte) (l layout, ok bool) {
	if len(b) == 0 {
		return l, false
	}
	c := b[0]
	if c&0x80 == 0 {
		return layout{stdLen: int(c >> 4 & 7), sparse: c&8 != 0, corrLen: int(c & 7), corrIMAPB: true, used: 1}, true
	}
	if len(b) < 2 {
		return l, false
	}
	d := b[1]
	return layout{
		stdLen: int(d & 15), stdIMAPB: d&0x10 != 0, sparse: c&0x20 != 0,
		corrLen: int(c & 15), corrIMAPB: c&0x10 != 0, used: 2,
	}, true
}

func (l *layout) supported() bool {
	std := l.stdLen == 0 || !l.stdIMAPB && (l.stdLen == 4 || l.stdLen == 8)
	corr := l.corrLen == 0 || l.corrIMAPB && l.corrLen <= 8 || l.corrLen == 4 || l.corrLen == 8
	return std && corr
}

func truncated(off int, what string) error {
	return tsterr.At(tsterr.KLVTruncatedSet, what, int64(off), "SDCC-FLP ends before its %s", what)
}

// Readable reports whether b parses.
func Readable(b []byte) bool {
	_, err := Decode(b)
	return err == nil
}

// Decode reads a pack. Standard deviations in IMAPB form need the range of
// the item each belongs to and are refused as malformed.
func Decode(b []byte) (*Matrix, error) {
	size, used, ok := klv.ReadOID(b)
	if !ok {
		return nil, truncated(0, "matrix_size")
	}
	if size > MaxSize {
		return nil, tsterr.At(tsterr.KLVMalformedBytes, "matrix_size", 0, "matrix size %d is outside [0, %d]", size, MaxSize)
	}
	l, ok := control(b[used:])
	if !ok {
		return nil, truncated(used, "parse_control")
	}
	if !l.supported() {
		return nil, tsterr.At(tsterr.KLVMalformedBytes, "parse_control", int64(used), "a form of standard deviation or correlation that is not supported")
	}
	n := int(size)
	pairs := n * (n - 1) / 2
	at := used + l.used
	want := at
	var bitmap []byte
	if l.sparse {
		bytes := (pairs + 7) / 8
		if len(b)-at < bytes {
			return nil, truncated(at, "bit_vector")
		}
		bitmap = b[at : at+bytes]
		at += bytes
		want = at
	}
	m := &Matrix{Size: n, Correlations: make([]float64, pairs), Present: make([]bool, pairs)}
	count := 0
	for i := range m.Present {
		m.Present[i] = l.corrLen > 0 && (bitmap == nil || bitmap[i/8]>>(7-i%8)&1 != 0)
		if m.Present[i] {
			count++
		}
	}
	if n > 0 && l.stdLen == 0 && l.corrLen == 0 {
		return nil, tsterr.At(tsterr.KLVMalformedBytes, "parse_control", int64(used), "neither standard deviations nor correlations")
	}
	want += n*l.stdLen + count*l.corrLen
	if len(b) < want {
		return nil, truncated(len(b), "values")
	}
	if len(b) > want {
		return nil, tsterr.At(tsterr.KLVMalformedBytes, "values", int64(want), "expected %d value bytes, got %d", want, len(b))
	}
	if l.stdLen > 0 {
		m.StdDevs = make([]float64, n)
		for i := range m.StdDevs {
			m.StdDevs[i] = float(b[at : at+l.stdLen])
			at += l.stdLen
		}
	}
	for i := range m.Correlations {
		if !m.Present[i] {
			continue
		}
		v := b[at : at+l.corrLen]
		at += l.corrLen
		if !l.corrIMAPB {
			m.Correlations[i] = float(v)
			continue
		}
		x, sp, _, ok := correlation.Decode(be(v), l.corrLen)
		if !ok && sp == klv.NotSpecial {
			return nil, tsterr.At(tsterr.KLVMalformedBytes, "correlations", int64(at), "correlation %d is outside [-1, 1]", i)
		}
		m.Correlations[i] = x
	}
	return m, nil
}

func be(v []byte) (u uint64) {
	for _, c := range v {
		u = u<<8 | uint64(c)
	}
	return u
}

func float(v []byte) float64 {
	if len(v) == 4 {
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v)))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(v))
}

// AppendMode2 appends a mode 2 pack: float32 standard deviations, correlations
// in IMAPB of corrLen bytes. Zero correlations are left out where the bit
// vector that this takes makes the pack shorter.
func AppendMode2(dst []byte, std, corr []float64, corrLen int) ([]byte, error) {
	n := len(std)
	pairs := n * (n - 1) / 2
	if len(corr) != pairs || n > MaxSize {
		return dst, tsterr.New(tsterr.KLVEncOutOfRange, "%d standard deviations want %d correlations, got %d", n, pairs, len(corr)).With("tag", 0)
	}
	if corrLen < 1 || corrLen > 8 {
		return dst, tsterr.New(tsterr.KLVEncUnsupportedIMAPBLength, "IMAPB length %d not supported (must be 1..=8)", corrLen)
	}
	count := 0
	for _, r := range corr {
		if !(r >= -1 && r <= 1) {
			return dst, tsterr.New(tsterr.KLVEncOutOfRange, "correlation %v is outside [-1, 1]", r).With("tag", 0)
		}
		if r != 0 {
			count++
		}
	}
	bitmap := (pairs + 7) / 8
	sparse := bitmap+count*corrLen < pairs*corrLen
	dst = klv.AppendOID(dst, uint64(n))
	c := 0x90 | byte(corrLen)
	if sparse {
		c |= 0x20
	}
	dst = append(dst, c, 4)
	if sparse {
		at := len(dst)
		dst = append(dst, make([]byte, bitmap)...)
		for i, r := range corr {
			if r != 0 {
				dst[at+i/8] |= 0x80 >> (i % 8)
			}
		}
	}
	for _, s := range std {
		dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(s)))
	}
	for _, r := range corr {
		if sparse && r == 0 {
			continue
		}
		code, _ := correlation.Encode(r, corrLen)
		for i := corrLen - 1; i >= 0; i-- {
			dst = append(dst, byte(code>>(8*i)))
		}
	}
	return dst, nil
}
