package rist

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	waitSlice = 20 * time.Millisecond // so late may a parked read see its end
	readStep  = 2 * time.Millisecond
)

// link is what senders and receivers share. librist's objects may not be touched
// once they are destroyed: users hold a read lock, Close the write lock.
type link struct {
	life  *transport.Life
	cfg   Config
	count transport.Counters
	fast  *transport.Shared // nil for a receiver with an idle timeout

	use  sync.RWMutex
	lib  *lib // nil once closed
	last Stats
	lost uint64
}

// open makes a link, and copies of the sockets of a sender that watches.
func open(cfg Config) (l *link, sockets []int, err error) {
	lib, sockets, err := openLibrary(cfg)
	if err != nil {
		return nil, nil, err
	}
	return &link{life: transport.NewLife(), cfg: cfg, lib: lib}, sockets, nil
}

// Details returns librist's counters.
func (l *link) Details() Stats {
	l.use.RLock()
	defer l.use.RUnlock()
	if l.lib == nil {
		return l.last
	}
	s, _ := statsOf(l.lib)
	return l.counted(s)
}

// counted makes good what librist's reports leave out: the packet that a flow begins
// with, and what came after the last of them.
func (l *link) counted(s Stats) Stats {
	s.Received = max(s.Received, l.count.Snapshot().MessagesReceived)
	return s
}

// Stats implements transport.Object. Messages dropped counts how often a reader
// too slow made librist's queue overflow, and what a sender sent to nobody.
func (l *link) Stats() transport.Stats {
	s := l.count.Snapshot()
	dropped := s.MessagesDropped
	l.use.RLock()
	defer l.use.RUnlock()
	s.MessagesDropped = l.lost
	if l.lib != nil {
		_, s.MessagesDropped = statsOf(l.lib)
	}
	s.MessagesDropped += dropped
	return s
}

// Cancel implements transport.Object.
func (l *link) Cancel() {
	l.life.Cancel()
	l.fast.Stop()
}

// Shared is what C code does for the link's user.
func (l *link) Shared() *transport.Shared { return l.fast }

// Cancelled reports whether Cancel or Close was called.
func (l *link) Cancelled() bool { return l.life.Cancelled() }

// Close implements transport.Object.
func (l *link) Close() error {
	if !l.life.Close() {
		return nil
	}
	l.fast.Stop()
	l.use.Lock() // parked calls have left
	defer l.use.Unlock()
	l.last, l.lost = statsOf(l.lib)
	l.last = l.counted(l.last)
	closeLibrary(l.lib)
	l.lib = nil
	return nil
}

// Sender sends messages to one receiver. What is sent before the two have met is held
// for a while (see HoldTime); what is sent to nobody after it is lost and counted.
type Sender struct {
	*link
	max int
	mu  sync.Mutex // one WriteBatch at a time; guards hold and watch
	hold
	watch  watch
	ending sync.Once
}

// Dial makes a sender. Nothing is sent yet, and an absent receiver is no error.
func Dial(_ context.Context, cfg Config) (*Sender, error) {
	if cfg.Listen {
		return nil, tsterr.New(tsterr.RISTInvalidConfig, "\"@\" marks a receiver's URL")
	}
	size := DefaultPacketSize
	if cfg.PacketSize != nil {
		size = *cfg.PacketSize
	}
	l, sockets, err := open(cfg)
	if err != nil {
		return nil, err
	}
	s := &Sender{link: l, max: min(size, MaxPayload)}
	if l.fast, err = transport.NewShared(l, 0, -1, nil, max(0, s.max)); err != nil {
		_ = l.Close()
		closeAll(sockets)
		return nil, tsterr.Wrap(tsterr.RISTIO, err, "memory")
	}
	l.count.Share(l.fast)
	shareSends(l.fast, l.lib)
	s.begin()
	if cfg.managed {
		if err = s.beginWatch(sockets); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return s, nil
}

// WriteBatch implements transport.Writer. It does not wait: librist queues.
func (s *Sender) WriteBatch(data []byte, spans []transport.Span, _ time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	s.fast.Lock() // C numbers messages too
	defer s.fast.Unlock()
	s.count.SendCall()
	for i, sp := range spans {
		if err := s.life.Err("RIST send"); err != nil {
			return i, err
		}
		if n := int(sp.Len); n == 0 || n > s.max {
			return i, tsterr.New(tsterr.RISTPayloadTooLarge, "a message of %d bytes: 1 to %d", n, s.max)
		}
		if err := s.lost(); err != nil {
			s.count.SendError()
			return i, err
		}
		if err := s.write(data[sp.Off : sp.Off+sp.Len]); err != nil {
			s.count.SendError()
			return i, err
		}
		s.count.Sent(1, int(sp.Len))
	}
	return len(spans), nil
}

// Receiver receives the messages of whoever sends to its address, in order.
type Receiver struct {
	*link
	mu       sync.Mutex // one ReadBatch at a time; guards what follows but missed
	lastData time.Time
	order    order
	came     []libArrival  // of one reading
	missed   atomic.Uint64 // order.lost
}

// Listen binds.
func Listen(_ context.Context, cfg Config) (*Receiver, error) {
	if !cfg.Listen {
		return nil, tsterr.New(tsterr.RISTInvalidConfig, "a receiver's URL is rist://@ip:port")
	}
	l, _, err := open(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.IdleTimeout == 0 {
		if l.fast, err = transport.NewShared(l, transport.SharedReady, -1, nil, 0); err != nil {
			_ = l.Close()
			return nil, tsterr.Wrap(tsterr.RISTIO, err, "memory")
		}
		shareWaits(l.fast, l.lib)
	}
	return &Receiver{link: l, lastData: time.Now(), came: make([]libArrival, readBatch)}, nil
}

// Details returns librist's counters, but for the messages lost: those are counted by their numbers.
func (r *Receiver) Details() Stats {
	s := r.link.Details()
	s.Lost = r.missed.Load()
	return s
}

// ReadBatch implements transport.Reader.
func (r *Receiver) ReadBatch(arena []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(arena) == 0 || len(spans) == 0 {
		return 0, tsterr.New(tsterr.BufferTooSmall, "no room").With("needed", MaxPayload)
	}
	r.count.RecvCall()
	begun := time.Now()
	for {
		wait := waitSlice
		if timeout >= 0 {
			wait = max(0, min(wait, timeout-time.Since(begun)))
		}
		n, err := r.read(arena, spans, wait)
		if n > 0 || err != nil {
			return n, err
		}
		if r.cfg.IdleTimeout > 0 && time.Since(r.lastData) > r.cfg.IdleTimeout {
			r.lastData = time.Now()
			r.count.RecvError()
			return 0, tsterr.New(tsterr.RISTIO, "no message for %v", r.cfg.IdleTimeout)
		}
		if timeout >= 0 && time.Since(begun) >= timeout {
			return 0, transport.Timeout("RIST receive")
		}
	}
}

// read makes one slice's attempt.
func (r *Receiver) read(arena []byte, spans []transport.Span, wait time.Duration) (int, error) {
	r.use.RLock()
	defer r.use.RUnlock()
	if err := r.life.Err("RIST receive"); err != nil {
		return 0, err
	}
	n, needed, ok := readSome(r.lib, &r.order, r.came, arena, spans, wait)
	switch {
	case !ok:
		r.count.RecvError()
		return 0, tsterr.New(tsterr.RISTIO, "librist reads no more")
	case needed > 0:
		return 0, tsterr.New(tsterr.BufferTooSmall, "the next message has %d bytes", needed).With("needed", int64(needed))
	case n > 0:
		bytes := 0
		for _, s := range spans[:n] {
			bytes += int(s.Len)
		}
		if r.cfg.IdleTimeout > 0 {
			r.lastData = time.Now()
		}
		r.count.Received(n, bytes)
		r.missed.Store(r.order.lost)
		if r.order.fresh && r.cfg.managed {
			r.order.fresh = false
			return n, tsterr.New(tsterr.Discontinuity, "another sender began")
		}
	}
	return n, nil
}
