package srt

import (
	"net"
	"net/netip"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Mode says which side makes the connection.
type Mode uint8

// Who makes the connection.
const (
	Caller Mode = iota
	Listening
	Rendezvous
)

// Config is an address with its options. The zero value is not usable: ParseURL
// makes one.
type Config struct {
	Mode Mode
	Host string // "" binds every IPv4 address
	Port uint16
	// LocalPort is the port a rendezvous binds.
	LocalPort uint16
	// ConnectTimeout bounds the handshake. It defaults to 3 s.
	ConnectTimeout time.Duration
	// RecvTimeout and SendTimeout are the limits the user put on a receive and a
	// send; negative for none. The calls take their own timeout: this is a hint
	// for what sits above.
	RecvTimeout, SendTimeout time.Duration
	// IdleTimeout ends the connection when the peer was silent for so long: libsrt
	// itself waits for 5 s at least. It defaults to 0: libsrt's.
	IdleTimeout time.Duration
	// Linger is how long unsent data may leave after Close, in seconds; negative: 3 s.
	Linger int

	values []value // in the order of the option table
	given  map[string]bool
}

// value is one option ready to be set.
type value struct {
	opt  *option
	num  int64
	text string
}

// NewConfig is a caller's configuration without address.
func NewConfig() Config {
	return Config{RecvTimeout: transport.Forever, SendTimeout: transport.Forever, Linger: -1, given: map[string]bool{}}
}

func invalid(format string, args ...any) *tsterr.Error {
	return tsterr.New(tsterr.SRTConfigInvalid, format, args...)
}

// ParseURL reads srt://host:port?key=value… over base, which holds what setters
// said: the URL wins. Every fault is SRTConfigInvalid.
func ParseURL(raw string, base Config) (Config, error) {
	c := base.clone()
	u, err := transport.ParseURL(raw, tsterr.SRTConfigInvalid, "srt")
	if err != nil {
		return c, err
	}
	if u.HasUser {
		return c, invalid("user information in an SRT URL")
	}
	c.Host, c.Port = u.Host, u.Port
	for _, kv := range u.Query {
		if err := c.Set(kv.Key, kv.Value); err != nil {
			return c, err
		}
	}
	if c.Host == "" && c.Mode != Listening {
		return c, invalid("only a listener's URL may leave the host out")
	}
	if c.Mode == Rendezvous && c.LocalPort == 0 {
		return c, invalid("mode=rendezvous needs localport, the port to bind")
	}
	return c, nil
}

func (c Config) clone() Config {
	c.values = append([]value(nil), c.values...)
	given := make(map[string]bool, len(c.given))
	for k := range c.given {
		given[k] = true
	}
	c.given = given
	return c
}

// Given reports whether the option of that name was set.
func (c Config) Given(name string) bool { return c.given[name] }

// Set checks and sets one option by its URL name; the last value counts.
func (c *Config) Set(key, text string) error {
	o := findOption(key)
	if o == nil {
		if key == "timeout" {
			return invalid("timeout is not an SRT option: use x-recvtimeout, x-sendtimeout or peeridletimeo (ms)")
		}
		return invalid("unknown option %q", key)
	}
	v := value{opt: o, text: text}
	switch o.kind {
	case kindText:
		if err := o.checkText(text); err != nil {
			return err
		}
	case kindBool:
		if text != "0" && text != "1" {
			return invalid("%s=%s: 0 or 1", key, text)
		}
		v.num = int64(text[0] - '0')
	case kindInt, kindInt64:
		n, err := (transport.KV{Key: key, Value: text}).Int(tsterr.SRTConfigInvalid, o.lo, o.hi)
		if err != nil {
			return err
		}
		if o.allowed != nil && !contains(o.allowed, n) {
			return invalid("%s=%d: one of %v", key, n, o.allowed)
		}
		v.num = n
	}
	c.given[o.name] = true
	if o.own != nil {
		return o.own(c, v)
	}
	for i := range c.values {
		if c.values[i].opt == o {
			c.values[i] = v
			return nil
		}
	}
	c.values = append(c.values, v)
	return nil
}

func contains(list []int64, n int64) bool {
	for _, v := range list {
		if v == n {
			return true
		}
	}
	return false
}

// resolve turns the host into one address; "" is every IPv4 address.
func resolve(host string, port uint16) (netip.AddrPort, error) {
	if host == "" {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), port), nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a, port), nil
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return netip.AddrPort{}, tsterr.Wrap(tsterr.SRTConfigInvalid, err, "cannot resolve %q", host)
	}
	a, _ := netip.AddrFromSlice(ip.IP)
	return netip.AddrPortFrom(a.Unmap(), port), nil
}
