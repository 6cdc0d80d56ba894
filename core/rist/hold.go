package rist

import (
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// HoldTime is how long a new sender keeps messages until it has met its receiver:
	// the first greeting and one lost.
	HoldTime = 2 * time.Second
	// MaxHeld and MaxHeldBytes bound what is kept; beyond them the oldest message goes.
	MaxHeld      = 4096
	MaxHeldBytes = 8 << 20

	holdStep = 5 * time.Millisecond // how late a meeting may be noticed
)

// hold keeps the messages of a sender that has met nobody yet: librist forgets them
// without a word. The sender's mutex guards it.
type hold struct {
	holding bool
	known   bool // a meeting was seen, or is not to be seen
	queue   [][]byte
	bytes   int
	over    chan struct{} // closed when nobody waits for the meeting any more
}

// begin starts to hold. A group of receivers is not met: what it gets goes out at once.
func (s *Sender) begin() {
	s.over = make(chan struct{})
	if s.cfg.Addr.Addr().IsMulticast() {
		s.known = true
		s.fast.Enable(transport.SharedCall)
		close(s.over)
		return
	}
	s.holding = true
	go s.await()
}

// await lets go what is held at the meeting, or when the time for it is over.
func (s *Sender) await() {
	defer close(s.over)
	end := time.NewTimer(HoldTime)
	defer end.Stop()
	tick := time.NewTicker(holdStep)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case <-s.life.Done():
			return
		case <-end.C:
			waiting = false
		case <-tick.C:
			waiting = !s.met()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	if s.lib == nil {
		return
	}
	s.holding = false
	s.fast.Lock()
	defer s.fast.Unlock()
	for _, m := range s.queue {
		if s.pass(m) != nil {
			s.count.SendError()
			s.count.Dropped(1)
		}
	}
	s.queue, s.bytes = nil, 0
	if s.known {
		s.fast.Enable(transport.SharedCall)
	}
}

func (s *Sender) met() bool {
	s.use.RLock()
	defer s.use.RUnlock()
	return s.lib != nil && met(s.lib)
}

// write holds a message or passes it on; mu and use are held.
func (s *Sender) write(m []byte) error {
	if !s.holding {
		return s.pass(m)
	}
	for len(s.queue) >= MaxHeld || s.bytes+len(m) > MaxHeldBytes {
		s.bytes -= len(s.queue[0])
		s.queue[0] = nil
		s.queue = s.queue[1:]
		s.count.Dropped(1)
	}
	s.queue = append(s.queue, append([]byte(nil), m...))
	s.bytes += len(m)
	return nil
}

// pass gives a message to librist, which loses it while there is no receiver.
func (s *Sender) pass(m []byte) error {
	if !writeOne(s.lib, m) {
		return tsterr.New(tsterr.RISTIO, "librist takes no more")
	}
	if s.cfg.managed {
		s.watch.passed++
		s.watch.marks.Note(time.Now(), s.watch.passed)
	}
	if !s.known {
		if s.known = met(s.lib); !s.known {
			s.count.Dropped(1)
		} else if !s.holding {
			s.fast.Enable(transport.SharedCall)
		}
	}
	return nil
}

// Close implements transport.Object. What is still held is dropped.
func (s *Sender) Close() error {
	err := s.link.Close()
	<-s.over
	s.ending.Do(s.watch.told.stop)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.Dropped(uint64(len(s.queue)))
	s.queue, s.bytes = nil, 0
	return err
}
