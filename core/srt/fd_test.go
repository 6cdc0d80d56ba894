package srt

import (
	"testing"

	"golang.org/x/sys/unix"
)

func waitReadable(t *testing.T, fd uintptr) {
	t.Helper()
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p, 10000)
		if err == unix.EINTR { //nolint:errorlint // a bare errno
			continue
		}
		if n != 1 || err != nil {
			t.Fatal("not readable:", n, err)
		}
		return
	}
}
