package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// Values of table_id (ISO/IEC 13818-1 Table 2-31).
const (
	TableIDPAT = 0x00
	TableIDPMT = 0x02
)

// sectionHeaderSize is the length of the long section header in bytes.
const sectionHeaderSize = 8

// sectionPrefixSize is table_id and section_length in bytes.
const sectionPrefixSize = 3

// SectionHeader is the start of a PSI section in the long form (ISO/IEC 13818-1 §2.4.4).
//
//	table_id:8 | ssi:1 '0' '11' section_length:12 | table_id_extension:16
//	'11' version:5 current_next:1 | section_number:8 | last_section_number:8
type SectionHeader struct {
	TableID                uint8
	SectionSyntaxIndicator bool
	SectionLength          int // bytes behind the length field, CRC included
	TableIDExtension       uint16
	VersionNumber          uint8
	CurrentNextIndicator   bool
	SectionNumber          uint8
	LastSectionNumber      uint8
}

// Unmarshal reads the eight bytes of the header.
func (h *SectionHeader) Unmarshal(buf []byte) (int, error) {
	if len(buf) < sectionHeaderSize {
		return 0, tsterr.At(tsterr.DemuxMalformedPSI, "section_length", int64(len(buf)), "section header needs 8 bytes")
	}
	*h = SectionHeader{
		TableID:                buf[0],
		SectionSyntaxIndicator: buf[1]&0x80 != 0,
		SectionLength:          int(buf[1]&0x0F)<<8 | int(buf[2]),
		TableIDExtension:       uint16(buf[3])<<8 | uint16(buf[4]),
		VersionNumber:          buf[5] >> 1 & 0x1F,
		CurrentNextIndicator:   buf[5]&1 != 0,
		SectionNumber:          buf[6],
		LastSectionNumber:      buf[7],
	}
	return sectionHeaderSize, nil
}

// MarshalSize is the length of the header in bytes.
func (h *SectionHeader) MarshalSize() int { return sectionHeaderSize }

// MarshalTo writes the header, reserved bits set.
func (h *SectionHeader) MarshalTo(buf []byte) (int, error) {
	if len(buf) < sectionHeaderSize {
		return 0, tsterr.New(tsterr.BufferTooSmall, "section header needs 8 bytes")
	}
	buf[0] = h.TableID
	buf[1] = 0x30 | byte(h.SectionLength>>8)&0x0F
	if h.SectionSyntaxIndicator {
		buf[1] |= 0x80
	}
	buf[2] = byte(h.SectionLength)
	buf[3], buf[4] = byte(h.TableIDExtension>>8), byte(h.TableIDExtension)
	buf[5] = 0xC0 | h.VersionNumber&0x1F<<1
	if h.CurrentNextIndicator {
		buf[5] |= 1
	}
	buf[6], buf[7] = h.SectionNumber, h.LastSectionNumber
	return sectionHeaderSize, nil
}

// PutSectionCRC writes the CRC into the last four bytes of a whole section.
func PutSectionCRC(section []byte) {
	n := len(section) - CRC32Size
	c := CRC32(section[:n])
	section[n], section[n+1], section[n+2], section[n+3] = byte(c>>24), byte(c>>16), byte(c>>8), byte(c)
}
