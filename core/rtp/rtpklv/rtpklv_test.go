package rtpklv

import (
	"bytes"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpklv"
	pion "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/rtp"
)

func unit(n int, fill byte) []byte {
	b := append([]byte(universal+"\x02\x0b\x01\x01\x0e\x01\x03\x01\x01\x00\x00\x00"), 0x82, byte(n>>8), byte(n)) //nolint:gosec // sixteen bits
	return append(b, bytes.Repeat([]byte{fill}, n)...)
}

func units() [][]byte {
	return [][]byte{unit(20, 1), unit(4000, 2), append(unit(30, 3), unit(40, 4)...), unit(1400, 5)}
}

func TestUnitsBothWays(t *testing.T) {
	t.Parallel()
	ssrc, seq := uint32(5), uint16(65534)
	e := &rtpklv.Encoder{PayloadType: 97, SSRC: &ssrc, InitialSequenceNumber: &seq, PayloadMaxSize: 1200}
	if err := e.Init(); err != nil {
		t.Fatal(err)
	}
	peer := &rtpklv.Decoder{}
	if err := peer.Init(); err != nil {
		t.Fatal(err)
	}
	d := NewDepacketizer()
	ourSeq := uint16(65530)
	for i, u := range units() {
		ps, err := e.Encode(u)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, p := range ps {
			d.Push(&rtp.Packet{Marker: p.Marker, Sequence: p.SequenceNumber, SSRC: 5, Timestamp: uint32(i), Payload: p.Payload}) //nolint:gosec // small
			if x, ok := d.Unit(); ok {
				got = bytes.Clone(x.Data)
			}
		}
		if !bytes.Equal(got, u) {
			t.Errorf("unit %d of the peer: %d bytes of %d", i, len(got), len(u))
		}
		var out rtp.Payloads
		Packetize(&out, u, 1200)
		for k := range out.Ends {
			b, last := out.At(k)
			x, err := peer.Decode(&pion.Packet{
				Header:  pion.Header{SequenceNumber: ourSeq, Marker: last, Timestamp: uint32(i)}, //nolint:gosec // small
				Payload: b,
			})
			ourSeq++
			if last && (err != nil || !bytes.Equal(x, u)) {
				t.Errorf("unit %d of ours: %v, %d bytes of %d", i, err, len(x), len(u))
			}
		}
	}
}

func TestLostBeginningCostsTheUnit(t *testing.T) {
	t.Parallel()
	var out rtp.Payloads
	Packetize(&out, unit(3000, 9), 1000)
	for lost := range out.Ends {
		d := NewDepacketizer()
		d.Push(&rtp.Packet{Sequence: 9, Timestamp: 1, Marker: true, Payload: unit(5, 1)})
		if _, ok := d.Unit(); !ok {
			t.Fatal("the first unit is missing")
		}
		for k := range out.Ends {
			b, last := out.At(k)
			if k != lost {
				d.Push(&rtp.Packet{Sequence: uint16(10 + k), Timestamp: 2, Marker: last, Payload: b}) //nolint:gosec // small
			}
		}
		d.Push(&rtp.Packet{Sequence: uint16(10 + len(out.Ends)), Timestamp: 3, Marker: true, Payload: unit(6, 2)}) //nolint:gosec // small
		u, ok := d.Unit()
		if !ok || !bytes.Equal(u.Data, unit(6, 2)) || d.Stats.Dropped != 1 || d.Stats.Units != 2 {
			t.Errorf("packet %d lost: %v, %+v", lost, ok, d.Stats)
		}
	}
}

func FuzzDepacketizer(f *testing.F) {
	f.Add(append([]byte{0x80 | 40, 1}, unit(20, 1)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDepacketizer()
		for i := uint16(0); len(b) > 2; i++ {
			n := min(int(b[0]&0x3F), len(b)-2)
			d.Push(&rtp.Packet{
				Sequence: i + uint16(b[1]>>7), Timestamp: uint32(b[1] & 0xF), Marker: b[0]&0x80 != 0, Payload: b[2 : 2+n],
			})
			for u, ok := d.Unit(); ok; u, ok = d.Unit() {
				var out rtp.Payloads
				Packetize(&out, u.Data, 7)
				if !bytes.Equal(out.Data, u.Data) {
					t.Fatal("packets differ from the unit")
				}
			}
			b = b[2+n:]
		}
	})
}
