package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// PATEntry is one program of a PAT; program number 0 names the network PID.
type PATEntry struct {
	ProgramNumber uint16
	PID           uint16
}

// PAT is one section of the program association table (ISO/IEC 13818-1 §2.4.4.3).
type PAT struct {
	TransportStreamID    uint16
	VersionNumber        uint8
	CurrentNextIndicator bool
	SectionNumber        uint8
	LastSectionNumber    uint8
	Programs             []PATEntry
}

// Unmarshal reads a whole section with its CRC, which the caller has checked.
func (t *PAT) Unmarshal(section []byte) (int, error) {
	var h SectionHeader
	if _, err := h.Unmarshal(section); err != nil {
		return 0, err
	}
	end := sectionPrefixSize + h.SectionLength
	if h.TableID != TableIDPAT {
		return 0, tsterr.At(tsterr.DemuxMalformedPSI, "table_id", 0, "table_id 0x%02X is not a PAT", h.TableID)
	}
	if h.SectionLength > MaxPSISectionLength || end > len(section) || end < sectionHeaderSize+CRC32Size {
		return 0, tsterr.At(tsterr.DemuxMalformedPSI, "section_length", 1, "PAT section_length %d", h.SectionLength)
	}
	*t = PAT{
		TransportStreamID: h.TableIDExtension, VersionNumber: h.VersionNumber,
		CurrentNextIndicator: h.CurrentNextIndicator, SectionNumber: h.SectionNumber,
		LastSectionNumber: h.LastSectionNumber, Programs: t.Programs[:0],
	}
	for p := sectionHeaderSize; p+4 <= end-CRC32Size; p += 4 {
		t.Programs = append(t.Programs, PATEntry{
			ProgramNumber: uint16(section[p])<<8 | uint16(section[p+1]),
			PID:           uint16(section[p+2])<<8&0x1F00 | uint16(section[p+3]),
		})
	}
	return end, nil
}

// MarshalSize is the length of the section in bytes.
func (t *PAT) MarshalSize() int { return sectionHeaderSize + 4*len(t.Programs) + CRC32Size }

// MarshalTo writes the section with its CRC.
func (t *PAT) MarshalTo(buf []byte) (int, error) {
	n := t.MarshalSize()
	if n-sectionPrefixSize > MaxPSISectionLength {
		return 0, tsterr.At(tsterr.MuxConfigInvalid, "programs", 0, "PAT of %d bytes exceeds one section", n)
	}
	if len(buf) < n {
		return 0, tsterr.New(tsterr.BufferTooSmall, "PAT needs %d bytes", n)
	}
	h := SectionHeader{
		TableID: TableIDPAT, SectionSyntaxIndicator: true, SectionLength: n - sectionPrefixSize,
		TableIDExtension: t.TransportStreamID, VersionNumber: t.VersionNumber,
		CurrentNextIndicator: t.CurrentNextIndicator, SectionNumber: t.SectionNumber, LastSectionNumber: t.LastSectionNumber,
	}
	pos, err := h.MarshalTo(buf)
	if err != nil {
		return 0, err
	}
	for _, e := range t.Programs {
		buf[pos], buf[pos+1] = byte(e.ProgramNumber>>8), byte(e.ProgramNumber)
		buf[pos+2], buf[pos+3] = 0xE0|byte(e.PID>>8)&0x1F, byte(e.PID)
		pos += 4
	}
	PutSectionCRC(buf[:n])
	return n, nil
}
