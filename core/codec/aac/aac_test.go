package aac

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/tstrans/tstrans/core/tsterr"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

var casesFrame = []struct {
	in   string
	want Frame
}{
	{"fff15080015ffc010203", Frame{SampleRate: 44100, Length: 10, HeaderLength: 7, Profile: ProfileLC, ChannelConfig: 2, Blocks: 1}},
	{"fff05080019ffc010203 0405", Frame{SampleRate: 44100, Length: 12, HeaderLength: 9, Profile: ProfileLC, ChannelConfig: 2, Blocks: 1}},
	{"fff95080015ffc010203", Frame{SampleRate: 44100, Length: 10, HeaderLength: 7, Profile: ProfileLC, ChannelConfig: 2, Blocks: 1, MPEG2: true}},
	{"fff1b1c0015fff010203", Frame{SampleRate: 7350, Length: 10, HeaderLength: 7, Profile: ProfileSSR, ChannelConfig: 7, Blocks: 4}},
}

func TestFrame(t *testing.T) {
	for _, ca := range casesFrame {
		in := unhex(t, string(bytes.ReplaceAll([]byte(ca.in), []byte(" "), nil)))
		var f Frame
		if err := f.Unmarshal(in); err != nil || f != ca.want {
			t.Errorf("%s: got %+v, %v, want %+v", ca.in, f, err, ca.want)
		}
		if !IsADTS(in) || IsLOAS(in) {
			t.Errorf("%s: not told apart", ca.in)
		}
		if f.HeaderLength == HeaderSize {
			head, err := AppendHeader(nil, &f, int(f.Length)-HeaderSize)
			var back Frame
			if err != nil || back.Unmarshal(append(head, in[7:]...)) != nil || back != f {
				t.Errorf("%s: written as %x, %v", ca.in, head, err)
			}
		}
	}
	if f := casesFrame[3].want; f.Channels() != 8 || f.Samples() != 4096 || f.HasCRC() {
		t.Error("derived values")
	}
}

func TestErrors(t *testing.T) {
	for _, ca := range []struct {
		in    string
		kind  tsterr.Kind
		attrs []tsterr.Attr
		field string
	}{
		{"fff150", tsterr.CodecTruncated, []tsterr.Attr{{Name: "needed", Value: 7}, {Name: "had", Value: 3}}, ""},
		{"00f15080015ffc", tsterr.CodecBadSyncWord, []tsterr.Attr{{Name: "expected", Value: 4095}, {Name: "found", Value: 15}}, ""},
		{"fff35080015ffc", tsterr.CodecForbidden, nil, "adts_layer"},
		{"fff17480015ffc", tsterr.CodecReservedValue, []tsterr.Attr{{Name: "value", Value: 13}}, "sampling_frequency_index"},
		{"fff15080015ffc0102", tsterr.CodecTruncated, []tsterr.Attr{{Name: "needed", Value: 10}, {Name: "had", Value: 9}}, ""},
		{"fff15080001ffc", tsterr.CodecTruncated, []tsterr.Attr{{Name: "needed", Value: 7}, {Name: "had", Value: 0}}, ""},
	} {
		var f Frame
		e, ok := f.Unmarshal(unhex(t, ca.in)).(*tsterr.Error) //nolint:errorlint // what the package promises
		if !ok || e.Kind != ca.kind || e.Field != ca.field || len(e.Attrs) != len(ca.attrs) {
			t.Errorf("%s: %+v", ca.in, e)
			continue
		}
		for i := range ca.attrs {
			if e.Attrs[i] != ca.attrs[i] {
				t.Errorf("%s: %v", ca.in, e.Attrs)
			}
		}
	}
}

func TestSplit(t *testing.T) {
	frame := unhex(t, casesFrame[0].in)
	two := append(append([]byte{}, frame...), frame...)
	var frames [4]Frame
	if n, err := Split(frames[:], two); n != 2 || err != nil || frames[1].Offset != 10 {
		t.Errorf("%d frames, %v", n, err)
	}
	dirty := append(append([]byte("\xff\xf1"), frame...), "xx"...)
	dirty = append(append(dirty, frame...), frame[:8]...)
	if n := SplitResync(frames[:], dirty); n != 2 || frames[0].Offset != 2 || frames[1].Offset != 14 {
		t.Errorf("%d frames: %+v", n, frames)
	}
	if n, err := Split(frames[:], dirty); n != 0 || err == nil {
		t.Errorf("strict: %d frames, %v", n, err)
	}
}

func TestLOAS(t *testing.T) {
	loas := unhex(t, "56e003aabbcc56e003aabbcc")
	if !IsLOAS(loas) || IsADTS(loas) || IsLOAS(unhex(t, "56e002aabbcc56e0")) || IsLOAS(nil) {
		t.Error("LOAS is not told apart")
	}
}

func TestAudioSpecificConfig(t *testing.T) {
	// AAC LC, 44.1 kHz, stereo: the bytes every MP4 of that kind has.
	if got := casesFrame[0].want.AudioSpecificConfig(); got != [2]byte{0x12, 0x10} {
		t.Errorf("got %x", got)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(unhex(f, casesFrame[0].in))
	f.Fuzz(func(t *testing.T, in []byte) {
		var frames, strict [64]Frame
		n := SplitResync(frames[:], in)
		end := uint64(0)
		for _, fr := range frames[:min(n, len(frames))] {
			if fr.Offset < end || fr.Length < HeaderSize || fr.SampleRate == 0 {
				t.Fatalf("%+v", fr)
			}
			end = fr.Offset + uint64(fr.Length)
		}
		if end > uint64(len(in)) {
			t.Fatal("past the end")
		}
		// What the strict reader accepts, the other one finds alike.
		if m, err := Split(strict[:], in); err == nil && (m != n || strict != frames) {
			t.Fatalf("strict %d, with resync %d", m, n)
		}
		IsADTS(in)
		IsLOAS(in)
	})
}

func BenchmarkSplit(b *testing.B) {
	buf := bytes.Repeat(unhex(b, casesFrame[0].in), 1000)
	frames := make([]Frame, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if n, err := Split(frames, buf); n != 1000 || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkResync searches data that is all sync words, and no frame.
func BenchmarkResync(b *testing.B) {
	buf := bytes.Repeat([]byte("\xff\xf1\x50\x80"), 10000)
	frames := make([]Frame, 10)
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		SplitResync(frames, buf)
	}
}
