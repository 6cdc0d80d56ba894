//go:build !linux

package rtsp

import "net"

// offerer is for systems whose sockets can be written to without waiting.
type offerer struct{}

func newOfferer(net.Conn) *offerer { return nil }

func (o *offerer) write([]byte) (int, error) { return 0, nil }
