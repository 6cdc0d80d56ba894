package audio

import "sync"

// law is one of the two laws as tables: 256 values to decode, 65,536 codes to encode.
type law struct {
	linear [256]uint16
	code   [65536]byte
}

// The tables are made at the first packet: a process that loads the library for something else does without.
var (
	ulaw = sync.OnceValue(func() *law { return newLaw(ulawLinear, ulawCode) })
	alaw = sync.OnceValue(func() *law { return newLaw(alawLinear, alawCode) })
)

func newLaw(linear func(byte) int16, code func(int) byte) *law {
	l := &law{}
	for c := range l.linear {
		l.linear[c] = uint16(linear(byte(c))) //nolint:gosec // two's complement
	}
	for v := range l.code {
		l.code[v] = code(int(int16(v))) //nolint:gosec // see above
	}
	return l
}

// Mu-law in 16-bit terms (ITU-T G.711 table 2): bias and clip of the segment search.
const (
	ulawBias = 132
	ulawClip = 32635
)

func ulawLinear(c byte) int16 {
	c = ^c
	v := (int16(c&0x0F)<<3+ulawBias)<<(c>>4&7) - ulawBias
	if c&0x80 != 0 {
		return -v
	}
	return v
}

func ulawCode(s int) byte {
	sign := byte(0)
	if s < 0 {
		s, sign = -s, 0x80
	}
	s = min(s, ulawClip) + ulawBias
	segment := 7
	for m := 0x4000; segment > 0 && s&m == 0; m >>= 1 {
		segment--
	}
	return ^(sign | byte(segment)<<4 | byte(s>>(segment+3))&0x0F)
}

func alawLinear(c byte) int16 {
	c ^= 0x55
	v := int16(c&0x0F)<<4 + 8
	if seg := c >> 4 & 7; seg > 0 {
		v = (v + 0x100) << (seg - 1)
	}
	if c&0x80 != 0 {
		return v
	}
	return -v
}

func alawCode(s int) byte {
	mask := byte(0xD5)
	if s < 0 {
		// One's complement: -1 and 0 are the two codes nearest to silence (ITU-T G.711 table 1).
		s, mask = ^s, 0x55
	}
	segment := 0
	for limit := 0x100; segment < 7 && s >= limit; limit <<= 1 {
		segment++
	}
	code := byte(s >> 4 & 0x0F)
	if segment > 0 {
		code = byte(segment)<<4 | byte(s>>(segment+3))&0x0F
	}
	return code ^ mask
}

// ULaw is G.711 mu-law, 8,000 Hz. A last odd byte of PCM is left out.
type ULaw struct{ stateless }

// Encode appends one byte a sample.
func (ULaw) Encode(dst, pcm []byte) ([]byte, error) { return compress(dst, pcm, &ulaw().code), nil }

// Decode appends two bytes a byte.
func (ULaw) Decode(dst, payload []byte) ([]byte, error) {
	return expand(dst, payload, &ulaw().linear), nil
}

// ALaw is G.711 A-law, 8,000 Hz. A last odd byte of PCM is left out.
type ALaw struct{ stateless }

// Encode appends one byte a sample.
func (ALaw) Encode(dst, pcm []byte) ([]byte, error) { return compress(dst, pcm, &alaw().code), nil }

// Decode appends two bytes a byte.
func (ALaw) Decode(dst, payload []byte) ([]byte, error) {
	return expand(dst, payload, &alaw().linear), nil
}

func compress(dst, pcm []byte, table *[65536]byte) []byte {
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		dst = append(dst, table[uint16(pcm[0])|uint16(pcm[1])<<8])
	}
	return dst
}

func expand(dst, payload []byte, table *[256]uint16) []byte {
	for _, c := range payload {
		v := table[c]
		dst = append(dst, byte(v), byte(v>>8))
	}
	return dst
}
