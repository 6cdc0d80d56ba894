package h266

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

// Written field by field after the syntax tables; another parser reads them alike.
const (
	spsFull = "004d0253a000000300000300000300000300c0c0333300000a0200b46990a630057ab570fc3b6a59242c2c1fc2fc6888900000030010" +
		"000003032d000005cc6486324319218c93319218c90c6486324cc6486324319218c931408ffc0010000f848804ea40"
	spsSubpictures = "000d02538000000a0200b458802bd5ab87e0e020f80020"
	spsMatrices    = "000d02538000000a0200b448802bd5ab87e0e020f82020"
)

func TestSPS(t *testing.T) {
	in := unhex(t, spsFull)
	var s SPS
	if err := s.Unmarshal(in); err != nil {
		t.Fatal(err)
	}
	s.tools, s.cropped = tools{}, false
	want := SPS{
		MaxSubLayersMinus1: 2, Chroma: codec.YUV420, CtbSize: 128, HasPTL: true,
		PTL:        ProfileTierLevel{ProfileIDC: 1, LevelIDC: 83, FrameOnlyConstraint: true},
		CodedWidth: 1280, CodedHeight: 720, Crop: codec.Crop{Left: 2, Right: 4, Top: 6, Bottom: 8},
		Width: 1274, Height: 706, BitDepth: 10, Log2MaxPocLsbMinus4: 6,
		HasTiming: true, NumUnitsInTick: 1, TimeScale: 50, FieldSequence: true, HasVUI: true,
		VUI: VUI{
			HasAspectRatio: true, AspectRatioIDC: 255, SARWidth: 4, SARHeight: 3, HasColour: true,
			Color:             codec.Color{Primaries: 9, Transfer: 16, Matrix: 9, FullRange: true},
			HasChromaLocation: true,
		},
	}
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	for n := range len(in) {
		err := s.Unmarshal(in[:n])
		e, ok := err.(*tsterr.Error) //nolint:errorlint // what the package promises
		if !ok || e.Kind != tsterr.CodecTruncatedRBSP || e.Attrs[0].Value != int64(8*n) {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, in := range []string{spsSubpictures, spsMatrices} {
		var s SPS
		if err := s.Unmarshal(unhex(t, in)); tsterr.KindOf(err) != tsterr.CodecUnsupportedProfile {
			t.Errorf("%s: %v", in, err)
		}
	}
	var s SPS
	if err := s.Unmarshal(make([]byte, 30)); tsterr.KindOf(err) != tsterr.CodecInvalidGolomb {
		t.Errorf("zeros: %v", err)
	}
}

func TestIDs(t *testing.T) {
	var v VPS
	if err := v.Unmarshal(unhex(t, "ffff")); err != nil || v != (VPS{ID: 15, MaxLayers: 64, MaxSubLayers: 8}) {
		t.Errorf("VPS: %+v, %v", v, err)
	}
	var p PPS
	if err := p.Unmarshal(unhex(t, "ffff")); err != nil || p != (PPS{ID: 63, SPSID: 15}) {
		t.Errorf("PPS: %+v, %v", p, err)
	}
	if err := p.Unmarshal(nil); tsterr.KindOf(err) != tsterr.CodecTruncatedRBSP {
		t.Errorf("empty PPS: %v", err)
	}
}

func TestSliceHeader(t *testing.T) {
	sps := SPS{Log2MaxPocLsbMinus4: 4}
	for _, ca := range []struct {
		name string
		in   string
		t    NALType
		sps  *SPS
		want SliceHeader
	}{
		{"IDR that tells no more", "80000000", NALIDRWRadl, &sps, SliceHeader{First: true, Type: SliceI, HasPoc: true}},
		// 1 1 0 0 0 00101 01011010: a picture of I slices, PPS 4
		{"IDR", "c1558000", NALIDRWRadl, &sps, SliceHeader{First: true, Type: SliceI, PPSID: 4, HasPoc: true, PocLsb: 0x56}},
		// 1 0 0 1 1 1 01011010: inter slices allowed
		{"trailing", "9d6800", NALTrail, &sps, SliceHeader{First: true, Type: SliceUnknown, HasPoc: true, PocLsb: 0x5a}},
		{"without SPS", "9d6800", NALTrail, nil, SliceHeader{First: true, Type: SliceUnknown}},
		{"no picture header", "1d6800", NALTrail, &sps, SliceHeader{Type: SliceUnknown}},
	} {
		var h SliceHeader
		if err := h.Unmarshal(unhex(t, ca.in), ca.t, ca.sps); err != nil || h != ca.want {
			t.Errorf("%s: got %+v, %v, want %+v", ca.name, h, err, ca.want)
		}
	}
	var h SliceHeader
	if err := h.Unmarshal(nil, NALTrail, nil); tsterr.KindOf(err) != tsterr.CodecTruncatedRBSP {
		t.Errorf("empty: %v", err)
	}
}

func TestSplit(t *testing.T) {
	au := unhex(t, "0000018079aa"+"000001c079aa"+"0000010078aa"+"0000010039aa"+"00000100")
	var units [8]codec.Unit
	n := Split(units[:], au)
	want := []codec.Unit{
		{Type: 15, B: 1, Offset: 5, Length: 1, Flags: codec.UnitForbidden},
		{Type: 15, B: 1, Offset: 11, Length: 1, Flags: codec.UnitForbidden | codec.UnitReserved | codec.UnitDropped},
		{Type: 15, Offset: 17, Length: 1, Flags: codec.UnitTemporalZero},
		{Type: 7, B: 1, Offset: 23, Length: 1},
	}
	if n != len(want) {
		t.Fatalf("%d units", n)
	}
	for i := range want {
		if units[i] != want[i] {
			t.Errorf("unit %d: got %+v, want %+v", i, units[i], want[i])
		}
	}
	if !IsRandomAccess(au) {
		t.Error("random access")
	}
}

func FuzzParameterSets(f *testing.F) {
	f.Add(unhex(f, spsFull))
	f.Fuzz(func(t *testing.T, in []byte) {
		var v VPS
		_ = v.Unmarshal(in)
		var p PPS
		_ = p.Unmarshal(in)
		var s SPS
		if s.Unmarshal(in) != nil {
			return
		}
		if s.Width > s.CodedWidth || s.Height > s.CodedHeight || s.BitDepth > 16 {
			t.Errorf("out of range: %+v", s)
		}
		var more SPS
		if err := more.Unmarshal(append(in[:len(in):len(in)], 1, 2, 3)); err != nil {
			t.Errorf("fails with more data: %v", err)
		}
	})
}

func FuzzSlice(f *testing.F) {
	f.Add(unhex(f, "80000000"), byte(7), byte(4))
	f.Fuzz(func(t *testing.T, in []byte, nalType, bits byte) {
		var h SliceHeader
		err := h.Unmarshal(in, NALType(nalType), &SPS{Log2MaxPocLsbMinus4: bits % 16})
		if err == nil && (h.Type > SliceUnknown || h.PocLsb>>(bits%16+4) != 0) {
			t.Errorf("out of range: %+v", h)
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
