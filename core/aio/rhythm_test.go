package aio

import (
	"math/rand/v2"
	"testing"
)

// reads gives the instants at which a stream is read whose packets arrive at the times given, in ticks of 4 ms.
func reads(t *testing.T, arrivals []int64) (at []int64) {
	t.Helper()
	const tick = int64(frame) / slowTicks
	e, r := &Engine{tick: tick}, rhythm{period: int64(frame)}
	k := 0
	for e.instant = 0; k < len(arrivals); e.instant += tick {
		e.ticks++
		if arrivals[k] > e.instant || r.early(e) {
			continue
		}
		for k < len(arrivals) && arrivals[k] <= e.instant {
			if d := e.instant - arrivals[k]; d > 2*tick {
				t.Fatalf("packet %d waits %d ns", k, d)
			}
			at = append(at, e.instant)
			k++
		}
	}
	return at
}

func TestStreamKeepsItsTick(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	const tick = int64(frame) / slowTicks
	about := func(k int, offset int64) int64 { return int64(k)*int64(frame) + offset + r.Int64N(tick/4) - tick/8 }
	var boundary, shorter, pairs []int64
	for k := 1; k < 2000; k++ {
		boundary = append(boundary, about(k, 2*tick)) // before an instant, or behind it
		offset := 2*tick + tick/2
		if k > 1000 {
			offset = tick + tick/2
		}
		shorter = append(shorter, about(k, offset))
		pairs = append(pairs, int64(k)*int64(frame)+tick/2, int64(k)*int64(frame)+2*tick+tick/2)
	}
	off := func(at []int64) (n int) {
		for i := 1; i < len(at); i++ {
			if at[i]-at[i-1] != int64(frame) {
				n++
			}
		}
		return n
	}
	if n := off(reads(t, boundary)); n > 8 {
		t.Error("about an instant:", n, "intervals are not those of the stream")
	}
	at := reads(t, shorter)
	if n := off(at); n > 3 {
		t.Error("a route that became shorter:", n)
	}
	if d := at[len(at)-1] - shorter[len(shorter)-1]; d > tick {
		t.Error("the earlier tick is not taken:", d)
	}
	for i, x := range reads(t, pairs) {
		if x-pairs[i] > tick {
			t.Fatal("a stream of another rhythm waits")
		}
	}
}
