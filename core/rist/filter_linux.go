package rist

import (
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// claimable checks that the address can be bound: librist shares a port that is
// taken, and then receives nothing or half of it.
func claimable(c Config) error {
	ports := []uint16{c.Addr.Port()}
	if c.Profile == Simple {
		ports = append(ports, c.Addr.Port()+1)
	}
	for _, p := range ports {
		if c.Addr.Addr().IsMulticast() || p == 0 {
			continue
		}
		s, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.Addr.Addr(), p)))
		if err != nil {
			return tsterr.Wrap(tsterr.RISTPeerCreateFailed, err, "bind")
		}
		_ = s.Close()
	}
	return nil
}

// filter has the system drop every packet that is not as the configuration says:
// with a secret those in the clear, which librist would deliver, and without one
// those that are encrypted, which it would deliver as noise. The bit is K of the
// GRE header (VSF TR-06-2 §5.2.1, RFC 2890 §2); a socket filter sees the 8 bytes
// of the UDP header before it.
func filter(c Config) error {
	const udpHeader, keyBit = 8, 0x20
	const drop, keep = 0, 0xffff
	clear, key := uint32(keep), uint32(drop)
	if c.KeySize != 0 {
		clear, key = drop, keep
	}
	prog := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: udpHeader},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jt: 0, Jf: 1, K: keyBit},
		{Code: unix.BPF_RET | unix.BPF_K, K: key},
		{Code: unix.BPF_RET | unix.BPF_K, K: clear},
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]} //nolint:gosec // four
	found := false
	for _, fd := range boundTo(c.Addr) {
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog); err != nil {
			return tsterr.Wrap(tsterr.RISTFFI, err, "socket filter")
		}
		found = true
	}
	if !found {
		return tsterr.New(tsterr.RISTFFI, "librist's socket was not found: no filter on it")
	}
	return nil
}

// boundTo finds this process's UDP sockets on an address: librist does not show its own.
func boundTo(addr netip.AddrPort) (fds []int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if kind, kindErr := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); kindErr != nil || kind != unix.SOCK_DGRAM {
			continue
		}
		name, err := unix.Getsockname(fd)
		if err != nil {
			continue
		}
		var at netip.AddrPort
		switch a := name.(type) {
		case *unix.SockaddrInet4:
			at = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)) //nolint:gosec // a port
		case *unix.SockaddrInet6:
			at = netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)) //nolint:gosec // a port
		default:
			continue
		}
		if at.Port() == addr.Port() && (at.Addr() == addr.Addr() || at.Addr().IsUnspecified()) {
			fds = append(fds, fd)
		}
	}
	return fds
}
