package rtp

import (
	"net/netip"
	"strings"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Bounds of the options of a URL.
const (
	maxSocketBuffer = 1 << 30
	maxMillis       = 1<<31 - 1
	maxHold         = 10_000 // ms
)

// SenderConfig says where packets go and how.
type SenderConfig struct {
	Addr netip.AddrPort
	// Interface is the address multicast leaves from. It is not looked at for unicast.
	Interface string
	// TTL is the time to live, 1 to 255; 0 leaves the system's.
	TTL int
	// SSRC identifies the source. It defaults to a random one.
	SSRC *uint32
	// PacketSize is the longest datagram sent, header included, in bytes.
	PacketSize int
	// SendBuffer is SO_SNDBUF in bytes; 0 leaves the system's.
	SendBuffer int
	// RTCP sends sender reports to the next port, and BYE at the end. It defaults to off.
	RTCP bool
	// Now is the clock. It defaults to time.Now.
	Now func() time.Time
}

// ReceiverConfig says what to bind, join and accept.
type ReceiverConfig struct {
	Addr netip.AddrPort // a group is joined
	// Interface is the address of the interface a group is joined on. It is not
	// looked at for unicast.
	Interface string
	// Source pins the sender's address. The zero value takes any.
	Source netip.Addr
	// ReceiveBuffer is SO_RCVBUF in bytes. It defaults to 4 MiB.
	ReceiveBuffer int
	// Timeout is how long a receive without a time of its own waits; 0: for ever.
	Timeout time.Duration
	// Hold is how long a missing packet is waited for, so that packets come in
	// order and once. 0 passes them on as they come.
	Hold time.Duration
	// PayloadType is the one taken. It defaults to 33.
	PayloadType uint8
	// HasPayloadType tells whether the URL named one.
	HasPayloadType bool
	// RTCP takes reports on the next port and answers them. It defaults to off.
	RTCP bool
}

// parseURL splits rtp://IP:port?query. Schemes are of any case; user
// information and path are passed over.
func parseURL(raw string) (*transport.URL, netip.AddrPort, error) {
	if i := strings.Index(raw, "://"); i > 0 {
		raw = strings.ToLower(raw[:i]) + raw[i:]
	}
	u, err := transport.ParseURL(raw, tsterr.RTPURL, "rtp")
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	a, err := netip.ParseAddr(u.Host)
	if err != nil {
		return nil, netip.AddrPort{}, tsterr.New(tsterr.RTPHostNotLiteral, "host %q is not an IP address", u.Host)
	}
	return u, netip.AddrPortFrom(a.Unmap(), u.Port), nil
}

// ParseSenderURL reads rtp://IP:port with the keys ssrc, ttl, iface, pkt_size,
// sndbuf and rtcp. pkt_size is checked and has no effect: the constructor's is
// the one that holds.
func ParseSenderURL(raw string) (SenderConfig, error) {
	c := SenderConfig{PacketSize: DefaultPacketSize}
	u, addr, err := parseURL(raw)
	if err != nil {
		return c, err
	}
	c.Addr = addr
	for _, kv := range u.Query {
		switch kv.Key {
		case "ssrc":
			var v uint32
			v, err = number32(kv)
			c.SSRC = &v
		case "ttl":
			c.TTL, err = ttlOption(kv)
		case "iface":
			c.Interface = kv.Value
		case "pkt_size":
			_, err = packetSize(kv)
		case "sndbuf":
			c.SendBuffer, err = kv.Size(tsterr.RTPURL, maxSocketBuffer)
		case "rtcp":
			c.RTCP, err = kv.Bool(tsterr.RTPURL)
		case "pt":
			err = tsterr.New(tsterr.RTPPayloadTypeParam, "pt= is not for MPEG-TS, whose payload type is 33")
		default:
			err = unknownKey(kv.Key)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

// ParseReceiverURL reads rtp://IP:port with the keys ssrc, ttl, iface,
// pkt_size, recv_timeout, rcvbuf, source, reorder and rtcp. ssrc, ttl and
// pkt_size are checked and have no effect: every packet is received whole.
func ParseReceiverURL(raw string) (ReceiverConfig, error) {
	c, err := parseReceiver(raw)
	if err == nil && c.HasPayloadType {
		err = tsterr.New(tsterr.RTPPayloadTypeParam, "pt= is not for MPEG-TS, whose payload type is 33")
	}
	return c, err
}

// ParseElementaryURL reads a receiver's URL that must have the key pt, the
// payload type: 1 to 127, except 33.
func ParseElementaryURL(raw string) (ReceiverConfig, error) {
	c, err := parseReceiver(raw)
	if err == nil && !c.HasPayloadType {
		err = tsterr.New(tsterr.RTPMissingPayloadTypeParam, "the URL names no payload type: pt=96")
	}
	return c, err
}

func parseReceiver(raw string) (ReceiverConfig, error) {
	c := ReceiverConfig{PayloadType: PayloadTypeMP2T}
	u, addr, err := parseURL(raw)
	if err != nil {
		return c, err
	}
	c.Addr = addr
	for _, kv := range u.Query {
		if err = c.set(kv); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *ReceiverConfig) set(kv transport.KV) (err error) {
	switch kv.Key {
	case "ssrc":
		_, err = number32(kv)
	case "ttl":
		_, err = ttlOption(kv)
	case "iface":
		c.Interface = kv.Value
	case "pkt_size":
		_, err = packetSize(kv)
	case "recv_timeout":
		c.Timeout, err = kv.Millis(tsterr.RTPURL, 1, maxMillis)
	case "rcvbuf":
		c.ReceiveBuffer, err = kv.Size(tsterr.RTPURL, maxSocketBuffer)
	case "source":
		if c.Source, err = netip.ParseAddr(kv.Value); err != nil {
			err = tsterr.New(tsterr.RTPURL, "source=%s is not an IP address", kv.Value)
		}
		c.Source = c.Source.Unmap()
	case "reorder":
		c.Hold, err = kv.Millis(tsterr.RTPURL, 0, maxHold)
	case "rtcp":
		c.RTCP, err = kv.Bool(tsterr.RTPURL)
	case "pt":
		var n int64
		n, err = kv.Int(tsterr.RTPURL, 1, 127)
		if err == nil && n == PayloadTypeMP2T {
			err = tsterr.New(tsterr.RTPURL, "pt=33 is MPEG-TS")
		}
		c.PayloadType, c.HasPayloadType = uint8(n), true //nolint:gosec // checked
	default:
		err = unknownKey(kv.Key)
	}
	return err
}

func unknownKey(key string) error { return tsterr.New(tsterr.RTPURL, "unknown parameter %q", key) }

func ttlOption(kv transport.KV) (int, error) {
	n, err := kv.Int(tsterr.RTPURL, 1, 255)
	return int(n), err
}

func packetSize(kv transport.KV) (int, error) {
	n, err := kv.Int(tsterr.RTPURL, 1, 1<<31-1)
	if err == nil && n%TSPacketSize != 0 {
		err = tsterr.New(tsterr.RTPURL, "pkt_size=%d is not a multiple of %d", n, TSPacketSize)
	}
	return int(n), err
}

// number32 reads 32 bits, decimal or hexadecimal after 0x.
func number32(kv transport.KV) (uint32, error) {
	hex, isHex := strings.CutPrefix(strings.ToLower(kv.Value), "0x")
	if !isHex {
		n, err := kv.Int(tsterr.RTPURL, 0, 1<<32-1)
		return uint32(n), err //nolint:gosec // checked
	}
	var n uint64
	for _, c := range []byte(hex) {
		d := strings.IndexByte("0123456789abcdef", c)
		if d < 0 || n > 1<<32-1 {
			n = 1 << 32
			break
		}
		n = n<<4 | uint64(d) //nolint:gosec // 0 to 15
	}
	if hex == "" || n > 1<<32-1 {
		return 0, tsterr.New(tsterr.RTPURL, "%s=%s is not a number of 32 bits", kv.Key, kv.Value)
	}
	return uint32(n), nil
}
