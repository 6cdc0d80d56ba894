//go:build unix

package dgram

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

func reuse(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) //nolint:gosec,wrapcheck // a descriptor
}

// buffers asks for socket buffers; the system may give less, which is no error.
func buffers(fd uintptr, recv, send int) {
	if recv > 0 && force(fd, recv) != nil {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, recv) //nolint:gosec // a descriptor
	}
	if send > 0 {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, send) //nolint:gosec // a descriptor
	}
}

func ttl(fd uintptr, six bool, n int) error {
	s := int(fd) //nolint:gosec // a descriptor
	if six {
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, n)
		return unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, n) //nolint:wrapcheck // see above
	}
	_ = unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_TTL, n)
	return unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, n) //nolint:wrapcheck // see above
}

func multicastFrom(fd uintptr, a netip.Addr) error {
	return unix.SetsockoptInet4Addr(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, a.As4()) //nolint:gosec,wrapcheck // a descriptor
}
