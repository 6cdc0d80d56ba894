package st0102

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	whole := "010101" + "020101" + "03042f2f5553" + "0c0101" + "0d0400550053" + "1602000c"
	for _, c := range []struct {
		name, hex string
		strict    bool
		kind      tsterr.Kind
	}{
		{"whole", whole, true, tsterr.OK},
		{"empty, lenient", "", false, tsterr.OK},
		{"empty", "", true, tsterr.KLVMissingRequiredTag},
		{"twice", whole + "010101", true, tsterr.KLVDuplicateTag},
		{"twice, lenient", whole + "010101", false, tsterr.OK},
		{"unknown code", "010109" + whole[6:], true, tsterr.KLVMalformedBytes},
		{"unknown code, lenient", "010109", false, tsterr.OK},
		{"omitted code", "010101" + "020108" + whole[12:], true, tsterr.KLVMalformedBytes},
		{"wrong size", "01020101", false, tsterr.KLVMalformedBytes},
		{"broken text", "0301ff", false, tsterr.KLVMalformedBytes},
		{"lone surrogate, lenient", "0d02d83d", false, tsterr.OK},
		{"lone surrogate", whole + "0d02d83d", true, tsterr.KLVDuplicateTag},
		{"date", whole + "0a0132", true, tsterr.KLVMalformedBytes},
		{"cut", "0105", false, tsterr.KLVTruncatedSet},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w klv.Tree
			if err := Decode(&w, unhex(t, c.hex), c.strict); tsterr.KindOf(err) != c.kind {
				t.Fatalf("%v (%v), want %v", tsterr.KindOf(err), err, c.kind)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(unhex(f, "010101"+"020107"+"03052f2f555341"+"0c0107"+"0d06005500530041"+"1602000a"))
	f.Add(unhex(f, "0d04feffd83d"+"3f0101"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var w klv.Tree
		if err := Decode(&w, b, false); err != nil {
			return
		}
		v, _, terr := klv.ReadTree(w.B)
		if terr != nil {
			t.Fatal(terr)
		}
		out, err := Append(nil, v, false)
		if err != nil {
			t.Fatal(err)
		}
		var again klv.Tree
		if err = Decode(&again, out, false); err != nil {
			t.Fatal(err)
		}
		v, _, _ = klv.ReadTree(again.B)
		second, err := Append(nil, v, false)
		if err != nil || !bytes.Equal(out, second) {
			t.Fatalf("%x became %x (%v)", out, second, err)
		}
	})
}
