package srt

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/haivision/srtgo"
	"github.com/tstrans/tstrans/core/tsterr"
)

// open makes a configured socket.
func open(cfg Config, addr netip.AddrPort) (*srtgo.SrtSocket, sock, error) {
	start()
	s := srtgo.NewSrtSocket(addr.Addr().String(), addr.Port(), map[string]string{"blocking": "1", "transtype": "live"})
	if s == nil {
		return nil, 0, tsterr.New(tsterr.SRTIO, "libsrt gives no more sockets")
	}
	for _, v := range cfg.values {
		if v.opt.post {
			continue
		}
		if err := v.set(s); err != nil {
			s.Close()
			return nil, 0, err
		}
	}
	if cfg.IdleTimeout > 0 {
		_ = s.SetSockOptInt(optPeerIdle, int(cfg.IdleTimeout.Milliseconds())) // watched here as well: see Conn.watch
	}
	id := sock(s.GetSocket())
	nonblocking(id)
	return s, id, nil
}

// Dial connects, by calling or by rendezvous as cfg.Mode says.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	if cfg.Mode == Listening {
		return nil, invalid("a listener's URL cannot be dialled")
	}
	addr, err := resolve(cfg.Host, cfg.Port)
	if err != nil {
		return nil, err
	}
	limit := cfg.ConnectTimeout
	if limit == 0 && !cfg.Given("conntimeo") {
		limit = DefaultConnectTimeout
	}
	end := time.Now().Add(limit)
	for try := 0; ; try++ {
		s, id, err := open(cfg, addr)
		if err != nil {
			return nil, err
		}
		c, err := dial(ctx, cfg, s, id, addr, limit)
		if err == nil {
			return c, nil
		}
		again := try < redials && unexplained(err)
		s.Close()
		if limit = time.Until(end); !again || limit <= 0 {
			return nil, err
		}
	}
}

// unexplained tells a socket that broke on its way without a word from the peer or from libsrt, which happens
// to some dials among many at once and says nothing about the peer.
func unexplained(err error) bool {
	var e *tsterr.Error
	if !errors.As(err, &e) || e.Kind != tsterr.SRTConnectFailed {
		return false
	}
	for _, a := range e.Attrs {
		if a.Name == attrReject {
			return a.Value == unknownReason
		}
	}
	return false
}

func dial(ctx context.Context, cfg Config, s *srtgo.SrtSocket, id sock, addr netip.AddrPort, limit time.Duration) (*Conn, error) {
	_ = s.SetSockOptInt(optConnTimeout, int(limit.Milliseconds())+int(pollStep.Milliseconds()))
	if cfg.Mode == Rendezvous {
		if err := s.SetSockOptBool(optRendezvous, true); err != nil {
			return nil, tsterr.Wrap(tsterr.SRTConfigInvalid, err, "rendezvous")
		}
		any4 := netip.IPv4Unspecified()
		if addr.Addr().Is6() {
			any4 = netip.IPv6Unspecified()
			_ = s.SetSockOptInt(optIPv6Only, 1)
		}
		if no := bind(id, netip.AddrPortFrom(any4, cfg.LocalPort)); no != 0 {
			return nil, libError(no, tsterr.SRTConnectFailed, "bind")
		}
	}
	begun := time.Now()
	var broken time.Time
	if no := connect(id, addr); no != 0 {
		return nil, connectError(no, id)
	}
	for step := time.Millisecond; ; step = min(pollStep, step*2) {
		switch stateOf(id) {
		case stateConnected:
			for _, v := range cfg.values {
				if v.opt.post {
					if err := v.set(s); err != nil {
						return nil, err
					}
				}
			}
			c, err := newConn(id, s, cfg)
			if err == nil {
				c.peer = addr // libsrt does not name it on the calling side
			}
			return c, err
		case stateConnecting:
		default:
			// On its way from connecting to connected libsrt shows the socket as broken too. At its
			// end it is given a moment to say why.
			if broken.IsZero() && failed(id) {
				broken = time.Now()
			}
			if rejected(id) || !broken.IsZero() && time.Since(broken) > brokenGrace {
				return nil, connectError(0, id)
			}
		}
		if time.Since(begun) >= limit {
			return nil, tsterr.New(tsterr.SRTTimeout, "no answer from %v within %v", addr, limit)
		}
		t := time.NewTimer(step)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, tsterr.Wrap(tsterr.Cancelled, ctx.Err(), "connect")
		case <-t.C:
		}
	}
}
