package st0903

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

const ul = "060e2b34020b01010e01030306000000"

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decoded(t testing.TB, b []byte) klv.Value {
	t.Helper()
	var w klv.Tree
	if err := Decode(&w, b, false); err != nil {
		t.Fatal(err)
	}
	v, _, err := klv.ReadTree(w.B)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Vectors of independent encoders: bodies that return to themselves.
func TestGoldenBodies(t *testing.T) {
	for _, h := range []string{
		"",
		"02 08 0000000000000005 04 01 06 06 01 01 08 01 0a 65 05 04 01 04 01 03",
		// The target of a public implementation's tests, with colour, offsets, location bytes and status.
		"04 01 06 65 37 36 8952 0103064000 04011b 050132 0803daa520 09023354 0a033a6667 0c022a94 110a438000001a20000003e8 13020368 14020471 170101",
		"0b 02 0640 0c 02 0500",
	} {
		b := unhex(t, h)
		out, err := Append(nil, decoded(t, b), Options{})
		if err != nil || !bytes.Equal(out, b) {
			t.Errorf("%x became %x (%v)", b, out, err)
		}
	}
}

func TestStandalone(t *testing.T) {
	body := "02 08 0000000000000005 04 01 06 06 01 01 08 01 0a 65 05 04 01 04 01 03"
	for in, want := range map[string]string{
		"":   ul + "04 01 02 51 53",
		body: ul + "1e" + body + "01 02 f1 79",
		// A stand-alone set of another implementation, but for its checksum over the same bytes.
		"0208 00000000000f4240 040106 060101 0b020640 0c020500 0d22 0170f592f02373364af8aa9162c00f2eb2da16b74341000841a0be365b5ab96a3645 6517 16 01 110a 438000001a20000003e8 130101 140101 170101": ul + "59 0208 00000000000f4240 040106 060101 0b020640 0c020500 0d22 0170f592f02373364af8aa9162c00f2eb2da16b74341000841a0be365b5ab96a3645 6517 16 01 110a 438000001a20000003e8 130101 140101 170101 0102 befd",
	} {
		out, err := Append(nil, decoded(t, unhex(t, in)), Options{Standalone: true})
		if err != nil || !bytes.Equal(out, unhex(t, want)) {
			t.Errorf("%s: %x (%v)", in, out, err)
		}
	}
}

// Nested sets, as two independent implementations write them.
func TestGoldenNested(t *testing.T) {
	for _, c := range []struct {
		set *klv.Set
		hex string
	}{
		{Mask, "01 09 02 39aa 02 39bf 02 3b0b"},
		{Mask, "02 0e 03 01 4a 02 03 01 59 04 05 01 6a 82012c"},
		{Object, "03 01 09 04 02 4b00"},
		{Object, "03 02 012c 04 02 4b00 05 08 07 03 01 09 04 02 3200"},
		{Algorithm, "010109 02076b365f796f6c6f 0305322e352e33 04076b616c6d616e6e 05010a"},
		{Tracker, "0110 00112233445566778899aabbccddeeff 0308 0000000000000001 0408 0000000000000002 070132 090b 0a438000001a20000003e8 0a06 38e037003848 0c0109"},
	} {
		b := unhex(t, c.hex)
		var w klv.Tree
		rep, err := c.set.Decode(&w, b)
		if err != nil || len(rep.Errors) > 0 {
			t.Errorf("%s %x: %v %+v", c.set.Name, b, err, rep.Errors)
			continue
		}
		v, _, _ := klv.ReadTree(w.B)
		out, err := c.set.AppendTree(nil, v, false, 0)
		if err != nil || !bytes.Equal(out, b) {
			t.Errorf("%s: %x became %x (%v)", c.set.Name, b, out, err)
		}
	}
}

func TestLocationPack(t *testing.T) {
	for _, h := range []string{
		"438000001a20000003e8", "438000001a20000003e8 00a000c000e0", "438000001a20000003e8 00a000c000e0 600030004000",
		"01020304 10203040 0a0b 010203040506 102030405060",
	} {
		b := unhex(t, h)
		var w klv.Tree
		if err := klv.DecodeBare(&w, Location, b); err != nil {
			t.Errorf("%s: %v", h, err)
			continue
		}
		v, _, _ := klv.ReadTree(w.B)
		out, err := klv.AppendBare(nil, Location, v)
		if err != nil || !bytes.Equal(out, b) {
			t.Errorf("%s became %x (%v)", h, out, err)
		}
	}
	for _, h := range []string{"", "43", "438000001a20000003e800a0"} {
		var w klv.Tree
		if err := klv.DecodeBare(&w, Location, unhex(t, h)); err == nil {
			t.Errorf("%q was accepted", h)
		}
	}
}

func TestStrict(t *testing.T) {
	for _, c := range []struct {
		name, hex       string
		lenient, strict tsterr.Kind
	}{
		{"whole", "040106 060101 6505 04 01 040103", tsterr.OK, tsterr.OK},
		{"no 6", "040106", tsterr.OK, tsterr.KLVMissingRequiredTag},
		{"twice", "040106 040106 060101", tsterr.OK, tsterr.KLVDuplicateTag},
		{"bad length", "040106 060101 0b0105", tsterr.OK, tsterr.KLVMalformedBytes},
		{"target framing", "040106 060101 6505 09 01 040103", tsterr.OK, tsterr.KLVTruncatedSet},
		{"bad item of a target", "040106 060101 6506 05 01 04020303", tsterr.OK, tsterr.KLVMalformedBytes},
		{"cut", "0408", tsterr.OK, tsterr.KLVTruncatedSet},
		{"special field of view", "040106 060101 0b02c800", tsterr.OK, tsterr.KLVMalformedBytes},
	} {
		for _, strict := range []bool{false, true} {
			want := c.lenient
			if strict {
				want = c.strict
			}
			var w klv.Tree
			if err := Decode(&w, unhex(t, c.hex), strict); tsterr.KindOf(err) != want {
				t.Errorf("%s, strict %v: %v, want %v", c.name, strict, err, want)
			}
		}
	}
}

func TestCompliance(t *testing.T) {
	whole := "0208 00000000000f4240 040106 060101 0b020640 0c020500 0d02 0102"
	for _, c := range []struct {
		name, hex  string
		standalone bool
		kind       tsterr.Kind
	}{
		{"whole", whole + "6505 04 01 040103", true, tsterr.OK},
		{"bare", "040106 060100", false, tsterr.OK},
		{"no version", "060100", false, tsterr.KLVEncMissingMandatoryItem},
		{"no time", "040106 060100", true, tsterr.KLVEncMissingMandatoryItem},
		{"offset", whole + "6507 06 01 0a03286667", true, tsterr.KLVEncForbiddenStandaloneOffset},
		{"height", whole + "6506 05 01 0c020384", true, tsterr.OK},
		{"empty target", "040106 060100 6502 01 01", false, tsterr.KLVEncVTargetPackEmpty},
		{"twice", "040106 060100 650a 04 01 040103 04 01 040103", false, tsterr.KLVEncDuplicateTargetID},
	} {
		v := decoded(t, unhex(t, c.hex))
		if _, err := Append(nil, v, Options{Compliance: true, Standalone: c.standalone}); tsterr.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %v", c.name, err, c.kind)
		}
	}
}

// What lacks is told by its own tag, the field of view too, in the order 4, 6, 2,
// 11, 12, 13.
func TestComplianceNamesTheTag(t *testing.T) {
	items := []string{"040106", "060101", "0208 00000000000f4240", "0b020640", "0c020500", "0d02 0102"}
	for i, tag := range []int64{4, 6, 2, 11, 12, 13} {
		hex := ""
		for k, it := range items {
			if k < i {
				hex += it
			}
		}
		_, err := Append(nil, decoded(t, unhex(t, hex)), Options{Compliance: true, Standalone: true})
		var e *tsterr.Error
		if !errors.As(err, &e) || e.Kind != tsterr.KLVEncMissingMandatoryItem || !slices.Contains(e.Attrs, tsterr.Attr{Name: "tag", Value: tag}) {
			t.Errorf("without %d: %+v", tag, err)
		}
	}
}

func roundTrip(t *testing.T, name string, decode func(*klv.Tree, []byte) error, encode func([]byte, klv.Value) ([]byte, error), b []byte) {
	t.Helper()
	var w klv.Tree
	if decode(&w, b) != nil {
		return
	}
	v, _, terr := klv.ReadTree(w.B)
	if terr != nil {
		t.Fatal(name, terr)
	}
	out, err := encode(nil, v)
	if err != nil {
		t.Fatalf("%s: decoded but not encoded: %v\n%x", name, err, b)
	}
	var again klv.Tree
	if err = decode(&again, out); err != nil {
		t.Fatalf("%s: encoded but not decoded: %v\n%x", name, err, out)
	}
	v, _, _ = klv.ReadTree(again.B)
	second, err := encode(nil, v)
	if err != nil || !bytes.Equal(out, second) {
		t.Fatalf("%s: not stable (%v)\n%x\n%x", name, err, out, second)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(unhex(f, "040106 060101 6505 04 01 040103"))
	f.Add(unhex(f, "0110 00112233445566778899aabbccddeeff 090b 0a438000001a20000003e8 0a06 38e037003848 0c0109"))
	f.Add(unhex(f, "02 0e 03 01 4a 02 03 01 59 04 05 01 6a 82012c"))
	f.Add(unhex(f, "03 02 012c 04 02 4b00 05 07 06 03 01 09 04 01 32"))
	sets := []*klv.Set{Mask, Feature, Object, Tracker, Chip, Algorithm, Ontology}
	bare := []*klv.Set{Location, Locations, Chips, Objects, Algorithms, Ontologies}
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, "VMTI", func(w *klv.Tree, b []byte) error { return Decode(w, b, false) },
			func(dst []byte, v klv.Value) ([]byte, error) { return Append(dst, v, Options{}) }, b)
		for _, s := range sets {
			roundTrip(t, s.Name, func(w *klv.Tree, b []byte) error {
				if _, err := s.Decode(w, b); err != nil {
					return err
				}
				return nil
			}, func(dst []byte, v klv.Value) ([]byte, error) {
				out, err := s.AppendTree(dst, v, false, 0)
				if err != nil {
					return nil, err
				}
				return out, nil
			}, b)
		}
		for _, s := range bare {
			roundTrip(t, s.Name, func(w *klv.Tree, b []byte) error { return klv.DecodeBare(w, s, b) },
				func(dst []byte, v klv.Value) ([]byte, error) { return klv.AppendBare(dst, s, v) }, b)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	target := unhex(b, "36 8952 0103064000 04011b 050132 0803daa520 09023354 0a033a6667 0c022a94 110a438000001a20000003e8 13020368 14020471 170101")
	series := bytes.Repeat(target, 20)
	body := klv.AppendTLV(unhex(b, "040106 060114"), 101, series)
	var w klv.Tree
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		w.B = w.B[:0]
		if err := Decode(&w, body, false); err != nil {
			b.Fatal(err)
		}
	}
}
