package srt

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/haivision/srtgo"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Listener accepts callers. Those with a wrong or missing passphrase are refused
// during the handshake and never show here.
type Listener struct {
	id    sock
	own   *srtgo.SrtSocket
	life  *transport.Life
	cfg   Config
	local netip.AddrPort
	one   sync.Mutex // one Accept at a time
	once  sync.Once
}

// Listen binds and listens.
func Listen(_ context.Context, cfg Config) (*Listener, error) {
	if cfg.Mode != Listening {
		return nil, invalid("listening needs mode=listener")
	}
	addr, err := resolve(cfg.Host, cfg.Port)
	if err != nil {
		return nil, err
	}
	s, id, err := open(cfg, addr)
	if err != nil {
		return nil, err
	}
	if addr.Addr().Is6() && addr.Addr().IsUnspecified() && !cfg.Given("ipv6only") {
		_ = s.SetSockOptInt(optIPv6Only, 0) // libsrt refuses to bind "::" without a decision
	}
	if no := bind(id, addr); no != 0 {
		s.Close()
		return nil, libError(no, tsterr.SRTConnectFailed, "bind "+addr.String())
	}
	if no := listen(id); no != 0 {
		s.Close()
		return nil, libError(no, tsterr.SRTConnectFailed, "listen")
	}
	l := &Listener{id: id, own: s, life: transport.NewLife(), cfg: cfg}
	l.local, _ = sockName(id, false)
	return l, nil
}

// LocalAddr returns the bound address.
func (l *Listener) LocalAddr() netip.AddrPort { return l.local }

// Accept waits up to timeout for a caller.
func (l *Listener) Accept(timeout time.Duration) (*Conn, error) {
	l.one.Lock()
	defer l.one.Unlock()
	begun := time.Now()
	for {
		if err := l.life.Err("SRT accept"); err != nil {
			return nil, err
		}
		id, no := accept(l.id)
		if no == 0 {
			c, err := newConn(id, nil, l.cfg)
			if err != nil {
				closeSocket(id, 0)
				continue // it went as fast as it came
			}
			return c, nil
		}
		if err := libError(no, tsterr.SRTAcceptFailed, "accept"); !transport.IsTimeout(err) {
			if lerr := l.life.Err("SRT accept"); lerr != nil {
				return nil, lerr
			}
			return nil, err
		}
		wait := pollStep
		if timeout >= 0 {
			left := timeout - time.Since(begun)
			if left <= 0 {
				return nil, transport.Timeout("SRT accept")
			}
			wait = min(wait, left)
		}
		t := time.NewTimer(wait)
		select {
		case <-l.life.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// AcceptContext is Accept bounded by a context.
func (l *Listener) AcceptContext(ctx context.Context) (*Conn, error) {
	for {
		if ctx.Err() != nil {
			return nil, tsterr.Wrap(tsterr.Cancelled, ctx.Err(), "accept")
		}
		c, err := l.Accept(waitSlice)
		if !transport.IsTimeout(err) {
			return c, err
		}
	}
}

// Cancel ends parked and later accepts with tsterr.Cancelled.
func (l *Listener) Cancel() { l.life.Cancel() }

// Cancelled reports whether Cancel or Close was called.
func (l *Listener) Cancelled() bool { return l.life.Cancelled() }

// Close frees the port. Accepted connections stay.
func (l *Listener) Close() error {
	if l.life.Close() {
		l.once.Do(func() {
			soon(func() {
				closeSocket(l.id, 0)
				l.own.Close() // so that its finalizer does not
			})
		})
	}
	return nil
}
