package tcp

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// direct makes the first attempt of a plain read or write without arming a
// deadline, which costs more than the call when data or room is there.
type direct struct {
	raw   syscall.RawConn
	buf   []byte
	n     int
	errno error
	armed bool // a deadline is set and may have passed
	step  func(fd uintptr) bool
}

func newDirect(raw syscall.RawConn, call func(fd int, p []byte) (int, error)) *direct {
	d := &direct{raw: raw}
	d.step = func(fd uintptr) bool { // one closure for all calls: no allocation a call
		for {
			d.n, d.errno = call(int(fd), d.buf)
			if !errors.Is(d.errno, unix.EINTR) {
				return true
			}
		}
	}
	return d
}

// try returns errWouldBlock when nothing could be moved at once.
func (d *direct) try(buf []byte, run func(func(fd uintptr) bool) error, clear func(time.Time) error) (int, error) {
	if d.armed {
		if err := clear(time.Time{}); err != nil {
			return 0, err
		}
		d.armed = false
	}
	d.buf, d.n, d.errno = buf, 0, nil
	err := run(d.step)
	d.buf = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(d.errno, unix.EAGAIN):
		return 0, os.ErrDeadlineExceeded
	case d.errno != nil:
		return 0, d.errno
	case d.n <= 0:
		return 0, io.EOF
	}
	return d.n, nil
}
