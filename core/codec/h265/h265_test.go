package h265

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

const (
	// From x265.
	vpsX265 = "0c01ffff01600000030090000003000003005d959809"
	// Written field by field after the syntax tables, with every optional part
	// a SPS may have before its extensions; another parser reads it alike.
	spsFull = "0501600000030090000003000003005dd00000030000030000030000030000030000030000b00280802d1a642b6715eabd5555555554" +
		"bbe6d6b97b00600cffc0010000db848804db14c85800001f4800075303c000000300000300d0a149050a4828524142926850a4828524142920" +
		"a1493428524142920a149050a491c20104"
)

func TestVPS(t *testing.T) {
	var v VPS
	if err := v.Unmarshal(unhex(t, vpsX265)); err != nil {
		t.Fatal(err)
	}
	want := VPS{
		TemporalIDNesting: true,
		PTL: ProfileTierLevel{
			ProfileIDC: 1, CompatibilityFlags: 0x60000000, ProgressiveSource: true, FrameOnlyConstraint: true,
			ConstraintIndicators: 0x900000000000, LevelIDC: 93,
		},
	}
	if v != want {
		t.Errorf("got  %+v\nwant %+v", v, want)
	}
}

func TestSPS(t *testing.T) {
	in := unhex(t, spsFull)
	var s SPS
	if err := s.Unmarshal(in); err != nil {
		t.Fatal(err)
	}
	want := SPS{
		MaxSubLayersMinus1: 2, TemporalIDNesting: true,
		PTL: ProfileTierLevel{
			ProfileIDC: 1, CompatibilityFlags: 0x60000000, ProgressiveSource: true, FrameOnlyConstraint: true,
			ConstraintIndicators: 0x900000000000, LevelIDC: 93,
		},
		Chroma: codec.YUV422, CodedWidth: 1280, CodedHeight: 720,
		Crop: codec.Crop{Left: 2, Right: 4, Top: 3, Bottom: 4}, Width: 1274, Height: 713,
		BitDepthLuma: 10, BitDepthChroma: 10, Log2MaxPocLsbMinus4: 6, Log2CtbSize: 4,
		HasVUI: true,
		VUI: VUI{
			HasAspectRatio: true, AspectRatioIDC: 255, SARWidth: 4, SARHeight: 3,
			HasVideoSignalType: true, VideoFormat: 5, HasColour: true,
			Color:             codec.Color{Primaries: 9, Transfer: 16, Matrix: 9, FullRange: true},
			HasChromaLocation: true, HasTiming: true, NumUnitsInTick: 1001, TimeScale: 60000,
		},
	}
	s.cropped, s.chromaIDC = false, 0
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	for n := range len(in) {
		err := s.Unmarshal(in[:n])
		if err == nil {
			// Only what follows the timing may be missing.
			if n < 78 {
				t.Errorf("%d bytes pass", n)
			}
			continue
		}
		e, ok := err.(*tsterr.Error) //nolint:errorlint // what the package promises
		if !ok || e.Kind != tsterr.CodecTruncatedRBSP || e.Attrs[0].Value != int64(8*n) {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
}

// The third set is coded against the second, the second against the first.
func TestPredictedSets(t *testing.T) {
	ref := pictureSet{nBefore: 2, nAfter: 1}
	ref.before[0], ref.before[1], ref.after[0] = -1, -3, 2
	for _, ca := range []struct {
		delta         int32
		before, after []int32
	}{
		// Equations 7-61 and 7-62 by hand, all pictures used.
		{-1, []int32{-1, -2, -4}, []int32{1}},
		{1, []int32{-2}, []int32{1, 3}},
		{-2, []int32{-2, -3, -5}, nil},
	} {
		s := predict(&ref, ca.delta, [2*maxSetPictures + 1]bool{true, true, true, true})
		if !equal(s.before[:s.nBefore], ca.before) || !equal(s.after[:s.nAfter], ca.after) {
			t.Errorf("delta %d: before %v after %v, want %v %v", ca.delta, s.before[:s.nBefore], s.after[:s.nAfter],
				ca.before, ca.after)
		}
	}
}

func equal(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestSliceHeader(t *testing.T) {
	sps := SPS{Log2MaxPocLsbMinus4: 4, CodedWidth: 64, CodedHeight: 64, Log2CtbSize: 4} // 16 blocks: 4 address bits
	for _, ca := range []struct {
		name string
		in   string
		t    NALType
		sps  *SPS
		pps  *PPS
		want SliceHeader
	}{
		{"IDR", "af08", NALIDRWRadl, &sps, nil, SliceHeader{First: true, Type: SliceI, HasPoc: true}},
		{"IDR without SPS", "af08", NALIDRWRadl, nil, nil, SliceHeader{First: true, Type: SliceI}},
		// 1 1 010 01011010
		{"first", "d2d0", NALTrailR, &sps, nil, SliceHeader{First: true, Type: SliceP, HasPoc: true, PocLsb: 0x5a}},
		{"without SPS", "d2d0", NALTrailR, nil, nil, SliceHeader{First: true, Type: SliceP}},
		// 0 1 0011 010 01011010
		{"later", "4d2d00", NALTrailR, &sps, nil, SliceHeader{Type: SliceP, HasPoc: true, PocLsb: 0x5a}},
		{"later without SPS", "4d2d00", NALTrailR, nil, nil, SliceHeader{Type: SliceUnknown}},
		// 0 1 1: dependent
		{"dependent", "70", NALTrailR, &sps, &PPS{DependentSliceSegments: true}, SliceHeader{Type: SliceUnknown}},
		// 1 1 00 010 1 01011010: two extra bits, the output flag
		{
			"with PPS", "c55a", NALTrailR, &sps, &PPS{NumExtraSliceHeaderBits: 2, OutputFlagPresent: true},
			SliceHeader{First: true, Type: SliceP, HasPoc: true, PocLsb: 0x5a},
		},
	} {
		var h SliceHeader
		if err := h.Unmarshal(unhex(t, ca.in), ca.t, ca.sps, ca.pps); err != nil || h != ca.want {
			t.Errorf("%s: got %+v, %v, want %+v", ca.name, h, err, ca.want)
		}
	}
	var h SliceHeader
	if err := h.Unmarshal(unhex(t, "c8ffff"), NALTrailR, &sps, nil); tsterr.KindOf(err) != tsterr.CodecReservedValue {
		t.Errorf("slice type 3: %v", err)
	}
}

func TestSplit(t *testing.T) {
	au := unhex(t, "000001"+"4001"+vpsX265+"00000140"+"0000014000aa"+"0000012601af08")
	var units [4]codec.Unit
	n := Split(units[:], au)
	want := []codec.Unit{
		{Type: 32, B: 1, Offset: 5, Length: 22},
		{Type: 32, Offset: 36, Length: 1, Flags: codec.UnitTemporalZero},
		{Type: 19, B: 1, Offset: 42, Length: 2},
	}
	if n != len(want) {
		t.Fatalf("%d units", n)
	}
	for i := range want {
		if units[i] != want[i] {
			t.Errorf("unit %d: got %+v, want %+v", i, units[i], want[i])
		}
	}
	if !IsRandomAccess(au) || IsRandomAccess(unhex(t, "0000010201d0")) {
		t.Error("random access")
	}
}

func FuzzParameterSets(f *testing.F) {
	f.Add(unhex(f, vpsX265))
	f.Add(unhex(f, spsFull))
	f.Fuzz(func(t *testing.T, in []byte) {
		var v VPS
		_ = v.Unmarshal(in)
		var p PPS
		if p.Unmarshal(in) == nil && (p.ID > maxPPSID || p.SPSID > maxSPSID) {
			t.Errorf("out of range: %+v", p)
		}
		var s SPS
		if s.Unmarshal(in) != nil {
			return
		}
		if s.Width > s.CodedWidth || s.Height > s.CodedHeight || s.BitDepthLuma > 16 || s.ID > maxSPSID {
			t.Errorf("out of range: %+v", s)
		}
		var more SPS
		if err := more.Unmarshal(append(in[:len(in):len(in)], 1, 2, 3)); err != nil {
			t.Errorf("fails with more data: %v", err)
		}
	})
}

func FuzzSlice(f *testing.F) {
	f.Add(unhex(f, "af08"), byte(19), byte(4))
	f.Fuzz(func(t *testing.T, in []byte, nalType, bits byte) {
		sps := SPS{Log2MaxPocLsbMinus4: bits % 13, CodedWidth: 1920, CodedHeight: 1080, Log2CtbSize: uint32(bits % 8)}
		for _, pps := range []*PPS{nil, {DependentSliceSegments: true, NumExtraSliceHeaderBits: bits % 8}} {
			var h SliceHeader
			err := h.Unmarshal(in, NALType(nalType), &sps, pps)
			if err == nil && (h.Type > SliceUnknown || h.PocLsb>>(bits%13+4) != 0) {
				t.Errorf("out of range: %+v", h)
			}
		}
	})
}

func BenchmarkSPS(b *testing.B) {
	in := unhex(b, spsFull)
	b.ReportAllocs()
	for b.Loop() {
		var s SPS
		if err := s.Unmarshal(in); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x40\x01\x0c\x00\x00\x01\x26\x01\xaf\x00\x00\x01\x01"))
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
