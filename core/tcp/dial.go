package tcp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Dial connects, and for TLS also shakes hands, within the connect timeout.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	limit := cfg.ConnectTimeout
	if limit == 0 {
		limit = DefaultConnectTimeout
	}
	cctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	d := net.Dialer{Control: cfg.buffers, KeepAlive: -1}
	nc, err := d.DialContext(cctx, "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
	if err != nil {
		return nil, dialError(ctx, err, limit)
	}
	tc := nc.(*net.TCPConn) //nolint:forcetypeassert // what Dial gives for tcp
	if err := cfg.apply(tc); err != nil {
		_ = tc.Close()
		return nil, err
	}
	if !cfg.TLS {
		return newConn(tc, nil, cfg)
	}
	sec := tls.Client(tc, cfg.client())
	if err := sec.HandshakeContext(cctx); err != nil {
		_ = tc.Close()
		return nil, handshakeError(ctx, err, limit)
	}
	return newConn(tc, sec, cfg)
}

func (c Config) client() *tls.Config {
	t := &tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	if c.Identity != nil {
		t.Certificates = []tls.Certificate{*c.Identity}
	}
	if c.AnyHost {
		t.InsecureSkipVerify = true //nolint:gosec // the chain is verified below, only the name is not
		t.VerifyConnection = func(cs tls.ConnectionState) error {
			opts := x509.VerifyOptions{Roots: c.Roots, Intermediates: x509.NewCertPool()}
			for _, cert := range cs.PeerCertificates[1:] {
				opts.Intermediates.AddCert(cert)
			}
			_, err := cs.PeerCertificates[0].Verify(opts)
			return err //nolint:wrapcheck // the handshake wraps it
		}
	}
	return t
}

func (c Config) server() *tls.Config {
	t := &tls.Config{Certificates: []tls.Certificate{*c.Identity}, MinVersion: tls.VersionTLS12}
	if c.ClientRoots != nil {
		t.ClientCAs, t.ClientAuth = c.ClientRoots, tls.RequireAndVerifyClientCert
	}
	return t
}

// buffers sets the socket buffers before connect or listen, when the window scale is agreed.
func (c Config) buffers(_, _ string, raw syscall.RawConn) error {
	var err error
	cerr := raw.Control(func(fd uintptr) {
		if c.ReceiveBuffer > 0 {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, c.ReceiveBuffer)
		}
		if err == nil && c.SendBuffer > 0 {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, c.SendBuffer)
		}
	})
	if cerr != nil {
		return cerr //nolint:wrapcheck // the caller adds what it was for
	}
	return err //nolint:wrapcheck // the caller adds what it was for
}

// apply sets what a made connection takes.
func (c Config) apply(tc *net.TCPConn) error {
	err := tc.SetNoDelay(!c.DelaySends)
	if err == nil && c.KeepAlive > 0 {
		err = tc.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: c.KeepAlive, Interval: c.KeepAlive, Count: 3})
	}
	if err == nil && c.IdleTimeout > 0 {
		// What was sent and stays unacknowledged for so long ends the connection (RFC 5482).
		err = userTimeout(tc, c.IdleTimeout)
	}
	if err != nil {
		return ioError(err, "socket options")
	}
	return nil
}

func userTimeout(tc *net.TCPConn, d time.Duration) error {
	raw, err := tc.SyscallConn()
	if err != nil {
		return err //nolint:wrapcheck // the caller adds what it was for
	}
	cerr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	})
	if cerr != nil {
		return cerr //nolint:wrapcheck // the caller adds what it was for
	}
	return err //nolint:wrapcheck // the caller adds what it was for
}

func dialError(ctx context.Context, err error, limit time.Duration) error {
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return tsterr.Wrap(tsterr.Cancelled, err, "connect")
	case errors.As(err, &dns):
		return tsterr.Wrap(tsterr.TCPIO, err, "cannot resolve")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return tsterr.Wrap(tsterr.TCPConnectTimeout, err, "no connection within %v", limit)
	}
	return ioError(err, "connect")
}

func handshakeError(ctx context.Context, err error, limit time.Duration) error {
	var header tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
		return tsterr.Wrap(tsterr.Cancelled, err, "TLS handshake")
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return tsterr.Wrap(tsterr.TCPConnectTimeout, err, "no TLS handshake within %v", limit)
	case errors.As(err, &header):
		return tsterr.Wrap(tsterr.TCPIO, err, "the peer does not speak TLS")
	}
	return tsterr.Wrap(tsterr.TCPTLS, err, "TLS handshake")
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
