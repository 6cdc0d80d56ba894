package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// Header is the fixed part of a transport packet (ISO/IEC 13818-1 §2.4.3.2).
//
//	47 | tei:1 pusi:1 priority:1 pid:13 | scrambling:2 afc:2 cc:4
type Header struct {
	PID                        uint16
	TransportErrorIndicator    bool
	PayloadUnitStartIndicator  bool
	TransportPriority          bool
	TransportScramblingControl uint8
	HasAdaptationField         bool
	HasPayload                 bool
	ContinuityCounter          uint8
}

// Unmarshal reads the four bytes of the header.
func (h *Header) Unmarshal(buf []byte) (int, error) {
	if len(buf) < HeaderSize {
		return 0, tsterr.At(tsterr.InvalidArg, "packet", int64(len(buf)), "transport packet header needs 4 bytes")
	}
	if buf[0] != SyncByte {
		return 0, tsterr.At(tsterr.InvalidArg, "sync_byte", 0, "sync byte is 0x%02X, not 0x47", buf[0])
	}
	h.TransportErrorIndicator = buf[1]&0x80 != 0
	h.PayloadUnitStartIndicator = buf[1]&0x40 != 0
	h.TransportPriority = buf[1]&0x20 != 0
	h.PID = uint16(buf[1]&0x1F)<<8 | uint16(buf[2])
	h.TransportScramblingControl = buf[3] >> 6
	h.HasAdaptationField = buf[3]&0x20 != 0
	h.HasPayload = buf[3]&0x10 != 0
	h.ContinuityCounter = buf[3] & 0x0F
	return HeaderSize, nil
}

// MarshalSize is the length of the header in bytes.
func (h *Header) MarshalSize() int { return HeaderSize }

// MarshalTo writes the four bytes of the header.
func (h *Header) MarshalTo(buf []byte) (int, error) {
	if len(buf) < HeaderSize {
		return 0, tsterr.New(tsterr.BufferTooSmall, "transport packet header needs 4 bytes")
	}
	buf[0] = SyncByte
	buf[1] = byte(h.PID>>8) & 0x1F
	if h.TransportErrorIndicator {
		buf[1] |= 0x80
	}
	if h.PayloadUnitStartIndicator {
		buf[1] |= 0x40
	}
	if h.TransportPriority {
		buf[1] |= 0x20
	}
	buf[2] = byte(h.PID)
	buf[3] = h.TransportScramblingControl<<6 | h.ContinuityCounter&0x0F
	if h.HasAdaptationField {
		buf[3] |= 0x20
	}
	if h.HasPayload {
		buf[3] |= 0x10
	}
	return HeaderSize, nil
}
