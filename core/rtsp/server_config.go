package rtsp

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Defaults of a server.
const (
	DefaultMaxSessions    = 100
	DefaultSessionTimeout = 60 * time.Second
	DefaultFanout         = 256
	DefaultDrain          = 2 * time.Second
)

// ServerConfig says where a server listens and what it allows.
type ServerConfig struct {
	// BindAddr is ip, ip:port or [v6]:port, with or without rtsp:// or rtsps://
	// before it. The port defaults to 554; 0 picks one.
	BindAddr string
	// Credentials that clients must have. It defaults to none.
	Credentials Credentials
	// MaxSessions is the most connections at a time. It defaults to 100.
	MaxSessions int
	// SessionTimeout is what clients are told; twice as long a silence ends a
	// session. It defaults to 60 s.
	SessionTimeout time.Duration
	// MessageTimeout is how long a request may take from its first byte to its
	// last, and a TLS handshake. It defaults to 10 s.
	MessageTimeout time.Duration
	// Fanout is how many packets may wait for a client before the oldest go. It
	// defaults to 256.
	Fanout int
	// CertPEM and KeyPEM turn TLS on.
	CertPEM, KeyPEM []byte
	// AcceptUnregistered takes publishers on paths that no mount has.
	AcceptUnregistered bool
}

// bindAddress reads BindAddr.
func (c *ServerConfig) bindAddress() (a netip.AddrPort, wantsTLS bool, err error) {
	s := c.BindAddr
	if i := strings.Index(s, "://"); i >= 0 {
		switch strings.ToLower(s[:i]) {
		case "rtsp":
		case "rtsps":
			wantsTLS = true
		default:
			return a, false, tsterr.New(tsterr.RTSPProtocol, "bind address %q is not of rtsp:// or rtsps://", s)
		}
		s = strings.TrimSuffix(s[i+3:], "/")
	}
	if ip, perr := netip.ParseAddr(strings.Trim(s, "[]")); perr == nil {
		return netip.AddrPortFrom(ip, DefaultPort), wantsTLS, nil
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return a, false, tsterr.New(tsterr.RTSPProtocol, "bind address %q is not an IP address", c.BindAddr)
	}
	ip, perr := netip.ParseAddr(strings.Trim(s[:i], "[]"))
	if perr != nil {
		return a, false, tsterr.New(tsterr.RTSPProtocol, "bind address %q is not an IP address", c.BindAddr)
	}
	port, perr := strconv.ParseUint(s[i+1:], 10, 16)
	if perr != nil {
		return a, false, tsterr.New(tsterr.RTSPProtocol, "bind address %q has no good port", c.BindAddr)
	}
	return netip.AddrPortFrom(ip, uint16(port)), wantsTLS, nil
}

// validate fills in the defaults and checks the ranges.
func (c *ServerConfig) validate() error {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.MaxSessions, DefaultMaxSessions)
	def(&c.Fanout, DefaultFanout)
	if c.MessageTimeout <= 0 {
		c.MessageTimeout = requestTimeout
	}
	if c.SessionTimeout == 0 {
		c.SessionTimeout = DefaultSessionTimeout
	}
	bad := func(field, format string, args ...any) error {
		return tsterr.At(tsterr.InvalidArg, field, tsterr.NoOffset, format, args...)
	}
	switch {
	case c.MaxSessions < 0:
		return bad("max_sessions", "max_sessions must be positive")
	case c.Fanout < 0 || c.Fanout > 1<<20:
		return bad("fanout_capacity", "fanout_capacity must be 1 to %d packets", 1<<20)
	case c.SessionTimeout < 0:
		return bad("session_timeout_secs", "session_timeout_secs must be positive")
	}
	return c.Credentials.validate()
}

// tlsConfig is nil for a server without TLS.
func (c *ServerConfig) tlsConfig(wanted bool) (*tls.Config, error) {
	if len(c.CertPEM) == 0 && len(c.KeyPEM) == 0 {
		if wanted {
			return nil, tsterr.New(tsterr.RTSPTLS, "rtsps:// needs a certificate and a key")
		}
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	cert, err := tls.X509KeyPair(c.CertPEM, c.KeyPEM)
	if err != nil {
		return nil, tsterr.Wrap(tsterr.RTSPTLS, err, "certificate and key")
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// maxPath is how long a mount's path may be: a request's URL has at most 2,048 bytes.
const maxPath = 1900

// checkPath checks the path of a mount.
func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") || len(path) > maxPath {
		return tsterr.New(tsterr.RTSPMount, "path %q does not begin with / or is too long", path)
	}
	for _, c := range []byte(path) {
		if c < ' ' || c == 0x7F || c == '?' || c == '#' {
			return tsterr.New(tsterr.RTSPMount, "path %q has a reserved character", path)
		}
	}
	return nil
}
