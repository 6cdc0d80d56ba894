package transport

import (
	"testing"
	"time"
)

func TestMarks(t *testing.T) {
	var m Marks
	begun := time.Now()
	at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
	if got := m.SentAt(at(0), at(0), 7); got != 0 {
		t.Errorf("without marks %d", got)
	}
	const last = 20_000 // ms: twice what is remembered
	for ms := 0; ms <= last; ms++ {
		m.Note(at(ms), uint64(ms))
	}
	for _, c := range []struct{ ms, want int }{
		{last, last},
		{last - 5, last - 5},
		{last - 10, last - 10},
		{last - 5003, last - 5003},
		{last - 10_000, last - 10_000},
		{0, 0},
		{-10, 0},
		{last - 12_000, 0},
		{last + 4, last + 4},
		{last + 100, last + 10},
	} {
		if got := m.SentAt(at(c.ms), at(last+10), last+10); got != uint64(c.want) {
			t.Errorf("at %d ms: %d, want %d", c.ms, got, c.want)
		}
	}
	if len(m.ring) != markCount {
		t.Errorf("%d marks", len(m.ring))
	}
}
