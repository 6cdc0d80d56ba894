package st1010

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/tstrans/tstrans/core/tsterr"
)

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		std, corr []float64
		n         int
		hex       string
	}{
		// Vectors observed from an independent encoder.
		{[]float64{1, 2}, []float64{0.5}, 2, "0292043f800000400000006000"},
		{[]float64{1, 2, 3}, []float64{0.5, 0, 0}, 2, "03b204803f80000040000000404000006000"},
		{[]float64{1, 2, 3}, []float64{0.1, 0.2, 0.3}, 1, "0391043f8000004000000040400000464c53"},
		{[]float64{1}, nil, 2, "0192043f800000"},
		{nil, nil, 2, "009204"},
		{[]float64{1, 2}, []float64{1}, 2, "0292043f800000400000008000"},
	} {
		got, err := AppendMode2(nil, c.std, c.corr, c.n)
		if err != nil || hex.EncodeToString(got) != c.hex {
			t.Errorf("%v %v: %x (%v), want %s", c.std, c.corr, got, err, c.hex)
			continue
		}
		if len(c.std) == 0 {
			continue
		}
		m, err := Decode(got)
		if err != nil || m.Size != len(c.std) {
			t.Errorf("%s: %+v %v", c.hex, m, err)
			continue
		}
		for i, r := range c.corr {
			if math.Abs(m.Correlations[i]-r) > 1.0/64 {
				t.Errorf("%s: correlation %d is %v", c.hex, i, m.Correlations[i])
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for in, kind := range map[string]tsterr.Kind{
		"":                             tsterr.KLVTruncatedSet,
		"02":                           tsterr.KLVTruncatedSet,
		"0292":                         tsterr.KLVTruncatedSet,
		"0192043f80":                   tsterr.KLVTruncatedSet,
		"0292043f80000040000000600000": tsterr.KLVMalformedBytes,
		"8192043f800000":               tsterr.KLVMalformedBytes, // a matrix of 2308 rows
		"0292143f800000400000006000":   tsterr.KLVMalformedBytes, // standard deviations as IMAPB
		"0300":                         tsterr.KLVMalformedBytes,
	} {
		b, _ := hex.DecodeString(in)
		if _, err := Decode(b); tsterr.KindOf(err) != kind {
			t.Errorf("%s: %v, want %v", in, err, kind)
		}
	}
	for _, c := range []struct {
		std, corr []float64
		n         int
		kind      tsterr.Kind
	}{
		{[]float64{1, 2}, nil, 2, tsterr.KLVEncOutOfRange},
		{[]float64{1, 2}, []float64{1.5}, 2, tsterr.KLVEncOutOfRange},
		{[]float64{1, 2}, []float64{math.NaN()}, 2, tsterr.KLVEncOutOfRange},
		{[]float64{1, 2}, []float64{0}, 0, tsterr.KLVEncUnsupportedIMAPBLength},
	} {
		if _, err := AppendMode2(nil, c.std, c.corr, c.n); tsterr.KindOf(err) != c.kind {
			t.Errorf("%v: %v, want %v", c, err, c.kind)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, h := range []string{"03b204803f80000040000000404000006000", "08403f8000003f8000003f8000003f8000003f8000003f8000003f8000003f800000", "0284043f800000400000003f000000"} {
		b, _ := hex.DecodeString(h)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		n := m.Size
		if len(m.Correlations) != n*(n-1)/2 || len(m.Present) != len(m.Correlations) || len(m.StdDevs) != n && len(m.StdDevs) != 0 {
			t.Fatalf("%+v", m)
		}
	})
}
