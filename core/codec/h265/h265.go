// Package h265 reads what a transport needs of ITU-T H.265 | ISO/IEC 23008-2:
// NAL unit headers, parameter sets, the head of slice segments, and the decoder
// configuration record of ISO/IEC 14496-15.
package h265

// NALType is nal_unit_type (H.265 table 7-1).
type NALType uint8

// The types that this package or its users look at.
const (
	NALTrailN    NALType = 0
	NALTrailR    NALType = 1
	NALRaslR     NALType = 9
	NALBlaWLP    NALType = 16
	NALBlaWRadl  NALType = 17
	NALBlaNLP    NALType = 18
	NALIDRWRadl  NALType = 19
	NALIDRNLP    NALType = 20
	NALCRA       NALType = 21
	NALIRAPLast  NALType = 23 // RSV_IRAP_VCL23
	NALVCLLast   NALType = 31
	NALVPS       NALType = 32
	NALSPS       NALType = 33
	NALPPS       NALType = 34
	NALAUD       NALType = 35
	NALEndSeq    NALType = 36
	NALEnd       NALType = 37
	NALFiller    NALType = 38
	NALPrefixSEI NALType = 39
	NALSuffixSEI NALType = 40
)

// name stands before the messages of errors.
const name = "h265"

// HeaderSize is the size of a NAL unit header in bytes.
const HeaderSize = 2

// Header is a NAL unit header (H.265 §7.3.1.2).
type Header struct {
	Forbidden       bool
	Type            NALType
	LayerID         uint8 // nuh_layer_id, 0..63
	TemporalIDPlus1 uint8 // 1..7; 0 is forbidden
}

// ParseHeader reads the two bytes before the RBSP.
func ParseHeader(a, b byte) Header {
	return Header{
		Forbidden:       a&0x80 != 0,
		Type:            NALType(a >> 1 & 0x3f),
		LayerID:         a&1<<5 | b>>3,
		TemporalIDPlus1: b & 7,
	}
}

// IsSlice tells whether the unit carries coded picture data (VCL).
func (t NALType) IsSlice() bool { return t <= NALVCLLast }

// IsIRAP tells whether the unit belongs to an intra random access point picture.
func (t NALType) IsIRAP() bool { return t >= NALBlaWLP && t <= NALIRAPLast }

// IsIDR tells whether the unit belongs to an instantaneous decoding refresh picture.
func (t NALType) IsIDR() bool { return t == NALIDRWRadl || t == NALIDRNLP }
