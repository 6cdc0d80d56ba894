// Package rist moves messages over RIST (VSF TR-06-1 simple profile, TR-06-2 main
// profile) with librist, which is loaded when the first link is made.
package rist

import (
	"net/netip"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Defaults and bounds.
const (
	// DefaultPacketSize is seven TS packets.
	DefaultPacketSize = 1316
	// MaxPayload is the longest message librist carries, in bytes.
	MaxPayload = 9968
	// DefaultBuffer is librist's recovery buffer.
	DefaultBuffer = time.Second
	// MaxSecret is the longest secret in bytes.
	MaxSecret = 127
	maxName   = 127
	maxMillis = 1<<31 - 1
)

// Profile is a RIST profile.
type Profile int

// The profiles.
const (
	Simple   Profile = iota // RTP and RTCP on two ports
	Main                    // one port, encryption, multiplexing
	Advanced                // as far as the library offers it
)

// Config is an address with its options, for a sender and a receiver.
type Config struct {
	Addr netip.AddrPort
	// Listen makes a receiver: the URL has "@" before the address.
	Listen  bool
	Profile Profile
	// Buffer is the recovery buffer: so late is what arrives delivered. It defaults to 1 s.
	Buffer time.Duration
	// Bandwidth is the most a link may use for recovery, kbit/s. It defaults to 1 Gbit/s.
	Bandwidth uint32
	// KeySize is 128, 192 or 256 bits; 0 sends in the clear.
	KeySize int
	Secret  string
	// Cname names the sender to its peers.
	Cname string
	// SessionTimeout is after how long a silent peer is forgotten. It defaults to librist's 2 s.
	SessionTimeout time.Duration
	// IdleTimeout ends a receive with RISTIO when no message came for so long. It defaults to 0: never.
	IdleTimeout time.Duration
	// Compression makes a sender compress with LZ4.
	Compression bool
	// PacketSize is the longest message taken, in bytes. It defaults to 1316.
	PacketSize *int

	// managed is set under a reconnecting object: a sender watches over its receiver, and a
	// receiver tells senders apart.
	managed bool
}

// ParseURL reads rist://ip:port of a sender or rist://@ip:port of a receiver with
// the keys profile (simple, main, advanced), buffer (ms), bandwidth or
// recovery_maxbitrate (kbit/s), aes-type, secret, cname, session_timeout (ms),
// idle_timeout (ms) and compression. Other keys are ignored.
func ParseURL(raw string, listen bool) (Config, error) {
	c := Config{Listen: listen}
	u, err := transport.ParseURL(raw, tsterr.RISTURL, "rist")
	if err != nil {
		return c, err
	}
	switch {
	case listen && !u.HasUser: // what stands before "@" is not looked at
		return c, tsterr.New(tsterr.RISTInvalidConfig, "a receiver's URL is rist://@ip:port")
	case !listen && u.HasUser:
		return c, tsterr.New(tsterr.RISTInvalidConfig, "\"@\" marks a receiver's URL")
	}
	addr, err := netip.ParseAddr(u.Host)
	if err != nil {
		return c, tsterr.New(tsterr.RISTURL, "%q is not an IP address", u.Host)
	}
	c.Addr = netip.AddrPortFrom(addr, u.Port)
	given := map[string]string{}
	for _, kv := range u.Query {
		if err := c.set(kv, given); err != nil {
			return c, err
		}
	}
	return c, c.finish(given)
}

func (c *Config) set(kv transport.KV, given map[string]string) error {
	var err error
	var n int64
	switch kv.Key {
	case "profile":
		names := map[string]Profile{"simple": Simple, "main": Main, "advanced": Advanced}
		p, ok := names[kv.Value]
		if !ok {
			return tsterr.New(tsterr.RISTURL, "profile=%s: simple, main or advanced", kv.Value)
		}
		c.Profile = p
	case "buffer":
		c.Buffer, err = kv.Millis(tsterr.RISTURL, 0, maxMillis)
	case "bandwidth", "recovery_maxbitrate":
		n, err = kv.Int(tsterr.RISTURL, 0, 1<<32-1)
		c.Bandwidth = uint32(n) //nolint:gosec // checked
	case "aes-type":
		n, err = kv.Int(tsterr.RISTURL, 0, 1<<16)
		if err == nil && n != 128 && n != 192 && n != 256 {
			err = tsterr.New(tsterr.RISTURL, "aes-type=%d: 128, 192 or 256", n)
		}
		c.KeySize = int(n)
	case "secret":
		c.Secret = kv.Value
	case "cname":
		c.Cname = kv.Value
	case "session_timeout":
		c.SessionTimeout, err = kv.Millis(tsterr.RISTURL, 0, maxMillis)
	case "idle_timeout":
		c.IdleTimeout, err = kv.Millis(tsterr.RISTURL, 0, maxMillis)
	case "compression":
		c.Compression, err = kv.Bool(tsterr.RISTURL)
	default:
		return nil
	}
	given[kv.Key] = kv.Value
	return err
}

// finish checks what only makes sense together. A secret is never dropped: either
// the link is encrypted or there is none.
func (c *Config) finish(given map[string]string) error {
	a, one := given["bandwidth"]
	b, two := given["recovery_maxbitrate"]
	if one && two && a != b {
		return tsterr.New(tsterr.RISTURL, "bandwidth=%s and recovery_maxbitrate=%s are the same thing", a, b)
	}
	_, size := given["aes-type"]
	_, secret := given["secret"]
	if size && !secret {
		return tsterr.New(tsterr.RISTURL, "aes-type without secret")
	}
	if secret && !size {
		c.KeySize = 256
	}
	return nil
}

// numbered reports whether messages travel as plain RTP, the simple profile in the clear, with numbers of ours.
func (c *Config) numbered() bool { return c.Profile == Simple && c.KeySize == 0 }

// Validate checks the ranges and settles the profile: encryption needs the main one.
func (c *Config) validate() error {
	switch {
	case !c.Addr.IsValid():
		return tsterr.New(tsterr.RISTURL, "no address")
	case c.KeySize != 0 && c.KeySize != 128 && c.KeySize != 192 && c.KeySize != 256:
		return tsterr.New(tsterr.RISTInvalidConfig, "AES of %d bits", c.KeySize)
	case len(c.Secret) > MaxSecret:
		return tsterr.New(tsterr.RISTInvalidConfig, "a secret of %d bytes: at most %d", len(c.Secret), MaxSecret)
	case len(c.Cname) > maxName:
		return tsterr.New(tsterr.RISTInvalidConfig, "a cname of %d bytes: at most %d", len(c.Cname), maxName)
	case c.KeySize == 0 && c.Secret != "":
		return tsterr.New(tsterr.RISTInvalidConfig, "a secret without a key size")
	case c.Profile < Simple || c.Profile > Advanced:
		return tsterr.New(tsterr.RISTInvalidConfig, "profile %d", c.Profile)
	}
	for i := range len(c.Secret) {
		if c.Secret[i] == 0 {
			return tsterr.New(tsterr.RISTInvalidConfig, "a NUL in the secret: librist would cut it there")
		}
	}
	if c.KeySize != 0 && c.Profile == Simple {
		c.Profile = Main
	}
	return nil
}

// Stats are librist's counters, of the direction the link has. They are brought up
// to date several times a second.
type Stats struct {
	Sent, Retransmitted          uint64
	Received, Missing, Recovered uint64
	Lost                         uint64 // never recovered
	BandwidthBps                 uint64
	RTTMicros                    uint64
}
