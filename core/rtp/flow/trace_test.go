package flow

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"testing"
)

// The traces in testdata were made with aiortp 0.8.0, run as a program: seeded loss, reordering, duplicates, jumps.
// Each line is what went in and what came out.

func trace(t *testing.T, name string, into any) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestJitterBufferAsAiortp(t *testing.T) {
	var cases []struct {
		Cap, Pre    int
		Video, Skip bool
		Ops         [][]any
	}
	trace(t, "jitter_trace.json.gz", &cases)
	seen := 0
	for ci, c := range cases {
		if c.Video {
			continue // of a frame with a gap aiortp delivers the rest, this buffer does not
		}
		j, err := NewJitterBuffer(JitterConfig{Capacity: c.Cap, Prefetch: c.Pre, SkipGaps: c.Skip})
		if err != nil {
			t.Fatal(err)
		}
		for oi, op := range c.Ops {
			seq, ts := uint16(op[1].(float64)), uint32(op[2].(float64))
			var f *Frame
			if op[0].(float64) == 1 {
				f = j.MarkOther(seq)
			} else {
				_, f = j.Add(seq, ts, op[3].(float64) == 1, []byte{byte(seq >> 8), byte(seq)})
			}
			var got any
			if f != nil {
				got = []any{hex.EncodeToString(f.Data), f.Timestamp, f.Lost}
				seen++
			}
			if w, g := text(t, op[5]), text(t, got); w != g {
				t.Fatalf("case %d %+v op %d %v: want %s got %s", ci, c.Cap, oi, op[:4], w, g)
			}
		}
	}
	if seen < 1000 {
		t.Fatal("only", seen, "frames")
	}
}

func TestPlayoutAsAiortp(t *testing.T) {
	var cases []struct {
		Md, Mc int
		Ops    [][]any
	}
	trace(t, "playout_trace.json.gz", &cases)
	seen := 0
	for ci, c := range cases {
		p, err := NewPlayout(PlayoutConfig{SampleRate: 8000, FrameSamples: 160, MaxDelayMS: c.Md, MaxConcealMS: c.Mc}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for oi, op := range c.Ops {
			now, x := op[0].(float64), uint32(op[2].(float64))
			var got any
			switch op[1].(float64) {
			case 0:
				p.Put(now, x, make([]byte, 160))
			case 1:
				if k := p.Tick(now); k.Action != ActNone {
					got = []any{320, k.Timestamp}
					seen++
				}
			case 2:
				p.Suppress()
			case 3:
				p.Reset()
			}
			st := []any{
				p.Concealed, p.LateDropped, p.Expansions, p.Accelerations, p.Suspensions,
				math.Round(float64(p.Depth())*p.PtimeMS()*1000) / 1000, float64(p.TargetFrames()) * p.PtimeMS(),
			}
			if w, g := text(t, op[3:]), text(t, []any{got, st}); w != g {
				t.Fatalf("case %d op %d: want %s got %s", ci, oi, w, g)
			}
		}
	}
	if seen < 1000 {
		t.Fatal("only", seen, "ticks")
	}
}
