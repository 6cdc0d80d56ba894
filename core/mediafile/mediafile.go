// Package mediafile reads the coded pictures of a file, one access unit at a
// time and with their times, for those who put them into another stream: the
// video track of an MP4 file, plain or fragmented, and raw H.264 and HEVC
// streams, whose times are made from the frame rate and the picture order.
//
// Specifications: ISO/IEC 14496-12 (boxes), 14496-15 (samples of H.264 and
// HEVC), ITU-T H.264 §7.4.1.2.3 and §8.2.1, H.265 §7.4.2.4.4 and §8.3.1 (access
// units, picture order count).
package mediafile

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
	"os"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Limits on what a file can make the reader hold.
const (
	maxMoov    = 256 << 20 // the movie box of a day at 60 pictures a second
	maxSamples = 1 << 24
	maxUnit    = 64 << 20 // one picture
)

// Config says what the file does not. The zero value works.
type Config struct {
	// FPSNum and FPSDen are the frame rate of a raw stream. It defaults to
	// that of the stream, else to 30/1.
	FPSNum, FPSDen uint32
}

// unit is where an access unit stands, and when it belongs.
type unit struct {
	offset   int64
	size     uint32
	pts, dts int64 // 90 kHz ticks
	key      bool
}

// Reader gives the access units of one file in decoding order.
type Reader struct {
	f     *os.File
	codec codec.Video
	units []unit
	next  int

	lengthSize int    // of the lengths before NAL units in an MP4 file; 0: start codes
	sets       []byte // parameter sets with start codes, for random access points
	raw        []byte
	fps        codec.Rational
}

// Unit describes an access unit.
type Unit struct {
	PTS, DTS int64 // 90 kHz ticks; the first DTS is 0 or below
	Key      bool  // decoding can start here
	Size     int   // bytes in the file
}

// Open reads the index of an MP4 file, or makes one of a raw stream.
func Open(path string, cfg Config) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ioError(err)
	}
	r := &Reader{f: f}
	if err := r.index(cfg); err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

func (r *Reader) index(cfg Config) error {
	st, err := r.f.Stat()
	if err != nil {
		return ioError(err)
	}
	head := make([]byte, 64)
	n, err := io.ReadFull(r.f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { //nolint:errorlint // ReadFull returns them bare
		return ioError(err)
	}
	head = head[:n]
	switch {
	case len(head) >= 8 && isBox(string(head[4:8])):
		return r.indexMP4(st.Size())
	case codec.IndexStartCode(head, 0) >= 0 && bytes.Trim(head[:codec.IndexStartCode(head, 0)], "\x00") == nil:
		return r.indexRaw(st.Size(), cfg)
	}
	return tsterr.New(tsterr.NotSupported, "neither an MP4 file nor a raw H.264 or HEVC stream")
}

func isBox(name string) bool {
	switch name {
	case "ftyp", "moov", "mdat", "free", "skip", "wide", "styp", "sidx", "moof", "uuid", "pnot":
		return true
	}
	return false
}

// Codec is H264 or H265.
func (r *Reader) Codec() codec.Video { return r.codec }

// Len is the number of access units.
func (r *Reader) Len() int { return len(r.units) }

// FrameRate is that of a raw stream; ok is false for others.
func (r *Reader) FrameRate() (rate codec.Rational, ok bool) { return r.fps, r.fps.Num != 0 }

// Peek describes the next access unit; ok is false at the end.
func (r *Reader) Peek() (u Unit, ok bool) {
	if r.next >= len(r.units) {
		return Unit{}, false
	}
	n := &r.units[r.next]
	return Unit{PTS: n.pts, DTS: n.dts, Key: n.key, Size: int(n.size)}, true
}

// Next returns the next access unit as an Annex B stream, valid until the call
// after it, and io.EOF at the end. Random access points of MP4 files carry
// their parameter sets, and each access unit its delimiter, as a transport
// stream wants it (ISO/IEC 13818-1 §2.14.1).
func (r *Reader) Next(dst []byte) ([]byte, Unit, error) {
	u, ok := r.Peek()
	if !ok {
		return dst, u, io.EOF
	}
	n := &r.units[r.next]
	if cap(r.raw) < int(n.size) {
		r.raw = make([]byte, int(n.size)+int(n.size)/4)
	}
	r.raw = r.raw[:n.size]
	if _, err := r.f.ReadAt(r.raw, n.offset); err != nil {
		return dst, u, ioError(err)
	}
	r.next++
	if r.lengthSize == 0 {
		return r.annexB(dst, r.raw), u, nil
	}
	out, err := r.fromLengths(dst, n.key)
	return out, u, err
}

// delimiter is the access unit delimiter of the codec: any slice type.
func (r *Reader) delimiter() []byte {
	if r.codec == codec.H265 {
		return []byte{0, 0, 0, 1, 0x46, 0x01, 0x50}
	}
	return []byte{0, 0, 0, 1, 0x09, 0xF0}
}

func (r *Reader) isDelimiter(header byte) bool {
	if r.codec == codec.H265 {
		return header>>1&0x3F == 35
	}
	return header&0x1F == 9
}

// annexB puts a delimiter before an access unit that has none.
func (r *Reader) annexB(dst, au []byte) []byte {
	sc := codec.IndexStartCode(au, 0)
	if sc < 0 || sc+3 >= len(au) || !r.isDelimiter(au[sc+3]) {
		dst = append(dst, r.delimiter()...)
	}
	return append(dst, au...)
}

// fromLengths turns a sample into an access unit.
func (r *Reader) fromLengths(dst []byte, key bool) ([]byte, error) {
	b := r.raw
	first := true
	for len(b) > 0 {
		if len(b) < r.lengthSize {
			return dst, malformed("a sample ends in the length of a NAL unit")
		}
		n := 0
		for _, c := range b[:r.lengthSize] {
			n = n<<8 | int(c)
		}
		b = b[r.lengthSize:]
		if n > len(b) {
			return dst, malformed("a NAL unit of %d bytes in a sample with %d left", n, len(b))
		}
		nal := b[:n]
		b = b[n:]
		if n == 0 {
			continue
		}
		if first {
			first = false
			if r.isDelimiter(nal[0]) {
				dst = append(append(dst, 0, 0, 0, 1), nal...)
				nal = nil
			} else {
				dst = append(dst, r.delimiter()...)
			}
			if key {
				dst = append(dst, r.sets...)
			}
			if nal == nil {
				continue
			}
		}
		dst = append(append(dst, 0, 0, 0, 1), nal...)
	}
	if first {
		return dst, malformed("a sample without a NAL unit")
	}
	return dst, nil
}

// Close closes the file.
func (r *Reader) Close() error {
	if err := r.f.Close(); err != nil {
		return ioError(err)
	}
	return nil
}

func malformed(format string, args ...any) error {
	return tsterr.New(tsterr.MP4InputMalformed, format, args...)
}

func ioError(err error) error { return tsterr.IOError(err, "cannot read") }

// rescale gives t of so many ticks a second in 90 kHz ticks, rounded.
func rescale(t int64, scale uint32) int64 {
	neg := t < 0
	if neg {
		t = -t
	}
	hi, lo := bits.Mul64(uint64(t), 90_000)
	lo, carry := bits.Add64(lo, uint64(scale)/2, 0)
	hi += carry
	if hi >= uint64(scale) {
		return 0
	}
	q, _ := bits.Div64(hi, lo, uint64(scale))
	if neg {
		return -int64(q)
	}
	return int64(q)
}

func u16(b []byte) int    { return int(binary.BigEndian.Uint16(b)) }
func u32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
