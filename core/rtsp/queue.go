package rtsp

import (
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Bounds of a queue between the network and the application.
const (
	queueStart = 64 << 10
	// QueueBytes is the most that waits to be read.
	QueueBytes = 8 << 20
	// calmPuts is after how many messages a ring is looked at that may be too large.
	calmPuts = 4096
)

// queue holds messages in a ring of bytes. It implements transport.Reader: when
// it is full, put waits or the oldest message goes.
type queue struct {
	life *transport.Life

	mu       sync.Mutex
	buf      []byte
	spans    []transport.Span // in order; those before first are gone
	first    int
	tail     int // where the next message goes
	used     int
	peak     int // the most that was used in the last puts messages
	puts     int
	limit    int
	end      error // after the last message
	count    transport.Counters
	readable chan struct{} // one token: something changed for the reader
	writable chan struct{} // one token: there is room
}

func newQueue() *queue {
	return &queue{
		life: transport.NewLife(), limit: QueueBytes,
		readable: make(chan struct{}, 1), writable: make(chan struct{}, 1),
	}
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put adds a message of two parts. Without room it waits for the reader until
// wait is closed; from then on, or where wait is nil, the oldest messages go and
// are counted.
func (q *queue) put(a, b []byte, wait <-chan struct{}) {
	n := len(a) + len(b)
	if n == 0 {
		return
	}
	q.mu.Lock()
	for q.end == nil && q.used+n > q.limit && len(q.spans) > q.first {
		if wait == nil {
			q.drop()
			continue
		}
		q.mu.Unlock()
		select {
		case <-q.writable:
		case <-wait:
			wait = nil
		case <-q.life.Done():
			return
		}
		q.mu.Lock()
	}
	if q.end == nil && !q.life.Cancelled() && n <= q.limit {
		at := q.room(n)
		copy(q.buf[at+copy(q.buf[at:], a):], b)
		q.spans = append(q.spans, transport.Span{Off: uint32(at), Len: uint32(n)}) //nolint:gosec // below QueueBytes
		q.tail = at + n
		q.used += n
		q.peak, q.puts = max(q.peak, q.used), q.puts+1
		q.count.Received(1, n)
	}
	q.mu.Unlock()
	token(q.readable)
}

// waits tells whether the next message would have to wait.
func (q *queue) waits() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.used > q.limit-1<<17
}

func (q *queue) drop() {
	q.used -= int(q.spans[q.first].Len)
	q.first++
	q.count.Dropped(1)
}

// room finds a place for n bytes behind the last message, or before the first.
func (q *queue) room(n int) int {
	if q.first == len(q.spans) {
		q.spans, q.first, q.tail = q.spans[:0], 0, 0
		q.relax()
	}
	if q.first > 1024 && q.first*2 > len(q.spans) {
		q.spans = q.spans[:copy(q.spans, q.spans[q.first:])]
		q.first = 0
	}
	if len(q.spans) == 0 {
		if n > len(q.buf) {
			q.grow(n)
		}
		return 0
	}
	head := int(q.spans[q.first].Off)
	switch {
	case q.tail > head:
		if q.tail+n <= len(q.buf) {
			return q.tail
		}
		if n < head {
			return 0
		}
	case q.tail+n < head:
		return q.tail
	}
	q.grow(n)
	return q.tail
}

// relax gives an empty ring back that a stall let grow and that was hardly used since.
func (q *queue) relax() {
	if q.puts < calmPuts {
		return
	}
	if len(q.buf) > queueStart && q.peak < len(q.buf)/8 {
		q.buf, q.spans = nil, nil
	}
	q.peak, q.puts = 0, 0
}

// grow moves the messages to a larger ring.
func (q *queue) grow(n int) {
	size := max(queueStart, 2*len(q.buf))
	for size < q.used+n {
		size *= 2
	}
	buf := make([]byte, size)
	at := 0
	rest := q.spans[q.first:]
	for i, s := range rest {
		k := copy(buf[at:], q.buf[s.Off:s.Off+s.Len])
		rest[i].Off = uint32(at) //nolint:gosec // below twice QueueBytes
		at += k
	}
	q.buf, q.tail = buf, at
}

// finish lets the reader take what is there and then gives it err for ever. The
// first call wins.
func (q *queue) finish(err error) {
	q.mu.Lock()
	if q.end == nil {
		q.end = err
	}
	q.mu.Unlock()
	token(q.readable)
	token(q.writable)
}

// ReadBatch implements transport.Reader.
func (q *queue) ReadBatch(arena []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	var timer *time.Timer
	var expired <-chan time.Time
	for {
		if err := q.life.Err("RTSP receive"); err != nil {
			return 0, err
		}
		n, err := q.take(arena, spans)
		if n > 0 || err != nil {
			return n, err
		}
		if timeout == 0 {
			return 0, transport.Timeout("RTSP receive")
		}
		if timeout > 0 && timer == nil {
			timer = time.NewTimer(timeout)
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case <-q.readable:
		case <-q.life.Done():
		case <-expired:
			return 0, transport.Timeout("RTSP receive")
		}
	}
}

func (q *queue) take(arena []byte, spans []transport.Span) (n int, err error) {
	q.mu.Lock()
	used := 0
	for n < len(spans) && q.first < len(q.spans) {
		s := q.spans[q.first]
		if used+int(s.Len) > len(arena) {
			if n == 0 {
				err = tsterr.New(tsterr.BufferTooSmall, "the next packet has %d bytes", s.Len).With("needed", int64(s.Len))
			}
			break
		}
		copy(arena[used:], q.buf[s.Off:s.Off+s.Len])
		spans[n] = transport.Span{Off: uint32(used), Len: s.Len} //nolint:gosec // within arena
		used += int(s.Len)
		q.used -= int(s.Len)
		q.first++
		n++
	}
	if n == 0 && err == nil && q.end != nil {
		err = q.end
	}
	more := q.first < len(q.spans) || q.end != nil
	q.mu.Unlock()
	if n > 0 {
		token(q.writable)
		if more { // another reader, or the descriptor, may wait
			token(q.readable)
		}
	}
	return n, err
}

// Stats implements transport.Object.
func (q *queue) Stats() transport.Stats { return q.count.Snapshot() }

// Cancel implements transport.Object.
func (q *queue) Cancel() { q.life.Cancel() }

// Close implements transport.Object.
func (q *queue) Close() error {
	q.life.Close()
	q.mu.Lock()
	q.buf, q.spans, q.first, q.used, q.tail = nil, nil, 0, 0, 0
	q.mu.Unlock()
	return nil
}
