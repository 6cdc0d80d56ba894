// Package udp moves datagrams: unicast, multicast and broadcast (RFC 768, RFC
// 1112, RFC 919). It sends and receives in batches where the system can.
package udp

import (
	"errors"
	"os"
	"syscall"

	"github.com/tstrans/tstrans/core/tsterr"
)

// ioError wraps what the system said, with its number as attribute "errno".
func ioError(err error, what string) *tsterr.Error {
	e := tsterr.Wrap(tsterr.UDPIO, err, "%s", what)
	var no syscall.Errno
	if errors.As(err, &no) {
		e = e.With("errno", int64(no))
	}
	return e
}

func isDeadline(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
