package dgram

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// control sets the options that must be there before the bind.
func control(cfg Config, group bool) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		var first error
		err := c.Control(func(fd uintptr) {
			keep := func(err error) {
				if first == nil {
					first = err
				}
			}
			if group || cfg.ReuseAddr {
				keep(reuse(fd))
			}
			buffers(fd, cfg.ReceiveBuffer, cfg.SendBuffer)
			if cfg.TTL > 0 {
				keep(ttl(fd, network == "udp6", cfg.TTL))
			}
			if cfg.Interface.Is4() && network == "udp4" {
				keep(multicastFrom(fd, cfg.Interface))
			}
		})
		if first == nil {
			first = err
		}
		return first
	}
}

// join enters a multicast group on the interface that has the address, or on
// the system's choice.
func (c *Conn) join(group, iface netip.Addr) error {
	var ifi *net.Interface
	if iface.IsValid() && !iface.IsUnspecified() {
		found, err := interfaceOf(iface)
		if err != nil {
			return err
		}
		ifi = found
	}
	to := &net.UDPAddr{IP: group.AsSlice(), Zone: group.Zone()}
	if c.six {
		return ipv6.NewPacketConn(c.pc).JoinGroup(ifi, to) //nolint:wrapcheck // the caller adds what it was for
	}
	return ipv4.NewPacketConn(c.pc).JoinGroup(ifi, to) //nolint:wrapcheck // the caller adds what it was for
}

func interfaceOf(a netip.Addr) (*net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	for i := range all {
		addrs, err := all[i].Addrs()
		if err != nil {
			continue
		}
		for _, x := range addrs {
			n, ok := x.(*net.IPNet)
			if !ok {
				continue
			}
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap() == a {
				return &all[i], nil
			}
		}
	}
	return nil, &net.OpError{Op: "join", Net: "udp", Err: syscall.ENODEV}
}
