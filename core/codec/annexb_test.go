package codec

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestStartCodeAgainstNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 20000 {
		size := 120
		if n%100 == 0 {
			size = 12000
		}
		buf := make([]byte, rng.IntN(size))
		for i := range buf {
			buf[i] = byte(rng.IntN(2+rng.IntN(4))) | byte(n>>12)
		}
		for from := 0; from <= len(buf); from += 1 + rng.IntN(9+size/120*200) {
			want := bytes.Index(buf[from:], []byte{0, 0, 1})
			if want >= 0 {
				want += from
			}
			if got := IndexStartCode(buf, from); got != want {
				t.Fatalf("IndexStartCode(%x, %d) = %d, want %d", buf, from, got, want)
			}
		}
	}
}

var casesNALs = []struct {
	name string
	in   string
	want []string
}{
	{"nothing", "", nil},
	{"no start code", "\xaa\xbb", nil},
	{"mixed start codes", "\x00\x00\x00\x01\x09\xf0\x00\x00\x01\x67\x64", []string{"\x09\xf0", "\x67\x64"}},
	{"bytes before", "\xaa\x00\x00\x01\x65", []string{"\x65"}},
	{"empty units", "\x00\x00\x01\x00\x00\x01\x00\x00\x00\x01\x65\x00\x00\x01", []string{"\x65"}},
	{"zeros between", "\x00\x00\x01\x61\x88\x00\x00\x00\x00\x00\x01\x61", []string{"\x61\x88\x00\x00", "\x61"}},
	{"zeros at the end", "\x00\x00\x01\x61\x00\x00\x00", []string{"\x61\x00\x00\x00"}},
	{"one zero", "\x00\x00\x01\x00", []string{"\x00"}},
}

func TestNALs(t *testing.T) {
	for _, ca := range casesNALs {
		t.Run(ca.name, func(t *testing.T) {
			var got []string
			for n := NewNALs([]byte(ca.in)); n.Next(); {
				if ca.in[n.Offset:n.Offset+len(n.Unit)] != string(n.Unit) {
					t.Errorf("offset %d does not lead to %x", n.Offset, n.Unit)
				}
				got = append(got, string(n.Unit))
			}
			if len(got) != len(ca.want) {
				t.Fatalf("got %q, want %q", got, ca.want)
			}
			for i := range got {
				if got[i] != ca.want[i] {
					t.Errorf("unit %d: got %x, want %x", i, got[i], ca.want[i])
				}
			}
		})
	}
}

// BenchmarkDense searches data whose every byte is 01.
func BenchmarkDense(b *testing.B) {
	au := bytes.Repeat([]byte{1}, 83000)
	b.ReportAllocs()
	b.SetBytes(int64(len(au)))
	for b.Loop() {
		if IndexStartCode(au, 0) >= 0 {
			b.Fatal("found")
		}
	}
}

func BenchmarkNALs(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	au := make([]byte, 83000)
	for i := range au {
		au[i] = byte(rng.Uint32())
	}
	copy(au, "\x00\x00\x00\x01\x09\xf0\x00\x00\x00\x01\x65")
	b.ReportAllocs()
	b.SetBytes(int64(len(au)))
	for b.Loop() {
		for n := NewNALs(au); n.Next(); {
		}
	}
}
