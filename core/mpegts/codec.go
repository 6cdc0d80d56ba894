package mpegts

// Codec is the coding of an elementary stream. The numbers are part of the C ABI;
// video codecs are 1..15, audio codecs 16..31, subtitle codecs 32..47.
type Codec uint8

// The codecs that a program map can name.
const (
	CodecNone Codec = 0

	CodecH264 Codec = 1
	CodecH265 Codec = 2
	CodecH266 Codec = 3
	CodecAV1  Codec = 4

	CodecMP2     Codec = 16
	CodecAAC     Codec = 17
	CodecAACLATM Codec = 18
	CodecAC3     Codec = 19

	CodecDVBSubtitling    Codec = 32
	CodecDVBTeletext      Codec = 33
	CodecCEA708Standalone Codec = 34
	CodecWebVTTInTS       Codec = 35
)

// String gives the lower-case name used in every language.
func (c Codec) String() string {
	switch c {
	case CodecH264:
		return "h264"
	case CodecH265:
		return "h265"
	case CodecH266:
		return "h266"
	case CodecAV1:
		return "av1"
	case CodecMP2:
		return "mp2"
	case CodecAAC:
		return "aac"
	case CodecAACLATM:
		return "aac_latm"
	case CodecAC3:
		return "ac3"
	case CodecDVBSubtitling:
		return "dvb_subtitling"
	case CodecDVBTeletext:
		return "dvb_teletext"
	case CodecCEA708Standalone:
		return "cea708_standalone"
	case CodecWebVTTInTS:
		return "webvtt_in_ts"
	case CodecNone:
	}
	return "none"
}

// Kind tells the class of streams that carry the codec; KindUnknown for CodecNone.
func (c Codec) Kind() StreamKind {
	switch {
	case c >= CodecH264 && c <= CodecAV1:
		return KindVideo
	case c >= CodecMP2 && c <= CodecAC3:
		return KindAudio
	case c >= CodecDVBSubtitling && c <= CodecWebVTTInTS:
		return KindSubtitle
	}
	return KindUnknown
}

// StreamType is the PMT stream_type under which the codec is carried
// (ISO/IEC 13818-1 Table 2-34; AC-3 by ATSC A/53); 0x06 (private PES) where a
// descriptor names the codec.
func (c Codec) StreamType() uint8 {
	switch c {
	case CodecH264:
		return StreamTypeH264
	case CodecH265:
		return StreamTypeH265
	case CodecH266:
		return StreamTypeH266
	case CodecMP2:
		return StreamTypeMPEG1Audio
	case CodecAAC:
		return StreamTypeAAC
	case CodecAACLATM:
		return StreamTypeAACLATM
	case CodecAC3:
		return StreamTypeAC3
	case CodecNone, CodecAV1, CodecDVBSubtitling, CodecDVBTeletext, CodecCEA708Standalone, CodecWebVTTInTS:
	}
	return StreamTypePrivatePES
}

// Values of stream_type (ISO/IEC 13818-1 Table 2-34; AC-3 by ATSC A/53).
const (
	StreamTypeMPEG1Audio = 0x03
	StreamTypeMPEG2Audio = 0x04
	StreamTypePrivatePES = 0x06
	StreamTypeAAC        = 0x0F
	StreamTypeAACLATM    = 0x11
	StreamTypeMetadata   = 0x15
	StreamTypeH264       = 0x1B
	StreamTypeH265       = 0x24
	StreamTypeH266       = 0x33
	StreamTypeAC3        = 0x81
)

// AV1Carriage is the way AV1 is put into PES packets. The numbers are part of the C ABI.
type AV1Carriage uint8

// The carriages of AV1.
const (
	// AV1MPEG2TSBinding is the AOM binding: stream_id 0xBD, start-code framed OBUs.
	AV1MPEG2TSBinding AV1Carriage = 0
	// AV1InteropRawOBU is stream_id 0xE0 with plain OBUs, as FFmpeg writes it.
	AV1InteropRawOBU AV1Carriage = 1
)
