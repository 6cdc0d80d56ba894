//go:build unix

package mpegts

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const openNonblock = syscall.O_NONBLOCK

// describe tells what a descriptor is: whether reading it never waits, and
// whether it is a directory.
func describe(fd int) (regular, dir bool, err error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return false, false, err
	}
	kind := st.Mode & syscall.S_IFMT
	return kind == syscall.S_IFREG || kind == syscall.S_IFBLK, kind == syscall.S_IFDIR, nil
}

// waitReadable waits until the descriptor has input, an end or a fault.
func waitReadable(fd int, wait time.Duration) (bool, error) {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(p, int(wait/time.Millisecond))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, err
}

// readFD reads once; interruptions by signals are tried again.
func readFD(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		return max(n, 0), err
	}
}

// preadFD reads once at an offset.
func preadFD(fd int, p []byte, off int64) (int, error) {
	for {
		n, err := syscall.Pread(fd, p, off)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		return max(n, 0), err
	}
}

// position is the offset of a descriptor; 0 where it has none.
func position(fd int) int64 {
	at, err := syscall.Seek(fd, 0, 1)
	if err != nil {
		return 0
	}
	return at
}
