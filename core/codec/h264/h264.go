// Package h264 reads what a transport needs of ITU-T H.264 | ISO/IEC 14496-10:
// NAL unit headers, parameter sets, the head of slices, and the decoder
// configuration record of ISO/IEC 14496-15.
package h264

// NALType is nal_unit_type (H.264 table 7-1).
type NALType uint8

// The types that this package or its users look at.
const (
	NALSlice   NALType = 1
	NALPartA   NALType = 2
	NALPartB   NALType = 3
	NALPartC   NALType = 4
	NALIDR     NALType = 5
	NALSEI     NALType = 6
	NALSPS     NALType = 7
	NALPPS     NALType = 8
	NALAUD     NALType = 9
	NALEndSeq  NALType = 10
	NALEnd     NALType = 11
	NALFiller  NALType = 12
	NALSPSExt  NALType = 13
	NALPrefix  NALType = 14
	NALSubset  NALType = 15
	NALAux     NALType = 19
	NALSliceEx NALType = 20
)

// name stands before the messages of errors.
const name = "h264"

// HeaderSize is the size of a NAL unit header in bytes.
const HeaderSize = 1

// Header is a NAL unit header (H.264 §7.3.1).
type Header struct {
	Forbidden bool
	RefIDC    uint8 // nal_ref_idc, 0..3
	Type      NALType
}

// ParseHeader reads the first byte of a NAL unit.
func ParseHeader(b byte) Header {
	return Header{Forbidden: b&0x80 != 0, RefIDC: b >> 5 & 3, Type: NALType(b & 0x1f)}
}

// IsSlice tells whether the unit carries coded picture data (VCL).
func (t NALType) IsSlice() bool { return t >= NALSlice && t <= NALIDR }
