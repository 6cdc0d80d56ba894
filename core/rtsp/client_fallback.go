package rtsp

import (
	"context"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// Some ways let the answer to SETUP pass and then no datagram: firewalls, address
// translation, containers. With TransportAuto a session that has heard nothing by
// UDP for a while opens a second one over TCP. Only when that one is set up do
// they change places, so a server that does no TCP, or only one client, costs
// nothing but the attempt. The first session stays what the application holds and
// hands its calls on.

// active is the session that plays: the one that followed, where one did.
func (s *Session) active() *Session {
	if n := s.heir.Load(); n != nil {
		return n
	}
	return s
}

// watches tells whether the session may have to fall back.
func (s *Session) watches() bool {
	return s.cfg.Transport == TransportAuto && s.cfg.UDPTimeout > 0 && !s.tcp.Load()
}

// heard tells whether any media came.
func (s *Session) heard() bool { return s.ingest.inbound().Packets > 0 }

// overdue tells whether the session plays and a first packet should have come.
func (s *Session) overdue(now time.Time) bool {
	since := s.playing.Load()
	return since != 0 && now.Sub(time.Unix(0, since)) >= s.cfg.UDPTimeout
}

// fallBack opens a session over TCP in the place of this one. Where that fails
// this one goes on.
func (s *Session) fallBack() {
	ctx, cancel := s.life.Context(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.closed: // torn down, or lost: there is nothing to replace
			cancel()
		case <-ctx.Done():
		}
	}()
	cfg := s.cfg
	cfg.Transport = TransportTCP
	nc, err := connect(ctx, &cfg, s.target)
	if err != nil {
		return
	}
	n := newSession(cfg, s.target, nc, s.life, s.data)
	n.silent = true
	n.loops.Add(1)
	go n.read()
	if err := n.prepare(ctx); err != nil {
		_ = n.Teardown() // says goodbye to a session half made
		return
	}
	s.reqMu.Lock()
	defer s.reqMu.Unlock()
	if !s.yield(n) {
		_ = n.Teardown() // nobody needs it
		return
	}
	if err := n.play(ctx); err != nil {
		n.pmu.Lock()
		n.silent = true
		n.pmu.Unlock()
		s.heir.Store(nil)
		s.pmu.Lock()
		s.silent = false
		s.pmu.Unlock()
		_ = n.Teardown() // see above
		return
	}
	n.loops.Add(1)
	go n.tend()
	bye, stop := context.WithTimeout(context.Background(), farewellTimeout)
	defer stop()
	_, _ = s.do(bye, base.Teardown, s.controlURL, nil) // the server forgets it either way
	_ = s.w.nc.Close()
}

// yield lets n speak for this session, unless that is over, paused or heard
// something after all.
func (s *Session) yield(n *Session) bool {
	s.pmu.Lock()
	defer s.pmu.Unlock()
	if s.torn || s.reason != EndNone || s.life.Cancelled() || s.playing.Load() == 0 || s.heard() {
		return false
	}
	s.silent = true
	n.pmu.Lock()
	n.silent = false
	n.pmu.Unlock()
	s.heir.Store(n)
	return true
}
