package rtcp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"slices"
	"testing"
)

// A compound as FFmpeg 5.1 sends it (SR with SDES), a NACK and a PLI laid out by hand after RFC 4585 §6.2.1, §6.3.1.
var cases = []struct {
	name string
	hex  string
	want []Packet
}{
	{
		"sender report and description",
		"80c80006" + "11223344" + "e36d7351aabbccdd" + "00000064" + "0000000a" + "00000640" + "81ca0003" + "11223344" + "0103616263000000",
		[]Packet{
			{Type: SR, SSRC: 0x11223344, NTP: 0xe36d7351aabbccdd, RTP: 100, Packets: 10, Octets: 1600},
			{Type: SDES, Chunks: []Chunk{{SSRC: 0x11223344, Items: []Item{{ItemCNAME, []byte("abc")}}}}},
		},
	},
	{
		"receiver report with a negative loss",
		"81c90007" + "00000001" + "00000002" + "03fffffb" + "00010002" + "00000005" + "00000006" + "00000007",
		[]Packet{{Type: RR, SSRC: 1, Reports: []Report{{SSRC: 2, FractionLost: 3, Lost: -5, Highest: 65538, Jitter: 5, LSR: 6, DLSR: 7}}}},
	},
	{
		"generic NACK",
		"81cd0003" + "00000001" + "00000002" + "00018002",
		[]Packet{{Type: RTPFB, Format: FmtNACK, SSRC: 1, Media: 2, Lost: []uint16{1, 3, 17}}},
	},
	{
		"picture loss", "81ce0002" + "00000001" + "00000002",
		[]Packet{{Type: PSFB, Format: FmtPLI, SSRC: 1, Media: 2, FCI: []byte{}}},
	},
	{"goodbye", "82cb0002" + "00000001" + "00000002", []Packet{{Type: BYE, Sources: []uint32{1, 2}}}},
}

func TestCases(t *testing.T) {
	for _, c := range cases {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Unmarshal(nil, b)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
		var out []byte
		for i := range c.want {
			if out, err = c.want[i].Marshal(out); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(out, b) {
			t.Errorf("%s: wrote %x, want %x", c.name, out, b)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, h := range []string{
		"80", "80c80001", "80c80000", "00c80000", "81cb0000", "80ce0000", "80cd0000", "a0c9000100000000", "a0c90000",
		"80cc000080cf0001", "81ca0000", "81ca00020000000001046162",
	} {
		b, _ := hex.DecodeString(h)
		if _, err := Unmarshal(nil, b); err == nil {
			t.Errorf("%s was taken", h)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, c := range cases {
		b, _ := hex.DecodeString(c.hex)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := Unmarshal(nil, b)
		if err != nil {
			return
		}
		for i := range list {
			out, err := list[i].Marshal(nil)
			if err != nil {
				continue // more chunks or numbers than one packet takes when written plainly
			}
			again, err := Unmarshal(nil, out)
			if err != nil || len(again) != 1 {
				t.Fatalf("%+v was written as %x: %v", list[i], out, err)
			}
			if len(list[i].Chunks) > 1 {
				continue // a few bytes can be read in both layouts, and the standard's comes first
			}
			// Of several chunks the layout of Marshal may also be one of the standard,
			// with other sources: readers cannot tell.
			if several := len(list[i].Chunks) > 1; list[i].Type != PSFB && !several && !reflect.DeepEqual(normal(again[0]), normal(list[i])) {
				t.Fatalf("%+v came back as %+v", list[i], again[0])
			}
		}
	})
}

// normal makes empty and missing texts equal, and lists of the same lost numbers:
// one mask may take what came in several.
func normal(p Packet) Packet {
	p.FCI = nil
	p.Lost = slices.Clone(p.Lost)
	slices.Sort(p.Lost)
	p.Lost = slices.Compact(p.Lost)
	for i := range p.Chunks {
		for k := range p.Chunks[i].Items {
			p.Chunks[i].Items[k].Text = append([]byte{}, p.Chunks[i].Items[k].Text...)
		}
	}
	return p
}

// Several chunks are read in the layout of RFC 3550 §6.5 and in that of Marshal, whatever the length of the items.
func TestChunksInBothLayouts(t *testing.T) {
	for n := range 9 {
		p := Packet{Type: SDES}
		var aligned []byte
		for i := range byte(3) {
			text := bytes.Repeat([]byte{'a' + i}, n+int(i))
			p.Chunks = append(p.Chunks, Chunk{SSRC: 0xA0B0C0D0 + uint32(i), Items: []Item{{ItemCNAME, text}}})
			aligned = binary.BigEndian.AppendUint32(aligned, 0xA0B0C0D0+uint32(i))
			aligned = append(append(aligned, ItemCNAME, byte(len(text))), text...)
			aligned = append(aligned, make([]byte, 4-len(aligned)%4)...)
		}
		plain, err := p.Marshal(nil)
		if err != nil {
			t.Fatal(err)
		}
		standard, err := Append(nil, SDES, 3, aligned)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{plain, standard} {
			got, err := Unmarshal(nil, b)
			if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Chunks, p.Chunks) {
				t.Fatalf("%d: %x: %+v, %v", n, b, got, err)
			}
		}
	}
}
