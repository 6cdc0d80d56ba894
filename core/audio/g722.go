package audio

import (
	"encoding/binary"
	"math"
	"reflect"

	"github.com/gotranspile/g722"
)

// G722 is G.722 at 64 kbit/s, 16,000 Hz: two samples a byte. Its RTP clock runs at 8,000 Hz by RFC 3551
// §4.5.2, which is the business of who stamps the packets.
type G722 struct {
	stateless
	enc *g722.Encoder
	dec *g722.Decoder
	buf []int16
	// bands tells that the decoder gives the two bands, which history joins.
	bands   bool
	history [24]int32
}

// qmf has half of the taps of the synthesis filter, which is symmetric (ITU-T G.722 table 11).
var qmf = [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

// NewG722 makes a coder and a decoder.
func NewG722() *G722 {
	c := &G722{
		enc: g722.NewEncoder(g722.Rate64000, 0),
		dec: g722.NewDecoder(g722.Rate64000, 0),
	}
	// The module's synthesis filter wraps where G.722 saturates, so that loud signals click. Its test mode leaves the
	// filter out, but has no other switch than this field.
	if f := reflect.ValueOf(c.dec).Elem().FieldByName("ituTestMode"); f.IsValid() && f.Kind() == reflect.Bool {
		*(*bool)(f.Addr().UnsafePointer()) = true
		c.bands = true
	}
	return c
}

// synthesize joins the samples of the two bands, each at twice its value, in pairs and in place (§4.4).
func (c *G722) synthesize(b []int16) {
	h := &c.history
	for ; len(b) >= 2; b = b[2:] {
		low, high := int32(b[0])>>1, int32(b[1])>>1
		copy(h[:], h[2:])
		h[22], h[23] = low+high, low-high
		var first, second int32
		for i, tap := range qmf {
			second += h[2*i] * tap
			first += h[2*i+1] * qmf[11-i]
		}
		b[0], b[1] = saturate(first>>11), saturate(second>>11)
	}
}

func saturate(v int32) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }

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
	if c.bands {
		c.synthesize(c.buf[:k])
	}
	for _, v := range c.buf[:k] {
		dst = append(dst, byte(v), byte(v>>8)) //nolint:gosec // two's complement
	}
	return dst, nil
}
