package udp

import (
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	recvBatchSize = 32
	sendBatchSize = 64
	// slotStride spreads the slots over the sets of the caches.
	slotStride = 65536 + 21*64
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// recvBatch fills slots with recvmmsg and hands them out in order. Its memory is
// mapped, so pages no datagram reached cost nothing.
type recvBatch struct {
	fd   int
	wait *transport.Waiter
	life *transport.Life
	mem  []byte
	hdrs [recvBatchSize]mmsghdr
	iovs [recvBatchSize]unix.Iovec
	next int // first slot not handed out
	n    int // slots filled
}

func newRecvBatch(fd int, wait *transport.Waiter, life *transport.Life) (*recvBatch, error) {
	mem, err := unix.Mmap(-1, 0, recvBatchSize*slotStride, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	b := &recvBatch{fd: fd, wait: wait, life: life, mem: mem}
	for i := range b.hdrs {
		b.iovs[i].Base = &mem[i*slotStride]
		b.iovs[i].SetLen(65536)
		b.hdrs[i].hdr.Iov = &b.iovs[i]
		b.hdrs[i].hdr.SetIovlen(1)
	}
	return b, nil
}

// fill receives at least one datagram within timeout.
func (b *recvBatch) fill(timeout time.Duration) error {
	b.next, b.n = 0, 0
	for !b.life.Cancelled() {
		n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&b.hdrs[0])),
			recvBatchSize, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			b.n = int(n) //nolint:gosec // at most recvBatchSize
			return nil
		case unix.EINTR:
		case unix.EAGAIN:
			if !b.wait.Wait(b.fd, unix.POLLIN, timeout) {
				return os.ErrDeadlineExceeded
			}
		default:
			return errno
		}
	}
	return os.ErrClosed
}

// take copies out filled slots.
func (b *recvBatch) take(arena []byte, spans []transport.Span) (n, bytes int, err error) {
	for b.next < b.n && n < len(spans) {
		size := int(b.hdrs[b.next].n)
		if bytes+size > len(arena) {
			if n == 0 {
				err = tooSmall(size)
			}
			break
		}
		copy(arena[bytes:], b.mem[b.next*slotStride:b.next*slotStride+size])
		spans[n] = transport.Span{Off: uint32(bytes), Len: uint32(size)} //nolint:gosec // at most 64 KiB each
		bytes += size
		b.next++
		n++
	}
	return n, bytes, err
}

func tooSmall(size int) error {
	return tsterr.New(tsterr.BufferTooSmall, "the next datagram has %d bytes", size).With("needed", int64(size))
}

func (b *recvBatch) free() {
	if b.mem != nil {
		_ = unix.Munmap(b.mem)
		b.mem, b.n, b.next = nil, 0, 0
	}
}

// sendBatch sends one datagram with write and several with sendmmsg.
type sendBatch struct {
	fd    int
	wait  *transport.Waiter
	life  *transport.Life
	hdrs  [sendBatchSize]mmsghdr
	iovs  [sendBatchSize]unix.Iovec
	n     int
	sent  int
	empty byte // an empty datagram needs an address too
}

func newSendBatch(fd int, wait *transport.Waiter, life *transport.Life) *sendBatch {
	return &sendBatch{fd: fd, wait: wait, life: life}
}

// sendSome sends one datagram by itself, which is cheaper, and more in one call.
func (b *sendBatch) sendSome() (uintptr, syscall.Errno) {
	if b.n-b.sent == 1 {
		v := &b.iovs[b.sent]
		_, _, errno := syscall.Syscall6(unix.SYS_SENDTO, uintptr(b.fd), uintptr(unsafe.Pointer(v.Base)), uintptr(v.Len),
			unix.MSG_DONTWAIT, 0, 0)
		return 1, errno
	}
	n, _, errno := syscall.Syscall6(unix.SYS_SENDMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&b.hdrs[b.sent])),
		uintptr(b.n-b.sent), unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // not negative
	return n, errno
}

func (b *sendBatch) run(timeout time.Duration) error {
	refused := false
	for b.sent < b.n {
		n, errno := b.sendSome()
		switch {
		case errno == 0:
			b.sent += int(n) //nolint:gosec // at most sendBatchSize
			refused = false
		case errno == unix.EINTR:
		case errno == unix.ECONNREFUSED && !refused:
			// The report of an earlier datagram that found no listener: UDP promises no
			// delivery, so this one is still sent.
			refused = true
		case errno == unix.EAGAIN:
			if !b.wait.Wait(b.fd, unix.POLLOUT, timeout) {
				return os.ErrDeadlineExceeded
			}
			if b.life.Cancelled() {
				return os.ErrClosed
			}
		default:
			return errno
		}
	}
	return nil
}

func (b *sendBatch) send(data []byte, spans []transport.Span, timeout time.Duration) (n, bytes int, err error) {
	for i, sp := range spans {
		base := &b.empty
		if sp.Len > 0 {
			base = &data[sp.Off]
		}
		b.iovs[i].Base = base
		b.iovs[i].SetLen(int(sp.Len))
		b.hdrs[i].hdr.Iov = &b.iovs[i]
		b.hdrs[i].hdr.SetIovlen(1)
	}
	b.n, b.sent = len(spans), 0
	err = b.run(timeout)
	runtime.KeepAlive(data)
	for i := range b.n {
		b.iovs[i].Base = nil
	}
	for _, sp := range spans[:b.sent] {
		bytes += int(sp.Len)
	}
	return b.sent, bytes, err
}
