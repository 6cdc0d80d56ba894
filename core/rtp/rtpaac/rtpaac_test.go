package rtpaac

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	pion "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/rtp"
)

func lc48() Config {
	return Config{ObjectType: 2, RateIndex: 3, Channels: 2, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
}

func frames() [][]byte {
	out := make([][]byte, 0, 6)
	for i, n := range []int{1, 100, 371, 2000, 6000, 12} {
		out = append(out, bytes.Repeat([]byte{byte(i + 1)}, n))
	}
	return out
}

func TestPeerPacketsGiveItsFrames(t *testing.T) {
	t.Parallel()
	ssrc, seq := uint32(5), uint16(65534)
	e := &rtpmpeg4audio.Encoder{
		PayloadType: 97, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3, SSRC: &ssrc,
		InitialSequenceNumber: &seq, PayloadMaxSize: 1400,
	}
	if err := e.Init(); err != nil {
		t.Fatal(err)
	}
	ps, err := e.Encode(frames())
	if err != nil {
		t.Fatal(err)
	}
	d := NewDepacketizer(lc48())
	n := 0
	for _, p := range ps {
		d.Push(&rtp.Packet{Sequence: p.SequenceNumber, SSRC: p.SSRC, Timestamp: p.Timestamp, Marker: p.Marker, Payload: p.Payload})
		for u, ok := d.Unit(); ok; u, ok = d.Unit() {
			ok := Frames(u.Data, func(cfg Config, frame []byte) {
				if cfg != lc48() || !bytes.Equal(frame, frames()[n]) || u.Timestamp != uint32(n*FrameSamples) { //nolint:gosec // small
					t.Errorf("frame %d: %d bytes at %d, %+v", n, len(frame), u.Timestamp, cfg)
				}
			})
			if !ok {
				t.Fatalf("frame %d has no good header", n)
			}
			n++
		}
	}
	if n != len(frames()) {
		t.Errorf("%d frames, %+v", n, d.Stats)
	}
}

func TestPeerReadsOurPackets(t *testing.T) {
	t.Parallel()
	peer := &rtpmpeg4audio.Decoder{SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	if err := peer.Init(); err != nil {
		t.Fatal(err)
	}
	seq := uint16(0)
	for i, f := range frames() {
		if len(f) > 1396 { // the peer takes the size in each packet for the piece's
			continue
		}
		var out rtp.Payloads
		Packetize(&out, f, 1400)
		for k := range out.Ends {
			b, last := out.At(k)
			got, err := peer.Decode(&pion.Packet{Header: pion.Header{SequenceNumber: seq, Marker: last}, Payload: b})
			seq++
			if last && (err != nil || len(got) != 1 || !bytes.Equal(got[0], f)) {
				t.Errorf("frame %d: %v", i, err)
			}
		}
	}
}

func TestPiecesAndMissingMarkers(t *testing.T) {
	t.Parallel()
	for _, markers := range []bool{true, false} {
		d := NewDepacketizer(lc48())
		seq, n := uint16(0), 0
		for i, f := range append(frames(), []byte{1}) {
			var out rtp.Payloads
			Packetize(&out, f, 1400)
			for k := range out.Ends {
				b, last := out.At(k)
				d.Push(&rtp.Packet{Sequence: seq, Timestamp: uint32(i), Marker: last && markers, Payload: b}) //nolint:gosec // small
				seq++
				for u, ok := d.Unit(); ok; u, ok = d.Unit() {
					if !bytes.Equal(u.Data[adtsHeader:], append(frames(), []byte{1})[n]) {
						t.Fatalf("markers %v: frame %d has %d bytes", markers, n, len(u.Data))
					}
					n++
				}
			}
		}
		if n < len(frames()) || d.Stats.Dropped != 0 {
			t.Errorf("markers %v: %d frames, %+v", markers, n, d.Stats)
		}
	}
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	if got := hex.EncodeToString(lc48().SpecificConfig()); got != "1190" { // what ffmpeg writes for LC, 48 kHz, stereo
		t.Error(got)
	}
	c, err := ParseFMTP(map[string]string{"config": "1190", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3"})
	if err != nil || c != lc48() || c.Rate() != 48000 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []map[string]string{
		{}, {"config": "11"}, {"config": "zz"}, {"config": "1790"}, {"config": "1190", "sizelength": "40"}, {"config": "1190", "sizelength": "0"},
	} {
		if _, err = ParseFMTP(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "testdata", "es", "androidx-sample.adts"))
	if err != nil {
		t.Log("no sample file:", err)
		return
	}
	n := 0
	if !Frames(b, func(Config, []byte) { n++ }) || n < 100 {
		t.Errorf("%d frames in the sample", n)
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	d := NewDepacketizer(lc48())
	for i, b := range [][]byte{
		{}, {0}, {0, 99}, {0, 17, 1, 2, 3}, {0, 16, 0, 0}, {0, 32, 0, 8, 1, 0, 9}, {0, 16, 1, 0, 1, 2, 3},
	} {
		d.Push(&rtp.Packet{Sequence: uint16(i), Timestamp: uint32(i), Payload: b}) //nolint:gosec // small
	}
	if d.Stats.PacketsDiscarded < 5 || d.Stats.Units != 1 {
		t.Errorf("%+v", d.Stats)
	}
}

func FuzzDepacketizer(f *testing.F) {
	var out rtp.Payloads
	Packetize(&out, frames()[1], 50)
	var seed []byte
	for k := range out.Ends {
		b, _ := out.At(k)
		seed = append(append(seed, byte(len(b)), 0), b...)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDepacketizer(lc48())
		for i := uint16(0); len(b) > 2; i++ {
			n := min(int(b[0]&0x3F), len(b)-2)
			d.Push(&rtp.Packet{Sequence: i + uint16(b[1]>>7), Timestamp: uint32(b[1] & 0xF), Payload: b[2 : 2+n]})
			for u, ok := d.Unit(); ok; u, ok = d.Unit() {
				if !Frames(u.Data, func(Config, []byte) {}) {
					t.Fatal("a frame without a good header")
				}
			}
			b = b[2+n:]
		}
	})
}
