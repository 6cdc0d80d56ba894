//go:build !linux

package dgram

import "time"

// ownThread is for systems whose sockets can be taken from the runtime.
type ownThread struct{}

func (*ownThread) wake() {}

func (*ownThread) receive(*Conn, time.Duration) (int, error) { return 0, ErrTimeout }

func (*ownThread) flush(*Conn) (int, error) { return 0, nil }

func (*ownThread) close() error { return nil }
