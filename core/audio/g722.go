package audio

import (
	"encoding/binary"

	"github.com/gotranspile/g722"
)

// G722 is G.722 at 64 kbit/s, 16,000 Hz: two samples a byte. Its RTP clock runs at 8,000 Hz by RFC 3551
// §4.5.2, which is the business of who stamps the packets.
type G722 struct {
	stateless
	enc *g722.Encoder
	dec *g722.Decoder
	buf []int16
}

// NewG722 makes a coder and a decoder.
func NewG722() *G722 {
	return &G722{
		enc: g722.NewEncoder(g722.Rate64000, 0),
		dec: g722.NewDecoder(g722.Rate64000, 0),
	}
}

// Encode appends one byte for two samples; an odd sample at the end is left out.
func (c *G722) Encode(dst, pcm []byte) ([]byte, error) {
	n := len(pcm) / 4 * 2
	if n > MaxSamples {
		return dst, tooLong(n)
	}
	c.buf = c.buf[:0]
	for i := range n {
		c.buf = append(c.buf, int16(binary.LittleEndian.Uint16(pcm[2*i:]))) //nolint:gosec // two's complement
	}
	at := len(dst)
	dst = append(dst, make([]byte, n/2+2)...)
	k := c.enc.Encode(dst[at:], c.buf)
	return dst[:at+k], nil
}

// Decode appends two samples a byte.
func (c *G722) Decode(dst, payload []byte) ([]byte, error) {
	n := 2 * len(payload)
	if n > MaxSamples {
		return dst, tooLong(n)
	}
	if cap(c.buf) < n+2 {
		c.buf = make([]int16, n+2)
	}
	k := c.dec.Decode(c.buf[:n+2], payload)
	for _, v := range c.buf[:k] {
		dst = append(dst, byte(v), byte(v>>8)) //nolint:gosec // two's complement
	}
	return dst, nil
}
