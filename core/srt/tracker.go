package srt

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/transport"
)

// ackPeriod is how often a receiver acknowledges (draft-sharabayko-srt-01 section 3.2.4).
const ackPeriod = 10 * time.Millisecond

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
	marks    transport.Marks
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
		t.marks.Note(now, sent)
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
	at := t.marks.SentAt(end, time.Now(), t.total())
	return int(t.acked - min(t.acked, at)) //nolint:gosec // bounded by libsrt's buffer
}
