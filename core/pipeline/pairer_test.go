package pipeline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/tsterr"
)

// run feeds a script such as "v0 k10 v40 |" where | is a flush; numbers are
// both time and reference. It gives the decisions in the same notation.
func run(t *testing.T, p *Pairer, script string) string {
	t.Helper()
	var out []Output
	var said []string
	for _, word := range strings.Fields(script) {
		out = out[:0]
		var n int64
		if word != "|" {
			if _, err := fmt.Sscan(word[1:], &n); err != nil {
				t.Fatal(err)
			}
		}
		switch word[0] {
		case 'v':
			out = p.Video(out, uint64(n), n)
		case 'k':
			out = p.KLV(out, uint64(n), n)
		default:
			out = p.Flush(out)
		}
		for _, o := range out {
			switch o.Verdict {
			case Paired:
				said = append(said, fmt.Sprintf("v%d+k%d", o.Video, o.KLV))
			case UnpairedVideo:
				said = append(said, fmt.Sprintf("v%d", o.Video))
			case UnpairedKLV:
				said = append(said, fmt.Sprintf("k%d", o.KLV))
			case Released:
				said = append(said, fmt.Sprintf("-k%d", o.KLV))
			}
		}
		if word == "|" {
			said = append(said, "|")
		}
	}
	return strings.Join(said, " ")
}

func TestPairer(t *testing.T) {
	realtime := PairerConfig{Tolerance: 30}
	buffered := PairerConfig{Mode: Buffered, Tolerance: 150, MaxLag: 1000}
	for _, c := range []struct {
		name   string
		cfg    PairerConfig
		script string
		want   string
	}{
		{
			"record after the picture never pairs with it",
			PairerConfig{Tolerance: 35},
			"v0 k10 v40 k45 v80 |",
			"v0 v40+k10 v80+k45 -k10 -k45 |",
		},
		{"tolerance is inclusive", realtime, "k0 v30 v31 |", "v30+k0 v31 -k0 |"},
		{"a later record is eligible", realtime, "k50 v40 |", "v40+k50 -k50 |"},
		{"a record is not consumed", realtime, "k0 v10 v20 |", "v10+k0 v20+k0 -k0 |"},
		{"equal distance: the later arrival", realtime, "k0 k20 v10 |", "v10+k20 k0 -k20 |"},
		{"equal distance, arrival the other way", realtime, "k20 k0 v10 |", "v10+k0 k20 -k0 |"},
		{
			"eviction says unpaired once",
			PairerConfig{Tolerance: 30, MaxBufferedKLV: 2},
			"k0 k1 v1 k2 k3 |",
			"v1+k1 k0 -k1 k2 k3 |",
		},
		{"flush is idempotent", realtime, "k0 | |", "k0 | |"},
		{"no wrap", realtime, "k8589933692 v900 |", "v900 k8589933692 |"},
		{"buffered: waits", buffered, "v100 k0 k90 |", "v100+k0 -k0 k90 |"},
		{"buffered: every waiting picture in order", buffered, "v100 v110 v900 k105 |", "v100+k105 v110+k105 v900 -k105 |"},
		{"buffered: pairs at once", buffered, "k0 v100 |", "v100+k0 -k0 |"},
		{"buffered: lag is strict", buffered, "v100 k1100 k1101 |", "v100 k1100 k1101 |"},
		{"buffered: pictures do not age each other", buffered, "v100 v99999 |", "v100 v99999 |"},
		{
			"buffered: who waits behind another waits with it", buffered, "v100 v2000 k2000 k2100 |",
			"v100 v2000+k2000 -k2000 k2100 |",
		},
		{"buffered: a flush pairs who waited behind", buffered, "v9000 k5000 v5000 |", "v9000 v5000+k5000 -k5000 |"},
		{"buffered: the last record tells the time, not the latest", buffered, "k5000 k100 v3000 |", "v3000 k5000 k100 |"},
		{"buffered: overtaken on arrival", buffered, "k5000 v3000 v9000 |", "v3000 v9000 k5000 |"},
		{
			"buffered: eviction comes before pairing",
			PairerConfig{Mode: Buffered, Tolerance: 150, MaxLag: 1000, MaxBufferedKLV: 1},
			"k0 v500 k500 |", "k0 v500+k500 -k500 |",
		},
		{"buffered: overflow", PairerConfig{Mode: Buffered, MaxBufferedVideo: 2}, "v1 v2 v3 v4 |", "v1 v2 v3 v4 |"},
		{"buffered: a record long before", buffered, "v5000 k0 |", "v5000 k0 |"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := NewPairer(c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := run(t, p, c.script); got != c.want {
				t.Errorf("%s:\n got %s\nwant %s", c.script, got, c.want)
			}
		})
	}
}

func TestPairerOverflowComesAtOnce(t *testing.T) {
	p, err := NewPairer(PairerConfig{Mode: Buffered, MaxBufferedVideo: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, p, "v1 v2 v3"); got != "v1" {
		t.Errorf("got %q", got)
	}
	if s := p.Stats(); s != (PairerStats{UnpairedVideo: 1}) {
		t.Errorf("stats %+v", s)
	}
	p.ResetStats()
	if s := p.Stats(); s != (PairerStats{}) {
		t.Errorf("after reset %+v", s)
	}
	if got := run(t, p, "|"); got != "v2 v3 |" {
		t.Errorf("a reset of counters must leave what waits alone: got %q", got)
	}
}

func TestPairerExtremeTimes(t *testing.T) {
	p, err := NewPairer(PairerConfig{Mode: Buffered, Tolerance: math.MaxInt64, MaxLag: math.MaxInt64})
	if err != nil {
		t.Fatal(err)
	}
	out := p.Video(nil, 1, math.MinInt64)
	out = p.KLV(out, 2, math.MaxInt64) // 2^64-1 ticks apart: beyond any tolerance and any lag
	if want := []Output{{UnpairedVideo, 1, NoRef}}; !slices.Equal(out, want) {
		t.Errorf("got %v, want %v", out, want)
	}
}

func TestPairerConfigFaults(t *testing.T) {
	for field, cfg := range map[string]PairerConfig{
		"mode":               {Mode: 2},
		"tolerance":          {Tolerance: -1},
		"max_lag":            {MaxLag: -1},
		"max_buffered_klv":   {MaxBufferedKLV: -1},
		"max_buffered_video": {MaxBufferedVideo: MaxBuffered + 1},
	} {
		_, err := NewPairer(cfg)
		var e *tsterr.Error
		if !errors.As(err, &e) || e.Kind != tsterr.InvalidArg || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func BenchmarkPairerSteadyState(b *testing.B) {
	p, err := NewPairer(PairerConfig{Mode: Buffered, Tolerance: DefaultTolerance, MaxLag: 90000})
	if err != nil {
		b.Fatal(err)
	}
	out := make([]Output, 0, 64)
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		n++
		out = p.KLV(out[:0], n, int64(n)*3000)
		out = p.Video(out, n, int64(n)*3000+1000)
	}
}
