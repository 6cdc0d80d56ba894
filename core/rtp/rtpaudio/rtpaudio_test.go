package rtpaudio

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg1audio"

	"github.com/tstrans/tstrans/core/codec/mpegaudio"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtpaac"
	"github.com/tstrans/tstrans/core/tsterr"
)

// depacketizer is what all have in common.
type depacketizer interface {
	Push(p *rtp.Packet)
	Unit() (rtp.Unit, bool)
}

func units(d depacketizer, packets ...rtp.Packet) (out [][]byte) {
	for i := range packets {
		d.Push(&packets[i])
		for u, ok := d.Unit(); ok; u, ok = d.Unit() {
			out = append(out, bytes.Clone(u.Data))
		}
	}
	return out
}

// mpegFrame is a frame of MPEG-1 layer II of 48 kHz, by its index of bit rate.
func mpegFrame(t testing.TB, rate byte) []byte {
	b := append([]byte{0xFF, 0xFD, rate<<4 | 4, 0xC0}, bytes.Repeat([]byte{rate}, 2000)...)
	n, ok := mpegaudio.FrameLength(b)
	if !ok {
		t.Fatalf("%x is no header", b[:4])
	}
	return b[:n]
}

// gortsplib's encoder puts small frames together and cuts large ones.
func TestMPEGOfGortsplib(t *testing.T) {
	t.Parallel()
	e := &rtpmpeg1audio.Encoder{PayloadMaxSize: 500}
	if err := e.Init(); err != nil {
		t.Fatal(err)
	}
	rates := []byte{1, 1, 2, 9, 14, 1}
	frames := make([][]byte, 0, len(rates))
	for _, rate := range rates {
		frames = append(frames, mpegFrame(t, rate))
	}
	ps, err := e.Encode(frames)
	if err != nil {
		t.Fatal(err)
	}
	d := NewMPEG()
	packets := make([]rtp.Packet, 0, len(ps))
	for _, p := range ps {
		packets = append(packets, rtp.Packet{Sequence: p.SequenceNumber, Timestamp: p.Timestamp, Marker: p.Marker, Payload: p.Payload})
	}
	if got := bytes.Join(units(d, packets...), nil); !bytes.Equal(got, bytes.Join(frames, nil)) {
		t.Errorf("%d bytes, %+v", len(got), d.Stats)
	}
	// Without the packet that has the middle of a frame the frame is missing, and nothing else.
	d = NewMPEG()
	at := 0
	for packets[at].Payload[2]|packets[at].Payload[3] == 0 {
		at++
	}
	got := bytes.Join(units(d, append(append([]rtp.Packet(nil), packets[:at]...), packets[at+1:]...)...), nil)
	if len(got) >= len(bytes.Join(frames, nil)) || d.Stats.Dropped != 1 {
		t.Errorf("%d bytes, %+v", len(got), d.Stats)
	}
	for len(got) > 0 {
		n, ok := mpegaudio.FrameLength(got)
		if !ok || n > len(got) {
			t.Fatal("a piece of a frame came through")
		}
		got = got[n:]
	}
}

func TestLATMConfig(t *testing.T) {
	t.Parallel()
	for config, kind := range map[string]tsterr.Kind{
		"40002810":   tsterr.OK,
		"400024203f": tsterr.OK, // 24 kHz, stereo
		"4000":       tsterr.RTPBroken,
		"xyz":        tsterr.RTPBroken,
		"":           tsterr.RTPBroken,
		"c0002810":   tsterr.NotSupported, // audioMuxVersion 1
		"00002810":   tsterr.NotSupported, // layers of different times
		"40042810":   tsterr.NotSupported, // two layers
		"40002f10":   tsterr.NotSupported, // no such rate
	} {
		if _, err := ParseLATM(map[string]string{"cpresent": "0", "config": config}); tsterr.KindOf(err) != kind {
			t.Errorf("%q: %v", config, err)
		}
	}
	if c, err := ParseLATM(map[string]string{}); err != nil || !c.InBand {
		t.Error(c, err)
	}
	c, _ := ParseLATM(map[string]string{"cpresent": "0", "config": "40002810"})
	if c.SubFrames != 1 || c.AAC.ObjectType != 2 || c.AAC.Rate() != 16000 || c.AAC.Channels != 1 {
		t.Errorf("%+v", c)
	}
}

func TestLATMSubFrames(t *testing.T) {
	t.Parallel()
	cfg := LATMConfig{AAC: rtpaac.Config{ObjectType: 2, RateIndex: 8, Channels: 1}, SubFrames: 2}
	one, two := strings.Repeat("1", 255), strings.Repeat("2", 600)
	element := "\xff\x00" + one + "\xff\xff\x5a" + two
	d := NewLATM(cfg)
	d.Push(&rtp.Packet{Timestamp: 5000, Payload: []byte(element[:400])})
	d.Push(&rtp.Packet{Sequence: 1, Timestamp: 5000, Marker: true, Payload: []byte(element[400:])})
	for i, want := range []string{one, two} {
		u, ok := d.Unit()
		if !ok || string(u.Data[7:]) != want || u.Timestamp != uint32(5000+i*rtpaac.FrameSamples) { //nolint:gosec // small
			t.Errorf("frame %d: %d bytes at %d", i, len(u.Data), u.Timestamp)
		}
	}
	if u, ok := d.Unit(); ok {
		t.Errorf("%d bytes more", len(u.Data))
	}
}

func TestOpusControlHeader(t *testing.T) {
	t.Parallel()
	for n, head := range map[int]string{1: "7fe001", 254: "7fe0fe", 255: "7fe0ff00", 600: "7fe0ffff5a"} {
		got := units(NewOpus(), rtp.Packet{Payload: make([]byte, n)})
		if len(got) != 1 || hex.EncodeToString(got[0][:len(got[0])-n]) != head {
			t.Errorf("%d bytes: %x", n, got)
		}
	}
	if got := units(NewOpus(), rtp.Packet{}); got != nil {
		t.Errorf("nothing became %x", got)
	}
}

// FuzzDepacketizers feeds packets, each after its length: flags, then its payload.
func FuzzDepacketizers(f *testing.F) {
	frame := mpegFrame(f, 1)
	f.Add(append([]byte{byte(len(frame) + 5), 0, 0, 0, 0, 0}, frame...))
	f.Add([]byte{8, 1, 0, 0, 0, 0, 0xFF, 0xFD, 0x14, 6, 2, 0, 0, 0, 3, 9, 3, 1, 0xFF, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg := LATMConfig{AAC: rtpaac.Config{ObjectType: 2, RateIndex: 8, Channels: 1}, SubFrames: 3}
		ds := []depacketizer{NewPlain(), NewOpus(), NewMPEG(), NewLATM(cfg), NewLATM(LATMConfig{InBand: true})}
		var seq uint16
		var ts uint32
		for len(b) > 2 {
			n := min(int(b[0]), len(b)-2)
			flags, payload := b[1], b[2:2+n]
			b = b[2+n:]
			seq++
			seq += uint16(flags >> 6) // losses
			if flags&2 == 0 {
				ts += 1024
			}
			for _, d := range ds {
				d.Push(&rtp.Packet{Sequence: seq, Timestamp: ts, Marker: flags&1 != 0, SSRC: uint32(flags >> 5 & 1), Payload: payload})
				for u, ok := d.Unit(); ok; u, ok = d.Unit() {
					if len(u.Data) == 0 || len(u.Data) > maxUnit+16 {
						t.Fatalf("a unit of %d bytes", len(u.Data))
					}
				}
			}
		}
	})
}

func FuzzLATMConfig(f *testing.F) {
	f.Add("0", "40002810")
	f.Add("1", "")
	f.Fuzz(func(t *testing.T, present, config string) {
		c, err := ParseLATM(map[string]string{"cpresent": present, "config": config})
		if err == nil && !c.InBand && (!c.AAC.Valid() || c.SubFrames < 1 || c.SubFrames > 64) {
			t.Fatalf("%+v", c)
		}
	})
}
