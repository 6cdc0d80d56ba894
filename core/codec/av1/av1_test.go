package av1

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
	seqPlain   = "00000043fc1dfc10dcc1a008"
	seqReduced = "18157ffc0008"
	// Written field by field after the syntax tables; another parser reads it alike.
	seqFull = "44000000040000007a4a4000000040088001380000320009c0000190004e00000cd54ff59f1202261a12201388"
)

var unspecified = codec.Color{Primaries: 2, Transfer: 2, Matrix: 2}

func TestSequenceHeader(t *testing.T) {
	for _, ca := range []struct {
		in     string
		want   SequenceHeader
		chroma codec.ChromaFormat
		rate   codec.Rational
	}{
		{seqPlain, SequenceHeader{
			Level: 8, MaxFrameWidth: 1920, MaxFrameHeight: 1080, BitDepth: 8,
			SubsamplingX: true, SubsamplingY: true, Color: unspecified,
		}, codec.YUV420, codec.Rational{}},
		{seqReduced, SequenceHeader{
			StillPicture: true, Reduced: true, MaxFrameWidth: 64, MaxFrameHeight: 64, BitDepth: 8,
			SubsamplingX: true, SubsamplingY: true, Color: unspecified,
		}, codec.YUV420, codec.Rational{}},
		{seqFull, SequenceHeader{
			Profile: 2, Level: 9, Tier: 1, HasTiming: true, NumUnitsInTick: 1, TimeScale: 30,
			EqualPictureInterval: true, NumTicksPerPicture: 4, MaxFrameWidth: 1280, MaxFrameHeight: 720, BitDepth: 12,
			SubsamplingX: true, Color: codec.Color{Primaries: 9, Transfer: 16, Matrix: 9, FullRange: true},
		}, codec.YUV422, codec.Rational{Num: 15, Den: 2}},
	} {
		var s SequenceHeader
		if err := s.Unmarshal(unhex(t, ca.in)); err != nil || s != ca.want {
			t.Errorf("got  %+v, %v\nwant %+v", s, err, ca.want)
		}
		if s.Chroma() != ca.chroma {
			t.Errorf("%s: chroma %d", ca.in, s.Chroma())
		}
		if rate, _ := s.FrameRate(); rate != ca.rate {
			t.Errorf("%s: rate %v", ca.in, rate)
		}
		for n := range len(unhex(t, ca.in)) - 1 {
			if err := s.Unmarshal(unhex(t, ca.in)[:n]); tsterr.KindOf(err) != tsterr.CodecTruncatedRBSP {
				t.Errorf("%d bytes of %s: %v", n, ca.in, err)
			}
		}
	}
}

func TestSequenceHeaderReserved(t *testing.T) {
	for in, field := range map[string]string{
		"60":                           "seq_profile",
		"0400000000000000040000000000": "num_units_in_display_tick",
		"0400000004000000000000000000": "time_scale",
	} {
		var s SequenceHeader
		e, ok := s.Unmarshal(unhex(t, in)).(*tsterr.Error) //nolint:errorlint // what the package promises
		if !ok || e.Kind != tsterr.CodecReservedValue || e.Field != field {
			t.Errorf("%s: %v", in, e)
		}
	}
}

func TestFrameHeader(t *testing.T) {
	plain, reduced := SequenceHeader{}, SequenceHeader{Reduced: true}
	for _, ca := range []struct {
		in   string
		seq  *SequenceHeader
		want FrameHeader
	}{
		{"10", &plain, FrameHeader{Show: true}},
		{"00", &plain, FrameHeader{}},
		{"80", &plain, FrameHeader{ShowExisting: true, Show: true}},
		{"30", &plain, FrameHeader{Type: FrameInter, Show: true}},
		{"50", &plain, FrameHeader{Type: FrameIntraOnly, Show: true}},
		{"70", &plain, FrameHeader{Type: FrameSwitch, Show: true}},
		{"", &reduced, FrameHeader{Show: true}},
	} {
		var h FrameHeader
		if err := h.Unmarshal(unhex(t, ca.in), ca.seq); err != nil || h != ca.want {
			t.Errorf("%q: got %+v, %v", ca.in, h, err)
		}
	}
	var h FrameHeader
	if err := h.Unmarshal(nil, &plain); tsterr.KindOf(err) != tsterr.CodecTruncatedRBSP {
		t.Errorf("empty: %v", err)
	}
}

func TestSplit(t *testing.T) {
	for _, ca := range []struct {
		in   string
		want []codec.Unit
	}{
		{"", nil},
		{"12000a03010203320299 98", []codec.Unit{
			{Type: 2, Offset: 2}, {Type: 1, Offset: 4, Length: 3}, {Type: 6, Offset: 9, Length: 2},
		}},
		{"36480177", []codec.Unit{{Type: 6, A: 2, B: 1, Offset: 3, Length: 1, Flags: codec.UnitHasExtension}}},
		{"18aabb", []codec.Unit{{Type: 3, Offset: 1, Length: 2, Flags: codec.UnitNoSize}}},
		{"4200", []codec.Unit{{Type: 8, Offset: 2, Flags: codec.UnitTileList}}},
		{"9300", []codec.Unit{{Type: 2, Offset: 2, Flags: codec.UnitForbidden | codec.UnitReserved}}},
		{"0a05aa", nil},
		{"0a8080808080808080800101", nil},
		{"12000a", []codec.Unit{{Type: 2, Offset: 2}}},
		{"3601", []codec.Unit{{Type: 6, Flags: codec.UnitHasExtension | codec.UnitExtReserved | codec.UnitDropped}}},
	} {
		var units [8]codec.Unit
		in := unhex(t, stripSpace(ca.in))
		checkUnits(t, ca.in, units[:Split(units[:], in)], ca.want)
	}
}

func checkUnits(t *testing.T, name string, got, want []codec.Unit) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d units, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: unit %d: got %+v, want %+v", name, i, got[i], want[i])
		}
	}
}

func stripSpace(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != ' ' {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func TestSplitTS(t *testing.T) {
	for _, ca := range []struct {
		in, data string
		framed   bool
		want     []codec.Unit
	}{
		{"0000010a04000003 0105", "0a0400000105", true, []codec.Unit{{Type: 1, Offset: 2, Length: 4}}},
		{"00000112000000010a020102", "12000a020102", true, []codec.Unit{
			{Type: 2, Offset: 2}, {Type: 1, Offset: 4, Length: 2},
		}},
		// A size may be left out: the start codes tell.
		{"00000110000001180708", "10180708", true, []codec.Unit{
			{Type: 2, Offset: 1, Flags: codec.UnitNoSize}, {Type: 3, Offset: 2, Length: 2, Flags: codec.UnitNoSize},
		}},
		{"1200", "1200", false, []codec.Unit{{Type: 2, Offset: 2}}},
	} {
		var units [8]codec.Unit
		n, data, framed := SplitTS(units[:], nil, unhex(t, stripSpace(ca.in)))
		checkUnits(t, ca.in, units[:n], ca.want)
		if framed != ca.framed || string(data) != string(unhex(t, ca.data)) {
			t.Errorf("%s: framed %v, data %x", ca.in, framed, data)
		}
	}
}

func TestRandomAccess(t *testing.T) {
	seq := "0a0c" + seqPlain
	for in, want := range map[string]bool{
		"1200" + seq + "320110": true,
		"1200" + seq + "320130": false,
		"1200" + "320110":       false,
		"":                      false,
	} {
		if IsRandomAccess(unhex(t, in)) != want {
			t.Errorf("%s: not %v", in, want)
		}
	}
}

func FuzzSequenceHeader(f *testing.F) {
	f.Add(unhex(f, seqPlain))
	f.Add(unhex(f, seqReduced))
	f.Add(unhex(f, seqFull))
	f.Fuzz(func(t *testing.T, in []byte) {
		var s SequenceHeader
		if s.Unmarshal(in) != nil {
			return
		}
		if s.Profile > maxProfile || s.BitDepth > 12 || s.MaxFrameWidth > 1<<16 || s.Tier > 1 {
			t.Errorf("out of range: %+v", s)
		}
		var h FrameHeader
		if h.Unmarshal(in, &s) == nil && h.Type > FrameSwitch {
			t.Errorf("frame type %d", h.Type)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add(unhex(f, "12000a0301020332029998"))
	f.Add(unhex(f, "0000010a040000030105"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var units [32]codec.Unit
		n := Split(units[:], in)
		inside(t, units[:min(n, len(units))], in)
		n, data, _ := SplitTS(units[:], nil, in)
		inside(t, units[:min(n, len(units))], data)
		IsRandomAccess(in)
	})
}

func inside(t *testing.T, units []codec.Unit, data []byte) {
	t.Helper()
	for _, u := range units {
		if u.Flags&codec.UnitDropped == 0 && u.Offset+u.Length > uint64(len(data)) {
			t.Fatalf("unit %+v in %d bytes", u, len(data))
		}
	}
}

func BenchmarkSequenceHeader(b *testing.B) {
	in := unhex(b, seqFull)
	b.ReportAllocs()
	for b.Loop() {
		var s SequenceHeader
		if err := s.Unmarshal(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplitTS(b *testing.B) {
	au := append([]byte("\x00\x00\x01\x12\x00\x00\x00\x01\x30"), make([]byte, 40000)...)
	for i := range 40000 {
		au[9+i] = byte(i * i)
	}
	var units [8]codec.Unit
	scratch := make([]byte, 0, len(au))
	b.ReportAllocs()
	b.SetBytes(int64(len(au)))
	for b.Loop() {
		SplitTS(units[:], scratch, au)
	}
}
