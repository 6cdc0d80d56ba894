package st0605

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/tstrans/tstrans/core/tsterr"
)

const label = "060e2b34020501010e01010311000000"

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPack(t *testing.T) {
	good := label + "09" + "1f" + "00060a24181e4000"
	p, err := Unmarshal(unhex(t, good))
	if err != nil || p.Status != 0x1f || p.Micros != 1700000000000000 {
		t.Fatalf("%+v %v", p, err)
	}
	if got := p.Append(nil); !bytes.Equal(got, unhex(t, good)) || len(got) != Size {
		t.Fatalf("%x", got)
	}
	for in, kind := range map[string]tsterr.Kind{
		good + "00":                tsterr.OK, // bytes behind it
		label + "8109" + good[34:]: tsterr.OK, // long form
		good[:50]:                  tsterr.KLVTruncatedSet,
		good[:30]:                  tsterr.KLVTruncatedSet,
		label:                      tsterr.KLVTruncatedSet,
		label + "08" + good[34:]:   tsterr.KLVMalformedBytes,
		label + "05":               tsterr.KLVMalformedBytes,
		"07" + good[2:]:            tsterr.KLVBadUniversalLabel,
	} {
		if _, err := Unmarshal(unhex(t, in)); tsterr.KindOf(err) != kind {
			t.Errorf("%s: %v, want %v", in, err, kind)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(unhex(f, label+"091f00060a24181e4000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Unmarshal(b)
		if err != nil {
			return
		}
		if q, err := Unmarshal(p.Append(nil)); err != nil || p != q {
			t.Fatalf("%+v became %+v (%v)", p, q, err)
		}
	})
}
