package st1204

import (
	"bytes"
	"testing"

	"github.com/tstrans/tstrans/core/klv"
)

func seq(n byte) []byte {
	b := make([]byte, UUIDSize)
	for i := range b {
		b[i] = n + byte(i)
	}
	return b
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		id   CoreID
		want string
	}{
		// Check values observed from an independent implementation.
		{CoreID{Version: 1, Minor: seq(0)}, "0102:0001-0203-0405-0607-0809-0A0B-0C0D-0E0F:19"},
		{CoreID{Version: 1, Minor: make([]byte, 16)}, "0102:0000-0000-0000-0000-0000-0000-0000-0000:F5"},
		{CoreID{Version: 1, Minor: bytes.Repeat([]byte{0xff}, 16)}, "0102:FFFF-FFFF-FFFF-FFFF-FFFF-FFFF-FFFF-FFFF:16"},
		{CoreID{Version: 2, Minor: make([]byte, 16)}, "0202:0000-0000-0000-0000-0000-0000-0000-0000:3F"},
		{
			CoreID{Version: 1, SensorKind: KindPhysical, Sensor: seq(0), Window: seq(16)},
			"0164:0001-0203-0405-0607-0809-0A0B-0C0D-0E0F/1011-1213-1415-1617-1819-1A1B-1C1D-1E1F:AB",
		},
	} {
		got, err := c.id.Text()
		if err != nil || got != c.want {
			t.Errorf("got %s (%v), want %s", got, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(append([]byte{1, 0x74}, bytes.Repeat([]byte{7}, 48)...))
	f.Add(append([]byte{1, 2}, seq(3)...))
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := Decode(b)
		if err != nil {
			return
		}
		again, err := id.Append(nil)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x (%v)", b, again, err)
		}
		var w klv.Tree
		id.Tree(&w)
		v, _, terr := klv.ReadTree(w.B)
		if terr != nil {
			t.Fatal(terr)
		}
		back, err := FromTree(v)
		if err != nil {
			t.Fatal(err)
		}
		if again, err = back.Append(nil); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("through a tree %x became %x", b, again)
		}
	})
}
