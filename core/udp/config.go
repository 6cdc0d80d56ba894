package udp

import (
	"net"
	"net/netip"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Bounds of the options.
const (
	// MaxPayload is what an IPv4 datagram carries at most.
	MaxPayload = 65507
	// DefaultPacketSize is seven TS packets, what fits an Ethernet frame.
	DefaultPacketSize = 1316
	// MaxSocketBuffer bounds SO_SNDBUF and SO_RCVBUF in bytes.
	MaxSocketBuffer = 1 << 30
)

// SenderConfig says where datagrams go and how.
type SenderConfig struct {
	Host string
	Port uint16
	// TTL is the time to live, for multicast and unicast. It defaults to the system's.
	TTL *uint8
	// TOS is the type-of-service byte. It defaults to the system's.
	TOS *uint8
	// SendBuffer is SO_SNDBUF in bytes; 0 leaves the system's.
	SendBuffer int
	// PacketSize is the longest payload taken, in bytes. It defaults to 1316.
	PacketSize *int
	// Interface is the address (IPv4) or name (IPv6) multicast leaves by. It is
	// not looked at for unicast.
	Interface string
}

// ParseSenderURL reads udp://host:port?ttl=&tos=&sndbuf=&pkt_size=&iface=.
// Unknown keys are ignored.
func ParseSenderURL(raw string) (SenderConfig, error) {
	var c SenderConfig
	u, err := parse(raw)
	if err != nil {
		return c, err
	}
	if u.HasUser {
		return c, tsterr.New(tsterr.UDPURL, "\"@\" marks a receiver's URL")
	}
	c.Host, c.Port = u.Host, u.Port
	for _, kv := range u.Query {
		switch kv.Key {
		case "ttl":
			c.TTL, err = byteOption(kv)
		case "tos":
			c.TOS, err = tosOption(kv)
		case "sndbuf":
			c.SendBuffer, err = kv.Size(tsterr.UDPURL, MaxSocketBuffer)
		case "pkt_size":
			var n int64
			n, err = kv.Int(tsterr.UDPURL, 0, 1<<31-1)
			size := int(n)
			c.PacketSize = &size
		case "iface":
			c.Interface = kv.Value
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

// ReceiverConfig says what to bind and join.
type ReceiverConfig struct {
	Host string
	Port uint16 // 0 picks a free one
	// ReceiveBuffer is SO_RCVBUF in bytes; 0 leaves the system's.
	ReceiveBuffer int
	// Interface is the IPv4 address, or for IPv6 the name, of the interface a
	// multicast group is joined on. It is not looked at for unicast.
	Interface string
	// IdleTimeout ends a receive with UDPBroken when no datagram came for so
	// long, in whole calls. It defaults to 0: never.
	IdleTimeout int64 // ms
}

// ParseReceiverURL reads udp://[@]addr:port?rcvbuf=&iface=&pkt_size=&timeout=.
// Unknown keys are ignored; pkt_size is checked and has no effect, since every
// datagram is received whole.
func ParseReceiverURL(raw string) (ReceiverConfig, error) {
	var c ReceiverConfig
	u, err := parse(raw)
	if err != nil {
		return c, err
	}
	c.Host, c.Port = u.Host, u.Port // what stands before "@" is not looked at
	for _, kv := range u.Query {
		switch kv.Key {
		case "rcvbuf":
			c.ReceiveBuffer, err = kv.Size(tsterr.UDPURL, MaxSocketBuffer)
		case "iface":
			c.Interface = kv.Value
		case "pkt_size":
			_, err = kv.Int(tsterr.UDPURL, 0, 1<<31-1)
		case "idle_timeout":
			c.IdleTimeout, err = kv.Int(tsterr.UDPURL, 0, 1<<31-1)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func parse(raw string) (*transport.URL, error) {
	u, err := transport.ParseURL(raw, tsterr.UDPURL, "udp")
	if err != nil {
		return nil, err
	}
	if u.Host == "" {
		return nil, tsterr.New(tsterr.UDPURL, "no host in URL")
	}
	return u, nil
}

func byteOption(kv transport.KV) (*uint8, error) {
	n, err := kv.Int(tsterr.UDPURL, 0, 255)
	b := uint8(n) //nolint:gosec // checked
	return &b, err
}

func tosOption(kv transport.KV) (*uint8, error) {
	if len(kv.Value) > 2 && (kv.Value[:2] == "0x" || kv.Value[:2] == "0X") {
		var n int
		for _, c := range []byte(kv.Value[2:]) {
			d := hexDigit(c)
			if n = n<<4 | d; d < 0 || n > 255 {
				return nil, tsterr.New(tsterr.UDPURL, "tos=%s is not a byte", kv.Value)
			}
		}
		b := uint8(n) //nolint:gosec // checked
		return &b, nil
	}
	return byteOption(kv)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// resolve turns a host into one address; names are looked up.
func resolve(host string, port uint16) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a, port), nil
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return netip.AddrPort{}, tsterr.Wrap(tsterr.UDPURL, err, "cannot resolve %q", host)
	}
	a, ok := netip.AddrFromSlice(ip.IP)
	if !ok {
		return netip.AddrPort{}, tsterr.New(tsterr.UDPURL, "cannot resolve %q", host)
	}
	return netip.AddrPortFrom(a.Unmap().WithZone(ip.Zone), port), nil
}
