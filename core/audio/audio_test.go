package audio

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// ITU-T G.711 tables 1a, 2a: decision values and their codes, at both ends and around zero.
func TestG711Codes(t *testing.T) {
	for _, c := range []struct {
		sample     int16
		ulaw, alaw byte
	}{
		{0, 0xFF, 0xD5}, {-1, 0x7F, 0x55}, {8, 0xFE, 0xD5}, {32767, 0x80, 0xAA}, {-32768, 0x00, 0x2A}, {1000, 0xCE, 0xFA}, {-1000, 0x4E, 0x7A},
	} {
		pcm := binary.LittleEndian.AppendUint16(nil, uint16(c.sample))
		u, _ := ULaw{}.Encode(nil, pcm)
		a, _ := ALaw{}.Encode(nil, pcm)
		if u[0] != c.ulaw || a[0] != c.alaw {
			t.Errorf("%d: mu-law %#x want %#x, A-law %#x want %#x", c.sample, u[0], c.ulaw, a[0], c.alaw)
		}
	}
}

func TestG711Idempotent(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, c := range []Codec{ULaw{}, ALaw{}} {
		pcm, _ := c.Decode(nil, all)
		back, _ := c.Encode(nil, pcm)
		for i := range all {
			// Mu-law has two codes for zero.
			if back[i] != all[i] && (all[i] != 0x7F || back[i] != 0xFF) {
				t.Errorf("%T: code %#x came back as %#x", c, all[i], back[i])
			}
		}
	}
}

func TestL16(t *testing.T) {
	b, err := L16{}.Encode(nil, []byte{1, 2, 3, 4})
	if err != nil || !bytes.Equal(b, []byte{2, 1, 4, 3}) {
		t.Fatal(b, err)
	}
	if _, err := (L16{}).Decode(nil, []byte{1}); err == nil {
		t.Fatal("half a sample was taken")
	}
}

func TestG722KeepsTone(t *testing.T) {
	c := NewG722()
	var in, out []byte
	for i := range 16000 {
		in = binary.LittleEndian.AppendUint16(in, uint16(int16(8000*math.Sin(2*math.Pi*1000*float64(i)/16000))))
	}
	for i := 0; i < len(in); i += 640 {
		p, err := c.Encode(nil, in[i:i+640])
		if err != nil || len(p) != 160 {
			t.Fatal(len(p), err)
		}
		if out, err = c.Decode(out, p); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) != len(in) {
		t.Fatal(len(out))
	}
	if level := NoiseLevel(out[8000:]); level < 14 || level > 16 { // 8000 of 32767, RMS: -15 dB
		t.Fatal("level", level)
	}
}

func TestConcealerRamp(t *testing.T) {
	c := NewConcealer(8000, 60)
	if got := c.Conceal(nil, 2); !bytes.Equal(got, make([]byte, 4)) {
		t.Fatal(got)
	}
	frame := make([]byte, 320)
	for i := range 160 {
		binary.LittleEndian.PutUint16(frame[2*i:], 1000)
	}
	c.Update(frame)
	got := c.Conceal(nil, 600)
	for i := range 600 {
		want := max(0, 1000*(480-i)/480)
		if v := int(int16(binary.LittleEndian.Uint16(got[2*i:]))); v != want {
			t.Fatalf("sample %d: %d want %d", i, v, want)
		}
	}
}

func TestNoiseLevels(t *testing.T) {
	for _, level := range []int{20, 50, 70} {
		if got := NoiseLevel(NewNoise(level, 1).Generate(nil, 16000)); got < level-1 || got > level+1 {
			t.Errorf("noise of %d measured as %d", level, got)
		}
	}
	if NoiseLevel(NewNoise(NoiseSilence, 1).Generate(nil, 100)) != NoiseSilence {
		t.Error("silence is not silent")
	}
}
