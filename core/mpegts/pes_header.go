package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// Sizes of the PES header in bytes (ISO/IEC 13818-1 §2.4.3.6).
const (
	// pesPrefixSize is start code, stream_id and PES_packet_length.
	pesPrefixSize = 6
	// pesFixedSize adds the two flag bytes and PES_header_data_length.
	pesFixedSize = 9
	// maxPESHeader is the longest header that the length byte allows.
	maxPESHeader = pesFixedSize + 255
)

// Values of stream_id that the package writes or tells apart (§2.4.3.7, Table 2-22).
const (
	StreamIDProgramStreamMap = 0xBC
	StreamIDPrivate1         = 0xBD
	StreamIDPadding          = 0xBE
	StreamIDPrivate2         = 0xBF
	StreamIDAudio            = 0xC0
	StreamIDVideo            = 0xE0
	StreamIDECM              = 0xF0
	StreamIDEMM              = 0xF1
	StreamIDDSMCC            = 0xF2
	StreamIDH2221TypeE       = 0xF8
	StreamIDMetadata         = 0xFC
	StreamIDDirectory        = 0xFF
)

// HasOptionalHeader tells whether a stream_id has flags, time stamps and
// PES_header_data_length behind the length (§2.4.3.7).
func HasOptionalHeader(streamID uint8) bool {
	switch streamID {
	case StreamIDProgramStreamMap, StreamIDPadding, StreamIDPrivate2, StreamIDECM, StreamIDEMM,
		StreamIDDSMCC, StreamIDH2221TypeE, StreamIDDirectory:
		return false
	}
	return true
}

// PESHeader is the header of a PES packet.
//
//	00 00 01 | stream_id:8 | PES_packet_length:16
//	'10' scrambling:2 priority:1 alignment:1 copyright:1 original:1
//	PTS_DTS:2 ESCR:1 ES_rate:1 trick:1 copy_info:1 CRC:1 extension:1 | header_data_length:8 | ...
type PESHeader struct {
	StreamID uint8
	// PacketLength is PES_packet_length: bytes behind that field, 0 for unbounded.
	PacketLength           int
	DataAlignmentIndicator bool
	HasPTS                 bool
	PTS                    int64 // 90 kHz ticks, modulo 2^33
	HasDTS                 bool
	DTS                    int64 // 90 kHz ticks, modulo 2^33
	// HeaderDataLength is PES_header_data_length in bytes. MarshalTo raises it
	// to what the time stamps need and stuffs with 0xFF.
	HeaderDataLength int
}

// Unmarshal reads a header and returns its whole length in bytes, where the
// payload begins. It is strict; the demuxer has rules of its own for faulty headers.
func (h *PESHeader) Unmarshal(buf []byte) (int, error) {
	if len(buf) < pesPrefixSize {
		return 0, tsterr.At(tsterr.DemuxMalformedPES, "PES_packet_length", int64(len(buf)), "PES header is cut")
	}
	if buf[0] != 0 || buf[1] != 0 || buf[2] != 1 {
		return 0, tsterr.At(tsterr.DemuxMalformedPES, "packet_start_code_prefix", 0, "PES packet does not start with 00 00 01")
	}
	*h = PESHeader{StreamID: buf[3], PacketLength: int(buf[4])<<8 | int(buf[5])}
	if !HasOptionalHeader(h.StreamID) {
		return pesPrefixSize, nil
	}
	if len(buf) < pesFixedSize {
		return 0, tsterr.At(tsterr.DemuxMalformedPES, "PES_header_data_length", int64(len(buf)), "PES header is cut")
	}
	if buf[6]>>6 != 0b10 {
		return 0, tsterr.At(tsterr.DemuxMalformedPES, "flags", 6, "PES flags do not start with '10'")
	}
	h.DataAlignmentIndicator = buf[6]&0x04 != 0
	h.HeaderDataLength = int(buf[8])
	end := pesFixedSize + h.HeaderDataLength
	if end > len(buf) {
		return 0, tsterr.At(tsterr.DemuxMalformedPES, "PES_header_data_length", 8, "PES header of %d bytes is cut", end)
	}
	need := 0
	switch buf[7] >> 6 {
	case 0b10:
		h.HasPTS, need = true, timestampSize
	case 0b11:
		h.HasPTS, h.HasDTS, need = true, true, 2*timestampSize
	case 0b01:
		return 0, tsterr.At(tsterr.DemuxMalformedPES, "PTS_DTS_flags", 7, "PTS_DTS_flags 01 is forbidden")
	}
	if h.HeaderDataLength < need {
		return 0, tsterr.At(tsterr.DemuxMalformedPES, "PES_header_data_length", 8, "PES_header_data_length %d has no room for the time stamps", h.HeaderDataLength)
	}
	if h.HasPTS {
		h.PTS, _, _ = ReadTimestamp(buf[pesFixedSize:])
	}
	if h.HasDTS {
		h.DTS, _, _ = ReadTimestamp(buf[pesFixedSize+timestampSize:])
	}
	return end, nil
}

// MarshalSize is the length of the header in bytes.
func (h *PESHeader) MarshalSize() int {
	if !HasOptionalHeader(h.StreamID) {
		return pesPrefixSize
	}
	need := 0
	if h.HasPTS {
		need = timestampSize
		if h.HasDTS {
			need += timestampSize
		}
	}
	return pesFixedSize + max(need, h.HeaderDataLength)
}

// MarshalTo writes the header. A DTS without a PTS is not written (the flag
// value 01 is forbidden).
func (h *PESHeader) MarshalTo(buf []byte) (int, error) {
	n := h.MarshalSize()
	if n > maxPESHeader || h.PacketLength < 0 || h.PacketLength > 0xFFFF {
		return 0, tsterr.At(tsterr.InvalidArg, "PES_packet_length", 4, "PES header of %d bytes with PES_packet_length %d cannot be written", n, h.PacketLength)
	}
	if len(buf) < n {
		return 0, tsterr.New(tsterr.BufferTooSmall, "PES header needs %d bytes", n)
	}
	buf[0], buf[1], buf[2], buf[3] = 0, 0, 1, h.StreamID
	buf[4], buf[5] = byte(h.PacketLength>>8), byte(h.PacketLength)
	if n == pesPrefixSize {
		return n, nil
	}
	buf[6] = 0x80
	if h.DataAlignmentIndicator {
		buf[6] |= 0x04
	}
	buf[7] = 0
	buf[8] = byte(n - pesFixedSize)
	pos := pesFixedSize
	if h.HasPTS {
		prefix := uint8(PrefixPTSOnly)
		buf[7] = 0x80
		if h.HasDTS {
			prefix, buf[7] = PrefixPTS, 0xC0
		}
		PutTimestamp(buf[pos:], prefix, h.PTS)
		pos += timestampSize
		if h.HasDTS {
			PutTimestamp(buf[pos:], PrefixDTS, h.DTS)
			pos += timestampSize
		}
	}
	for ; pos < n; pos++ {
		buf[pos] = 0xFF
	}
	return n, nil
}
