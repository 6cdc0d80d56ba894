package srt

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// readiness is a descriptor that turns readable when a message waits. It exists,
// with its goroutine, only once someone asked for it.
type readiness struct {
	mu     sync.Mutex
	fd     int
	open   bool
	again  chan struct{} // the reader drained what there was
	ended  chan struct{}
	closed bool
}

// FD returns a descriptor for an event loop. It is readable while something waits,
// also when that is the end of the link; it belongs to the connection.
func (c *Conn) FD() (uintptr, error) {
	r := &c.fd
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, tsterr.New(tsterr.Closed, "closed")
	}
	if !r.open {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return 0, tsterr.Wrap(tsterr.SRTIO, err, "eventfd")
		}
		r.fd, r.open, r.again, r.ended = fd, true, make(chan struct{}, 1), make(chan struct{})
		go r.watch(c)
	}
	return uintptr(r.fd), nil
}

func (r *readiness) watch(c *Conn) {
	defer close(r.ended)
	for {
		for !waits(c.eid) && !c.life.Cancelled() {
			t := time.NewTimer(pollStep)
			select {
			case <-c.life.Done():
			case <-t.C:
			}
			t.Stop()
		}
		_, _ = unix.Write(r.fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // full means readable already
		if c.life.Cancelled() || c.gone.Load() {
			return
		}
		select {
		case <-r.again:
		case <-c.life.Done():
		}
	}
}

// drained clears the descriptor when nothing is left to read. The reader calls it.
func (r *readiness) drained() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.open || r.closed {
		return
	}
	var b [8]byte
	_, _ = unix.Read(r.fd, b[:])
	select {
	case r.again <- struct{}{}:
	default:
	}
}

func (r *readiness) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open && !r.closed {
		<-r.ended
		_ = unix.Close(r.fd)
	}
	r.closed = true
}
