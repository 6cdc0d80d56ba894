package mpegaudio

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
	header string
	want   Frame
}{
	{"fffd8404", Frame{Layer: LayerII, Bitrate: 128, SampleRate: 48000, Length: 384, Samples: 1152}},
	{"fffb9064", Frame{Layer: LayerIII, Bitrate: 128, SampleRate: 44100, Length: 417, Samples: 1152, Mode: JointStereo}},
	{"fffb9264", Frame{Layer: LayerIII, Bitrate: 128, SampleRate: 44100, Length: 418, Samples: 1152, Mode: JointStereo}},
	{"fff38464", Frame{Layer: LayerIII, Version: MPEG2, Bitrate: 64, SampleRate: 24000, Length: 192, Samples: 576, Mode: JointStereo}},
	{"ffe38464", Frame{Layer: LayerIII, Version: MPEG25, Bitrate: 64, SampleRate: 12000, Length: 384, Samples: 576, Mode: JointStereo}},
	{"ffff8404", Frame{Layer: LayerI, Bitrate: 256, SampleRate: 48000, Length: 256, Samples: 384}},
	{"fff58404", Frame{Layer: LayerII, Version: MPEG2, Bitrate: 64, SampleRate: 24000, Length: 384, Samples: 1152}},
	{"fffd84c4", Frame{Layer: LayerII, Bitrate: 128, SampleRate: 48000, Length: 384, Samples: 1152, Mode: Mono}},
	{"fffc8404", Frame{Layer: LayerII, Bitrate: 128, SampleRate: 48000, Length: 384, Samples: 1152, HasCRC: true}},
	{"fffde404", Frame{Layer: LayerII, Bitrate: 384, SampleRate: 48000, Length: 1152, Samples: 1152}},
}

func TestFrame(t *testing.T) {
	for _, ca := range casesFrame {
		in := append(unhex(t, ca.header), make([]byte, 3000)...)
		var f Frame
		if err := f.Unmarshal(in); err != nil || f != ca.want {
			t.Errorf("%s: got %+v, %v, want %+v", ca.header, f, err, ca.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, ca := range []struct {
		in    string
		kind  tsterr.Kind
		field string
		attr  tsterr.Attr
	}{
		{"ff", tsterr.CodecTruncated, "", tsterr.Attr{Name: "needed", Value: 4}},
		{"00000000", tsterr.CodecBadSyncWord, "", tsterr.Attr{Name: "expected", Value: 2047}},
		{"fffd8404", tsterr.CodecTruncated, "", tsterr.Attr{Name: "needed", Value: 384}},
		{"ffed8404", tsterr.CodecReservedValue, "version_id", tsterr.Attr{Name: "value", Value: 1}},
		{"fff98404", tsterr.CodecReservedValue, "layer", tsterr.Attr{Name: "value"}},
		{"fffd0404", tsterr.CodecUnsupportedFreeFormat, "", tsterr.Attr{Name: "layer", Value: 2}},
		{"fffd8c04", tsterr.CodecReservedValue, "sample_rate_index", tsterr.Attr{Name: "value", Value: 3}},
	} {
		var f Frame
		e, ok := f.Unmarshal(unhex(t, ca.in)).(*tsterr.Error) //nolint:errorlint // what the package promises
		if !ok || e.Kind != ca.kind || e.Field != ca.field || e.Attrs[0] != ca.attr {
			t.Errorf("%s: %+v", ca.in, e)
		}
	}
	var f Frame
	if err := f.Unmarshal(unhex(t, "fffdf404")); tsterr.KindOf(err) != tsterr.CodecForbidden {
		t.Errorf("bitrate index 15: %v", err)
	}
}

func TestSplit(t *testing.T) {
	frame := append(unhex(t, "fffd8404"), make([]byte, 380)...)
	dirty := append(append([]byte("\xff\xfd"), frame...), 'x')
	dirty = append(append(dirty, frame...), frame[:100]...)
	var frames [4]Frame
	if n := SplitResync(frames[:], dirty); n != 2 || frames[0].Offset != 2 || frames[1].Offset != 387 {
		t.Errorf("%d frames: %+v", n, frames)
	}
	n, err := Split(frames[:], append(append([]byte{}, frame...), 'x'))
	if n != 1 || tsterr.KindOf(err) != tsterr.CodecTruncated {
		t.Errorf("strict: %d frames, %v", n, err)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(append(unhex(f, "fffd1404"), make([]byte, 140)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		var frames, strict [64]Frame
		n := SplitResync(frames[:], in)
		end := uint64(0)
		for _, fr := range frames[:min(n, len(frames))] {
			if fr.Offset < end || fr.Length < HeaderSize || fr.SampleRate == 0 || fr.Bitrate == 0 {
				t.Fatalf("%+v", fr)
			}
			end = fr.Offset + uint64(fr.Length)
		}
		if end > uint64(len(in)) {
			t.Fatal("past the end")
		}
		if m, err := Split(strict[:], in); err == nil && (m != n || strict != frames) {
			t.Fatalf("strict %d, with resync %d", m, n)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	buf := bytes.Repeat(append(unhex(b, "fffd8404"), make([]byte, 380)...), 1000)
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
	buf := bytes.Repeat([]byte("\xff\xfd\x0c\x04"), 10000)
	frames := make([]Frame, 10)
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		SplitResync(frames, buf)
	}
}
