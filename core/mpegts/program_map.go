package mpegts

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Sizes of the parts of an encoded program map in bytes.
const (
	programHeadSize   = 12
	programStreamSize = 8
	programLinkSize   = 6
)

// ProgramMap is what an EventProgramMap says. It travels in a batch's arena
// encoded as tst_program_head of include/tstrans/mpegts.h.
type ProgramMap struct {
	ProgramNumber uint16
	PCRPID        uint16
	PMTPID        uint16
	VersionNumber uint8
	Streams       []ProgramStream
	KLVLinks      []KLVLink
}

// ProgramStream is one elementary stream of a ProgramMap.
type ProgramStream struct {
	PID         uint16
	StreamType  uint8
	Kind        StreamKind
	Codec       Codec
	Descriptors []byte // the descriptor loop: tag, length, body, tag, ...
}

// KLVLink ties a KLV stream to the video it describes.
type KLVLink struct {
	KLVPID   uint16
	VideoPID uint16
	Source   uint8 // LinkDeclared or LinkInferred
}

// append encodes the map behind b.
func (m *ProgramMap) append(b []byte) []byte {
	ne := binary.NativeEndian
	b = ne.AppendUint16(b, m.ProgramNumber)
	b = ne.AppendUint16(b, m.PCRPID)
	b = ne.AppendUint16(b, m.PMTPID)
	b = ne.AppendUint16(b, uint16(len(m.Streams)))
	b = ne.AppendUint16(b, uint16(len(m.KLVLinks)))
	b = append(b, m.VersionNumber, 0)
	for i := range m.Streams {
		s := &m.Streams[i]
		b = ne.AppendUint16(b, s.PID)
		b = append(b, s.StreamType, byte(s.Kind), byte(s.Codec), 0)
		b = ne.AppendUint16(b, uint16(len(s.Descriptors)))
		b = append(b, s.Descriptors...)
	}
	for _, l := range m.KLVLinks {
		b = ne.AppendUint16(b, l.KLVPID)
		b = ne.AppendUint16(b, l.VideoPID)
		b = append(b, l.Source, 0)
	}
	return b
}

// Unmarshal reads the encoded map of an event: the part of the arena that
// Record.Text and Record.TextLen name. Descriptors alias buf.
func (m *ProgramMap) Unmarshal(buf []byte) (int, error) {
	ne := binary.NativeEndian
	cut := func(at int) (int, error) {
		return 0, tsterr.At(tsterr.InvalidArg, "program map", int64(at), "encoded program map is cut")
	}
	if len(buf) < programHeadSize {
		return cut(len(buf))
	}
	streams, links := int(ne.Uint16(buf[6:])), int(ne.Uint16(buf[8:]))
	*m = ProgramMap{
		ProgramNumber: ne.Uint16(buf), PCRPID: ne.Uint16(buf[2:]), PMTPID: ne.Uint16(buf[4:]), VersionNumber: buf[10],
		Streams: m.Streams[:0], KLVLinks: m.KLVLinks[:0],
	}
	at := programHeadSize
	for range streams {
		if len(buf)-at < programStreamSize {
			return cut(at)
		}
		b := buf[at:]
		n := int(ne.Uint16(b[6:]))
		at += programStreamSize
		if len(buf)-at < n {
			return cut(at)
		}
		m.Streams = append(m.Streams, ProgramStream{
			PID: ne.Uint16(b), StreamType: b[2], Kind: StreamKind(b[3]), Codec: Codec(b[4]), Descriptors: buf[at : at+n : at+n],
		})
		at += n
	}
	for range links {
		if len(buf)-at < programLinkSize {
			return cut(at)
		}
		b := buf[at:]
		m.KLVLinks = append(m.KLVLinks, KLVLink{KLVPID: ne.Uint16(b), VideoPID: ne.Uint16(b[2:]), Source: b[4]})
		at += programLinkSize
	}
	return at, nil
}
