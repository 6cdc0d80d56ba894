package rtpvideo

import (
	"bytes"
	"testing"

	"github.com/pion/rtp/codecs"
)

func feedAll(d Depacketizer, data []byte, ends []int) (out []Unit) {
	at := 0
	for i, end := range ends {
		for _, u := range d.Feed(data[at:end], i == len(ends)-1) {
			out = append(out, Unit{bytes.Clone(u.Data), u.Key})
		}
		at = end
	}
	return out
}

func TestThereAndBack(t *testing.T) {
	for _, c := range []Codec{H264, VP8, VP9} {
		for _, n := range []int{1, 2, 100, 1399, 1400, 1401, 2797, 20000} {
			for _, key := range []bool{true, false} {
				unit := bytes.Repeat([]byte{0xA5}, n)
				unit[0] = map[Codec]map[bool]byte{H264: {true: 0x65, false: 0x41}, VP8: {true: 0x10, false: 0x11}, VP9: {true: 0x82, false: 0x86}}[c][key]
				data, ends := Packetize(c, nil, nil, unit, DefaultMTU, key)
				got := feedAll(NewDepacketizer(c), data, ends)
				if len(got) != 1 || !bytes.Equal(got[0].Data, unit) || got[0].Key != key {
					t.Fatalf("codec %d, %d bytes, key %v: %d units", c, n, key, len(got))
				}
			}
		}
	}
}

// Pion's depacketizers read what ours writes.
func TestPionReads(t *testing.T) {
	unit := bytes.Repeat([]byte{0x55}, 5000)
	unit[0] = 0x65
	data, ends := Packetize(H264, nil, nil, unit, DefaultMTU, true)
	var h codecs.H264Packet
	var got []byte
	at := 0
	for _, end := range ends {
		b, err := h.Unmarshal(data[at:end])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b...)
		at = end
	}
	if !bytes.Equal(got, append([]byte{0, 0, 0, 1}, unit...)) {
		t.Error("H.264 differs")
	}
	data, ends = Packetize(VP8, nil, nil, unit, DefaultMTU, true)
	var v codecs.VP8Packet
	got, at = nil, 0
	for _, end := range ends {
		b, err := v.Unmarshal(data[at:end])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b...)
		at = end
	}
	if !bytes.Equal(got, unit) {
		t.Error("VP8 differs")
	}
	data, ends = Packetize(VP9, nil, nil, unit, DefaultMTU, false)
	var w codecs.VP9Packet
	got, at = nil, 0
	for _, end := range ends {
		b, err := w.Unmarshal(data[at:end])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b...)
		at = end
	}
	if !bytes.Equal(got, unit) {
		t.Error("VP9 differs")
	}
}

// Ours read what pion's payloaders write: STAP-A, picture ids.
func TestReadsPion(t *testing.T) {
	sps, pps, idr := []byte{0x67, 1, 2, 3}, []byte{0x68, 4}, bytes.Repeat([]byte{0x65}, 3000)
	stream := bytes.Join([][]byte{nil, sps, pps, idr}, []byte{0, 0, 0, 1})
	d := NewDepacketizer(H264)
	var got []Unit
	for _, p := range (&codecs.H264Payloader{}).Payload(1200, stream) {
		for _, u := range d.Feed(p, false) {
			got = append(got, Unit{bytes.Clone(u.Data), u.Key})
		}
	}
	if len(got) != 3 || !bytes.Equal(got[0].Data, sps) || !bytes.Equal(got[2].Data, idr) || !got[1].Key {
		t.Fatal(len(got))
	}
	frame := bytes.Repeat([]byte{0x10}, 3000)
	for _, c := range []Codec{VP8, VP9} {
		var list [][]byte
		if c == VP8 {
			list = (&codecs.VP8Payloader{EnablePictureID: true}).Payload(1200, frame)
		} else {
			list = (&codecs.VP9Payloader{FlexibleMode: true}).Payload(1200, frame)
		}
		d, n := NewDepacketizer(c), 0
		for i, p := range list {
			for _, u := range d.Feed(p, i == len(list)-1) {
				n++
				if !bytes.Equal(u.Data, frame) {
					t.Error(c, "differs")
				}
			}
		}
		if n != 1 {
			t.Error(c, n, "frames")
		}
	}
}

func FuzzDepacketizer(f *testing.F) {
	for c := range uint8(3) {
		data, _ := Packetize(Codec(c), nil, nil, bytes.Repeat([]byte{0x65}, 40), 16, true)
		f.Add(c, data, uint8(16))
	}
	f.Add(uint8(2), []byte{0xFF, 0x80, 0x01, 0x38, 1, 2, 3}, uint8(7))
	f.Add(uint8(1), []byte{0x90, 0xF0, 0x80, 1, 2, 3, 4}, uint8(3))
	f.Fuzz(func(t *testing.T, c uint8, b []byte, step uint8) {
		codec := Codec(c % 3)
		d := NewDepacketizer(codec)
		total, in := 0, len(b)
		for n := max(int(step), 1); len(b) > 0; {
			k := min(n, len(b))
			for _, u := range d.Feed(b[:k], k < n || step&1 == 0) {
				total += len(u.Data)
			}
			IsKeyVP8(b[:k])
			IsKeyVP9(b[:k])
			BeginsKeyNAL(b[:k])
			b = b[k:]
		}
		if total > 2*in {
			t.Fatalf("%d bytes out of %d", total, in)
		}
	})
}
