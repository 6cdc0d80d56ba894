package rist

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refusals is told by the system when a packet came back because nobody listens where
// it was sent to (ICMP port unreachable, RFC 1122 section 4.1.3.3). librist neither asks
// for that nor shows its sockets, so these are copies of its descriptors.
type refusals struct {
	sockets []int
	wake    int
	ended   chan struct{}
}

// opening keeps the sockets of links that are opened at once apart.
var opening sync.Mutex

// udpSockets lists the UDP sockets of this process.
func udpSockets() map[int]bool {
	found := map[int]bool{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return found
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
		if err == nil && kind == unix.IPPROTO_UDP {
			found[fd] = true
		}
	}
	return found
}

// addedSockets copies what librist opened since before, in the order it did: it gives sockets large
// buffers, which tells them from most that another thread opened meanwhile. On those, asking for
// refusals would show an error that is not shown otherwise, and no more.
func addedSockets(before map[int]bool) []int {
	const modest = 256 << 10 // bytes, the system's default
	var added []int
	for _, fd := range slices.Sorted(maps.Keys(udpSockets())) {
		if before[fd] {
			continue
		}
		if size, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil || size <= modest {
			continue
		}
		if own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err == nil { //nolint:gosec // a descriptor
			added = append(added, own)
		}
	}
	return added
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// watchRefusals calls told with the socket's place and the head of the packet that came back. It takes sockets over.
func watchRefusals(sockets []int, told func(socket int, packet []byte)) (*refusals, error) {
	r := &refusals{sockets: sockets, ended: make(chan struct{})}
	var err error
	if r.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		closeAll(sockets)
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	for _, fd := range sockets {
		level, opt := unix.IPPROTO_IP, unix.IP_RECVERR
		if domain, derr := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); derr == nil && domain == unix.AF_INET6 {
			level, opt = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
		}
		_ = unix.SetsockoptInt(fd, level, opt, 1) // without it a silent receiver is told by its silence
	}
	go r.run(told)
	return r, nil
}

func (r *refusals) run(told func(socket int, packet []byte)) {
	defer close(r.ended)
	polled := make([]unix.PollFd, 0, len(r.sockets)+1)
	for _, fd := range r.sockets {
		polled = append(polled, unix.PollFd{Fd: int32(fd)}) //nolint:gosec // descriptors. Errors are always polled for.
	}
	polled = append(polled, unix.PollFd{Fd: int32(r.wake), Events: unix.POLLIN}) //nolint:gosec // a descriptor
	for {
		if _, err := unix.Poll(polled, -1); err != nil && err != unix.EINTR { //nolint:errorlint // a bare errno
			return
		}
		if polled[len(r.sockets)].Revents != 0 {
			return
		}
		for i, fd := range r.sockets {
			if polled[i].Revents != 0 {
				drainRefusals(fd, func(packet []byte) { told(i, packet) })
			}
		}
	}
}

// drainRefusals empties the queue of a socket's errors, which librist would trip over.
func drainRefusals(fd int, refused func(packet []byte)) {
	packet, control := make([]byte, 64), make([]byte, 512)
	for {
		n, cn, _, _, err := unix.Recvmsg(fd, packet, control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			_, _ = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR) // it is polled for too
			return
		}
		messages, err := unix.ParseSocketControlMessage(control[:cn])
		if err != nil {
			continue
		}
		for _, m := range messages {
			if len(m.Data) >= 4 && *(*uint32)(unsafe.Pointer(&m.Data[0])) == uint32(unix.ECONNREFUSED) &&
				(m.Header.Type == unix.IP_RECVERR || m.Header.Type == unix.IPV6_RECVERR) {
				refused(packet[:n])
			}
		}
	}
}

func (r *refusals) stop() {
	if r == nil {
		return
	}
	_, _ = unix.Write(r.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-r.ended
	closeAll(r.sockets)
	_ = unix.Close(r.wake)
}
