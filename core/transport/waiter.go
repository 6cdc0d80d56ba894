package transport

import (
	"time"

	"golang.org/x/sys/unix"
)

// Waiter parks a call in poll(2) on its own thread until a descriptor is ready or
// the object is woken for good. The runtime's poller would park the goroutine
// instead: for a call that came in through C that is several thread switches a
// wait, more than everything else together.
type Waiter struct {
	wake int
}

// NewWaiter makes a waiter; Close frees it.
func NewWaiter() (*Waiter, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	return &Waiter{fd}, nil
}

// Wake ends every wait, now and from now on.
func (w *Waiter) Wake() {
	_, _ = unix.Write(w.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// Wait waits for unix.POLLIN or unix.POLLOUT on fd. It reports whether the call
// should be tried again: the descriptor is ready or in error, or Wake was called.
// fd must stay open meanwhile.
func (w *Waiter) Wait(fd int, events int16, timeout time.Duration) bool {
	var end time.Time
	if timeout > 0 {
		end = time.Now().Add(timeout)
	}
	for {
		ms := -1
		if timeout >= 0 {
			ms = 0
			if timeout > 0 {
				ms = int((max(0, time.Until(end)) + time.Millisecond - 1) / time.Millisecond)
			}
		}
		p := [2]unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(w.wake), Events: unix.POLLIN}} //nolint:gosec // descriptors
		n, err := unix.Poll(p[:], ms)
		switch {
		case n > 0:
			return true
		case err == nil && (timeout >= 0 && (timeout == 0 || !time.Now().Before(end))):
			return false
		case err != nil && err != unix.EINTR: //nolint:errorlint // a bare errno
			return true // the call itself will tell what is wrong
		}
	}
}

// Close frees the descriptor. No call may be waiting any more.
func (w *Waiter) Close() { _ = unix.Close(w.wake) }
