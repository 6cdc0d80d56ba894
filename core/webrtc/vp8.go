package webrtc

import "github.com/tstrans/tstrans/core/rtp"

// depacketizer puts units together from packets in order.
type depacketizer interface {
	Push(p *rtp.Packet)
	Unit() (rtp.Unit, bool)
}

// vp8Depacketizer takes VP8 frames out of packets (RFC 7741 §4.2).
type vp8Depacketizer struct{ rtp.Assembler }

// vp8Payload skips the descriptor: the start of the frame's bytes, and whether a
// frame begins with them. ok is false for what is cut short.
//
//	|X|R|N|S|R| PID | |I|L|T|K| RSV | PictureID (1 or 2) TL0PICIDX TID/Y/KEYIDX
func vp8Payload(b []byte) (rest []byte, start, ok bool) {
	if len(b) < 1 {
		return nil, false, false
	}
	start = b[0]&0x10 != 0 && b[0]&0x07 == 0
	at := 1
	if b[0]&0x80 != 0 {
		if len(b) < 2 {
			return nil, false, false
		}
		x := b[1]
		at = 2
		if x&0x80 != 0 {
			if len(b) <= at {
				return nil, false, false
			}
			if b[at]&0x80 != 0 {
				at++
			}
			at++
		}
		if x&0x40 != 0 {
			at++
		}
		if x&0x30 != 0 {
			at++
		}
	}
	if at >= len(b) {
		return nil, false, false
	}
	return b[at:], start, true
}

// Push takes the next packet.
func (d *vp8Depacketizer) Push(p *rtp.Packet) {
	use, fresh := d.Begin(p)
	if !use {
		return
	}
	if b, start, ok := vp8Payload(p.Payload); ok {
		switch {
		case fresh && start && b[0]&1 == 0: // RFC 6386 §9.1: bit 0 is 0 in key frames
			d.Key()
			d.AppendBytes(b)
		case !fresh || start:
			d.AppendBytes(b)
		}
	}
	d.End(p.Marker)
}

// packetizeVP8 cuts a frame (RFC 7741 §4.2). The picture number, of 15 bits, lets
// receivers tell lost frames from those dropped on purpose.
func packetizeVP8(out *rtp.Payloads, frame []byte, picture uint16, maxPayload int) {
	const head = 4
	first := byte(0x10)
	for len(frame) > 0 {
		n := min(len(frame), maxPayload-head)
		out.Data = append(out.Data, 0x80|first, 0x80, 0x80|byte(picture>>8), byte(picture))
		out.Data = append(out.Data, frame[:n]...)
		out.Close()
		frame, first = frame[n:], 0
	}
}

// packetDepacketizer is for audio: every packet is a unit.
type packetDepacketizer struct{ rtp.Assembler }

// Push takes the next packet.
func (d *packetDepacketizer) Push(p *rtp.Packet) {
	if use, _ := d.Begin(p); !use {
		return
	}
	d.Key()
	d.AppendBytes(p.Payload)
	d.End(true)
}
