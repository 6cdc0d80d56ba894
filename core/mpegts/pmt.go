package mpegts

import (
	"github.com/tstrans/tstrans/core/mpegts/descriptor"
	"github.com/tstrans/tstrans/core/tsterr"
)

// PMTStream is one elementary stream of a PMT.
type PMTStream struct {
	StreamType  uint8
	PID         uint16
	Descriptors []byte // the descriptor loop: tag, length, body, tag, ...
}

// PMT is a program map section (ISO/IEC 13818-1 §2.4.4.8).
type PMT struct {
	ProgramNumber        uint16
	VersionNumber        uint8
	CurrentNextIndicator bool
	SectionNumber        uint8
	LastSectionNumber    uint8
	PCRPID               uint16
	ProgramDescriptors   []byte
	Streams              []PMTStream
}

const (
	pmtFixedSize  = sectionHeaderSize + 4
	pmtStreamSize = 5
)

// Unmarshal reads a whole section with its CRC, which the caller has checked.
// Descriptor loops alias section.
func (t *PMT) Unmarshal(section []byte) (int, error) {
	var h SectionHeader
	if _, err := h.Unmarshal(section); err != nil {
		return 0, err
	}
	end := sectionPrefixSize + h.SectionLength
	if h.TableID != TableIDPMT {
		return 0, tsterr.At(tsterr.DemuxMalformedPSI, "table_id", 0, "table_id 0x%02X is not a PMT", h.TableID)
	}
	if h.SectionLength > MaxPSISectionLength || end > len(section) || end < pmtFixedSize+CRC32Size {
		return 0, tsterr.At(tsterr.DemuxMalformedPSI, "section_length", 1, "PMT section_length %d", h.SectionLength)
	}
	*t = PMT{
		ProgramNumber: h.TableIDExtension, VersionNumber: h.VersionNumber,
		CurrentNextIndicator: h.CurrentNextIndicator, SectionNumber: h.SectionNumber, LastSectionNumber: h.LastSectionNumber,
		PCRPID: uint16(section[8])<<8&0x1F00 | uint16(section[9]), Streams: t.Streams[:0],
	}
	body := section[:end-CRC32Size]
	pos := pmtFixedSize
	n := int(section[10]&0x0F)<<8 | int(section[11])
	if pos+n > len(body) || !descriptor.ValidLoop(body[pos:pos+n]) {
		return 0, tsterr.At(tsterr.DemuxMalformedPSI, "program_info_length", 10, "program_info_length %d overruns the section", n)
	}
	t.ProgramDescriptors = body[pos : pos+n : pos+n]
	for pos += n; pos < len(body); {
		if pos+pmtStreamSize > len(body) {
			return 0, tsterr.At(tsterr.DemuxMalformedPSI, "stream_type", int64(pos), "PMT stream entry is cut")
		}
		s := PMTStream{StreamType: body[pos], PID: uint16(body[pos+1])<<8&0x1F00 | uint16(body[pos+2])}
		n = int(body[pos+3]&0x0F)<<8 | int(body[pos+4])
		at := pos + pmtStreamSize
		if at+n > len(body) || !descriptor.ValidLoop(body[at:at+n]) {
			return 0, tsterr.At(tsterr.DemuxMalformedPSI, "ES_info_length", int64(pos+3), "ES_info_length %d overruns the section", n)
		}
		s.Descriptors = body[at : at+n : at+n]
		t.Streams = append(t.Streams, s)
		pos = at + n
	}
	return end, nil
}

// MarshalSize is the length of the section in bytes.
func (t *PMT) MarshalSize() int {
	n := pmtFixedSize + len(t.ProgramDescriptors) + CRC32Size
	for i := range t.Streams {
		n += pmtStreamSize + len(t.Streams[i].Descriptors)
	}
	return n
}

// MarshalTo writes the section with its CRC.
func (t *PMT) MarshalTo(buf []byte) (int, error) {
	n := t.MarshalSize()
	if n-sectionPrefixSize > MaxPSISectionLength {
		return 0, tsterr.At(tsterr.MuxConfigInvalid, "streams", 0, "PMT of %d bytes exceeds one section", n)
	}
	if len(buf) < n {
		return 0, tsterr.New(tsterr.BufferTooSmall, "PMT needs %d bytes", n)
	}
	h := SectionHeader{
		TableID: TableIDPMT, SectionSyntaxIndicator: true, SectionLength: n - sectionPrefixSize,
		TableIDExtension: t.ProgramNumber, VersionNumber: t.VersionNumber,
		CurrentNextIndicator: t.CurrentNextIndicator, SectionNumber: t.SectionNumber, LastSectionNumber: t.LastSectionNumber,
	}
	pos, err := h.MarshalTo(buf)
	if err != nil {
		return 0, err
	}
	put := func(hi byte, v int) {
		buf[pos], buf[pos+1] = hi|byte(v>>8), byte(v)
		pos += 2
	}
	put(0xE0, int(t.PCRPID&PIDMask))
	put(0xF0, len(t.ProgramDescriptors))
	pos += copy(buf[pos:], t.ProgramDescriptors)
	for i := range t.Streams {
		s := &t.Streams[i]
		buf[pos] = s.StreamType
		pos++
		put(0xE0, int(s.PID&PIDMask))
		put(0xF0, len(s.Descriptors))
		pos += copy(buf[pos:], s.Descriptors)
	}
	PutSectionCRC(buf[:n])
	return n, nil
}
