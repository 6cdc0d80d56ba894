package misp

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// The last two were written by another muxer; the first stamp is the one of
// GStreamer's test of the same standard, 2015-10-07T06:50:32.933395.
var casesInsert = []struct {
	name    string
	codec   codec.Video
	time    Time
	au, out string
}{
	{
		"H.264", codec.H264,
		Time{Status: 0x1f, Value: 0x0005217E29B5DC13},
		"000001 6588",
		"000001 06051c 4d4953506d6963726f73656374696d65 1f 0005ff217eff29b5ffdc13 80 000001 6588",
	},
	{
		"H.264 with delimiter", codec.H264,
		Time{Status: 0x1f, Value: 1700000000000000},
		"00000001 09f0 00000001 65888400",
		"00000001 09f0 000001 06051c 4d4953506d6963726f73656374696d65 1f 0006ff0a24ff181eff4000 80 00000001 65888400",
	},
	{
		"H.265 nanoseconds", codec.H265,
		Time{Nano: true, Status: 0x1f, Value: 1700000000000000000},
		"00000001 4001 0c01 00000001 2601 af08",
		"00000001 4001 0c01 000001 4e01 051c cf848278ee23306c9265e8fef22fb8b8 1f 1797ff9cfeff362aff0000 80 00000001 2601 af08",
	},
	{
		"H.265 microseconds", codec.H265,
		Time{Status: 0x1f, Value: 1700000000000000},
		"000001 4001 000001 4201 000001 2601af08",
		"000001 4001 000001 4201 000001 4e01 051c a8687dd4d7593758a5cef0338b6545f1 1f 0006ff0a24ff181eff4000 80 000001 2601af08",
	},
	{
		"emulation prevention", codec.H264,
		Time{Value: 5},
		"000001 09f0 000001 6588",
		"000001 09f0 000001 06051c 4d4953506d6963726f73656374696d65 00000300ff0000ff0000ff0005 80 000001 6588",
	},
}

func TestInsertExtract(t *testing.T) {
	for _, ca := range casesInsert {
		t.Run(ca.name, func(t *testing.T) {
			out, err := Insert(nil, ca.codec, unhex(t, ca.au), ca.time)
			if err != nil || !bytes.Equal(out, unhex(t, ca.out)) {
				t.Errorf("got  %x, %v\nwant %x", out, err, unhex(t, ca.out))
			}
			got, ok, err := Extract(ca.codec, unhex(t, ca.out))
			if got != ca.time || !ok || err != nil {
				t.Errorf("extracted %+v, %v, %v", got, ok, err)
			}
		})
	}
}

func TestMPEG2(t *testing.T) {
	au := unhex(t, "00000100 000f fff8 000001b2 4d4953506d6963726f73656374696d65 1f 0005ff217eff29b5ffdc13 00000101 2280")
	got, ok, err := Extract(codec.MPEG2, au)
	if got != (Time{Status: 0x1f, Value: 0x0005217E29B5DC13}) || !ok || err != nil {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
}

func TestRefused(t *testing.T) {
	for _, ca := range []struct {
		c  codec.Video
		t  Time
		au string
	}{
		{codec.H264, Time{Nano: true}, "0000016588"},
		{codec.H266, Time{}, "0000010039"},
		{codec.H264, Time{}, "00000109f0"},
	} {
		if _, err := Insert(nil, ca.c, unhex(t, ca.au), ca.t); tsterr.KindOf(err) != tsterr.MuxMISPTime {
			t.Errorf("%+v: %v", ca, err)
		}
	}
}

func TestExtractOddities(t *testing.T) {
	const id = "4d4953506d6963726f73656374696d65"
	const stamp = "1f0006ff0a24ff181eff4000"
	for _, ca := range []struct {
		name string
		in   string
		ok   bool
		bad  bool
	}{
		{"behind another message", "000001 06 01020909 051c" + id + stamp + "80", true, false},
		{"in a second SEI", "000001 06 0510 00112233445566778899aabbccddeeff 80 000001 06 051c" + id + stamp + "80", true, false},
		{"no trailing bits", "000001 06 051c" + id + stamp, true, false},
		{"longer", "000001 06 051d" + id + stamp + "0180", true, false},
		{"none", "0000016588", false, false},
		{"no start code", "06051c" + id + stamp + "80", false, false},
		{"type 260", "000001 06 ff051c" + id + stamp + "80", false, false},
		{"cut", "000001 06 051c" + id + "1f0006", false, true},
		{"too small", "000001 06 051b" + id + stamp + "80", false, true},
		{"size past the end", "000001 06 053c" + id + stamp + "80", false, true},
		{"guard", "000001 06 051c" + id + "1f0006fe0a24ff181eff400080", false, true},
	} {
		_, ok, err := Extract(codec.H264, unhex(t, ca.in))
		if ok != ca.ok || (err != nil) != ca.bad {
			t.Errorf("%s: %v, %v", ca.name, ok, err)
		}
	}
}

func FuzzExtract(f *testing.F) {
	for _, ca := range casesInsert {
		f.Add(unhex(f, ca.out), byte(ca.codec))
	}
	f.Fuzz(func(t *testing.T, au []byte, c byte) {
		stamp, ok, err := Extract(codec.Video(c), au)
		if !ok || err != nil || c == byte(codec.MPEG2) || (c == byte(codec.H264) && stamp.Nano) {
			return
		}
		sei, err := AppendSEI(nil, codec.Video(c), stamp)
		if err != nil {
			t.Fatal(err)
		}
		if again, ok, err := Extract(codec.Video(c), sei); again != stamp || !ok || err != nil {
			t.Fatalf("%+v comes back as %+v, %v, %v", stamp, again, ok, err)
		}
	})
}
