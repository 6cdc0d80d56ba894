package prealloc

import (
	"os"
	"syscall"
)

// fallocKeepSize is FALLOC_FL_KEEP_SIZE of linux/falloc.h.
const fallocKeepSize = 1

// ahead asks the file system for blocks without changing the size of
// the file. A refusal does no harm.
func ahead(f *os.File, off, n int64) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = c.Control(func(fd uintptr) { _ = syscall.Fallocate(int(fd), fallocKeepSize, off, n) })
}
