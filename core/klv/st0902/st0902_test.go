package st0902

import (
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/st0601"
)

func validate(t *testing.T, data map[string]string, numbers ...string) []Violation {
	t.Helper()
	var b klv.BlockBuilder
	b.Reset(st0601.Set)
	for _, n := range numbers {
		b.Number(st0601.Set.ByName(n), 0)
	}
	for n, h := range data {
		v, err := hex.DecodeString(h)
		if err != nil {
			t.Fatal(err)
		}
		b.Data(st0601.Set.ByName(n), v)
	}
	got, err := FromBlock(b.Append(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tags(list []Violation) (out []uint64) {
	for _, v := range list {
		out = append(out, v.Tag)
	}
	return out
}

func TestEmpty(t *testing.T) {
	got := validate(t, nil)
	want := []uint64{2, 3, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 48, 94}
	if !reflect.DeepEqual(tags(got), want) {
		t.Fatalf("%v", tags(got))
	}
	if got[0] != (Violation{Kind: "missing", Tag: 2, Name: "Precision Time Stamp"}) {
		t.Errorf("%+v", got[0])
	}
}

func TestSecurityAndConflict(t *testing.T) {
	got := validate(t, map[string]string{"security_local_set": "010101"}, "sensor_ellipsoid_height_m", "sensor_ellipsoid_height_extended_m")
	tail := got[len(got)-9:]
	if tail[0] != (Violation{Kind: "alternation_conflict", Tag: 75, TagB: 104}) {
		t.Errorf("%+v", tail[0])
	}
	if !reflect.DeepEqual(tags(tail[1:]), []uint64{2, 3, 4, 5, 6, 12, 13, 22}) || tail[1].Kind != "missing_security" {
		t.Errorf("%+v", tail[1:])
	}
	got = validate(t, map[string]string{"security_local_set": ""})
	if got[0] != (Violation{Kind: "zero_length", Tag: 48}) || len(got) != 24 {
		t.Errorf("%+v", got)
	}
	got = validate(t, map[string]string{"security_local_set": "01"})
	if last := got[len(got)-1]; last.Kind != "missing" || last.Tag != 48 {
		t.Errorf("%+v", last)
	}
}
