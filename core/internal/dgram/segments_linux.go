package dgram

import (
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bounds of one call that the kernel cuts into datagrams (udp(7), UDP_SEGMENT).
const (
	segmentsMax     = 64
	segmentsMaxSize = 65000
)

// Segments sends datagrams that lie one after the other, all of the size of the
// first but a shorter last one, with one system call. It keeps its state apart
// from the socket's batches, so that it needs no lock but its user's own.
type Segments struct {
	c       *Conn
	name    sockaddr
	nameLen uint32
	iov     unix.Iovec
	hdr     unix.Msghdr
	control [unix.SizeofCmsghdr + 8]byte
	errno   syscall.Errno
	call    func(fd uintptr) bool
	off     bool // the route does not do it
}

// NewSegments prepares sending to one address. It is nil where the socket or
// the system cannot do it.
func (c *Conn) NewSegments(to netip.AddrPort) *Segments {
	if c.own != nil || c.out.peer {
		return nil
	}
	s := &Segments{c: c}
	s.nameLen = c.out.address(&s.name, to)
	s.hdr.Name, s.hdr.Namelen = (*byte)(unsafe.Pointer(&s.name)), s.nameLen
	s.hdr.Iov = &s.iov
	s.hdr.SetIovlen(1)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&s.control[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	s.call = func(fd uintptr) bool {
		// Not told to the runtime, as a single datagram is not: it never waits.
		_, _, s.errno = syscall.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&s.hdr)), unix.MSG_DONTWAIT)
		return true
	}
	return s
}

// Room is how many datagrams of a size one call takes; 0 means that this route
// does none.
func (s *Segments) Room(size int) int {
	if s.off || size <= 0 {
		return 0
	}
	return min(segmentsMax, segmentsMaxSize/size)
}

// Send sends b as datagrams of size bytes; it reports false where nothing went
// out because the socket's buffer is full or the route cannot do this: then
// they have to be sent one by one. What has no listener is gone, as with any
// datagram.
func (s *Segments) Send(b []byte, size int) bool {
	s.iov.Base = &b[0]
	s.iov.SetLen(len(b))
	s.hdr.Control, s.hdr.Controllen = nil, 0
	if len(b) > size {
		*(*uint16)(unsafe.Pointer(&s.control[unix.SizeofCmsghdr])) = uint16(size) //nolint:gosec // at most segmentsMaxSize
		s.hdr.Control = &s.control[0]
		s.hdr.SetControllen(unix.CmsgSpace(2))
	}
	for range 2 {
		if err := s.c.out.raw.Write(s.call); err != nil {
			return true // the socket is closed
		}
		if s.errno != unix.ECONNREFUSED { // that is the report of an earlier datagram
			break
		}
	}
	runtime.KeepAlive(b)
	s.iov.Base = nil
	switch s.errno {
	case unix.EAGAIN, unix.ENOBUFS:
		return false
	case unix.EINVAL, unix.EIO, unix.EMSGSIZE, unix.ENOPROTOOPT, unix.EOPNOTSUPP:
		s.off = true
		return false
	}
	return true
}
