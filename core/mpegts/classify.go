package mpegts

import "github.com/tstrans/tstrans/core/mpegts/descriptor"

// classification of an elementary stream by its PMT entry.
type classification struct {
	kind  StreamKind
	codec Codec
	// claims are the distinct descriptors that each make the stream a subtitle or
	// KLV stream; more than one is ambiguous.
	claims []claim
	// av1Cut tells of a registration that begins like AV01 but is too short.
	av1Cut bool
}

// claim is a descriptor tag, or a code of its own for a registration.
type claim uint8

const (
	claimSubtitling  claim = descriptor.TagSubtitling
	claimTeletext    claim = descriptor.TagTeletext
	claimVBITeletext claim = descriptor.TagVBITeletext
	claimVTTC        claim = 240
	claimGA94        claim = 241
	claimKLVA        claim = 242
)

// classify tells kind and codec from stream_type and, for private PES (0x06)
// only, from descriptors.
func classify(streamType uint8, loop []byte) classification {
	switch streamType {
	case StreamTypeH264:
		return classification{kind: KindVideo, codec: CodecH264}
	case StreamTypeH265:
		return classification{kind: KindVideo, codec: CodecH265}
	case StreamTypeH266:
		return classification{kind: KindVideo, codec: CodecH266}
	case StreamTypeMPEG1Audio, StreamTypeMPEG2Audio:
		return classification{kind: KindAudio, codec: CodecMP2}
	case StreamTypeAAC:
		return classification{kind: KindAudio, codec: CodecAAC}
	case StreamTypeAACLATM:
		return classification{kind: KindAudio, codec: CodecAACLATM}
	case StreamTypeAC3:
		return classification{kind: KindAudio, codec: CodecAC3}
	case StreamTypeMetadata:
		return classification{kind: KindKLVSync}
	case StreamTypePrivatePES:
		return classifyPrivate(loop)
	}
	return classification{}
}

// classifyPrivate looks for the descriptors that name what a private PES carries.
func classifyPrivate(loop []byte) (c classification) {
	var subtitling, teletext, vttc, ga94, av01, klva bool
	for d, rest, ok := descriptor.Next(loop); ok; d, rest, ok = descriptor.Next(rest) {
		switch d.Tag {
		case descriptor.TagSubtitling:
			subtitling = true
			c.claim(claimSubtitling)
		case descriptor.TagTeletext:
			if !teletext {
				c.claim(claimTeletext)
			}
			teletext = true
		case descriptor.TagVBITeletext:
			if !teletext { // both say teletext
				c.claim(claimVBITeletext)
			}
			teletext = true
		case descriptor.TagRegistration:
			if len(d.Data) < 4 {
				c.av1Cut = c.av1Cut || len(d.Data) >= 2 && string(d.Data[:2]) == "AV"
				continue
			}
			switch be32(d.Data) {
			case descriptor.FormatVTTC:
				vttc = true
				c.claim(claimVTTC)
			case descriptor.FormatGA94:
				ga94 = true
				c.claim(claimGA94)
			case descriptor.FormatAV01:
				av01 = true
			case descriptor.FormatKLVA:
				klva = true
				c.claim(claimKLVA)
			}
		}
	}
	switch {
	case av01: // whatever stands beside it
		c.kind, c.codec, c.claims = KindVideo, CodecAV1, nil
	case subtitling:
		c.kind, c.codec = KindSubtitle, CodecDVBSubtitling
	case teletext:
		c.kind, c.codec = KindSubtitle, CodecDVBTeletext
	case vttc:
		c.kind, c.codec = KindSubtitle, CodecWebVTTInTS
	case ga94:
		c.kind, c.codec = KindSubtitle, CodecCEA708Standalone
	case klva:
		c.kind = KindKLVAsync
	}
	return c
}

func (c *classification) claim(v claim) {
	for _, w := range c.claims {
		if w == v {
			return
		}
	}
	c.claims = append(c.claims, v)
}

// Classify tells the kind and codec that a demuxer gives to a stream of a PMT,
// from its stream_type and its descriptor loop.
func Classify(streamType uint8, descriptors []byte) (StreamKind, Codec) {
	c := classify(streamType, descriptors)
	return c.kind, c.codec
}

// declaredVideo is the video PID that a metadata descriptor of the stream names
// in two bytes behind its standard part; ok is false where there is none.
func declaredVideo(loop []byte) (pid uint16, ok bool) {
	for d, rest, more := descriptor.Next(loop); more; d, rest, more = descriptor.Next(rest) {
		if d.Tag != descriptor.TagMetadata {
			continue
		}
		var m descriptor.Metadata
		if _, err := m.Unmarshal(loop[len(loop)-len(rest)-2-len(d.Data):]); err != nil || len(m.Tail) < 2 || m.DecoderConfigFlags != 0 || m.DSMCCFlag {
			continue
		}
		if v := uint16(m.Tail[0])<<8 | uint16(m.Tail[1]); v >= 0x10 && v < PIDNull {
			return v, true
		}
	}
	return 0, false
}
