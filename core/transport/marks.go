package transport

import "time"

const (
	// markStep is how far the marks are apart, and markCount how many there are: ten seconds.
	markStep  = 10 * time.Millisecond
	markCount = 1024
)

// Marks remembers how many messages had been sent when. It is not safe for concurrent use.
type Marks struct {
	ring [markCount]mark
	next int
}

type mark struct {
	at   time.Time
	sent uint64
}

// Note remembers the count of now, unless the last one is too recent.
func (m *Marks) Note(now time.Time, sent uint64) {
	if now.Sub(m.ring[max(0, m.next-1)%markCount].at) >= markStep {
		m.ring[m.next%markCount] = mark{now, sent}
		m.next++
	}
}

// SentAt interpolates between the marks around a time: 0 before the first that is
// remembered, and now's count, sent, is the one after the last.
func (m *Marks) SentAt(at, now time.Time, sent uint64) uint64 {
	after := mark{now, sent}
	for i := m.next - 1; i >= 0 && i > m.next-1-markCount; i-- {
		before := m.ring[i%markCount]
		if !before.at.After(at) {
			if span := after.at.Sub(before.at); span > 0 {
				share := min(1, float64(at.Sub(before.at))/float64(span))
				return before.sent + uint64(share*float64(after.sent-before.sent))
			}
			return after.sent
		}
		after = before
	}
	return 0
}
