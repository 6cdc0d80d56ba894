package descriptor_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts/descriptor"
	"github.com/tstrans/tstrans/core/tsterr"
)

type codec interface {
	Unmarshal(b []byte) (int, error)
	MarshalSize() int
	MarshalTo(b []byte) (int, error)
}

// Bytes as MISB ST 1402, EN 300 468 and FFmpeg write them.
var cases = []struct {
	name string
	hex  string
	dec  codec
	zero codec
}{
	{"registration KLVA", "05044b4c5641", &descriptor.Registration{FormatIdentifier: descriptor.FormatKLVA, AdditionalInfo: []byte{}}, &descriptor.Registration{}},
	{"registration with more", "05064b4c56410102", &descriptor.Registration{FormatIdentifier: descriptor.FormatKLVA, AdditionalInfo: []byte{1, 2}}, &descriptor.Registration{}},
	{
		"metadata of synchronous KLV", "26090100ff4b4c5641000f",
		&descriptor.Metadata{ApplicationFormat: 0x0100, Format: 0xFF, FormatIdentifier: descriptor.FormatKLVA, Tail: []byte{}}, &descriptor.Metadata{},
	},
	{
		"metadata of ID3 in HLS", "260dffff49443320ff49443320000f",
		&descriptor.Metadata{
			ApplicationFormat: 0xFFFF, ApplicationFormatIdentifier: 0x49443320, Format: 0xFF, FormatIdentifier: 0x49443320, Tail: []byte{},
		}, &descriptor.Metadata{},
	},
	{"metadata_STD", "2709c00000c00000c00000", &descriptor.MetadataSTD{}, &descriptor.MetadataSTD{}},
	{
		"metadata_STD values", "2709c00001c10000ffffff",
		&descriptor.MetadataSTD{InputLeakRate: 1, BufferSize: 0x10000, OutputLeakRate: 0x3FFFFF}, &descriptor.MetadataSTD{},
	},
	{
		"language", "0a04656e6700",
		&descriptor.ISO639Language{Entries: []descriptor.ISO639Entry{{Language: [3]byte{'e', 'n', 'g'}}}}, &descriptor.ISO639Language{},
	},
	{
		"subtitling", "5908656e671000010002",
		&descriptor.Subtitling{Entries: []descriptor.SubtitlingEntry{{Language: [3]byte{'e', 'n', 'g'}, SubtitlingType: 0x10, CompositionPage: 1, AncillaryPage: 2}}},
		&descriptor.Subtitling{},
	},
	{
		"teletext", "5605656e671188",
		&descriptor.Teletext{Entries: []descriptor.TeletextEntry{{Language: [3]byte{'e', 'n', 'g'}, TeletextType: 2, MagazineNumber: 1, PageNumber: 0x88}}},
		&descriptor.Teletext{},
	},
}

func TestDescriptors(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			input := bytes.Clone(want)
			if n, err := c.zero.Unmarshal(input); err != nil || n != len(want) || !reflect.DeepEqual(c.zero, c.dec) {
				t.Fatalf("%+v %d %v", c.zero, n, err)
			}
			got := make([]byte, c.dec.MarshalSize())
			if n, err := c.dec.MarshalTo(got); err != nil || n != len(want) || !bytes.Equal(got, want) {
				t.Fatalf("%x %d %v", got, n, err)
			}
			if !bytes.Equal(input, want) {
				t.Fatal("the input was changed")
			}
			for n := range want {
				if _, err := c.zero.Unmarshal(want[:n]); tsterr.KindOf(err) != tsterr.InvalidArg {
					t.Errorf("cut to %d bytes: %v", n, err)
				}
			}
			if _, err := c.dec.MarshalTo(got[:len(got)-1]); tsterr.KindOf(err) != tsterr.BufferTooSmall {
				t.Error(err)
			}
		})
	}
}

func TestLoop(t *testing.T) {
	loop := []byte{5, 1, 9, 0x52, 0}
	if !descriptor.ValidLoop(loop) || !descriptor.ValidLoop(nil) || descriptor.ValidLoop(loop[:4]) || descriptor.ValidLoop([]byte{5, 2, 9}) {
		t.Error("ValidLoop")
	}
	d, rest, ok := descriptor.Next(loop)
	if !ok || d.Tag != 5 || !bytes.Equal(d.Data, []byte{9}) || len(rest) != 2 {
		t.Errorf("%+v %x %v", d, rest, ok)
	}
	if _, _, ok = descriptor.Next([]byte{5, 9, 1}); ok {
		t.Error("a cut descriptor was split off")
	}
	long := descriptor.Raw{Tag: 1, Data: make([]byte, 256)}
	_, err := long.MarshalTo(make([]byte, 300))
	var e *tsterr.Error
	if !errors.As(err, &e) || e.Field != "descriptor_length" {
		t.Error(err)
	}
}
