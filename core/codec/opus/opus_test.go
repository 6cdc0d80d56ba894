package opus

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tstrans/tstrans/core/tsterr"
)

func TestSamples(t *testing.T) {
	for _, c := range []struct {
		packet []byte
		want   int
	}{
		{nil, 0},
		{[]byte{0x00}, 480},                   // SILK, 10 ms
		{[]byte{0x18}, 2880},                  // SILK, 60 ms
		{[]byte{0x60}, 480},                   // hybrid, 10 ms
		{[]byte{0x68}, 960},                   // hybrid, 20 ms
		{[]byte{0x80}, 120},                   // CELT, 2.5 ms
		{[]byte{0xFC}, 960},                   // CELT, fullband stereo, 20 ms: what libopus makes most
		{[]byte{0xFD}, 1920},                  // two frames of one size
		{[]byte{0xFE}, 1920},                  // two frames of two sizes
		{[]byte{0xFF, 0x03}, 2880},            // three
		{[]byte{0xFF}, 0},                     // a count that is missing
		{[]byte{0xFF, 0x07}, 0},               // 140 ms
		{[]byte{0x1B, 0x02, 0xAA}, 5760},      // 120 ms
		{[]byte{0x83, 0x30 | 0x80}, 48 * 120}, // 48 frames of 2.5 ms, with padding
	} {
		if got := Samples(c.packet); got != c.want {
			t.Errorf("% X: %d, not %d", c.packet, got, c.want)
		}
	}
}

// The first unit of a stream of FFmpeg 5.1 (libopus in MPEG-TS): it trims the
// encoder's 312 samples of delay.
var ffmpegUnit = []byte{0x7F, 0xF0, 0x03, 0x01, 0x38, 0xFC, 0xFF, 0xFE}

func TestUnmarshal(t *testing.T) {
	long := append([]byte{0x7F, 0xE0, 0xFF, 0x01, 0xFC}, make([]byte, 255)...)
	for name, c := range map[string]struct {
		in   []byte
		want Unit
		n    int
	}{
		"start trim": {append(bytes.Clone(ffmpegUnit), 0x7F), Unit{Packet: ffmpegUnit[5:], Samples: 960, StartTrim: 312}, 8},
		"long":       {long, Unit{Packet: long[4:], Samples: 960}, len(long)},
		"all fields": {
			[]byte{0x7F, 0xFC, 0x01, 0x00, 0x05, 0x1F, 0xFF, 0x02, 0xAA, 0xBB, 0x80},
			Unit{Packet: []byte{0x80}, Samples: 120, StartTrim: 5, EndTrim: 8191},
			11,
		},
	} {
		var u Unit
		n, err := u.Unmarshal(c.in)
		if err != nil || n != c.n || !bytes.Equal(u.Packet, c.want.Packet) || u.Samples != c.want.Samples ||
			u.StartTrim != c.want.StartTrim || u.EndTrim != c.want.EndTrim {
			t.Errorf("%s: %+v, %d, %v", name, u, n, err)
		}
	}
}

func TestUnmarshalBroken(t *testing.T) {
	for field, b := range map[string][]byte{
		"control header":    {0x7F, 0x00, 0x01, 0xFC},
		"size":              {0x7F, 0xE0, 0xFF},
		"start trim":        {0x7F, 0xF0, 0x01, 0x00},
		"end trim":          {0x7F, 0xE8, 0x01, 0x00},
		"control extension": {0x7F, 0xE4, 0x01, 0x09, 0xFC},
		"packet":            {0x7F, 0xE0, 0x02, 0xFC},
		"table of contents": {0x7F, 0xE0, 0x01, 0xFF},
	} {
		var u Unit
		_, err := u.Unmarshal(b)
		var e *tsterr.Error
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(ffmpegUnit)
	f.Add([]byte{0x7F, 0xFC, 0x01, 0x00, 0x05, 0x1F, 0xFF, 0x02, 0xAA, 0xBB, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		var u Unit
		for len(b) > 0 {
			n, err := u.Unmarshal(b)
			if err != nil {
				break
			}
			if n <= len(u.Packet) || n > len(b) || u.Samples <= 0 || u.Samples > maxSamples {
				t.Fatalf("%+v of %d bytes", u, n)
			}
			b = b[n:]
		}
		if !bytes.Equal(in[len(in)-len(b):], b) {
			t.Fatal("the input changed")
		}
	})
}
