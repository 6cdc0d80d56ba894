package srt

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/transport"
)

const (
	// markStep is how far the marks are apart, and trackMarks how many there are: ten seconds.
	markStep   = 10 * time.Millisecond
	trackMarks = 1024
	// ackPeriod is how often a receiver acknowledges (draft-sharabayko-srt-01 section 3.2.4).
	ackPeriod = 10 * time.Millisecond
)

// tracker knows, without asking a broken socket, what the peer acknowledged last.
type tracker struct {
	latency time.Duration
	sent    atomic.Uint64     // messages given to libsrt from here
	shared  *transport.Shared // counts those that C gave it, nil without
	rtt     time.Duration     // guarded by mu, as what follows

	mu       sync.Mutex
	looked   time.Time
	acks     uint64    // acknowledgements seen
	acked    uint64    // messages the peer acknowledged, or libsrt dropped before
	progress time.Time // when the peer acknowledged last, or had nothing to
	waiting  bool      // something is unacknowledged
	marks    [trackMarks]mark
	next     int
}

// mark says how many messages had been sent at a time.
type mark struct {
	at   time.Time
	sent uint64
}

// total is how many messages libsrt was given.
func (t *tracker) total() uint64 { return t.sent.Load() + t.shared.Sent() }

// poll looks at the socket at most once in trackStep. It reports whether
// something waits for an acknowledgement and for how long none came.
func (t *tracker) poll(s sock) (waiting bool, since time.Duration) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.looked) >= trackStep {
		t.looked = now
		sent := t.total()
		if last := &t.marks[max(0, t.next-1)%trackMarks]; now.Sub(last.at) >= markStep {
			t.marks[t.next%trackMarks] = mark{now, sent}
			t.next++
		}
		st, ok := statistics(s)
		held, known := sendBuffer(s)
		if ok && known {
			t.waiting = held > 0
			t.rtt = time.Duration(st.RTTMillis * float64(time.Millisecond))
			if st.AcksReceived != t.acks || !t.waiting {
				t.acks, t.progress = st.AcksReceived, now
				t.acked = sent - min(sent, held)
			}
		}
	}
	return t.waiting, now.Sub(t.progress)
}

func (t *tracker) unacked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.total() - t.acked) //nolint:gosec // bounded by libsrt's buffer
}

// undelivered counts the messages that were acknowledged but, sent later than
// the receive delay before the peer's end, can not have been handed out.
func (t *tracker) undelivered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.waiting {
		return 0
	}
	// It stopped half a period after its last acknowledgement on average, which was seen half
	// of trackStep late. To that come the way there and back, and the time its user takes to
	// fetch what is due.
	end := t.progress.Add((ackPeriod-trackStep)/2 - t.latency - t.rtt - readerLag)
	at := t.sentAt(end)
	return int(t.acked - min(t.acked, at)) //nolint:gosec // bounded by libsrt's buffer
}

// sentAt interpolates between the marks around a time.
func (t *tracker) sentAt(at time.Time) uint64 {
	var after *mark
	for i := t.next - 1; i >= 0 && i > t.next-1-trackMarks; i-- {
		m := &t.marks[i%trackMarks]
		if !m.at.After(at) {
			if after == nil {
				return m.sent
			}
			share := float64(at.Sub(m.at)) / float64(after.at.Sub(m.at))
			return m.sent + uint64(share*float64(after.sent-m.sent))
		}
		after = m
	}
	return 0
}
