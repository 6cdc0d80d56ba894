package mpegts_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

func TestSync(t *testing.T) {
	stream := func(n int) []byte {
		data := tables(0, h264())
		for i := range n {
			data = append(data, carry(videoPID, i, nil, pesPacket(0xE0, int64(i), -1, []byte{byte(i)}))...)
		}
		return data
	}
	count := func(t *testing.T, data []byte) int {
		t.Helper()
		d := newDemuxer(t, mpegts.DemuxerConfig{})
		err := d.Feed(data)
		if err != nil && tsterr.KindOf(err) != tsterr.DemuxUnrecoverable {
			t.Fatal(err)
		}
		d.Flush()
		return len(drain(t, d))
	}
	t.Run("five packets confirm a start", func(t *testing.T) {
		if n := count(t, join(make([]byte, 10), stream(2))); n != 0 {
			t.Error(n)
		}
		if n := count(t, join(make([]byte, 10), stream(3))); n != 4 {
			t.Error(n)
		}
	})
	t.Run("garbage of any length", func(t *testing.T) {
		for _, n := range []int{1, 3, 37, 187, 188, 189, 1000, 6016, 6017, 70000} {
			if got := count(t, join(make([]byte, n), stream(20))); got != 21 {
				t.Errorf("%d bytes: %d events", n, got)
			}
		}
	})
	t.Run("lost for good", func(t *testing.T) {
		d := newDemuxer(t, mpegts.DemuxerConfig{})
		if err := d.Feed(make([]byte, 6016)); err != nil {
			t.Error(err)
		}
		if err := d.Feed(make([]byte, 1)); tsterr.KindOf(err) != tsterr.DemuxUnrecoverable {
			t.Error(err)
		}
	})
	t.Run("in the middle", func(t *testing.T) {
		s := stream(20)
		if n := count(t, join(s[:5*188], make([]byte, 37), s[5*188:])); n != 21 {
			t.Error(n)
		}
		cut := join(s[:5*188], s[5*188+50:])
		expect(t, demux(t, mpegts.DemuxerConfig{}, cut)[:5], "map", "video 0 1", "video 1 1", "video 2 1", "disc1")
	})
	t.Run("record sizes", func(t *testing.T) {
		s := stream(20)
		for stride, front := range map[int]int{192: 4, 204: 0, 208: 0} {
			rnd := rand.New(rand.NewPCG(1, 2))
			var data []byte
			for i := 0; i < len(s); i += 188 {
				extra := make([]byte, stride-188)
				for k := range extra {
					extra[k] = byte(rnd.IntN(0x47))
				}
				data = join(data, extra[:front], s[i:i+188], extra[front:])
			}
			for _, cut := range []int{0, 1, 3, 5, 100} {
				d := newDemuxer(t, mpegts.DemuxerConfig{})
				for rest := data[cut:]; len(rest) > 0; {
					n := min(len(rest), 1+rnd.IntN(300))
					if err := d.Feed(rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				d.Flush()
				want := 21
				if cut > front {
					want = 0 // the PAT is cut, there is but one
				}
				if got := len(drain(t, d)); got != want {
					t.Errorf("stride %d cut %d: %d events, want %d", stride, cut, got, want)
				}
			}
		}
	})
	t.Run("ceiling", func(t *testing.T) {
		d := newDemuxer(t, mpegts.DemuxerConfig{SyncBufCap: 1000})
		if err := d.Feed(stream(20)); tsterr.KindOf(err) != tsterr.DemuxSyncBufExhausted {
			t.Error(err)
		}
		if err := d.Feed(stream(3)); err != nil {
			t.Error(err)
		}
		expect(t, drain(t, d), "map", "video 0 1", "video 1 1", "video 2 1")
	})
}
