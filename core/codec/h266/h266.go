// Package h266 reads what a transport needs of ITU-T H.266 | ISO/IEC 23090-3:
// NAL unit headers, the parameter sets, and the head of slices.
package h266

// NALType is nal_unit_type (H.266 table 5).
type NALType uint8

// The types that this package or its users look at.
const (
	NALTrail     NALType = 0
	NALIDRWRadl  NALType = 7
	NALIDRNLP    NALType = 8
	NALCRA       NALType = 9
	NALGDR       NALType = 10
	NALVCLLast   NALType = 11
	NALOPI       NALType = 12
	NALDCI       NALType = 13
	NALVPS       NALType = 14
	NALSPS       NALType = 15
	NALPPS       NALType = 16
	NALPrefixAPS NALType = 17
	NALSuffixAPS NALType = 18
	NALPH        NALType = 19
	NALAUD       NALType = 20
	NALEndSeq    NALType = 21
	NALEnd       NALType = 22
	NALPrefixSEI NALType = 23
	NALSuffixSEI NALType = 24
	NALFiller    NALType = 25
)

// name stands before the messages of errors.
const name = "h266"

// HeaderSize is the size of a NAL unit header in bytes.
const HeaderSize = 2

// Header is a NAL unit header (H.266 §7.3.1.2).
type Header struct {
	Forbidden       bool
	Reserved        bool  // nuh_reserved_zero_bit
	LayerID         uint8 // nuh_layer_id, 0..55
	Type            NALType
	TemporalIDPlus1 uint8 // 1..7; 0 is forbidden
}

// ParseHeader reads the two bytes before the RBSP.
func ParseHeader(a, b byte) Header {
	return Header{
		Forbidden:       a&0x80 != 0,
		Reserved:        a&0x40 != 0,
		LayerID:         a & 0x3f,
		Type:            NALType(b >> 3),
		TemporalIDPlus1: b & 7,
	}
}

// IsSlice tells whether the unit carries coded picture data (VCL).
func (t NALType) IsSlice() bool { return t <= NALVCLLast }

// IsIRAP tells whether the unit belongs to an intra random access point picture.
func (t NALType) IsIRAP() bool { return t >= NALIDRWRadl && t <= NALCRA }

// IsIDR tells whether the unit belongs to an instantaneous decoding refresh picture.
func (t NALType) IsIDR() bool { return t == NALIDRWRadl || t == NALIDRNLP }
