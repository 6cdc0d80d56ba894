package rtph264

import (
	"bytes"
	"math/rand"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	pion "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tsterr"
)

func nal(t byte, n int, seed int64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewSource(seed))
	for i := range b {
		b[i] = byte(1 + r.Intn(255)) // no start codes inside
	}
	b[0] = 0x60 | t
	return b
}

func annexB(nals ...[]byte) []byte {
	var out []byte
	for _, n := range nals {
		out = append(append(out, 0, 0, 0, 1), n...)
	}
	return out
}

// pictures are NAL units of five pictures: tiny, aggregated, fragmented.
func pictures() [][][]byte {
	return [][][]byte{
		{nal(7, 20, 1), nal(8, 6, 2), nal(5, 9000, 3)},
		{nal(1, 300, 4)},
		{nal(6, 30, 5), nal(1, 40, 6), nal(1, 50, 7)},
		{nal(1, 1450, 8), nal(1, 1451, 9)},
		{nal(5, 20_000, 10)},
	}
}

func ours(p *pion.Packet) *rtp.Packet {
	return &rtp.Packet{
		Marker: p.Marker, PayloadType: p.PayloadType, Sequence: p.SequenceNumber, Timestamp: p.Timestamp,
		SSRC: p.SSRC, Payload: p.Payload,
	}
}

// peerPackets are the pictures in the packets that gortsplib makes.
func peerPackets(t testing.TB) []*rtp.Packet {
	t.Helper()
	ssrc, seq := uint32(5), uint16(65533)
	e := &rtph264.Encoder{PayloadType: 96, PacketizationMode: 1, SSRC: &ssrc, InitialSequenceNumber: &seq}
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
			x.Timestamp = uint32(i * 3000) //nolint:gosec // small
			out = append(out, ours(x))
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
	for _, markers := range []bool{true, false} { // without markers the time stamp ends a picture
		d := NewDepacketizer(Config{})
		got := make([]rtp.Unit, 0, len(pictures()))
		for _, p := range peerPackets(t) {
			p.Marker = p.Marker && markers
			d.Push(p)
			got = append(got, drain(d)...)
		}
		want := pictures()
		if !markers {
			want = want[:len(want)-1] // the last one is still open
		}
		if len(got) != len(want) {
			t.Fatalf("%d pictures of %d", len(got), len(want))
		}
		for i, u := range got {
			if !bytes.Equal(u.Data, annexB(want[i]...)) || u.Key != (i == 0 || i == 4) || u.Timestamp != uint32(i*3000) { //nolint:gosec // small
				t.Errorf("picture %d: %d bytes, key %v, time stamp %d", i, len(u.Data), u.Key, u.Timestamp)
			}
		}
	}
}

func TestPeerReadsOurPackets(t *testing.T) {
	t.Parallel()
	d := &rtph264.Decoder{PacketizationMode: 1}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	seq := uint16(0)
	for i, p := range pictures() {
		var out rtp.Payloads
		Packetize(&out, annexB(append([][]byte{{9, 0xF0}}, p...)...), 1200)
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
		d := NewDepacketizer(Config{})
		var got []rtp.Unit
		for i, p := range ps {
			if i == lost {
				continue
			}
			d.Push(p)
			d.Push(p) // and every packet twice
			got = append(got, drain(d)...)
		}
		for _, u := range got {
			i := int(u.Timestamp / 3000)
			whole := annexB(pictures()[i]...)
			if !bytes.Equal(u.Data, whole) && ps[lost].Timestamp != u.Timestamp {
				t.Fatalf("packet %d lost: picture %d is damaged", lost, i)
			}
		}
		if d.Stats.Gaps != 1 || d.Stats.Duplicates != uint64(len(ps)-1) || len(got) < 4 || len(got) > 5 { //nolint:gosec // not negative
			t.Fatalf("packet %d lost: %d pictures, %+v", lost, len(got), d.Stats)
		}
		if inside := ps[lost-1].Timestamp == ps[lost].Timestamp && ps[lost+1].Timestamp == ps[lost].Timestamp; inside &&
			(d.Stats.Dropped != 1 || len(got) != 4) {
			t.Fatalf("packet %d lost inside a picture: %+v", lost, d.Stats)
		}
	}
}

func TestParameterSetsBeforeIDR(t *testing.T) {
	t.Parallel()
	sps, pps, idr := nal(7, 20, 1), nal(8, 6, 2), nal(5, 50, 3)
	for _, c := range []struct {
		name string
		cfg  Config
		in   [][]byte
		want []byte
	}{
		{"given", Config{Injection: InjectBeforeIDR, ParameterSets: [][]byte{sps, annexB(pps)}}, [][]byte{idr}, annexB(sps, pps, idr)},
		{"off", Config{ParameterSets: [][]byte{sps, pps}}, [][]byte{idr}, annexB(idr)},
		{"present", Config{Injection: InjectBeforeIDR, ParameterSets: [][]byte{nal(7, 9, 9), pps}}, [][]byte{sps, pps, idr}, annexB(sps, pps, idr)},
		{"two slices", Config{Injection: InjectBeforeIDR, ParameterSets: [][]byte{sps, pps}}, [][]byte{idr, idr}, annexB(sps, pps, idr, idr)},
	} {
		d := NewDepacketizer(c.cfg)
		for i, n := range c.in {
			d.Push(&rtp.Packet{Sequence: uint16(i), Payload: n, Marker: i == len(c.in)-1}) //nolint:gosec // small
		}
		got := drain(d)
		if len(got) != 1 || !bytes.Equal(got[0].Data, c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	// A later picture gets what came in the stream; a changed set counts.
	d := NewDepacketizer(Config{Injection: InjectBeforeIDR})
	got := make([]rtp.Unit, 0, 3)
	for i, n := range [][]byte{sps, pps, idr, idr, nal(7, 21, 8), idr} {
		d.Push(&rtp.Packet{Sequence: uint16(i), Timestamp: uint32(max(i, 2)), Payload: n, Marker: i == 2 || i == 3}) //nolint:gosec // small
		got = append(got, drain(d)...)
	}
	if len(got) != 3 || !bytes.Equal(got[1].Data, annexB(sps, pps, idr)) || d.Stats.ParameterSets != 3 {
		t.Errorf("%d pictures, %+v", len(got), d.Stats)
	}
}

func TestWhatIsNotUnderstoodIsCounted(t *testing.T) {
	t.Parallel()
	d := NewDepacketizer(Config{MaxUnit: 100})
	for i, b := range [][]byte{
		{},                        // empty
		{25, 0, 0, 1, 1},          // STAP-B
		{29, 0x80, 1, 2},          // FU-B
		{28, 0x05},                // FU-A cut short
		{28, 0x05, 1},             // FU-A without its start
		{24, 0, 9, 1},             // STAP-A cut short
		{0x80 | 1, 2},             // forbidden bit
		{24, 0, 0, 0, 2, 0x61, 1}, // STAP-A with an empty unit
	} {
		d.Push(&rtp.Packet{Sequence: uint16(i), Timestamp: 1, Payload: b}) //nolint:gosec // small
	}
	if d.Stats.PacketsDiscarded != 3 || d.Stats.NALsDiscarded != 5 {
		t.Errorf("%+v", d.Stats)
	}
	d.Push(&rtp.Packet{Sequence: 8, Timestamp: 2, Payload: nal(1, 101, 1), Marker: true})
	d.Push(&rtp.Packet{Sequence: 9, Timestamp: 3, Payload: nal(1, 50, 1), Marker: true})
	if got := drain(d); len(got) != 2 || d.Stats.Oversize != 1 || len(got[1].Data) != 54 {
		t.Errorf("%d pictures, %+v", len(got), d.Stats)
	}
}

type fakeReader struct{ ps []*rtp.Packet }

func (f *fakeReader) ReadPacket(time.Duration) (rtp.Packet, error) {
	if len(f.ps) == 0 {
		return rtp.Packet{}, tsterr.New(tsterr.Timeout, "nothing")
	}
	p := f.ps[0]
	f.ps = f.ps[1:]
	return *p, nil
}

func TestReceiverClock(t *testing.T) {
	t.Parallel()
	one := func(seq uint16, ts, ssrc uint32) *rtp.Packet {
		return &rtp.Packet{Sequence: seq, Timestamp: ts, SSRC: ssrc, Marker: true, Payload: nal(1, 10, 1)}
	}
	r := NewReceiver(&fakeReader{[]*rtp.Packet{
		one(1, 0xFFFFFF00, 1), one(2, 0x100, 1), one(3, 0xFFFFF000, 1), one(900, 77, 2), one(901, 3077, 2),
	}}, Config{})
	last := int64(0xFFFFF000) - 0xFFFFFF00
	for i, want := range []int64{0, 0x200, last, last + sourceStep, last + sourceStep + 3000} {
		au, err := r.Read(0)
		if err != nil || au.PTS != want {
			t.Errorf("picture %d: %d, %v; wanted %d", i, au.PTS, err, want)
		}
	}
	if _, err := r.Read(0); tsterr.KindOf(err) != tsterr.Timeout {
		t.Error(err)
	}
	if s := r.Stats(); s.Units != 5 || s.SSRCChanges != 1 {
		t.Errorf("%+v", s)
	}
}

func FuzzDepacketizer(f *testing.F) {
	var seed []byte
	for _, p := range peerPackets(f)[:8] {
		n := min(len(p.Payload), 40)
		seed = append(append(seed, byte(n), byte(p.Timestamp>>8)), p.Payload[:n]...) //nolint:gosec // short
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDepacketizer(Config{Injection: InjectBeforeIDR, MaxUnit: 1000})
		for i := uint16(0); len(b) > 2; i++ {
			n := min(int(b[0]&0x3F), len(b)-2)
			d.Push(&rtp.Packet{
				Sequence: i + uint16(b[1]>>7), Timestamp: uint32(b[1] & 0xF), Marker: b[0]&0x80 != 0,
				SSRC: uint32(b[0] >> 6 & 1), Payload: b[2 : 2+n],
			})
			for _, u := range drain(d) {
				if len(u.Data) > 1000 {
					t.Fatal("over the bound")
				}
				var out rtp.Payloads
				Packetize(&out, u.Data, 20)
			}
			b = b[2+n:]
		}
	})
}

func BenchmarkDepacketize(b *testing.B) {
	var out rtp.Payloads
	Packetize(&out, annexB(nal(1, 83_000, 1)), 1400)
	d := NewDepacketizer(Config{})
	seq := uint16(0)
	b.SetBytes(83_000)
	b.ReportAllocs()
	for i := range b.N {
		for k := range out.Ends {
			p, last := out.At(k)
			d.Push(&rtp.Packet{Sequence: seq, Timestamp: uint32(i), Marker: last, Payload: p}) //nolint:gosec // it wraps
			seq++
		}
		if _, ok := d.Unit(); !ok {
			b.Fatal("no picture")
		}
	}
}

func BenchmarkPacketize(b *testing.B) {
	au := annexB(nal(1, 83_000, 1))
	var out rtp.Payloads
	b.SetBytes(int64(len(au)))
	b.ReportAllocs()
	for range b.N {
		out.Reset()
		Packetize(&out, au, 1400)
	}
}
