package audio

import "encoding/binary"

// DefaultFade is how long a Concealer takes to reach silence, in ms.
const DefaultFade = 60

// Concealer stands in for lost frames of codecs that cannot do so themselves: it repeats the last frame in a
// cycle while a linear ramp takes it to silence.
type Concealer struct {
	fade    int // samples from the last real frame to silence
	history []int16
	at      int // samples concealed since the last real frame
}

// NewConcealer makes one for a sample rate in Hz; fade is in ms, 0 conceals with silence.
func NewConcealer(sampleRate, fadeMS int) *Concealer {
	return &Concealer{fade: max(0, sampleRate*fadeMS/1000)}
}

// FrameSamples is the length of the frame that is repeated, 0 before the first.
func (c *Concealer) FrameSamples() int { return len(c.history) }

// Update takes a real frame: the ramp starts again from it. A last odd byte is left out; an empty frame leaves
// nothing to repeat.
func (c *Concealer) Update(pcm []byte) {
	n := min(len(pcm)/2, MaxSamples)
	c.history = c.history[:0]
	for i := range n {
		c.history = append(c.history, int16(binary.LittleEndian.Uint16(pcm[2*i:]))) //nolint:gosec // two's complement
	}
	c.at = 0
}

// Conceal appends samples of replacement to dst: zeros where there was no frame yet.
func (c *Concealer) Conceal(dst []byte, samples int) []byte {
	samples = min(samples, MaxSamples)
	for range samples {
		v := int16(0)
		if n := len(c.history); n > 0 && c.at < c.fade {
			v = floorDiv(int(c.history[c.at%n])*(c.fade-c.at), c.fade)
		}
		c.at++
		dst = append(dst, byte(v), byte(v>>8)) //nolint:gosec // two's complement
	}
	return dst
}

// Reset forgets the frame.
func (c *Concealer) Reset() { c.history, c.at = c.history[:0], 0 }

// floorDiv divides and rounds down; the quotient fits a sample.
func floorDiv(a, b int) int16 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return int16(q) //nolint:gosec // no larger than the sample that was ramped
}
