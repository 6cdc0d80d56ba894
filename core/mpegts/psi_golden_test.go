package mpegts_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Sections written by another implementation.
func TestPSIGolden(t *testing.T) {
	type table interface {
		MarshalSize() int
		MarshalTo(b []byte) (int, error)
	}
	av01 := []byte{5, 4, 'A', 'V', '0', '1'}
	for _, c := range []struct {
		name string
		tab  table
		hex  string
	}{
		{
			"pat one program", &mpegts.PAT{TransportStreamID: 1, CurrentNextIndicator: true, Programs: []mpegts.PATEntry{{ProgramNumber: 1, PID: 0x100}}},
			"00b00d0001c100000001e100e8f95e7d",
		},
		{
			"pat two programs", &mpegts.PAT{
				TransportStreamID: 1, CurrentNextIndicator: true,
				Programs: []mpegts.PATEntry{{ProgramNumber: 1, PID: 0x100}, {ProgramNumber: 2, PID: 0x200}},
			},
			"00b0110001c100000001e1000002e2003989a5a9",
		},
		{"pmt h264", &mpegts.PMT{
			ProgramNumber: 1, CurrentNextIndicator: true, PCRPID: 0x101,
			Streams: []mpegts.PMTStream{{StreamType: 0x1B, PID: 0x101}},
		}, "02b0120001c10000e101f0001be101f0004fc43d1b"},
		{"pmt av1", &mpegts.PMT{
			ProgramNumber: 1, CurrentNextIndicator: true, PCRPID: 0x101,
			Streams: []mpegts.PMTStream{{StreamType: 6, PID: 0x101, Descriptors: av01}},
		}, "02b0180001c10000e101f00006e101f0060504415630319f5e1192"},
		{"pmt h264 aac", &mpegts.PMT{
			ProgramNumber: 1, CurrentNextIndicator: true, PCRPID: 0x101,
			Streams: []mpegts.PMTStream{{StreamType: 0x1B, PID: 0x101}, {StreamType: 0x0F, PID: 0x102}},
		}, "02b0170001c10000e101f0001be101f0000fe102f0009e28c6dd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, c.hex)
			got := make([]byte, c.tab.MarshalSize())
			if n, err := c.tab.MarshalTo(got); err != nil || n != len(got) {
				t.Fatal(n, err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("got %x want %x", got, want)
			}
			if mpegts.CRC32(got) != 0 {
				t.Fatal("CRC over the whole section is not 0")
			}
		})
	}
}
