package h264

import (
	"encoding/hex"
	"testing"

	"github.com/tstrans/tstrans/core/codec"
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

// x264, 720p30 with HRD; the fields are those FFmpeg's trace_headers prints.
const spsX264 = "64001facd9405005bb016a02020280000003008000001e478c18cb"

func TestSPS(t *testing.T) {
	in := unhex(t, spsX264)
	var s SPS
	if err := s.Unmarshal(in); err != nil {
		t.Fatal(err)
	}
	want := SPS{
		ProfileIDC: 100, LevelIDC: 31, Chroma: codec.YUV420, BitDepthLuma: 8, BitDepthChroma: 8,
		PicOrderCntType: 0, Log2MaxPicOrderCntLsbMinus4: 2, MaxNumRefFrames: 4, FrameMbsOnly: true,
		CodedWidth: 1280, CodedHeight: 720, Width: 1280, Height: 720, HasVUI: true,
		VUI: VUI{
			HasAspectRatio: true, AspectRatioIDC: 1, HasVideoSignalType: true, VideoFormat: 5, HasColour: true,
			Color:     codec.Color{Primaries: 1, Transfer: 1, Matrix: 1},
			HasTiming: true, NumUnitsInTick: 1, TimeScale: 60, FixedFrameRate: true,
			HasBitstreamRestriction: true, MaxNumReorderFrames: 2, MaxDecFrameBuffering: 4,
		},
	}
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if rate, ok := s.VUI.FrameRate(); !ok || rate != (codec.Rational{Num: 60, Den: 2}) {
		t.Errorf("frame rate %v, %v", rate, ok)
	}
	if !s.HasBFrames() {
		t.Error("no B frames")
	}
	if string(in) != string(unhex(t, spsX264)) {
		t.Error("the input was changed")
	}
}

// Every cut of a parameter set fails at the end of what is there.
func TestSPSCut(t *testing.T) {
	in := unhex(t, spsX264)
	for n := range len(in) {
		var s SPS
		checkCut(t, s.Unmarshal(in[:n]), n)
	}
}

func checkCut(t *testing.T, err error, n int) {
	t.Helper()
	e, ok := err.(*tsterr.Error) //nolint:errorlint // what the package promises
	if !ok || e.Kind != tsterr.CodecTruncatedRBSP {
		t.Fatalf("%d bytes: got %v", n, err)
	}
	needed := int64(1)
	if n == 0 {
		needed = 8
	}
	if e.Attrs[0] != (tsterr.Attr{Name: "offset_bits", Value: int64(8 * n)}) ||
		e.Attrs[1] != (tsterr.Attr{Name: "needed_bits", Value: needed}) {
		t.Errorf("%d bytes: attributes %v", n, e.Attrs)
	}
}

var casesPPS = []struct {
	in   string
	want PPS
	kind tsterr.Kind
}{
	{"ebe3cb22c0", PPS{CABAC: true}, 0},
	{"ff", PPS{CABAC: true}, 0},
	{"68", PPS{ID: 2, SPSID: 1}, 0},
	{"00", PPS{}, tsterr.CodecTruncatedRBSP},
	{"0000000000", PPS{}, tsterr.CodecInvalidGolomb},
	{"0080e0", PPS{}, tsterr.CodecReservedValue}, // id 256
}

func TestPPS(t *testing.T) {
	for _, ca := range casesPPS {
		var p PPS
		err := p.Unmarshal(unhex(t, ca.in))
		if tsterr.KindOf(err) != ca.kind || (err == nil && p != ca.want) {
			t.Errorf("%s: got %+v, %v", ca.in, p, err)
		}
	}
}

func TestSliceHeader(t *testing.T) {
	var s SPS
	if err := s.Unmarshal(unhex(t, spsX264)); err != nil {
		t.Fatal(err)
	}
	planes := s
	planes.SeparateColourPlane = true
	for _, ca := range []struct {
		in   string
		sps  *SPS
		want SliceHeader
	}{
		{"88840033ff", &s, SliceHeader{Type: SliceI, HasFrameNum: true}},
		{"88840033ff", nil, SliceHeader{Type: SliceI}},
		{"88a7", &s, SliceHeader{Type: SliceI, HasFrameNum: true, FrameNum: 4}},
		{"88a7", &planes, SliceHeader{Type: SliceI, HasFrameNum: true, FrameNum: 3}},
	} {
		var h SliceHeader
		if err := h.Unmarshal(unhex(t, ca.in), ca.sps); err != nil || h != ca.want {
			t.Errorf("%s: got %+v, %v, want %+v", ca.in, h, err, ca.want)
		}
	}
}

func TestSplit(t *testing.T) {
	au := unhex(t, "0000000109f0"+"0000000167"+spsX264+"00000168ebe3cb22c0"+"00000001e588840033ff")
	var units [8]codec.Unit
	n := Split(units[:], au)
	want := []codec.Unit{
		{Type: 9, Offset: 5, Length: 1},
		{Type: 7, A: 3, Offset: 11, Length: 27},
		{Type: 8, A: 3, Offset: 42, Length: 5},
		{Type: 5, A: 3, Offset: 52, Length: 5, Flags: codec.UnitForbidden},
	}
	if n != len(want) {
		t.Fatalf("%d units", n)
	}
	for i := range want {
		if units[i] != want[i] {
			t.Errorf("unit %d: got %+v, want %+v", i, units[i], want[i])
		}
	}
	if Split(units[:2], au) != 4 {
		t.Error("units that do not fit are not counted")
	}
	if !IsRandomAccess(au) || IsRandomAccess([]byte("\x00\x00\x01\x41\x9a")) {
		t.Error("random access")
	}
}

func FuzzSPS(f *testing.F) {
	f.Add(unhex(f, spsX264))
	f.Fuzz(func(t *testing.T, in []byte) {
		var s SPS
		if s.Unmarshal(in) != nil {
			return
		}
		if s.Width > s.CodedWidth || s.Height > s.CodedHeight || s.Width == 0 || s.BitDepthLuma > 16 || s.ID > 31 {
			t.Errorf("out of range: %+v", s)
		}
		// A set that is whole is whole whatever follows it.
		var more SPS
		if err := more.Unmarshal(append(in[:len(in):len(in)], 1, 2, 3)); err != nil {
			t.Errorf("fails with more data: %v", err)
		}
	})
}

func FuzzPPSAndSlice(f *testing.F) {
	f.Add(unhex(f, "88840033ff"), byte(4))
	f.Fuzz(func(t *testing.T, in []byte, bits byte) {
		var p PPS
		if p.Unmarshal(in) == nil && p.SPSID > maxSPSID {
			t.Error("SPS id")
		}
		var h SliceHeader
		err := h.Unmarshal(in, &SPS{Log2MaxFrameNumMinus4: bits % 13})
		if err == nil && (h.Type > SliceSI || h.FrameNum>>(bits%13+4) != 0) {
			t.Errorf("out of range: %+v", h)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x09\xf0\x00\x00\x01\x65\x88"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var units [64]codec.Unit
		n := Split(units[:], in)
		end := uint64(0)
		for _, u := range units[:min(n, len(units))] {
			if u.Offset < end || u.Offset+u.Length > uint64(len(in)) {
				t.Fatalf("unit %+v in %d bytes", u, len(in))
			}
			end = u.Offset + u.Length
		}
		IsRandomAccess(in)
	})
}

func BenchmarkSPS(b *testing.B) {
	in := unhex(b, spsX264)
	b.ReportAllocs()
	for b.Loop() {
		var s SPS
		if err := s.Unmarshal(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	au := make([]byte, 0, 90000)
	au = append(au, unhex(b, "0000000109f0"+"0000000167"+spsX264+"00000168ebe3cb22c0"+"0000000165")...)
	for i := range 83000 {
		au = append(au, byte(i*i>>3)|4)
	}
	var units [16]codec.Unit
	b.ReportAllocs()
	b.SetBytes(int64(len(au)))
	for b.Loop() {
		Split(units[:], au)
	}
}
