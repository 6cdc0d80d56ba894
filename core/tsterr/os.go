package tsterr

import (
	"errors"
	"syscall"
)

// IOError wraps an error of the operating system and keeps its number as the
// attribute "errno".
func IOError(err error, what string) *Error {
	e := Wrap(IO, err, "%s", what)
	var no syscall.Errno
	if errors.As(err, &no) {
		return e.With("errno", int64(no))
	}
	return e
}
