//go:build !unix

package mpegts

import (
	"errors"
	"io"
	"os"
	"time"
)

const openNonblock = 0

// describe: elsewhere every input counts as one that never waits.
func describe(fd int) (regular, dir bool, err error) {
	st, err := os.NewFile(uintptr(fd), "").Stat()
	if err != nil {
		return false, false, err
	}
	return true, st.IsDir(), nil
}

func waitReadable(int, time.Duration) (bool, error) { return true, nil }

func readFD(fd int, p []byte) (int, error) {
	n, err := os.NewFile(uintptr(fd), "").Read(p)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func preadFD(fd int, p []byte, off int64) (int, error) {
	n, err := os.NewFile(uintptr(fd), "").ReadAt(p, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func position(fd int) int64 {
	at, err := os.NewFile(uintptr(fd), "").Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return at
}
