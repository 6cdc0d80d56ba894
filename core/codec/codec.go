// Package codec holds what the codec packages below it share: colour
// description, frame rates, access unit iteration and the shape of their errors.
//
// Specifications of the packages below: ITU-T H.264 (08/2021), H.265 (08/2021),
// H.266 (04/2022), H.273 (code points), AV1 bitstream 1.0.0 with errata 1,
// carriage of AV1 in MPEG-2 TS 1.0.1, ISO/IEC 14496-3 (ADTS, LOAS),
// ISO/IEC 11172-3 and 13818-3 (MPEG audio), MISB ST 0604.
package codec

import (
	"errors"

	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Rational is an unsigned fraction as the bitstream gives it, not reduced.
type Rational struct {
	Num, Den uint32
}

// Color is a colour description in the code points of ITU-T H.273; 2 stands for
// unspecified.
type Color struct {
	Primaries uint8
	Transfer  uint8
	Matrix    uint8
	FullRange bool
}

// Unspecified is the H.273 code point for "unspecified" in all three tables.
const Unspecified = 2

// ChromaFormat is chroma_format_idc of H.264, H.265 and H.266.
type ChromaFormat uint8

// The chroma formats (H.264 table 6-1).
const (
	Monochrome ChromaFormat = iota
	YUV420
	YUV422
	YUV444
)

// Subsampling tells SubWidthC and SubHeightC: luma samples a chroma sample
// covers in each direction, 1 without chroma.
func (c ChromaFormat) Subsampling() (w, h uint32) {
	switch c {
	case YUV420:
		return 2, 2
	case YUV422:
		return 2, 1
	default:
		return 1, 1
	}
}

// Reserved is the error for a value that the standard reserves.
func Reserved(field string, v uint64) error {
	return tsterr.At(tsterr.CodecReservedValue, field, tsterr.NoOffset, "reserved value %d in field '%s'", v, field).
		With("value", int64(min(v, 1<<63-1))) //nolint:gosec // bounded
}

// Crop is a cropping rectangle: distances in luma samples from each edge.
type Crop struct {
	Left, Right, Top, Bottom uint32
}

// Size subtracts a crop from a coded size. A crop must leave a sample in each
// direction.
func (c Crop) Size(codedWidth, codedHeight uint32, names CropNames) (w, h uint32, err error) {
	if sum := AddSat(c.Left, c.Right); sum > 0 && sum >= codedWidth {
		return 0, 0, Reserved(names.Horizontal, uint64(sum))
	}
	if sum := AddSat(c.Top, c.Bottom); sum > 0 && sum >= codedHeight {
		return 0, 0, Reserved(names.Vertical, uint64(sum))
	}
	return codedWidth - c.Left - c.Right, codedHeight - c.Top - c.Bottom, nil
}

// CropNames names the sums of offsets of a standard, for errors.
type CropNames struct {
	Horizontal, Vertical string
}

// AddSat adds, and stays at the largest value instead of wrapping.
func AddSat(a, b uint32) uint32 {
	return uint32(min(uint64(a)+uint64(b), 1<<32-1)) //nolint:gosec // bounded
}

// MulSat multiplies, and stays at the largest value instead of wrapping.
func MulSat(a, b uint32) uint32 {
	return uint32(min(uint64(a)*uint64(b), 1<<32-1)) //nolint:gosec // bounded
}

// Named puts the name of a codec before the message of an error made by the
// functions of this package or of bits: "h264: truncated RBSP at bit 8 ...".
func Named(name string, err error) error {
	if err == nil {
		return nil
	}
	var e *tsterr.Error
	if errors.As(err, &e) {
		e.Msg = name + ": " + e.Msg
	}
	return err
}

// Limited reads a ue(v) that may not exceed most.
func Limited(r *bits.Reader, most uint32, field string) (uint32, error) {
	v := r.UE()
	if r.Failed() {
		return 0, r.Err()
	}
	if v > most {
		return 0, Reserved(field, uint64(v))
	}
	return v, nil
}

// Truncated is the error for a frame of needed bytes of which had are there.
func Truncated(needed, had int) error {
	return tsterr.New(tsterr.CodecTruncated, "truncated: needed %d bytes, had %d", needed, had).
		With("needed", int64(needed)).With("had", int64(had))
}

// BadSync is the error for a sync word that is not the expected one.
func BadSync(expected, found int64) error {
	return tsterr.New(tsterr.CodecBadSyncWord, "bad sync word: expected 0x%03X, found 0x%03X", expected, found).
		With("expected", expected).With("found", found)
}

// Forbidden is the error for a value that the standard forbids.
func Forbidden(field string) error {
	return tsterr.At(tsterr.CodecForbidden, field, tsterr.NoOffset, "forbidden value in field '%s'", field)
}

// AtByte sets the byte offset of an error.
func AtByte(err error, pos int) error {
	var e *tsterr.Error
	if errors.As(err, &e) {
		e.Offset = int64(pos)
	}
	return err
}

// maxChromaLocation is the largest chroma_sample_loc_type of H.264 and H.265.
const maxChromaLocation = 5

// SkipChromaLocations passes over the chroma sample locations of a VUI (H.264
// §E.1.1, H.265 §E.2.1).
func SkipChromaLocations(r *bits.Reader) error {
	if _, err := Limited(r, maxChromaLocation, "chroma_sample_loc_type_top_field"); err != nil {
		return err
	}
	_, err := Limited(r, maxChromaLocation, "chroma_sample_loc_type_bottom_field")
	return err
}
