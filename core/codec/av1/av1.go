// Package av1 reads what a transport needs of the AV1 bitstream: open bitstream
// units, raw or in the MPEG-2 TS binding, the sequence header and the head of
// frame headers.
package av1

// OBUType is obu_type (AV1 §6.2.2).
type OBUType uint8

// The types.
const (
	OBUSequenceHeader       OBUType = 1
	OBUTemporalDelimiter    OBUType = 2
	OBUFrameHeader          OBUType = 3
	OBUTileGroup            OBUType = 4
	OBUMetadata             OBUType = 5
	OBUFrame                OBUType = 6
	OBURedundantFrameHeader OBUType = 7
	OBUTileList             OBUType = 8
	OBUPadding              OBUType = 15
)

// name stands before the messages of errors.
const name = "av1"

// maxLEB128 is the most bytes of a leb128 (AV1 §4.10.5).
const maxLEB128 = 8

// LEB128 reads a little-endian base 128 number, at most 2^32-1. It returns its
// size in bytes, 0 when the number is cut or too long.
func LEB128(b []byte) (v uint64, size int) {
	for i := range min(len(b), maxLEB128) {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			if v > 1<<32-1 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}
