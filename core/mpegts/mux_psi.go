package mpegts

import (
	"bytes"

	"github.com/tstrans/tstrans/core/mpegts/descriptor"
)

// streamType is the PMT stream_type of the stream.
func (s *MuxStream) streamType() uint8 {
	switch {
	case s.Class == MuxData:
		return s.StreamType
	case s.Class == MuxKLV && s.KLVSync:
		return StreamTypeMetadata
	case s.Class == MuxKLV:
		return StreamTypePrivatePES
	}
	return s.Codec.StreamType()
}

// marshaler is any descriptor.
type marshaler interface {
	MarshalSize() int
	MarshalTo(buf []byte) (int, error)
}

func appendDescriptor(b []byte, d marshaler) []byte {
	n := len(b)
	b = append(b, make([]byte, d.MarshalSize())...)
	// The buffer has the size it asked for, which is all that can fail here.
	_, _ = d.MarshalTo(b[n:])
	return b
}

// hasTag tells whether the caller gave a descriptor of this tag.
func (s *MuxStream) hasTag(tag uint8) bool {
	for _, d := range s.Descriptors {
		if d[0] == tag {
			return true
		}
	}
	return false
}

// hasRegistration tells whether the caller registered this format.
func (s *MuxStream) hasRegistration(format uint32) bool {
	for _, d := range s.Descriptors {
		if d[0] == descriptor.TagRegistration && registrationOf(d) == format {
			return true
		}
	}
	return false
}

// marksSubtitle tells whether the caller's descriptors already say what the
// subtitles are, even as another codec.
func (s *MuxStream) marksSubtitle() bool {
	return s.hasTag(descriptor.TagSubtitling) || s.hasTag(descriptor.TagTeletext) || s.hasTag(descriptor.TagVBITeletext) ||
		s.hasRegistration(descriptor.FormatVTTC) || s.hasRegistration(descriptor.FormatGA94)
}

// loop is the descriptor loop of the stream: the automatic descriptors that
// the caller did not replace, then the caller's.
func (s *MuxStream) loop() []byte {
	var b []byte
	register := func(format uint32) { b = appendDescriptor(b, &descriptor.Registration{FormatIdentifier: format}) }
	switch s.Class {
	case MuxVideo:
		if s.Codec == CodecAV1 && !s.hasRegistration(descriptor.FormatAV01) {
			register(descriptor.FormatAV01)
		}
	case MuxAudio:
		if s.Codec == CodecAC3 {
			if !s.hasRegistration(descriptor.FormatAC3) {
				register(descriptor.FormatAC3)
			}
			if !s.hasTag(descriptor.TagAC3AudioStream) {
				// ATSC A/52 Annex A: 48 kHz, 384 kbit/s at most, stereo, main service.
				b = appendDescriptor(b, &descriptor.Raw{Tag: descriptor.TagAC3AudioStream, Data: []byte{0xE8, 0xC8, 0x13}})
			}
		}
		if s.HasLanguage && !s.hasTag(descriptor.TagISO639Language) {
			b = appendDescriptor(b, &descriptor.ISO639Language{Entries: []descriptor.ISO639Entry{{Language: s.Language}}})
		}
	case MuxKLV:
		if !s.hasTag(descriptor.TagRegistration) {
			register(descriptor.FormatKLVA)
		}
		if s.KLVSync && !s.hasTag(descriptor.TagMetadata) {
			b = appendDescriptor(b, &descriptor.Metadata{
				ApplicationFormat: descriptor.ApplicationFormatKLVGeneral,
				Format:            descriptor.MetadataFormatIdentifier, FormatIdentifier: descriptor.FormatKLVA,
			})
		}
		if s.KLVSync && !s.hasTag(descriptor.TagMetadataSTD) {
			b = appendDescriptor(b, &descriptor.MetadataSTD{})
		}
	case MuxSubtitle:
		if !s.marksSubtitle() {
			b = s.subtitleDescriptor(b)
		}
	}
	return append(b, bytes.Join(s.Descriptors, nil)...)
}

func (s *MuxStream) subtitleDescriptor(b []byte) []byte {
	switch s.Codec {
	case CodecDVBSubtitling:
		return appendDescriptor(b, &descriptor.Subtitling{Entries: []descriptor.SubtitlingEntry{{
			Language: s.Language, SubtitlingType: s.SubtitlingType,
			CompositionPage: s.CompositionPage, AncillaryPage: s.AncillaryPage,
		}}})
	case CodecDVBTeletext:
		return appendDescriptor(b, &descriptor.Teletext{Entries: []descriptor.TeletextEntry{{
			Language: s.Language, TeletextType: s.TeletextType, MagazineNumber: s.Magazine, PageNumber: s.Page,
		}}})
	case CodecCEA708Standalone:
		return appendDescriptor(b, &descriptor.Registration{FormatIdentifier: descriptor.FormatGA94})
	default:
		return appendDescriptor(b, &descriptor.Registration{FormatIdentifier: descriptor.FormatVTTC})
	}
}

// pmt builds the program map. Its version stays 0: a configuration does not
// change while it is used.
func (p *MuxProgram) pmt() *PMT {
	t := &PMT{
		ProgramNumber: p.Number, CurrentNextIndicator: true, PCRPID: p.pcrPID(),
		ProgramDescriptors: bytes.Join(p.Descriptors, nil),
	}
	for i := range p.Streams {
		s := &p.Streams[i]
		t.Streams = append(t.Streams, PMTStream{StreamType: s.streamType(), PID: s.PID, Descriptors: s.loop()})
	}
	return t
}

// psiPacket is a table in its packet: only the continuity counter changes.
type psiPacket [PacketSize]byte

func newPSIPacket(pid uint16, table marshaler) (*psiPacket, error) {
	p := new(psiPacket)
	for i := range p {
		p[i] = 0xFF
	}
	h := Header{PID: pid, PayloadUnitStartIndicator: true, HasPayload: true}
	if _, err := h.MarshalTo(p[:]); err != nil {
		return nil, err
	}
	p[HeaderSize] = 0 // pointer_field
	_, err := table.MarshalTo(p[HeaderSize+1:])
	return p, err
}

// muxTransportStreamID is the transport_stream_id of every PAT.
const muxTransportStreamID = 1

// psiPackets makes the PAT and the PMT of each program, in the order they
// are written.
func (c *MuxConfig) psiPackets() ([]*psiPacket, error) {
	pat := &PAT{TransportStreamID: muxTransportStreamID, CurrentNextIndicator: true}
	for i := range c.Programs {
		pat.Programs = append(pat.Programs, PATEntry{ProgramNumber: c.Programs[i].Number, PID: c.Programs[i].PMTPID})
	}
	first, err := newPSIPacket(PIDPAT, pat)
	if err != nil {
		return nil, err
	}
	packets := []*psiPacket{first}
	for i := range c.Programs {
		p, err := newPSIPacket(c.Programs[i].PMTPID, c.Programs[i].pmt())
		if err != nil {
			return nil, err
		}
		packets = append(packets, p)
	}
	return packets, nil
}
