// Package tcp moves a plain byte stream over TCP (RFC 9293) or TLS (RFC 8446).
// There is no framing: a message read is whatever arrived.
package tcp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Bounds and defaults of the options.
const (
	DefaultConnectTimeout = 10 * time.Second
	// DefaultPacketSize is the longest single send, in bytes.
	DefaultPacketSize = 65536
	// MaxSocketBuffer bounds SO_SNDBUF and SO_RCVBUF in bytes.
	MaxSocketBuffer = 1 << 30
	// MaxSeconds bounds the options given in seconds.
	MaxSeconds = 1 << 31 / 1000
)

// Config says how one connection is made; the listener's applies to what it accepts.
type Config struct {
	Host string
	Port uint16
	TLS  bool
	// DelaySends turns TCP_NODELAY off. It defaults to false: nodelay is on.
	DelaySends bool
	// KeepAlive is the time between probes on an idle connection, whole seconds.
	// It defaults to 0: no probes.
	KeepAlive time.Duration
	// ReceiveBuffer and SendBuffer are SO_RCVBUF and SO_SNDBUF in bytes; 0 leaves the system's.
	ReceiveBuffer, SendBuffer int
	// PacketSize is the longest single send in bytes. It defaults to 65536.
	PacketSize *int
	// ConnectTimeout bounds connect and TLS handshake. It defaults to 10 s.
	ConnectTimeout time.Duration
	// IdleTimeout ends a receive with TCPBroken when nothing came for so long, and
	// a send when the peer took nothing for so long. It defaults to 0: never.
	IdleTimeout time.Duration
	// Identity is the certificate shown to the peer; nil for none.
	Identity *tls.Certificate
	// Roots replaces the system's certificate authorities; nil keeps them.
	Roots *x509.CertPool
	// ClientRoots makes a listener ask for a client certificate signed by one of these.
	ClientRoots *x509.CertPool
	// AnyHost accepts a certificate that does not name the dialled host; its chain is still verified.
	AnyHost bool
}

func (c Config) packetSize() int {
	if c.PacketSize != nil {
		return *c.PacketSize
	}
	return DefaultPacketSize
}

// ParseURL reads tcp://host:port or tcps://host:port with the keys nodelay,
// keepalive (s), rcvbuf, sndbuf, connect_timeout (s), idle_timeout (ms), ca, cert and key
// (PEM files). Other keys are ignored.
func ParseURL(raw string) (Config, error) {
	var c Config
	u, err := transport.ParseURL(raw, tsterr.TCPURL, "tcp", "tcps")
	if err != nil {
		return c, err
	}
	if u.Host == "" {
		return c, tsterr.New(tsterr.TCPURL, "no host in URL")
	}
	c.Host, c.Port, c.TLS = u.Host, u.Port, u.Scheme == "tcps"
	var cert, key string
	for _, kv := range u.Query {
		switch kv.Key {
		case "nodelay":
			var on bool
			on, err = kv.Bool(tsterr.TCPURL)
			c.DelaySends = !on
		case "keepalive":
			c.KeepAlive, err = seconds(kv)
		case "connect_timeout":
			c.ConnectTimeout, err = seconds(kv)
		case "idle_timeout":
			c.IdleTimeout, err = kv.Millis(tsterr.TCPURL, 0, 1<<31-1)
		case "rcvbuf":
			c.ReceiveBuffer, err = kv.Size(tsterr.TCPURL, MaxSocketBuffer)
		case "sndbuf":
			c.SendBuffer, err = kv.Size(tsterr.TCPURL, MaxSocketBuffer)
		case "ca":
			c.Roots, err = LoadRoots(kv.Value)
		case "cert":
			cert = kv.Value
		case "key":
			key = kv.Value
		}
		if err != nil {
			return c, err
		}
	}
	if cert != "" || key != "" {
		c.Identity, err = LoadIdentity(cert, key)
	}
	return c, err
}

// seconds reads a time. Zero, which the system refuses, comes back negative for Validate
// to refuse: an option set beside the URL may still replace it.
func seconds(kv transport.KV) (time.Duration, error) {
	n, err := kv.Int(tsterr.TCPURL, 0, MaxSeconds)
	if err == nil && n == 0 {
		return -1, nil
	}
	return time.Duration(n) * time.Second, err
}

// Validate checks the ranges.
func (c Config) Validate() error {
	switch {
	case c.KeepAlive < 0 || c.KeepAlive > 0 && c.KeepAlive < time.Second:
		return tsterr.New(tsterr.TCPIO, "keepalive below one second")
	case c.ConnectTimeout < 0:
		return tsterr.New(tsterr.TCPIO, "connect timeout of nothing: a connection takes time")
	}
	return nil
}

// LoadRoots reads certificate authorities from a PEM file.
func LoadRoots(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, ioError(err, "CA file")
	}
	return Roots(pem)
}

// Roots reads certificate authorities from PEM.
func Roots(pem []byte) (*x509.CertPool, error) {
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		return nil, tsterr.New(tsterr.TCPTLS, "no certificate in the CA PEM")
	}
	return p, nil
}

// LoadIdentity reads a certificate chain and its key from PEM files.
func LoadIdentity(cert, key string) (*tls.Certificate, error) {
	c, err := os.ReadFile(cert) //nolint:gosec // the user names the file
	if err != nil {
		return nil, ioError(err, "certificate file")
	}
	k, err := os.ReadFile(key) //nolint:gosec // the user names the file
	if err != nil {
		return nil, ioError(err, "key file")
	}
	return Identity(c, k)
}

// Identity reads a certificate chain and its key from PEM.
func Identity(cert, key []byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, tsterr.Wrap(tsterr.TCPTLS, err, "certificate and key")
	}
	return &pair, nil
}

func ioError(err error, what string) *tsterr.Error { return systemError(tsterr.TCPIO, err, what) }

func systemError(k tsterr.Kind, err error, what string) *tsterr.Error {
	e := tsterr.Wrap(k, err, "%s", what)
	var no syscall.Errno
	if errors.As(err, &no) {
		e = e.With("errno", int64(no))
	}
	return e
}
