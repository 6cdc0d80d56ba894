package transport

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Detach takes a socket out of the runtime's poller, which would wake a thread at
// every arrival although the calls park by themselves (Waiter). The connection
// is closed, the descriptor returned is the caller's to close, and non-blocking.
func Detach(c interface {
	syscall.Conn
	Close() error
},
) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err //nolint:wrapcheck // the caller adds what it was for
	}
	fd := -1
	cerr := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	if cerr != nil {
		err = cerr
	}
	_ = c.Close()
	return fd, err //nolint:wrapcheck // the caller adds what it was for
}
