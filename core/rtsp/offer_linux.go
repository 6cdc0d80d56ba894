package rtsp

import (
	"net"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// offerer writes to a connection without waiting.
type offerer struct {
	raw   syscall.RawConn
	b     []byte
	n     int
	errno syscall.Errno
	call  func(fd uintptr) bool
}

// newOfferer is nil for connections that only their own package can write to,
// such as those of TLS.
func newOfferer(nc net.Conn) *offerer {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	o := &offerer{raw: raw}
	o.call = func(fd uintptr) bool {
		for o.n < len(o.b) {
			// Not told to the runtime: it never waits, and giving the processor
			// away for it costs more than it takes.
			n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&o.b[o.n])), uintptr(len(o.b)-o.n),
				unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
			switch errno {
			case 0:
				o.n += int(n) //nolint:gosec // at most len(o.b)
				continue
			case unix.EINTR:
				continue
			}
			o.errno = errno
			break
		}
		return true
	}
	return o
}

// write gives how much of b the connection took.
func (o *offerer) write(b []byte) (int, error) {
	o.b, o.n, o.errno = b, 0, 0
	err := o.raw.Write(o.call)
	runtime.KeepAlive(b)
	o.b = nil
	if err == nil && o.errno != 0 && o.errno != unix.EAGAIN {
		err = os.NewSyscallError("sendto", o.errno)
	}
	return o.n, err //nolint:wrapcheck // the caller closes the connection
}
