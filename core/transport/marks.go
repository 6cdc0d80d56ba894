package transport

import "time"

const (
	// markStep is how far the marks are apart at least, and markCount how many are kept at most: ten
	// seconds of them.
	markStep  = 10 * time.Millisecond
	markCount = 1024
)

// Marks remembers how many messages had been sent when. It is not safe for concurrent use.
type Marks struct {
	zero time.Time // of the first mark
	ring []mark    // it grows up to markCount
	next int       // the place of the next mark
}

type mark struct {
	at   time.Duration // since zero
	sent uint64
}

// Note remembers the count of now, unless the last one is too recent.
func (m *Marks) Note(now time.Time, sent uint64) {
	if len(m.ring) == 0 {
		m.zero = now
	}
	at := now.Sub(m.zero)
	switch {
	case len(m.ring) > 0 && at-m.ring[(m.next-1)%markCount].at < markStep:
		return
	case len(m.ring) < markCount:
		m.ring = append(m.ring, mark{at, sent})
	default:
		m.ring[m.next%markCount] = mark{at, sent}
	}
	m.next++
}

// SentAt interpolates between the marks around a time: 0 before the first that is
// remembered, and now's count, sent, is the one after the last.
func (m *Marks) SentAt(when, now time.Time, sent uint64) uint64 {
	at, after := when.Sub(m.zero), mark{now.Sub(m.zero), sent}
	for i := m.next - 1; i >= m.next-len(m.ring); i-- {
		before := m.ring[i%markCount]
		if before.at <= at {
			if span := after.at - before.at; span > 0 {
				share := min(1, float64(at-before.at)/float64(span))
				return before.sent + uint64(share*float64(after.sent-before.sent))
			}
			return after.sent
		}
		after = before
	}
	return 0
}
