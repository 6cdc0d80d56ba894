//go:build !unix

package dgram

import "net/netip"

// Elsewhere the options stay as the system has them.

func reuse(uintptr) error { return nil }

func buffers(uintptr, int, int) {}

func ttl(uintptr, bool, int) error { return nil }

func multicastFrom(uintptr, netip.Addr) error { return nil }
