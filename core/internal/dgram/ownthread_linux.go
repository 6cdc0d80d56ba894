package dgram

import (
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/transport"
)

// ownThread does a connection's calls on the caller's thread, beside the
// runtime's poller.
type ownThread struct {
	fd   int
	wait *transport.Waiter
	rx   sync.Mutex // held while a thread receives; guards limited
	// limited is the SO_RCVTIMEO in force.
	limited time.Duration
	tx      sync.Mutex // held while one sends
}

// newOwnThread takes the socket away from the runtime.
func newOwnThread(c *Conn) (*ownThread, error) {
	wait, err := transport.NewWaiter()
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	fd, err := transport.Detach(c.pc)
	if err != nil {
		wait.Close()
		return nil, err //nolint:wrapcheck // see above
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		wait.Close()
		_ = unix.Close(fd)
		return nil, err //nolint:wrapcheck // see above
	}
	return &ownThread{fd: fd, wait: wait}, nil
}

// Own gives the descriptor of a connection with OwnThread, which belongs to it, and what wakes its waits.
func (c *Conn) Own() (fd int, wait *transport.Waiter) { return c.own.fd, c.own.wait }

func (c *Conn) connect(raw syscall.RawConn, to netip.AddrPort) error {
	var name sockaddr
	s := sender{six: c.six}
	n := s.address(&name, to)
	var errno syscall.Errno
	err := raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&name)), uintptr(n))
	})
	if err == nil && errno != 0 {
		err = os.NewSyscallError("connect", errno)
	}
	c.out.peer = true
	return err
}

// isAwake tells whether Wake was called.
func (c *Conn) isAwake() bool {
	c.park.Lock()
	defer c.park.Unlock()
	return c.awake
}

func (o *ownThread) wake() {
	o.wait.Wake()
	_ = unix.Shutdown(o.fd, unix.SHUT_RD) // ends a blocked receive, though it says that nothing is connected
}

// slice is the most that one system call waits: Wake takes no longer.
const slice = 100 * time.Millisecond

// receive makes one system call a wait: it blocks for the first datagram and
// takes what else is there.
func (o *ownThread) receive(c *Conn, timeout time.Duration) (int, error) {
	o.rx.Lock()
	defer o.rx.Unlock()
	r := &c.in
	if r.mem == nil {
		r.prepare()
	}
	var end time.Time
	if timeout > 0 {
		end = time.Now().Add(timeout)
	}
	r.n = 0
	for {
		if c.isAwake() {
			return 0, ErrAwake
		}
		flags, wait := unix.MSG_DONTWAIT, timeout
		if timeout != 0 {
			if wait < 0 || wait > slice {
				wait = slice
			}
			flags = unix.MSG_WAITFORONE
			if err := o.limit(wait); err != nil {
				return 0, err
			}
		}
		errno := r.once(uintptr(o.fd), uintptr(flags)) //nolint:gosec // a descriptor
		switch {
		case c.isAwake():
			return 0, ErrAwake
		case errno == 0 && r.n > 0:
			return r.n, nil
		case errno == 0 || errno == unix.EINTR || errno == unix.ECONNREFUSED:
		case errno == unix.EAGAIN:
			if timeout == 0 {
				return 0, ErrTimeout
			}
		default:
			return 0, os.NewSyscallError("recvmmsg", errno)
		}
		if timeout > 0 {
			if timeout = time.Until(end); timeout <= 0 {
				return 0, ErrTimeout
			}
		}
	}
}

// limit sets how long a blocking receive waits, where it is not set so already.
func (o *ownThread) limit(d time.Duration) error {
	d = max(d, time.Microsecond) // 0 would be for ever
	if d == o.limited {
		return nil
	}
	tv := unix.NsecToTimeval(d.Nanoseconds())
	if err := unix.SetsockoptTimeval(o.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	o.limited = d
	return nil
}

func (o *ownThread) flush(c *Conn) (int, error) {
	o.tx.Lock()
	defer o.tx.Unlock()
	s := &c.out
	if s.n == 0 {
		return 0, nil
	}
	s.sent, s.lost, s.errno, s.first = 0, 0, 0, 0
	for {
		if c.isAwake() {
			return s.done(ErrAwake)
		}
		if s.sendmmsg(uintptr(o.fd)) { //nolint:gosec // a descriptor
			return s.done(nil)
		}
		o.wait.Wait(o.fd, unix.POLLOUT, -1)
	}
}

// close frees the socket once nobody is inside.
func (o *ownThread) close() error {
	o.rx.Lock()
	defer o.rx.Unlock()
	o.tx.Lock()
	defer o.tx.Unlock()
	if o.fd < 0 {
		return nil
	}
	err := unix.Close(o.fd)
	o.fd = -1
	o.wait.Close()
	return err //nolint:wrapcheck // the caller adds what it was for
}
