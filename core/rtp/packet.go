package rtp

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Packet is a parsed RTP packet (RFC 3550 §5.1):
//
//	 0                   1                   2                   3
//	|V=2|P|X|  CC   |M|     PT      |       sequence number         |
//	|                           timestamp                           |
//	|                             SSRC                              |
//	|              CSRC (CC words), extension (if X)                |
type Packet struct {
	Marker      bool
	PayloadType uint8
	Sequence    uint16
	Timestamp   uint32
	SSRC        uint32
	// Payload is what follows the header, without padding. It aliases the input.
	Payload []byte
}

// Unmarshal parses a packet. Contributing sources and extensions are skipped.
func (p *Packet) Unmarshal(b []byte) error {
	if len(b) < HeaderSize {
		return tsterr.At(tsterr.RTPBroken, "header", int64(len(b)), "%d bytes are no RTP packet", len(b))
	}
	if b[0]>>6 != 2 {
		return tsterr.At(tsterr.RTPBroken, "version", 0, "RTP version %d", b[0]>>6)
	}
	at := HeaderSize + 4*int(b[0]&0x0F)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return tsterr.At(tsterr.RTPBroken, "extension", int64(at), "header cut short")
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if at > end {
		return tsterr.At(tsterr.RTPBroken, "header", int64(end), "header cut short")
	}
	if b[0]&0x20 != 0 {
		pad := int(b[end-1])
		if pad == 0 || pad > end-at {
			return tsterr.At(tsterr.RTPBroken, "padding", int64(end-1), "%d bytes of padding in %d", pad, end-at)
		}
		end -= pad
	}
	p.Marker = b[1]&0x80 != 0
	p.PayloadType = b[1] & 0x7F
	p.Sequence = binary.BigEndian.Uint16(b[2:])
	p.Timestamp = binary.BigEndian.Uint32(b[4:])
	p.SSRC = binary.BigEndian.Uint32(b[8:])
	p.Payload = b[at:end]
	return nil
}

// PutHeader writes the twelve bytes of a header into b.
func (p *Packet) PutHeader(b []byte) {
	_ = b[HeaderSize-1]
	b[0] = 0x80
	b[1] = p.PayloadType & 0x7F
	if p.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.Sequence)
	binary.BigEndian.PutUint32(b[4:], p.Timestamp)
	binary.BigEndian.PutUint32(b[8:], p.SSRC)
}

// IsRTCP tells control from media by the second byte, for the case that both
// share a port (RFC 5761 §4).
func IsRTCP(b []byte) bool {
	return len(b) >= 8 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}
