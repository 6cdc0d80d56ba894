package st0601

import (
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"testing"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

const ul = "060e2b34020b01010e01030101000000"

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// block builds a record block from field values.
func block(t testing.TB, fields map[string]any) []byte {
	t.Helper()
	var b klv.BlockBuilder
	b.Reset(Set)
	for n, v := range fields {
		it := Set.ByName(n)
		if it == nil {
			t.Fatalf("no field %s", n)
		}
		switch v := v.(type) {
		case float64:
			b.Number(it, math.Float64bits(v))
		case int:
			b.Number(it, uint64(v))
		case string:
			b.Data(it, []byte(v))
		default:
			t.Fatalf("type of %s", n)
		}
	}
	return b.Append(nil, nil)
}

func TestEncodeGolden(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields map[string]any
		want   string
	}{
		// KLV-135 to KLV-137: vectors observed from an independent encoder.
		{"empty", nil, "07 41 01 13 01 02 4f a6"},
		{"time", map[string]any{"timestamp_us": 1}, "11 02 08 00 00 00 00 00 00 00 01 41 01 13 01 02 62 a8"},
		{"text", map[string]any{"mission_id": "é"}, "0b 03 02 c3 a9 41 01 13 01 02 ff 6c"},
		{"latitude", map[string]any{"sensor_lat_deg": 10.0}, "0d 0d 04 0e 38 e3 8e 41 01 13 01 02 20 a4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Encode(nil, block(t, c.fields), Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := unhex(t, ul+string(bytes.ReplaceAll([]byte(c.want), []byte(" "), nil)))
			if !bytes.Equal(got, want) {
				t.Fatalf("got  %x\nwant %x", got, want)
			}
		})
	}
}

func TestScalarGolden(t *testing.T) {
	for _, c := range []struct {
		field string
		value float64
		hex   string
	}{
		// Values and codes observed from independent encoders.
		{"platform_heading_deg", 217.456, "9aa2"},
		{"platform_heading_deg", 180, "7fff"},
		{"platform_heading_deg", 0.0027467, "0001"},
		{"platform_heading_deg", 90, "4000"},
		{"platform_heading_deg", 359.99, "fffd"},
		{"sensor_alt_m", 9050, "8000"},
		{"sensor_alt_m", 14190.7195, "c221"},
		{"sensor_alt_m", 3500, "389a"},
		{"sensor_lon_deg", 33.68, "17f341c3"},
		{"sensor_lon_deg", -118.55, "abb2a191"},
		{"sensor_lon_deg", 60.17682296690463, "2acadb36"},
		{"platform_pitch_deg", -0.4315, "fd3d"},
		{"platform_pitch_deg", 0.0003051, "0000"},
		{"platform_pitch_deg", 0.00030519, "0001"},
		{"platform_pitch_deg", 10, "4000"},
		{"platform_pitch_deg", -20, "8001"},
		{"sensor_lat_deg", -90, "80000001"},
		{"target_width_extended_m", 750000, "2dc6c0"},
		{"target_width_extended_m", 1500000, "5b8d80"},
		{"platform_course_angle_deg", 360, "5a00"},
		{"density_altitude_extended_m", 40000, "4fe200"},
		{"range_to_recovery_km", 21000, "520800"},
		{"sensor_azimuth_rate_dps", 1000, "7d00"},
		{"sensor_elevation_rate_dps", 1000, "7d0000"},
		{"zoom_percentage", 100, "6400"},
		{"transmission_frequency_mhz", 99999, "61a780"},
	} {
		it := Set.ByName(c.field)
		got, err := Encode(nil, block(t, map[string]any{c.field: c.value}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		tlv := klv.AppendTLV(nil, uint64(it.Tag), unhex(t, c.hex))
		if !bytes.Contains(got, tlv) {
			t.Errorf("%s %v: want %x in %x", c.field, c.value, tlv, got[16:])
		}
		var d Decoder
		blk, err := d.Decode(nil, got, 0)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := klv.ParseRecord(Set, blk)
		v, ok := r.Float(c.field)
		if !ok || math.Abs(v-c.value) > it.Resolution() {
			t.Errorf("%s: decodes to %v, want %v within %v", c.field, v, c.value, it.Resolution())
		}
	}
}

// record wraps items into a whole record with a right checksum.
func record(items []byte) []byte {
	body := append(append([]byte(nil), items...), 1, 2, 0, 0)
	b := append([]byte(nil), klv.UASDatalinkUL[:]...)
	b = klv.AppendLength(b, len(body))
	b = append(b, body...)
	s := klv.RunningSum(b[:len(b)-2])
	b[len(b)-2], b[len(b)-1] = byte(s>>8), byte(s)
	return b
}

func TestDecodeErrors(t *testing.T) {
	good := record(unhex(t, "0208000000000000000141011303026162"))
	bad := append([]byte(nil), good...)
	bad[len(bad)-1] ^= 1
	for _, c := range []struct {
		name string
		b    []byte
		mode Mode
		kind tsterr.Kind
	}{
		{"good", good, Compliance, tsterr.OK},
		{"short", good[:15], Lenient, tsterr.KLVTruncatedSet},
		{"no length", good[:16], Lenient, tsterr.KLVTruncatedSet},
		{"cut", good[:len(good)-1], Lenient, tsterr.KLVTruncatedSet},
		{"checksum", bad, Lenient, tsterr.KLVChecksumMismatch},
		{"length bomb", unhex(t, ul+"88ffffffffffffffff"), Lenient, tsterr.KLVTruncatedSet},
		{"inner length bomb", record(unhex(t, "0388ffffffffffffffff")), Lenient, tsterr.KLVTruncatedSet},
		{"indefinite", unhex(t, ul+"80"), Lenient, tsterr.KLVTruncatedSet},
		{"no checksum", unhex(t, ul+"03410113"), Lenient, tsterr.KLVTruncatedSet},
		{"empty checksum", unhex(t, ul+"020100"), Lenient, tsterr.KLVTruncatedSet},
		{"no checksum, compliance", unhex(t, ul+"0a02080000000000000001"), Compliance, tsterr.KLVMissingRequiredTag},
		{"time not first", record(unhex(t, "41011302080000000000000001")), Compliance, tsterr.KLVMissingRequiredTag},
		{"no version", record(unhex(t, "02080000000000000001")), Compliance, tsterr.KLVMissingRequiredTag},
		{"checksum of three bytes", unhex(t, ul+"050103000000"), Lenient, tsterr.KLVTruncatedSet},
		{"twice", record(unhex(t, "02080000000000000001"+"0301610301"+"62"+"410113")), Lenient, tsterr.OK},
		{"twice, compliance", record(unhex(t, "02080000000000000001"+"0301610301"+"62"+"410113")), Compliance, tsterr.KLVDuplicateTag},
		{"twice before the time, compliance", record(unhex(t, "0301610301"+"62"+"02080000000000000001")), Compliance, tsterr.KLVDuplicateTag},
		{"many commands, compliance", record(unhex(t, "02080000000000000001"+"73040102676f"+"73040202676f"+"410113")), Compliance, tsterr.OK},
		{"unknown twice, compliance", record(unhex(t, "02080000000000000001"+"81480161"+"81480161"+"410113")), Compliance, tsterr.OK},
		{"label", append([]byte{7}, good[1:]...), Strict, tsterr.KLVBadUniversalLabel},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			before := append([]byte(nil), c.b...)
			_, err := d.Decode(nil, c.b, c.mode)
			if tsterr.KindOf(err) != c.kind {
				t.Fatalf("got %v (%v), want %v", tsterr.KindOf(err), err, c.kind)
			}
			if !bytes.Equal(before, c.b) {
				t.Fatal("the input was changed")
			}
		})
	}
}

// roundTrip decodes a record, encodes the block and decodes again: the two
// blocks must agree but for field errors and the tags before an SDCC-FLP.
func roundTrip(t testing.TB, b []byte) {
	t.Helper()
	var d Decoder
	first, err := d.Decode(nil, b, Lenient)
	if err != nil {
		return
	}
	out, err := Encode(nil, first, Options{})
	if err != nil {
		t.Fatalf("decoded but not encoded: %v\n%x", err, b)
	}
	second, err := d.Decode(nil, out, Strict)
	if err != nil {
		t.Fatalf("encoded but not decoded: %v\n%x", err, out)
	}
	again, err := Encode(nil, second, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out, again) {
		t.Fatalf("encode(decode) is not stable:\n%x\n%x", out, again)
	}
	r1, _ := klv.ParseRecord(Set, first)
	r2, _ := klv.ParseRecord(Set, second)
	for i := range r1.Len() {
		it, v := r1.Slot(i)
		w, ok := r2.Find(it.Name)
		if !ok {
			t.Fatalf("%s is lost", it.Name)
		}
		switch {
		case it.Class() > klv.ClassInt:
			if it.Type != klv.TSDCC && !sameTree(it, r1.Data(v), r2.Data(w)) {
				t.Fatalf("%s: %x became %x", it.Name, r1.Data(v), r2.Data(w))
			}
		case it.Type == klv.TIMAPB:
			// Wider codes than the encoder's lose what it cannot hold.
			if math.Abs(math.Float64frombits(v)-math.Float64frombits(w)) > it.Resolution() {
				t.Fatalf("%s: %v became %v", it.Name, math.Float64frombits(v), math.Float64frombits(w))
			}
		case v != w:
			t.Fatalf("%s: %x became %x", it.Name, v, w)
		}
	}
}

// sameTree compares values; numbers of packs may lose what the encoder's width
// cannot hold.
func sameTree(it *klv.Item, a, b []byte) bool {
	if it.Class() != klv.ClassTree {
		return bytes.Equal(a, b)
	}
	x, _, _ := klv.ReadTree(a)
	y, _, _ := klv.ReadTree(b)
	return near(x, y)
}

func near(x, y klv.Value) bool {
	if x.Form != y.Form || x.Len != y.Len {
		return false
	}
	switch x.Form {
	case 'g':
		return math.Abs(x.Num-y.Num) < 1e-4
	case '(':
		p, q := x.Tuple(), y.Tuple()
		for i := range p {
			if !near(p[i], q[i]) {
				return false
			}
		}
		return true
	}
	return x.Int == y.Int && bytes.Equal(x.Data, y.Data)
}

// sample is a published MISMMS packet of 33 items. Its checksum as published is
// wrong (TestSampleChecksum), so it is put right here.
func sample(t testing.TB) []byte {
	b := published(t)
	body, _, _, err := klv.Envelope(b)
	if err != nil {
		t.Fatal(err)
	}
	return record(body[:len(body)-4])
}

func published(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/mismms.klv")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSampleChecksum(t *testing.T) {
	var d Decoder
	_, err := d.Decode(nil, published(t), Lenient)
	if tsterr.KindOf(err) != tsterr.KLVChecksumMismatch || err.Error() != "checksum mismatch: declared 0xaa43, computed 0x3e1e" {
		t.Fatal(err)
	}
}

func TestRoundTripSample(t *testing.T) { roundTrip(t, sample(t)) }

func FuzzDecode(f *testing.F) {
	f.Add(sample(f))
	f.Add(record(unhex(f, "8102"+"0b"+"082d8000002d800000"+"0000")))
	f.Add(record(unhex(f, "73"+"05"+"0102676f05"+"730401026162")))
	f.Add(record(unhex(f, "05020000"+"6607"+"0192043f800000"+"810e061680002d0000")))
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b)
		// Wrap any input as items, so that the checksum does not stop it.
		roundTrip(t, record(b))
	})
}

func BenchmarkDecode(b *testing.B) {
	rec := sample(b)
	var d Decoder
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(rec)))
	for b.Loop() {
		var err error
		if out, err = d.Decode(out[:0], rec, Lenient); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	var d Decoder
	blk, err := d.Decode(nil, sample(b), Lenient)
	if err != nil {
		b.Fatal(err)
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		if out, err = Encode(out[:0], blk, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(out)))
}

// Values in lengths that the encoder would not choose go back as they came.
func TestLengthsAreKept(t *testing.T) {
	for _, items := range []string{
		"6e0400000005",                       // item 110 in four bytes
		"60022dc6",                           // item 96 in two
		"600700003039303930",                 // and in seven
		"81080400000025",                     // item 136 in four
		"730c0102676f0000000000000005",       // item 115 with a time of eight bytes
		"73040102676f" + "73050102676f05",    // without one, and with one of one byte
		"600300000f" + "6c0141" + "7802000f", // usual lengths
	} {
		rec := record(append(unhex(t, "410113"), unhex(t, items)...))
		var d Decoder
		blk, err := d.Decode(nil, rec, Lenient)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Encode(nil, blk, Options{})
		if err != nil || !bytes.Equal(got, rec) {
			t.Errorf("%s: %x became %x (%v)", items, rec[17:], got[17:], err)
		}
	}
}
