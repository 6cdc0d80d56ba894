package bits

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tstrans/tstrans/core/tsterr"
)

// The bit strings of H.264 table 9-2, and the longest code.
var casesUE = []struct {
	v    uint32
	bits string
}{
	{0, "1"},
	{1, "010"},
	{2, "011"},
	{3, "00100"},
	{6, "00111"},
	{7, "0001000"},
	{8, "0001001"},
	{1<<32 - 2, "0000000000000000000000000000000" + "11111111111111111111111111111111"},
}

func fromBits(s string) []byte {
	var w Writer
	for _, c := range s {
		w.Flag(c == '1')
	}
	return w.Bytes()
}

func TestUE(t *testing.T) {
	for _, ca := range casesUE {
		r := NewReader(fromBits(ca.bits))
		if got := r.UE(); got != ca.v || r.Err() != nil {
			t.Errorf("%s: got %d, %v, want %d", ca.bits, got, r.Err(), ca.v)
		}
		if r.Offset() != len(ca.bits) {
			t.Errorf("%s: read %d bits", ca.bits, r.Offset())
		}
		var w Writer
		w.UE(ca.v)
		if !bytes.Equal(w.Bytes(), fromBits(ca.bits)) {
			t.Errorf("%d: wrote %x, want %s", ca.v, w.Bytes(), ca.bits)
		}
	}
}

func TestSE(t *testing.T) {
	// H.264 table 9-3.
	for code, want := range []int32{0, 1, -1, 2, -2, 3, -3} {
		var w Writer
		w.UE(uint32(code))
		r := NewReader(w.Bytes())
		if got := r.SE(); got != want {
			t.Errorf("codeNum %d: got %d, want %d", code, got, want)
		}
		var v Writer
		v.SE(want)
		if !bytes.Equal(v.Bytes(), w.Bytes()) {
			t.Errorf("%d: wrote %x, want %x", want, v.Bytes(), w.Bytes())
		}
	}
}

var casesFailures = []struct {
	name   string
	in     string
	read   func(r *Reader)
	rbsp   bool
	kind   tsterr.Kind
	offset int64
	needed int64
}{
	{"plain field", "\x00", func(r *Reader) { r.U(3); r.U(7) }, false, tsterr.CodecTruncatedRBSP, 3, 7},
	{"rbsp field", "\x00", func(r *Reader) { r.U(3); r.U(7) }, true, tsterr.CodecTruncatedRBSP, 8, 1},
	{"rbsp with emulation prevention", "\x00\x00\x03\x01", func(r *Reader) { r.U(32) }, true, tsterr.CodecTruncatedRBSP, 32, 1},
	{"cut golomb", "\x00\x00", func(r *Reader) { r.UE() }, true, tsterr.CodecTruncatedRBSP, 16, 1},
	{"golomb suffix", "\x01", func(r *Reader) { r.UE() }, true, tsterr.CodecTruncatedRBSP, 8, 1},
	{"32 zeros", "\x00\x00\x00\x00", func(r *Reader) { r.UE() }, true, tsterr.CodecInvalidGolomb, 0, -1},
	{
		"behind emulation prevention", "\x64\x00\x00\x03\x1f\x00\x00\x00\x00\x00",
		func(r *Reader) { r.U(24); r.U(8); r.UE() },
		true, tsterr.CodecInvalidGolomb, 40, -1,
	},
	{
		"in front of emulation prevention", "\x64\x00\x00\x03\x00\x00\x00\x00\x00",
		func(r *Reader) { r.U(24); r.UE() },
		true, tsterr.CodecInvalidGolomb, 24, -1,
	},
}

func TestFailures(t *testing.T) {
	for _, ca := range casesFailures {
		t.Run(ca.name, func(t *testing.T) {
			r := NewReader([]byte(ca.in))
			if ca.rbsp {
				r = NewRBSP([]byte(ca.in))
			}
			ca.read(&r)
			var e *tsterr.Error
			if !errors.As(r.Err(), &e) || e.Kind != ca.kind {
				t.Fatalf("got %v, want %v", r.Err(), ca.kind)
			}
			got := map[string]int64{"needed_bits": -1}
			for _, a := range e.Attrs {
				got[a.Name] = a.Value
			}
			if got["offset_bits"] != ca.offset || got["needed_bits"] != ca.needed {
				t.Errorf("got %v, want offset %d needed %d", got, ca.offset, ca.needed)
			}
			if r.U(8) != 0 || r.UE() != 0 || r.Flag() {
				t.Error("reads after a failure are not zero")
			}
		})
	}
}

var casesEscape = []struct{ plain, escaped string }{
	{"", ""},
	{"\x01\x02", "\x01\x02"},
	{"\x00\x00\x01", "\x00\x00\x03\x01"},
	{"\x00\x00\x03", "\x00\x00\x03\x03"},
	{"\x00\x00\x04", "\x00\x00\x04"},
	{"\x00\x00\x00\x00\x00\x01", "\x00\x00\x03\x00\x00\x03\x00\x01"},
	{"\x00\x00", "\x00\x00\x03"},
}

func TestEscape(t *testing.T) {
	for _, ca := range casesEscape {
		if got := AppendEscaped(nil, []byte(ca.plain)); string(got) != ca.escaped {
			t.Errorf("%x: escaped to %x, want %x", ca.plain, got, ca.escaped)
		}
		if got := AppendUnescaped(nil, []byte(ca.escaped)); string(got) != ca.plain {
			t.Errorf("%x: unescaped to %x, want %x", ca.escaped, got, ca.plain)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, ca := range casesEscape {
		f.Add([]byte(ca.plain))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		escaped := AppendEscaped([]byte{0xaa}, plain)[1:]
		for i := 2; i < len(escaped); i++ {
			if escaped[i-2] == 0 && escaped[i-1] == 0 && escaped[i] < 3 {
				t.Fatalf("%x escapes to %x, which has a start code", plain, escaped)
			}
		}
		if got := AppendUnescaped(nil, escaped); !bytes.Equal(got, plain) {
			t.Fatalf("%x comes back as %x", plain, got)
		}
		r := NewRBSP(escaped)
		for i, want := range plain {
			if got := byte(r.U(8)); got != want {
				t.Fatalf("byte %d of %x reads as %x", i, plain, got)
			}
		}
	})
}

// FuzzReader holds the reader against reading bit by bit, and what the writer
// makes of the values against the input.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0x64, 0, 0, 3, 0x1f}, []byte{0, 8, 33, 70})
	f.Fuzz(func(t *testing.T, buf, ops []byte) {
		r, slow := NewRBSP(buf), NewRBSP(buf)
		var w Writer
		for _, op := range ops {
			switch {
			case op < 65:
				got, want := r.U64(int(op)), uint64(0)
				for range op {
					want = want<<1 | uint64(slow.U(1))
				}
				if !slow.Failed() && got != want {
					t.Fatalf("%d bits: got %x, want %x", op, got, want)
				}
				w.U(int(op), got)
			default:
				v := r.UE()
				zeros := 0
				for !slow.Failed() && !slow.Flag() {
					zeros++
				}
				for range min(zeros, 64) {
					slow.Flag()
				}
				w.UE(v)
			}
			if r.Failed() != slow.Failed() && op < 65 {
				t.Fatalf("failed: %v, bit by bit: %v", r.Err(), slow.Err())
			}
			if r.Failed() {
				_ = r.Err().Error()
				return
			}
		}
		n := r.Offset()
		if w.Len() != n {
			t.Fatalf("wrote %d bits of %d", w.Len(), n)
		}
		plain := AppendUnescaped(nil, buf)
		for i, b := range w.Bytes() {
			mask := byte(0xff)
			if left := n - 8*i; left < 8 {
				mask <<= uint(8 - left)
			}
			if b != plain[i]&mask {
				t.Fatalf("wrote %x, read %x", w.Bytes(), plain)
			}
		}
	})
}

func BenchmarkReader(b *testing.B) {
	buf := bytes.Repeat([]byte{0x64, 0x00, 0x1f, 0xac, 0xd9}, 20)
	b.ReportAllocs()
	for b.Loop() {
		r := NewRBSP(buf)
		for !r.Failed() {
			r.U(3)
			r.UE()
		}
	}
}
