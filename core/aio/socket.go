package aio

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// receiver holds the room that all sockets are read into, one after the other.
type receiver struct {
	mem   []byte
	hdrs  [batch]mmsghdr
	iovs  [batch]unix.Iovec
	names [batch]unix.RawSockaddrInet6
	used  int
}

func newReceiver() *receiver {
	r := &receiver{mem: make([]byte, batch*maxDatagram), used: batch}
	for i := range r.hdrs {
		r.iovs[i].Base = &r.mem[i*maxDatagram]
		r.iovs[i].SetLen(maxDatagram)
		h := &r.hdrs[i].hdr
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
	}
	return r
}

// read takes what is there, at most batch datagrams. It never blocks, so the scheduler need not know.
func (r *receiver) read(fd int) int {
	for i := range r.used {
		r.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	r.used = 0
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.hdrs[0])), batch,
			unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.used = int(n) //nolint:gosec // at most batch
			return r.used
		case unix.EINTR, unix.ECONNREFUSED: // the latter: what was sent from here found no listener
		default:
			return 0
		}
	}
}

func port(p uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&p))[:]) }

func (r *receiver) datagram(i int) ([]byte, netip.AddrPort) {
	b := r.mem[i*maxDatagram:][:r.hdrs[i].n]
	name := &r.names[i]
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return b, netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port(name.Port))
	}
	return b, netip.AddrPortFrom(netip.AddrFrom16(name.Addr), port(name.Port))
}

// target is an address as the kernel takes it.
type target struct {
	addr netip.AddrPort
	raw  unix.RawSockaddrInet6
	size uint32 // 0: nowhere to send to
}

func (t *target) set(a netip.AddrPort, six bool) {
	t.addr, t.size = a, 0
	if !a.IsValid() || a.Port() == 0 {
		return
	}
	if six {
		t.raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port(a.Port()), Addr: a.Addr().As16()}
		if z := a.Addr().Zone(); z != "" {
			t.raw.Scope_id = zone(z)
		}
		t.size = unix.SizeofSockaddrInet6
		return
	}
	if !a.Addr().Unmap().Is4() {
		return
	}
	v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&t.raw))
	*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port(a.Port()), Addr: a.Addr().Unmap().As4()}
	t.size = unix.SizeofSockaddrInet4
}

// zone reads a numeric zone; the caller resolves names.
func zone(z string) (n uint32) {
	for _, c := range z {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + uint32(c-'0')
	}
	return n
}

// send sends one datagram; what the kernel has no room for is lost, as on the wire, and counted by the caller.
func (t *target) send(fd int, b []byte) bool {
	if t.size == 0 || len(b) == 0 || fd < 0 {
		return false
	}
	for range 3 {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&t.raw)), uintptr(t.size))
		switch errno {
		case 0:
			return true
		case unix.EINTR, unix.ECONNREFUSED:
		default:
			return false
		}
	}
	return false
}

// bind opens a socket on an address and tells the one it got.
func bind(a netip.AddrPort) (fd int, got netip.AddrPort, err error) {
	family := unix.AF_INET
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(a.Port()), Addr: as4(a.Addr())}
	if a.Addr().Is6() && !a.Addr().Is4In6() {
		family = unix.AF_INET6
		sa = &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zone(a.Addr().Zone())}
	}
	fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, got, tsterr.IOError(err, "socket")
	}
	if err = unix.Bind(fd, sa); err != nil {
		_ = unix.Close(fd)
		return -1, got, tsterr.IOError(err, "bind")
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		_ = unix.Close(fd)
		return -1, got, tsterr.IOError(err, "getsockname")
	}
	switch n := name.(type) {
	case *unix.SockaddrInet4:
		got = netip.AddrPortFrom(netip.AddrFrom4(n.Addr), uint16(n.Port)) //nolint:gosec // a port
	case *unix.SockaddrInet6:
		got = netip.AddrPortFrom(netip.AddrFrom16(n.Addr), uint16(n.Port)) //nolint:gosec // a port
	}
	return fd, got, nil
}

func as4(a netip.Addr) (b [4]byte) {
	if a = a.Unmap(); a.Is4() {
		return a.As4()
	}
	return b
}
