package tcp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Listener accepts connections. With an Identity they are TLS.
type Listener struct {
	life *transport.Life
	ln   *net.TCPListener
	cfg  Config
	park sync.Mutex // orders a wait's deadline against Cancel's
	one  sync.Mutex // one Accept at a time
}

// Listen binds cfg.Host, an IP address, and cfg.Port; port 0 picks a free one.
func Listen(ctx context.Context, cfg Config) (*Listener, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if net.ParseIP(cfg.Host) == nil {
		return nil, tsterr.New(tsterr.TCPURL, "a listener binds an IP address, not %q", cfg.Host)
	}
	lc := net.ListenConfig{Control: cfg.buffers, KeepAlive: -1}
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
	if err != nil {
		return nil, ioError(err, "bind")
	}
	return &Listener{life: transport.NewLife(), ln: ln.(*net.TCPListener), cfg: cfg}, nil //nolint:forcetypeassert // TCP
}

// Port returns the bound port.
func (l *Listener) Port() uint16 {
	return l.ln.Addr().(*net.TCPAddr).AddrPort().Port() //nolint:forcetypeassert // a TCP listener's
}

// Accept waits up to timeout for a connection. A TLS handshake goes on in the
// background; the first read or write waits for it and tells its failure.
func (l *Listener) Accept(timeout time.Duration) (*Conn, error) {
	l.one.Lock()
	defer l.one.Unlock()
	if err := l.arm(timeout); err != nil {
		return nil, err
	}
	tc, err := l.ln.AcceptTCP()
	if err != nil {
		if lerr := l.life.Err("TCP accept"); lerr != nil {
			return nil, lerr
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, transport.Timeout("TCP accept")
		}
		return nil, ioError(err, "accept")
	}
	if err := l.cfg.apply(tc); err != nil {
		_ = tc.Close()
		return nil, err
	}
	if l.cfg.Identity == nil {
		return newConn(tc, nil, l.cfg)
	}
	return newConn(tc, tls.Server(tc, l.cfg.server()), l.cfg)
}

func (l *Listener) arm(timeout time.Duration) error {
	l.park.Lock()
	defer l.park.Unlock()
	if err := l.life.Err("TCP accept"); err != nil {
		return err
	}
	var t time.Time
	if timeout >= 0 {
		t = time.Now().Add(max(timeout, pollGrace))
	}
	if err := l.ln.SetDeadline(t); err != nil {
		return ioError(err, "deadline")
	}
	return nil
}

// FD returns the descriptor that turns readable when a connection waits.
func (l *Listener) FD() (uintptr, error) { return descriptor(l.ln) }

// Cancel ends parked and later accepts with tsterr.Cancelled.
func (l *Listener) Cancel() {
	l.park.Lock()
	defer l.park.Unlock()
	l.life.Cancel()
	_ = l.ln.SetDeadline(time.Unix(1, 0))
}

// Cancelled reports whether Cancel or Close was called.
func (l *Listener) Cancelled() bool { return l.life.Cancelled() }

// Close frees the port. Accepted connections stay.
func (l *Listener) Close() error {
	if !l.life.Close() {
		return nil
	}
	if err := l.ln.Close(); err != nil {
		return ioError(err, "close")
	}
	return nil
}

func descriptor(c syscall.Conn) (uintptr, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, ioError(err, "descriptor")
	}
	var out uintptr
	if err := raw.Control(func(fd uintptr) { out = fd }); err != nil {
		return 0, ioError(err, "descriptor")
	}
	return out, nil
}
