package dgram

import (
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2); Go pads it as C does.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// slotStride spreads the slots over the sets of the caches.
const slotStride = MaxDatagram + 21*64

// sockaddr holds a sockaddr_in or a sockaddr_in6.
type sockaddr = unix.RawSockaddrInet6

type receiver struct {
	raw   syscall.RawConn
	mem   []byte // mapped: pages that no datagram reached are never touched
	hdrs  [BatchSize]mmsghdr
	iovs  [BatchSize]unix.Iovec
	names [BatchSize]sockaddr
	n     int
	poll  bool
	errno syscall.Errno
	read  func(fd uintptr) bool
}

type sender struct {
	raw   syscall.RawConn
	six   bool
	peer  bool // the socket is connected
	hdrs  [BatchSize]mmsghdr
	iovs  [BatchSize][2]unix.Iovec
	names [BatchSize]sockaddr
	n     int
	sent  int
	lost  int
	errno syscall.Errno
	first syscall.Errno
	write func(fd uintptr) bool
}

func (c *Conn) init(cfg Config) error {
	raw, err := c.pc.SyscallConn()
	if err != nil {
		return err //nolint:wrapcheck // the caller adds what it was for
	}
	if cfg.Peer.IsValid() {
		if err = c.connect(raw, cfg.Peer); err != nil {
			return err
		}
	}
	if cfg.OwnThread {
		if c.own, err = newOwnThread(c); err != nil {
			return err
		}
	}
	c.in.raw, c.out.raw, c.out.six = raw, raw, c.six
	c.in.read, c.out.write = c.in.recvmmsg, c.out.sendmmsg // one closure for all calls
	return nil
}

// prepare maps the slots at the first receive: a socket that only sends needs
// none. On the heap 4 MB a socket would count as live, though hardly a page of
// them is ever touched, and the collector would let as much garbage gather.
func (r *receiver) prepare() {
	const size = BatchSize * slotStride
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err == nil {
		runtime.AddCleanup(r, func(mem []byte) { _ = unix.Munmap(mem) }, mem) // it can only fail where nothing is mapped
	} else { // as many maps as a process may have
		mem = make([]byte, size)
	}
	r.mem = mem
	for i := range r.hdrs {
		r.iovs[i].Base = &mem[i*slotStride]
		r.iovs[i].SetLen(MaxDatagram)
		h := &r.hdrs[i].hdr
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
	}
}

// once makes one system call.
func (r *receiver) once(fd, flags uintptr) syscall.Errno {
	for i := range r.hdrs {
		r.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[0])), BatchSize, flags, 0, 0)
	if errno == 0 {
		r.n = int(n) //nolint:gosec // at most BatchSize
	}
	return errno
}

func (r *receiver) recvmmsg(fd uintptr) bool {
	for i := range r.hdrs {
		r.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	for {
		n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[0])), BatchSize,
			unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.n, r.errno = int(n), 0 //nolint:gosec // at most BatchSize
			return true
		case unix.EINTR, unix.ECONNREFUSED: // the latter: what was sent from here found no listener
			continue
		case unix.EAGAIN:
			r.errno = errno
			return r.poll
		default:
			r.errno = errno
			return true
		}
	}
}

func (r *receiver) fill(poll bool) (int, error) {
	if r.mem == nil {
		r.prepare()
	}
	r.n, r.poll = 0, poll
	if err := r.raw.Read(r.read); err != nil {
		return 0, err //nolint:wrapcheck // the caller adds what it was for
	}
	switch r.errno {
	case 0:
		return r.n, nil
	case unix.EAGAIN:
		return 0, ErrTimeout
	}
	return 0, os.NewSyscallError("recvmmsg", r.errno)
}

func (r *receiver) datagram(i int) ([]byte, netip.AddrPort) {
	b := r.mem[i*slotStride : i*slotStride+int(r.hdrs[i].n)]
	name := &r.names[i]
	port := swap(name.Port)
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return b, netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	return b, netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), port)
}

// swap turns a port between the machine's and the network's byte order.
func swap(p uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&p))[:])
}

func (s *sender) add(head, payload []byte, to netip.AddrPort) bool {
	if s.n == BatchSize {
		return false
	}
	i := s.n
	h, iov := &s.hdrs[i].hdr, &s.iovs[i]
	k := 0
	for _, part := range [2][]byte{head, payload} {
		if len(part) > 0 {
			iov[k].Base = &part[0]
			iov[k].SetLen(len(part))
			k++
		}
	}
	h.Iov = &iov[0]
	h.SetIovlen(k)
	if !s.peer {
		h.Name = (*byte)(unsafe.Pointer(&s.names[i]))
		h.Namelen = s.address(&s.names[i], to)
	}
	s.n++
	return true
}

func (s *sender) address(name *sockaddr, to netip.AddrPort) uint32 {
	if s.six {
		*name = sockaddr{Family: unix.AF_INET6, Port: swap(to.Port()), Addr: to.Addr().As16()}
		return unix.SizeofSockaddrInet6
	}
	v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
	*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swap(to.Port()), Addr: to.Addr().Unmap().As4()}
	return unix.SizeofSockaddrInet4
}

// some sends one datagram by itself, which is cheaper, and more in one call. The
// runtime is not told of the single one: the call never waits, takes a few
// microseconds, and giving the processor away for it and waking the monitor
// thread costs more than that.
func (s *sender) some(fd uintptr) (uintptr, syscall.Errno) {
	if s.n-s.sent == 1 {
		_, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&s.hdrs[s.sent].hdr)), unix.MSG_DONTWAIT)
		return 1, errno
	}
	n, _, errno := syscall.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.hdrs[s.sent])),
		uintptr(s.n-s.sent), unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // not negative
	return n, errno
}

// sendmmsg reports false where the socket's buffer is full.
func (s *sender) sendmmsg(fd uintptr) bool {
	for s.sent < s.n {
		n, errno := s.some(fd)
		switch errno {
		case 0:
			s.sent += int(n) //nolint:gosec // at most BatchSize
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		case unix.ECONNREFUSED:
			// The report of an earlier datagram that found no listener: this one is sent again.
			if s.errno == errno {
				s.skip(errno)
			}
			s.errno = errno
		default:
			s.skip(errno)
		}
	}
	return true
}

func (s *sender) skip(errno syscall.Errno) {
	if s.first == 0 {
		s.first = errno
	}
	s.lost++
	s.sent++
}

func (s *sender) flush() (int, error) {
	if s.n == 0 {
		return 0, nil
	}
	s.sent, s.lost, s.errno, s.first = 0, 0, 0, 0
	return s.done(s.raw.Write(s.write))
}

// done ends a flush and tells what came of it.
func (s *sender) done(err error) (int, error) {
	out := s.sent - s.lost
	for i := range s.n {
		s.iovs[i][0].Base, s.iovs[i][1].Base = nil, nil
	}
	runtime.KeepAlive(s)
	s.n = 0
	if err == nil && s.first != 0 {
		err = os.NewSyscallError("sendmmsg", s.first)
	}
	return out, err
}
