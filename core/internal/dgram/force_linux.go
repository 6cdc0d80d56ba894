package dgram

import "golang.org/x/sys/unix"

// force sets a receive buffer beyond the system's limit, where the process may.
func force(fd uintptr, n int) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, n) //nolint:gosec,wrapcheck // a descriptor
}
