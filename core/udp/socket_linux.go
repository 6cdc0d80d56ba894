package udp

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// control sets what has to be set before the bind.
func control(group bool, receiveBuffer int) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		cerr := c.Control(func(fd uintptr) {
			if group { // several receivers may take the same group
				err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			}
			if err == nil && receiveBuffer > 0 {
				err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
			}
		})
		if cerr != nil {
			return cerr //nolint:wrapcheck // the caller adds what it was for
		}
		return err //nolint:wrapcheck // the caller adds what it was for
	}
}

// joinGroup returns the step that joins a group on the named interface.
func joinGroup(group netip.Addr, iface string) (func(fd uintptr) error, error) {
	if group.Is4() {
		m := unix.IPMreq{Multiaddr: group.As4()}
		if iface != "" {
			a, err := netip.ParseAddr(iface)
			if err != nil || !a.Is4() {
				return nil, tsterr.New(tsterr.UDPIO, "the interface of an IPv4 group is an IPv4 address, not %q", iface)
			}
			m.Interface = a.As4()
		}
		return func(fd uintptr) error {
			return unix.SetsockoptIPMreq(int(fd), unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &m)
		}, nil
	}
	index, err := interfaceIndex(iface)
	if err != nil {
		return nil, err
	}
	m := unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(index)} //nolint:gosec // an index is small
	return func(fd uintptr) error {
		return unix.SetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &m)
	}, nil
}

func interfaceIndex(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 {
		return n, nil
	}
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, tsterr.Wrap(tsterr.UDPIO, err, "interface %q", name)
	}
	return i.Index, nil
}

// sendOptions returns the step that prepares a sending socket.
func sendOptions(dst netip.Addr, cfg SenderConfig) (func(network, address string, c syscall.RawConn) error, error) {
	var out4 [4]byte
	out6 := 0
	if dst.IsMulticast() && cfg.Interface != "" {
		if dst.Is4() {
			a, err := netip.ParseAddr(cfg.Interface)
			if err != nil || !a.Is4() {
				return nil, tsterr.New(tsterr.UDPIO, "the interface of an IPv4 group is an IPv4 address, not %q", cfg.Interface)
			}
			out4 = a.As4()
		} else {
			var err error
			if out6, err = interfaceIndex(cfg.Interface); err != nil {
				return nil, err
			}
		}
	}
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		set := func(fd uintptr, level, opt, v int) {
			if err == nil {
				err = unix.SetsockoptInt(int(fd), level, opt, v)
			}
		}
		cerr := c.Control(func(fd uintptr) {
			set(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
			if cfg.SendBuffer > 0 {
				set(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, cfg.SendBuffer)
			}
			if dst.Is4() {
				if cfg.TTL != nil && dst.IsMulticast() {
					set(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, int(*cfg.TTL))
				} else if cfg.TTL != nil && *cfg.TTL > 0 { // the system refuses 0 for unicast
					set(fd, unix.IPPROTO_IP, unix.IP_TTL, int(*cfg.TTL))
				}
				if cfg.TOS != nil {
					set(fd, unix.IPPROTO_IP, unix.IP_TOS, int(*cfg.TOS))
				}
				if err == nil && out4 != [4]byte{} {
					err = unix.SetsockoptInet4Addr(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, out4)
				}
				return
			}
			if cfg.TTL != nil && dst.IsMulticast() {
				set(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, int(*cfg.TTL))
			} else if cfg.TTL != nil {
				set(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, int(*cfg.TTL))
			}
			if cfg.TOS != nil {
				set(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(*cfg.TOS))
			}
			if out6 != 0 {
				set(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, out6)
			}
		})
		if cerr != nil {
			return cerr //nolint:wrapcheck // the caller adds what it was for
		}
		return err //nolint:wrapcheck // the caller adds what it was for
	}, nil
}

// kernelDrops reads how many datagrams found the socket's buffer full
// (SO_MEMINFO, the ninth word); 0 where the system does not tell.
func kernelDrops(fd int) uint64 {
	const words, dropsWord = 9, 8
	var info [words]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := syscall.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO, //nolint:gosec // a descriptor
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[dropsWord])
}

func closeFD(fd int) { _ = unix.Close(fd) }
