package mpegts_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// corpus is generated streams, and the shared captures where they are present.
func corpus(t testing.TB) map[string][]byte {
	out := map[string][]byte{"tables": tables(0, h264(), syncKLV())}
	rnd := rand.New(rand.NewPCG(3, 4))
	data := tables(0, h264(), aac())
	cc := 0
	for i := range 30 {
		p := make([]byte, rnd.IntN(60000))
		for k := range p {
			p[k] = byte(rnd.Uint32())
		}
		v := carry(videoPID, cc, nil, pesPacket(0xE0, int64(i)*3600, 0, p))
		cc += len(v) / mpegts.PacketSize
		data = append(data, v...)
		data = append(data, carry(otherPID, i, nil, pesPacket(0xC0, int64(i)*3600, -1, p[:min(len(p), 100)]))...)
	}
	out["generated"] = data
	files, err := filepath.Glob("../../../shared/testdata/ts/*.ts")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("../../testdata/*.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, own...) {
		if b, err := os.ReadFile(f); err == nil {
			out[filepath.Base(f)] = b[:min(len(b), 800<<10)]
		}
	}
	return out
}

// same compares events; positions and payloads too.
func same(a, b []event) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d events, %d events", len(a), len(b))
	}
	for i := range a {
		x, y := a[i], b[i]
		x.Payload, y.Payload, x.Text, y.Text = 0, 0, 0, 0
		if x.Record != y.Record || x.text != y.text || !bytes.Equal(x.payload, y.payload) {
			return fmt.Sprintf("event %d: %+v %q, %+v %q", i, x.Record, x.text, y.Record, y.text)
		}
	}
	return ""
}

// The same bytes give the same events however they are cut.
func TestChunking(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for name, plain := range corpus(t) {
		for _, garbage := range []int{0, 1, 500, 7000} {
			data := join(bytes.Repeat([]byte{0x47, 1, 2}, garbage/3+1)[:garbage], plain)
			for _, cfg := range []mpegts.DemuxerConfig{{}, {HoldBeforePMT: 4 << 20}} {
				run := func(cut func() int) []event {
					d := newDemuxer(t, cfg)
					var out []event
					for rest := data; len(rest) > 0; {
						n := min(len(rest), cut())
						if err := d.Feed(rest[:n]); err != nil && tsterr.KindOf(err) != tsterr.DemuxUnrecoverable {
							t.Fatal(name, err)
						}
						if rnd.IntN(2) == 0 {
							out = append(out, drain(t, d)...)
						}
						rest = rest[n:]
					}
					d.Flush()
					return append(out, drain(t, d)...)
				}
				whole := run(func() int { return 1 << 20 })
				sizes := []int{1, 100, 187, 188, 189, 1316, 4000, 65536}
				if diff := same(whole, run(func() int { return sizes[rnd.IntN(len(sizes))] })); diff != "" {
					t.Errorf("%s behind %d bytes: %s", name, garbage, diff)
				}
			}
		}
	}
}
