package rtp

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Wire is a whole RTP packet: what Packet leaves out (contributing sources, header extension, padding) is kept.
type Wire struct {
	Packet
	CSRC             []uint32
	ExtensionProfile uint16
	Extension        []byte // without its four-byte header, a multiple of 4 bytes; nil: none
	Padding          int    // bytes of padding, 0 to 255
}

// cut is a parse error. The texts of these are those that users of aiortp and aiortc match on.
func cut(field string, at int, text string) error {
	return tsterr.At(tsterr.InvalidArg, field, int64(at), "%s", text)
}

// Unmarshal parses a packet (RFC 3550 §5.1). Slices alias the input.
func (w *Wire) Unmarshal(b []byte) error {
	if len(b) < HeaderSize {
		return cut("header", len(b), "RTP packet length is less than 12 bytes")
	}
	if b[0]>>6 != 2 {
		return cut("version", 0, "RTP packet has invalid version")
	}
	at := HeaderSize
	w.CSRC = w.CSRC[:0]
	for range b[0] & 0x0F {
		if len(b) < at+4 {
			return cut("csrc", at, "RTP packet has truncated CSRC")
		}
		w.CSRC = append(w.CSRC, binary.BigEndian.Uint32(b[at:]))
		at += 4
	}
	w.Extension, w.ExtensionProfile = nil, 0
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return cut("extension", at, "RTP packet has truncated extension profile / length")
		}
		w.ExtensionProfile = binary.BigEndian.Uint16(b[at:])
		n := 4 * int(binary.BigEndian.Uint16(b[at+2:]))
		at += 4
		if len(b) < at+n {
			return cut("extension", at, "RTP packet has truncated extension value")
		}
		w.Extension = b[at : at+n : at+n]
		at += n
	}
	w.Padding = 0
	end := len(b)
	if b[0]&0x20 != 0 {
		w.Padding = int(b[end-1])
		if w.Padding == 0 || w.Padding > end-at {
			return cut("padding", end-1, "RTP packet padding length is invalid")
		}
		end -= w.Padding
	}
	w.Marker = b[1]&0x80 != 0
	w.PayloadType = b[1] & 0x7F
	w.Sequence = binary.BigEndian.Uint16(b[2:])
	w.Timestamp = binary.BigEndian.Uint32(b[4:])
	w.SSRC = binary.BigEndian.Uint32(b[8:])
	w.Payload = b[at:end]
	return nil
}

// MarshalSize is the length of the packet in bytes.
func (w *Wire) MarshalSize() int {
	n := HeaderSize + 4*len(w.CSRC) + len(w.Payload) + w.Padding
	if w.Extension != nil {
		n += 4 + len(w.Extension)
	}
	return n
}

// MarshalTo writes the packet; buf has room for MarshalSize. The padding but its last byte is random.
func (w *Wire) MarshalTo(buf []byte) (int, error) {
	n := w.MarshalSize()
	if len(buf) < n {
		return 0, tsterr.New(tsterr.BufferTooSmall, "%d bytes for a packet of %d", len(buf), n)
	}
	if len(w.CSRC) > 15 || len(w.Extension)%4 != 0 || len(w.Extension) > 4*0xFFFF || w.Padding < 0 || w.Padding > 255 {
		return 0, tsterr.New(tsterr.InvalidArg, "%d sources, extension of %d bytes, padding of %d bytes", len(w.CSRC),
			len(w.Extension), w.Padding)
	}
	w.PutHeader(buf)
	buf[0] |= byte(len(w.CSRC))
	at := HeaderSize
	for _, c := range w.CSRC {
		binary.BigEndian.PutUint32(buf[at:], c)
		at += 4
	}
	if w.Extension != nil {
		buf[0] |= 0x10
		binary.BigEndian.PutUint16(buf[at:], w.ExtensionProfile)
		binary.BigEndian.PutUint16(buf[at+2:], uint16(len(w.Extension)/4))
		at += 4 + copy(buf[at+4:], w.Extension)
	}
	at += copy(buf[at:], w.Payload)
	if w.Padding > 0 {
		buf[0] |= 0x20
		_, _ = rand.Read(buf[at : n-1]) // documented never to fail
		buf[n-1] = byte(w.Padding)
	}
	return n, nil
}
