package st0806

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

const ul = "060e2b34020b01010e01030102000000"

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStandalone(t *testing.T) {
	// A vector observed from an independent encoder.
	want := unhex(t, ul+"14 02 08 0000000000000005 03 02 0003 01 04 0b4e7f40")
	var w klv.Tree
	if err := DecodeStandalone(&w, want); err != nil {
		t.Fatal(err)
	}
	v, _, _ := klv.ReadTree(w.B)
	got, err := Append(nil, v, true)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%x (%v)", got, err)
	}
	for i, kind := range map[int]tsterr.Kind{
		0: tsterr.KLVBadUniversalLabel, len(want) - 1: tsterr.KLVChecksumMismatch, 20: tsterr.KLVChecksumMismatch,
	} {
		bad := append([]byte(nil), want...)
		bad[i] ^= 1
		if err := DecodeStandalone(&klv.Tree{}, bad); tsterr.KindOf(err) != kind {
			t.Errorf("byte %d: %v, want %v", i, err, kind)
		}
	}
	if err := DecodeStandalone(&klv.Tree{}, want[:30]); tsterr.KindOf(err) != tsterr.KLVTruncatedSet {
		t.Error(err)
	}
	var empty klv.Tree
	if err := Decode(&empty, nil); err != nil {
		t.Fatal(err)
	}
	v, _, _ = klv.ReadTree(empty.B)
	if _, err := Append(nil, v, true); tsterr.KindOf(err) != tsterr.KLVEncMissingMandatoryItem {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(unhex(f, "0208 0000000000000005 0302 0003"))
	f.Add(unhex(f, "0b07 010141 0202abcd"))
	f.Add(unhex(f, "0c14 01020001 0204 12345678 0304 80000000 050101 0601 61"))
	f.Add(unhex(f, "0d1f 01020001 0204 12345678 0304 12345678 0404 80000000 0504 12345678 060102 3f0100"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var w klv.Tree
		if Decode(&w, b) != nil {
			return
		}
		v, _, terr := klv.ReadTree(w.B)
		if terr != nil {
			t.Fatal(terr)
		}
		out, err := Append(nil, v, false)
		if err != nil {
			// A nested set without its mandatory items can be read, not written.
			if tsterr.KindOf(err) != tsterr.KLVEncMissingMandatoryItem && tsterr.KindOf(err) != tsterr.KLVEncOutOfRange {
				t.Fatal(err)
			}
			return
		}
		var again klv.Tree
		if err = Decode(&again, out); err != nil {
			t.Fatal(err)
		}
		v, _, _ = klv.ReadTree(again.B)
		second, err := Append(nil, v, false)
		if err != nil || !bytes.Equal(out, second) {
			t.Fatalf("%x became %x (%v)", out, second, err)
		}
	})
}
