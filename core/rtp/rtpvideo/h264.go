package rtpvideo

import "encoding/binary"

// NAL unit types (ITU-T H.264 table 7-1, RFC 6184 table 1).
const (
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
	nalSTAPA = 24
	nalFUA   = 28
)

// IsKeyNAL tells an IDR slice or a parameter set.
func IsKeyNAL(nal []byte) bool {
	if len(nal) == 0 {
		return false
	}
	t := nal[0] & 0x1F
	return t == nalIDR || t == nalSPS || t == nalPPS
}

func packetizeH264(dst []byte, ends []int, nal []byte, mtu int) ([]byte, []int) {
	if len(nal) <= mtu {
		dst = append(dst, nal...)
		return dst, append(ends, len(dst))
	}
	indicator, t := nal[0]&0xE0|nalFUA, nal[0]&0x1F
	for start, rest := byte(0x80), nal[1:]; len(rest) > 0; start = 0 {
		n := min(len(rest), mtu-2)
		end := byte(0)
		if n == len(rest) {
			end = 0x40
		}
		dst = append(append(dst, indicator, start|end|t), rest[:n]...)
		ends = append(ends, len(dst))
		rest = rest[n:]
	}
	return dst, ends
}

type h264 struct {
	buf  []byte
	open bool
	out  []Unit
}

func (d *h264) Reset() { d.buf, d.open = d.buf[:0], false }

func (d *h264) Feed(b []byte, _ bool) []Unit {
	d.out = d.out[:0]
	if len(b) == 0 {
		return nil
	}
	switch t := b[0] & 0x1F; {
	case t >= 1 && t <= 23:
		d.add(b)
	case t == nalSTAPA:
		for b = b[1:]; len(b) >= 2; {
			n := int(binary.BigEndian.Uint16(b))
			if b = b[2:]; n > len(b) {
				break
			}
			d.add(b[:n])
			b = b[n:]
		}
	case t == nalFUA:
		d.fragment(b)
	}
	return d.out
}

func (d *h264) add(nal []byte) { d.out = append(d.out, Unit{nal, IsKeyNAL(nal)}) }

func (d *h264) fragment(b []byte) {
	if len(b) < 2 {
		return
	}
	if b[1]&0x80 != 0 {
		d.buf, d.open = append(d.buf[:0], b[0]&0xE0|b[1]&0x1F), true
	} else if !d.open {
		return
	}
	if len(d.buf)+len(b) > MaxFrame {
		d.Reset()
		return
	}
	d.buf = append(d.buf, b[2:]...)
	if b[1]&0xC0 == 0x40 { // start and end in one must not be (RFC 6184 §5.8): it is taken for a start
		d.open = false
		d.add(d.buf)
	}
}

// BeginsKeyNAL tells whether a payload holds, or begins, an IDR slice or a parameter set.
func BeginsKeyNAL(b []byte) bool {
	if len(b) < 2 {
		return IsKeyNAL(b)
	}
	switch b[0] & 0x1F {
	case nalFUA:
		return b[1]&0x80 != 0 && IsKeyNAL(b[1:2])
	case nalSTAPA:
		return len(b) > 3 && IsKeyNAL(b[3:4])
	}
	return IsKeyNAL(b)
}
