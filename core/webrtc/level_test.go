package webrtc

import (
	"encoding/binary"
	"math"
	"testing"
)

func samples(f func(i int) float64) []byte {
	b := make([]byte, 0, 2*960)
	for i := range 960 {
		b = binary.NativeEndian.AppendUint16(b, uint16(int16(f(i)))) //nolint:gosec // a signed sample
	}
	return b
}

func TestAudioLevel(t *testing.T) {
	for name, c := range map[string]struct {
		pcm  []byte
		want int
	}{
		"nothing":         {nil, 127},
		"silence":         {samples(func(int) float64 { return 0 }), 127},
		"square":          {samples(func(i int) float64 { return 32767 - 65534*float64(i&1) }), 0},
		"sine":            {samples(func(i int) float64 { return 32767 * math.Sin(float64(i)*math.Pi/48) }), 3},
		"a 100th":         {samples(func(i int) float64 { return 327.67 * math.Sin(float64(i)*math.Pi/48) }), 43},
		"one step":        {samples(func(i int) float64 { return float64(i & 1) }), 93},
		"lowest there is": {samples(func(int) float64 { return -32768 }), 0},
	} {
		if got := audioLevel(c.pcm); got != c.want {
			t.Errorf("%s: %d, not %d", name, got, c.want)
		}
	}
}
