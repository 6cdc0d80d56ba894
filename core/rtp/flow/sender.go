package flow

import (
	"math/rand/v2"

	"github.com/tstrans/tstrans/core/rtp"
)

// Sender numbers and stamps the packets of one source and keeps the last ones for retransmission.
type Sender struct {
	SSRC        uint32
	PayloadType uint8
	Sequence    uint16 // of the next packet
	Timestamp   uint32 // of the next frame stamped automatically
	Increment   uint32 // of a frame, in timestamp units
	Last        uint32 // timestamp of the last packet
	Packets     uint64
	Octets      uint64 // of payload

	history [][]byte // by number, nil: none is kept
	buf     []byte
}

// NewSender makes a sender with arbitrary first number and timestamp (RFC 3550 §5.1).
func NewSender(ssrc uint32, payloadType uint8, increment uint32, keep bool) *Sender {
	s := &Sender{
		SSRC: ssrc, PayloadType: payloadType & 0x7F, Increment: increment,
		Sequence: uint16(rand.Uint32()), Timestamp: rand.Uint32(), //nolint:gosec // not a secret: spoofing is another layer's matter
	}
	if keep {
		s.history = make([][]byte, History)
	}
	return s
}

// Packet makes the next packet. The bytes are valid until the next call.
func (s *Sender) Packet(payloadType uint8, marker bool, ts uint32, payload []byte) []byte {
	p := rtp.Packet{Marker: marker, PayloadType: payloadType, Sequence: s.Sequence, Timestamp: ts, SSRC: s.SSRC}
	n := rtp.HeaderSize + len(payload)
	var b []byte
	if s.history != nil {
		slot := &s.history[s.Sequence%History]
		if cap(*slot) < n {
			*slot = make([]byte, n)
		}
		*slot = (*slot)[:n]
		b = *slot
	} else {
		if cap(s.buf) < n {
			s.buf = make([]byte, n)
		}
		b = s.buf[:n]
	}
	p.PutHeader(b)
	copy(b[rtp.HeaderSize:], payload)
	s.Sequence++
	s.Last = ts
	s.Packets++
	s.Octets += uint64(len(payload))
	return b
}

// Sent gives a kept packet, or nil. The bytes are valid until the next Packet.
func (s *Sender) Sent(seq uint16) []byte {
	if s.history == nil {
		return nil
	}
	b := s.history[seq%History]
	if len(b) < rtp.HeaderSize || uint16(b[2])<<8|uint16(b[3]) != seq {
		return nil
	}
	return b
}

// Step goes on by one frame and gives the timestamp before it.
func (s *Sender) Step() uint32 {
	ts := s.Timestamp
	s.Timestamp += s.Increment
	return ts
}
