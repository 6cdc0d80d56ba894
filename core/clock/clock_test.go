package clock

import "testing"

func TestDiffPTS(t *testing.T) {
	const m = PTSModulus
	for _, c := range []struct{ from, to, want int64 }{
		{0, 0, 0},
		{0, 90_000, 90_000},
		{90_000, 0, -90_000},
		{m - 10, 20, 30},  // forward across the wrap
		{20, m - 10, -30}, // and back
		{0, m / 2, m / 2}, // exactly half counts as forward
		{0, m/2 + 1, -m/2 + 1},
		{5, 5 + m, 0},
		{-1, 0, 1},
	} {
		if got := DiffPTS(c.from, c.to); got != c.want {
			t.Errorf("DiffPTS(%d, %d) = %d, want %d", c.from, c.to, got, c.want)
		}
	}
}

func TestDiffPCR(t *testing.T) {
	if got := DiffPCR(PCRModulus-300, 300); got != 600 {
		t.Errorf("DiffPCR across the wrap = %d, want 600", got)
	}
}
