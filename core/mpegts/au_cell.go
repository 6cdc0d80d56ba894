package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// auCellHeaderSize is the length of the header of a metadata AU cell in bytes.
const auCellHeaderSize = 5

// CellFragmentIndication says which part of an access unit a cell holds. The
// numbers are the wire bits (ITU-T H.222.0 Table 2-96) and part of the C ABI.
type CellFragmentIndication uint8

// The values of cell_fragment_indication.
const (
	CellMiddle   CellFragmentIndication = 0
	CellLast     CellFragmentIndication = 1
	CellFirst    CellFragmentIndication = 2
	CellComplete CellFragmentIndication = 3
)

// AUCell is the header of a metadata AU cell (ITU-T H.222.0 §2.12.4).
//
//	metadata_service_id:8 | sequence_number:8 | cfi:2 decoder_config:1 random_access:1 '1111' | length:16
type AUCell struct {
	MetadataServiceID     uint8
	SequenceNumber        uint8
	FragmentIndication    CellFragmentIndication
	DecoderConfigFlag     bool
	RandomAccessIndicator bool
	DataLength            uint16 // bytes of data behind the header
}

// Unmarshal reads the header of a cell; the data follow it.
func (c *AUCell) Unmarshal(buf []byte) (int, error) {
	if len(buf) < auCellHeaderSize {
		return 0, tsterr.At(tsterr.InvalidArg, "AU_cell_data_length", int64(len(buf)), "metadata AU cell header needs 5 bytes")
	}
	*c = AUCell{
		MetadataServiceID:     buf[0],
		SequenceNumber:        buf[1],
		FragmentIndication:    CellFragmentIndication(buf[2] >> 6),
		DecoderConfigFlag:     buf[2]&0x20 != 0,
		RandomAccessIndicator: buf[2]&0x10 != 0,
		DataLength:            uint16(buf[3])<<8 | uint16(buf[4]),
	}
	return auCellHeaderSize, nil
}

// MarshalSize is the length of the header in bytes.
func (c *AUCell) MarshalSize() int { return auCellHeaderSize }

// MarshalTo writes the header, reserved bits set.
func (c *AUCell) MarshalTo(buf []byte) (int, error) {
	if len(buf) < auCellHeaderSize {
		return 0, tsterr.New(tsterr.BufferTooSmall, "metadata AU cell header needs 5 bytes")
	}
	buf[0], buf[1] = c.MetadataServiceID, c.SequenceNumber
	buf[2] = byte(c.FragmentIndication)<<6 | 0x0F
	if c.DecoderConfigFlag {
		buf[2] |= 0x20
	}
	if c.RandomAccessIndicator {
		buf[2] |= 0x10
	}
	buf[3], buf[4] = byte(c.DataLength>>8), byte(c.DataLength)
	return auCellHeaderSize, nil
}
