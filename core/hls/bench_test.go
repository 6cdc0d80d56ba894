package hls

import (
	"testing"
	"time"
)

// BenchmarkPushTS appends a datagram of seven packets, a cut every 2 MB.
func BenchmarkPushTS(b *testing.B) {
	p := open(b, Config{SegmentDuration: 2 * time.Second, Window: 3, NoServer: true})
	data := packets(7)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		must(b, p.PushTS(data))
		if i%1500 == 1499 {
			must(b, p.CutSegmentWithDuration(2*time.Second))
		}
	}
}

// BenchmarkIngest cuts the same at key frames.
func BenchmarkIngest(b *testing.B) {
	p := open(b, Config{SegmentDuration: 2 * time.Second, Window: 3, NoServer: true, KeyFrameCuts: true})
	data := packets(7)
	p.ingest = newIngest(p)
	p.ingest.live = true
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		must(b, p.PushTS(data))
		if p.stream.open.Bytes > 2_000_000 {
			must(b, p.CutSegmentWithDuration(2*time.Second))
		}
	}
}

// BenchmarkSendVideo muxes a picture of 83 kB.
func BenchmarkSendVideo(b *testing.B) {
	au := make([]byte, 83_000)
	for i := range au {
		au[i] = byte(1 + i%250)
	}
	copy(au, []byte{0, 0, 0, 1, 0x65})
	for _, c := range []struct {
		name string
		cfg  Config
	}{{"ts", Config{}}, {"parts", Config{PartDuration: 200 * time.Millisecond}}} {
		b.Run(c.name, func(b *testing.B) {
			c.cfg.NoServer, c.cfg.SegmentDuration, c.cfg.Window = true, time.Second, 3
			p := open(b, c.cfg)
			m, err := NewMuxPublisher(p, program(false))
			must(b, err)
			b.SetBytes(int64(len(au)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				must(b, m.SendVideo(au, Video{PTS: int64(i) * 3600, KeyFrame: i%25 == 0}))
			}
		})
	}
}

// BenchmarkPlaylist makes the list that every cut makes.
func BenchmarkPlaylist(b *testing.B) {
	p := open(b, Config{SegmentDuration: time.Second, Mode: Event, NoServer: true, Memory: true})
	for range 3600 {
		must(b, p.PushTS(packets(1)))
		must(b, p.CutSegmentWithDuration(time.Second))
	}
	st := p.Stream().State()
	b.ReportAllocs()
	for b.Loop() {
		st.render(false, 0, whole)
	}
}
