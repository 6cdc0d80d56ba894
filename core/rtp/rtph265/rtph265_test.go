package rtph265

import (
	"bytes"
	"math/rand"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	pion "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/rtp"
)

func nal(t byte, n int, seed int64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewSource(seed))
	for i := range b {
		b[i] = byte(1 + r.Intn(255)) // no start codes inside
	}
	b[0], b[1] = t<<1, 1
	return b
}

func annexB(nals ...[]byte) []byte {
	var out []byte
	for _, n := range nals {
		out = append(append(out, 0, 0, 0, 1), n...)
	}
	return out
}

func pictures() [][][]byte {
	return [][][]byte{
		{nal(32, 20, 1), nal(33, 30, 2), nal(34, 8, 3), nal(19, 9000, 4)},
		{nal(1, 300, 5)},
		{nal(39, 30, 6), nal(1, 40, 7), nal(1, 50, 8)},
		{nal(21, 50_000, 9)},
	}
}

func peerPackets(t testing.TB) []*rtp.Packet {
	t.Helper()
	ssrc, seq := uint32(5), uint16(65533)
	e := &rtph265.Encoder{PayloadType: 96, SSRC: &ssrc, InitialSequenceNumber: &seq}
	if err := e.Init(); err != nil {
		t.Fatal(err)
	}
	var out []*rtp.Packet
	for i, p := range pictures() {
		ps, err := e.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range ps {
			out = append(out, &rtp.Packet{
				Marker: x.Marker, Sequence: x.SequenceNumber, Timestamp: uint32(i * 3000), SSRC: 5, Payload: x.Payload, //nolint:gosec // small
			})
		}
	}
	return out
}

func drain(d *Depacketizer) (out []rtp.Unit) {
	for u, ok := d.Unit(); ok; u, ok = d.Unit() {
		u.Data = bytes.Clone(u.Data)
		out = append(out, u)
	}
	return out
}

func TestPeerPacketsGiveItsPictures(t *testing.T) {
	t.Parallel()
	d := NewDepacketizer()
	got := make([]rtp.Unit, 0, len(pictures()))
	for _, p := range peerPackets(t) {
		d.Push(p)
		got = append(got, drain(d)...)
	}
	want := pictures()
	if len(got) != len(want) {
		t.Fatalf("%d pictures of %d", len(got), len(want))
	}
	for i, u := range got {
		nals := want[i]
		if i == 3 { // the sets of the first one are put before it
			nals = append(append([][]byte{}, want[0][:3]...), want[3]...)
		}
		if !bytes.Equal(u.Data, annexB(nals...)) || u.Key != (i == 0 || i == 3) {
			t.Errorf("picture %d: %d bytes, key %v", i, len(u.Data), u.Key)
		}
	}
}

func TestPeerReadsOurPackets(t *testing.T) {
	t.Parallel()
	d := &rtph265.Decoder{}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	seq := uint16(0)
	for i, p := range pictures() {
		var out rtp.Payloads
		Packetize(&out, annexB(append([][]byte{{70, 1, 0x50}}, p...)...), 1200)
		var got [][]byte
		for k := range out.Ends {
			b, last := out.At(k)
			if len(b) > 1200 {
				t.Fatalf("payload of %d bytes", len(b))
			}
			x, err := d.Decode(&pion.Packet{
				Header:  pion.Header{Version: 2, SequenceNumber: seq, Marker: last, Timestamp: uint32(i)}, //nolint:gosec // small
				Payload: b,
			})
			seq++
			if last {
				if err != nil {
					t.Fatal(err)
				}
				got = x
			}
		}
		if !bytes.Equal(annexB(got...), annexB(p...)) {
			t.Errorf("picture %d differs", i)
		}
	}
}

func TestLossCostsThePicture(t *testing.T) {
	t.Parallel()
	ps := peerPackets(t)
	for lost := 1; lost < len(ps)-1; lost++ {
		d := NewDepacketizer()
		var got []rtp.Unit
		for i, p := range ps {
			if i != lost {
				d.Push(p)
				got = append(got, drain(d)...)
			}
		}
		if d.Stats.Gaps != 1 || len(got) < 3 {
			t.Fatalf("packet %d lost: %d pictures, %+v", lost, len(got), d.Stats)
		}
	}
}

func FuzzDepacketizer(f *testing.F) {
	var seed []byte
	for _, p := range peerPackets(f)[:6] {
		n := min(len(p.Payload), 40)
		seed = append(append(seed, byte(n), byte(p.Timestamp>>8)), p.Payload[:n]...) //nolint:gosec // short
	}
	f.Add(seed)
	f.Fuzz(func(_ *testing.T, b []byte) {
		d := NewDepacketizer()
		d.MaxUnit = 1000
		for i := uint16(0); len(b) > 2; i++ {
			n := min(int(b[0]&0x3F), len(b)-2)
			d.Push(&rtp.Packet{
				Sequence: i + uint16(b[1]>>7), Timestamp: uint32(b[1] & 0xF), Marker: b[0]&0x80 != 0, Payload: b[2 : 2+n],
			})
			for _, u := range drain(d) {
				var out rtp.Payloads
				Packetize(&out, u.Data, 20)
			}
			b = b[2+n:]
		}
	})
}
