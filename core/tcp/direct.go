package tcp

import (
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/transport"
)

// direct reads and writes a plain connection on its bare descriptor, parking on
// the calling thread.
type direct struct {
	fd   int
	wait *transport.Waiter
	life *transport.Life
	// burst is nil where the user wants short sends delayed by the system's own rule.
	burst *burst
}

// call is recv(2) or send(2) without an address: the wrappers of both allocate.
func (d *direct) call(trap uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(trap, uintptr(d.fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0) //nolint:gosec // a descriptor
	return int(n), errno                                                                                               //nolint:gosec // at most len(p)
}

func (d *direct) read(buf []byte, timeout time.Duration) (int, error) {
	for !d.life.Cancelled() {
		n, err := d.call(unix.SYS_RECVFROM, buf, unix.MSG_DONTWAIT)
		switch err {
		case 0:
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			if !d.wait.Wait(d.fd, unix.POLLIN, timeout) {
				return 0, os.ErrDeadlineExceeded
			}
		default:
			return 0, err
		}
	}
	return 0, os.ErrClosed
}

func (d *direct) write(p []byte, timeout time.Duration) (int, error) {
	done := 0
	flags := uintptr(unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL)
	if d.burst != nil && d.burst.more(len(p)) {
		flags |= unix.MSG_MORE
	}
	for !d.life.Cancelled() {
		n, err := d.call(unix.SYS_SENDTO, p[done:], flags)
		switch err {
		case 0:
			if done += n; done == len(p) {
				return done, nil
			}
		case unix.EINTR:
		case unix.EAGAIN:
			if !d.wait.Wait(d.fd, unix.POLLOUT, timeout) {
				return done, os.ErrDeadlineExceeded
			}
		default:
			return done, err
		}
	}
	return done, os.ErrClosed
}
