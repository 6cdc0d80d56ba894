package timeline

import (
	"math"
	"testing"
)

func TestOffset(t *testing.T) {
	for _, c := range []struct {
		o              Offset
		stream, client float64
	}{
		{Offset{0, 2}, 95.5, 95.5},
		{Offset{40, 2}, 95.5, 15.5},
		{Offset{3, 1.5}, 4.5, 0},
	} {
		if got := c.o.Client(c.stream); got != c.client {
			t.Errorf("%+v: client %v, want %v", c.o, got, c.client)
		}
		if got := c.o.Stream(c.client); got != c.stream {
			t.Errorf("%+v: stream %v, want %v", c.o, got, c.stream)
		}
	}
}

func TestMapFollowsUnevenCapture(t *testing.T) {
	var m Map
	if _, ok := m.HLS(1); ok {
		t.Fatal("an empty map knows a time")
	}
	// 30 pictures a second in the stream; the camera paused for a second after
	// the 60th.
	gen := func(i int) float64 {
		g := 1000 + float64(i)/30
		if i >= 60 {
			g++
		}
		return g
	}
	for i := range 300 {
		if err := m.Add(gen(i), float64(i)/30); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 300 {
		hls, ok := m.HLS(gen(i))
		if !ok || math.Abs(hls-float64(i)/30) > 2*pairTolerance {
			t.Fatalf("picture %d: HLS %v, want %v", i, hls, float64(i)/30)
		}
		g, ok := m.Gen(float64(i) / 30)
		if !ok || math.Abs(g-gen(i)) > 1e-4 {
			t.Fatalf("picture %d: GEN %v, want %v", i, g, gen(i))
		}
	}
	if hls, _ := m.HLS(gen(299) + 2); math.Abs(hls-299.0/30-2) > 1e-5 {
		t.Errorf("behind the newest: %v", hls)
	}
	if hls, _ := m.HLS(999); math.Abs(hls+1) > 1e-5 {
		t.Errorf("before the oldest: %v", hls)
	}
	if n := len(m.pairs); n > 8 {
		t.Errorf("%d pairs kept for two lines", n)
	}
}

func TestMapRefusesTimesThatStandStill(t *testing.T) {
	var m Map
	if err := m.Add(1, 1); err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]float64{{1, 2}, {2, 1}, {math.NaN(), 3}, {3, math.Inf(1)}} {
		if err := m.Add(p[0], p[1]); err == nil {
			t.Errorf("%v was taken", p)
		}
	}
}

func TestMapIsBounded(t *testing.T) {
	var m Map
	g := 0.0
	for i := range 3 * maxPairs {
		g += 0.03 + 0.01*float64(i%2) // never on a line
		if err := m.Add(g, float64(i)/30); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.pairs) > maxPairs {
		t.Fatalf("%d pairs", len(m.pairs))
	}
	if hls, _ := m.HLS(g); math.Abs(hls-float64(3*maxPairs-1)/30) > 1e-6 {
		t.Fatalf("newest picture at %v", hls)
	}
}
