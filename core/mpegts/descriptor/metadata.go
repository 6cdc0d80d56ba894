package descriptor

import "github.com/tstrans/tstrans/core/tsterr"

// Values of the format fields of metadata descriptors.
const (
	ApplicationFormatIdentifier = 0xFFFF // an identifier of 32 bits follows
	ApplicationFormatKLVGeneral = 0x0100 // MISB ST 1402
	MetadataFormatIdentifier    = 0xFF   // an identifier of 32 bits follows
)

// Metadata describes a metadata service (ISO/IEC 13818-1 §2.6.60).
//
//	application_format:16 [identifier:32] | format:8 [identifier:32] | service_id:8
//	decoder_config_flags:3 DSM-CC_flag:1 '1111' | tail
type Metadata struct {
	ApplicationFormat           uint16
	ApplicationFormatIdentifier uint32 // where ApplicationFormat is 0xFFFF
	Format                      uint8
	FormatIdentifier            uint32 // where Format is 0xFF
	ServiceID                   uint8
	DecoderConfigFlags          uint8
	DSMCCFlag                   bool
	// Tail is what follows the flags: decoder configuration and private data.
	Tail []byte
}

// Unmarshal reads the descriptor, tag first. Tail aliases buf.
func (d *Metadata) Unmarshal(buf []byte) (int, error) {
	b, n, err := body(buf, TagMetadata, 5, "metadata_descriptor")
	if err != nil {
		return 0, err
	}
	*d = Metadata{ApplicationFormat: uint16(b[0])<<8 | uint16(b[1])}
	pos := 2
	need := 5
	if d.ApplicationFormat == ApplicationFormatIdentifier {
		need += 4
		if len(b) < need {
			return 0, tsterr.At(tsterr.InvalidArg, "metadata_application_format_identifier", 4, "metadata_descriptor is cut")
		}
		d.ApplicationFormatIdentifier = u32(b[pos:])
		pos += 4
	}
	d.Format = b[pos]
	pos++
	if d.Format == MetadataFormatIdentifier {
		need += 4
		if len(b) < need {
			return 0, tsterr.At(tsterr.InvalidArg, "metadata_format_identifier", int64(headerSize+pos), "metadata_descriptor is cut")
		}
		d.FormatIdentifier = u32(b[pos:])
		pos += 4
	}
	d.ServiceID = b[pos]
	d.DecoderConfigFlags = b[pos+1] >> 5
	d.DSMCCFlag = b[pos+1]&0x10 != 0
	d.Tail = b[pos+2:]
	return n, nil
}

// MarshalSize is the length of the descriptor in bytes.
func (d *Metadata) MarshalSize() int {
	n := headerSize + 5 + len(d.Tail)
	if d.ApplicationFormat == ApplicationFormatIdentifier {
		n += 4
	}
	if d.Format == MetadataFormatIdentifier {
		n += 4
	}
	return n
}

// MarshalTo writes the descriptor.
func (d *Metadata) MarshalTo(buf []byte) (int, error) {
	return put(buf, TagMetadata, d.MarshalSize()-headerSize, func(b []byte) {
		b[0], b[1] = byte(d.ApplicationFormat>>8), byte(d.ApplicationFormat)
		pos := 2
		if d.ApplicationFormat == ApplicationFormatIdentifier {
			putU32(b[pos:], d.ApplicationFormatIdentifier)
			pos += 4
		}
		b[pos] = d.Format
		pos++
		if d.Format == MetadataFormatIdentifier {
			putU32(b[pos:], d.FormatIdentifier)
			pos += 4
		}
		b[pos] = d.ServiceID
		b[pos+1] = d.DecoderConfigFlags<<5 | 0x0F
		if d.DSMCCFlag {
			b[pos+1] |= 0x10
		}
		copy(b[pos+2:], d.Tail)
	})
}

// MetadataSTD gives the buffer model of a metadata stream (ISO/IEC 13818-1 §2.6.62).
// Each value has 22 bits.
type MetadataSTD struct {
	InputLeakRate  uint32 // 400 bit/s
	BufferSize     uint32 // 1,024 bytes
	OutputLeakRate uint32 // 400 bit/s; 0 for synchronous delivery
}

// Unmarshal reads the descriptor, tag first.
func (d *MetadataSTD) Unmarshal(buf []byte) (int, error) {
	b, n, err := body(buf, TagMetadataSTD, 9, "metadata_STD_descriptor")
	if err != nil {
		return 0, err
	}
	for i, p := range []*uint32{&d.InputLeakRate, &d.BufferSize, &d.OutputLeakRate} {
		*p = uint32(b[3*i]&0x3F)<<16 | uint32(b[3*i+1])<<8 | uint32(b[3*i+2])
	}
	return n, nil
}

// MarshalSize is the length of the descriptor in bytes.
func (d *MetadataSTD) MarshalSize() int { return headerSize + 9 }

// MarshalTo writes the descriptor.
func (d *MetadataSTD) MarshalTo(buf []byte) (int, error) {
	return put(buf, TagMetadataSTD, 9, func(b []byte) {
		for i, v := range []uint32{d.InputLeakRate, d.BufferSize, d.OutputLeakRate} {
			b[3*i], b[3*i+1], b[3*i+2] = 0xC0|byte(v>>16)&0x3F, byte(v>>8), byte(v)
		}
	})
}

func u32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func putU32(b []byte, v uint32) {
	b[0], b[1], b[2], b[3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
}
