//go:build unix

package offheap

import "syscall"

// allocate maps anonymous memory. Where the system refuses, the Go heap serves.
func allocate(n int) []byte {
	mem, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n)
	}
	return mem
}

// release unmaps; memory that came from the Go heap is refused there, harmlessly.
func release(mem []byte) { _ = syscall.Munmap(mem) }
