//go:build !linux

package dgram

import "net/netip"

// Segments is for systems that cut datagrams in the kernel.
type Segments struct{}

// NewSegments is nil: this system does not do it.
func (c *Conn) NewSegments(netip.AddrPort) *Segments { return nil }

// Room is 0.
func (s *Segments) Room(int) int { return 0 }

// Send reports false.
func (s *Segments) Send([]byte, int) bool { return false }
