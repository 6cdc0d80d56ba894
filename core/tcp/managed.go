package tcp

import (
	"context"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// acceptSlice is how often a waiting accept looks at its context.
const acceptSlice = 50 * time.Millisecond

// source gives one connection after the other: dialled, or accepted on a port that
// is kept from the first to the last.
type source struct {
	cfg Config
	ln  *Listener // nil for one that dials
}

func newSource(ctx context.Context, cfg Config, listen bool) (*source, error) {
	s := &source{cfg: cfg}
	if listen {
		var err error
		if s.ln, err = Listen(ctx, cfg); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *source) next(ctx context.Context) (*Conn, error) {
	if s.ln == nil {
		return Dial(ctx, s.cfg)
	}
	for {
		if ctx.Err() != nil {
			return nil, tsterr.Wrap(tsterr.Cancelled, ctx.Err(), "accept")
		}
		c, err := s.ln.Accept(acceptSlice)
		if !transport.IsTimeout(err) {
			return c, err
		}
	}
}

func (s *source) close() {
	if s.ln != nil {
		_ = s.ln.Close()
	}
}

// local is the address listened on, "" for one that dials.
func (s *source) local() string {
	if s.ln == nil {
		return ""
	}
	return net.JoinHostPort(s.cfg.Host, strconv.Itoa(int(s.ln.Port())))
}

// ManagedSender is a reconnecting writer over TCP.
type ManagedSender struct {
	*transport.ManagedWriter
	src *source
}

// NewManagedSender dials, or binds and waits for a first connection, and keeps
// replacing the connection after the policy.
func NewManagedSender(ctx context.Context, cfg Config, listen bool, pol transport.Policy) (*ManagedSender, error) {
	s, err := newSource(ctx, cfg, listen)
	if err != nil {
		return nil, err
	}
	w, err := transport.OpenManagedWriter(ctx, pol, func(ctx context.Context) (transport.Writer, error) {
		return typed[transport.Writer](s.next(ctx))
	})
	if err != nil {
		s.close()
		return nil, err
	}
	return &ManagedSender{w, s}, nil
}

// LocalAddr is the address listened on, "" for one that dials.
func (m *ManagedSender) LocalAddr() string { return m.src.local() }

// Close implements transport.Object.
func (m *ManagedSender) Close() error {
	err := m.ManagedWriter.Close()
	m.src.close()
	return err
}

// ManagedReceiver is a reconnecting reader over TCP.
type ManagedReceiver struct {
	*transport.ManagedReader
	src *source
}

// NewManagedReceiver dials, or binds and waits for a first connection, and keeps
// replacing the connection after the policy.
func NewManagedReceiver(ctx context.Context, cfg Config, listen bool, pol transport.Policy) (*ManagedReceiver, error) {
	s, err := newSource(ctx, cfg, listen)
	if err != nil {
		return nil, err
	}
	r, err := transport.OpenManagedReader(ctx, pol, func(ctx context.Context) (transport.Reader, error) {
		return typed[transport.Reader](s.next(ctx))
	})
	if err != nil {
		s.close()
		return nil, err
	}
	return &ManagedReceiver{r, s}, nil
}

// LocalAddr is the address listened on, "" for one that dials.
func (m *ManagedReceiver) LocalAddr() string { return m.src.local() }

// Close implements transport.Object.
func (m *ManagedReceiver) Close() error {
	err := m.ManagedReader.Close()
	m.src.close()
	return err
}

// typed keeps a nil *Conn from becoming a non-nil interface.
func typed[T any](c *Conn, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return any(c).(T), nil //nolint:forcetypeassert // Conn is both reader and writer
}

// Outstanding implements transport.Outstanding: what the peer's host has not
// acknowledged. It is exact, and stays so after the connection broke; what that
// host acknowledged and its user never read, nobody can tell. Over TLS it
// includes the records' own bytes.
func (c *Conn) Outstanding() uint64 {
	n := 0
	ask := func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) } //nolint:gosec // a descriptor
	c.park.Lock()
	defer c.park.Unlock()
	switch {
	case c.freed:
	case c.plain != nil:
		ask(uintptr(c.plain.fd)) //nolint:gosec // a descriptor
	default:
		if raw, err := c.tcp.SyscallConn(); err == nil {
			_ = raw.Control(ask)
		}
	}
	return uint64(max(0, n))
}
