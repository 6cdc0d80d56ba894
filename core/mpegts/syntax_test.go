package mpegts_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Headers as other implementations write them (FFmpeg 5.1, GStreamer 1.22, MISB ST 1402).
func TestSyntaxGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		hex  string
		dec  interface {
			MarshalSize() int
			MarshalTo(b []byte) (int, error)
		}
		zero interface {
			Unmarshal(b []byte) (int, error)
		}
	}{
		{
			"packet header", "47410130", &mpegts.Header{PID: 0x101, PayloadUnitStartIndicator: true, HasAdaptationField: true, HasPayload: true},
			&mpegts.Header{},
		},
		{
			"adaptation field of a key frame", "07500000afc87e00",
			&mpegts.AdaptationField{Length: 7, RandomAccessIndicator: true, HasPCR: true, PCRBase: 90000}, &mpegts.AdaptationField{},
		},
		{"one-byte adaptation field", "00", &mpegts.AdaptationField{}, &mpegts.AdaptationField{}},
		{
			"PES with a PTS", "000001e000008080052100 05bf21", &mpegts.PESHeader{StreamID: 0xE0, HasPTS: true, PTS: 90000, HeaderDataLength: 5},
			&mpegts.PESHeader{},
		},
		{
			"PES with both stamps", "000001e0000080c00a310005d691110005bf21",
			&mpegts.PESHeader{StreamID: 0xE0, HasPTS: true, PTS: 93000, HasDTS: true, DTS: 90000, HeaderDataLength: 10}, &mpegts.PESHeader{},
		},
		{"PES without stamps", "000001bd0017840000", &mpegts.PESHeader{StreamID: 0xBD, PacketLength: 23, DataAlignmentIndicator: true}, &mpegts.PESHeader{}},
		{"private_stream_2", "000001bf0002", &mpegts.PESHeader{StreamID: 0xBF, PacketLength: 2}, &mpegts.PESHeader{}},
		{
			"complete AU cell", "0700df0014",
			&mpegts.AUCell{MetadataServiceID: 7, FragmentIndication: mpegts.CellComplete, RandomAccessIndicator: true, DataLength: 20}, &mpegts.AUCell{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, c.hex)
			got := make([]byte, c.dec.MarshalSize())
			if n, err := c.dec.MarshalTo(got); err != nil || n != len(want) || !bytes.Equal(got, want) {
				t.Fatalf("%x %v", got, err)
			}
			if n, err := c.zero.Unmarshal(want); err != nil || n != len(want) || !reflect.DeepEqual(c.zero, c.dec) {
				t.Fatalf("%+v %d %v", c.zero, n, err)
			}
			for n := range want {
				if _, err := c.zero.Unmarshal(want[:n]); err == nil {
					t.Errorf("cut to %d bytes: no error", n)
				}
			}
			if _, err := c.dec.MarshalTo(got[:len(got)-1]); tsterr.KindOf(err) != tsterr.BufferTooSmall {
				t.Error(err)
			}
		})
	}
}

func TestClockFields(t *testing.T) {
	var b [6]byte
	for _, v := range []int64{0, 1, 90000, 1<<32 + 5, 1<<33 - 1} {
		mpegts.PutPCR(b[:], v, 299)
		if base, ext := mpegts.ReadPCR(b[:]); base != v || ext != 299 || b[4]&0x7E != 0x7E {
			t.Errorf("%d: %d %d", v, base, ext)
		}
		mpegts.PutTimestamp(b[:5], mpegts.PrefixPTS, v)
		if ts, prefix, markers := mpegts.ReadTimestamp(b[:5]); ts != v || prefix != mpegts.PrefixPTS || !markers {
			t.Errorf("%d: %d %d %v", v, ts, prefix, markers)
		}
	}
}
