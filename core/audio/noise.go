package audio

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// Comfort noise (RFC 3389): a level in -dBov, 0 loudest to 127 silence; spectral parts are neither sent nor read.
const (
	NoiseSilence = 127
	NoiseDefault = 70 // the level sent where none was measured
	noiseScale   = 32767.0
)

// Noise makes comfort noise of one level.
type Noise struct {
	amplitude float64 // of the uniform distribution
	rng       *rand.Rand
}

// NewNoise makes a generator for a level in -dBov; seed 0 takes an arbitrary one.
func NewNoise(level int, seed uint64) *Noise {
	if seed == 0 {
		seed = rand.Uint64() //nolint:gosec // noise, no secret
	}
	n := &Noise{rng: rand.New(rand.NewPCG(seed, ^seed))} //nolint:gosec // see above
	if level = min(max(level, 0), NoiseSilence); level < NoiseSilence {
		// A uniform distribution of amplitude a has an RMS of a/sqrt(3).
		n.amplitude = noiseScale * math.Pow(10, -float64(level)/20) * math.Sqrt(3)
	}
	return n
}

// Generate appends samples of noise to dst.
func (n *Noise) Generate(dst []byte, samples int) []byte {
	for range min(samples, MaxSamples) {
		v := int16(0)
		if n.amplitude > 0 {
			f := math.Round((2*n.rng.Float64() - 1) * n.amplitude)
			v = int16(min(max(f, -noiseScale), noiseScale))
		}
		dst = append(dst, byte(v), byte(v>>8)) //nolint:gosec // two's complement
	}
	return dst
}

// NoiseLevel measures PCM: its RMS in -dBov, rounded, 127 for no samples and for an RMS of less than one step.
func NoiseLevel(pcm []byte) int {
	n, sum := 0, 0.0
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		v := float64(int16(binary.LittleEndian.Uint16(pcm))) //nolint:gosec // two's complement
		sum += v * v
		n++
	}
	if sum < float64(n) || n == 0 {
		return NoiseSilence
	}
	level := math.Round(-20 * math.Log10(math.Sqrt(sum/float64(n))/noiseScale))
	return int(min(max(level, 0), NoiseSilence))
}

// NoisePayload is the one byte of a comfort noise packet for a level; the level is brought into 0 to 127.
func NoisePayload(level int) byte { return byte(min(max(level, 0), NoiseSilence)) }

// ParseNoise reads the level of a comfort noise packet: 127 where it is empty.
func ParseNoise(payload []byte) int {
	if len(payload) == 0 {
		return NoiseSilence
	}
	return int(payload[0] & 0x7F)
}
