package srt

import (
	"context"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// managedConnect and managedLinger are what a reconnecting sender uses where its
	// URL says nothing: it would rather wait than give up.
	managedConnect = 15 * time.Second
	managedLinger  = 5
	// takeoverSilence is how long a link must have been silent before a peer of the
	// same address and stream id that came anew replaces it.
	takeoverSilence = 200 * time.Millisecond
)

// NewManagedSender connects once, without retries, and keeps the link replaced
// after the policy.
func NewManagedSender(ctx context.Context, cfg Config, pol transport.Policy) (*transport.ManagedWriter, error) {
	cfg = cfg.clone()
	if !cfg.Given("conntimeo") {
		cfg.ConnectTimeout = managedConnect
	}
	if cfg.Linger < 0 {
		cfg.Linger = managedLinger
	}
	return transport.OpenManagedWriter(ctx, pol, func(ctx context.Context) (transport.Writer, error) {
		return typed[transport.Writer](Dial(ctx, cfg))
	})
}

// typed keeps a nil *Conn from becoming a non-nil interface.
func typed[T any](c *Conn, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return any(c).(T), nil //nolint:forcetypeassert // Conn is both reader and writer
}

// ManagedReceiver is a reconnecting reader. As a listener it keeps its port from
// the first peer to the last, so no caller meets a closed door.
type ManagedReceiver struct {
	*transport.ManagedReader
	src *source
}

// source gives one link after the other.
type source struct {
	cfg Config
	ln  *Listener // nil for a caller

	mu    sync.Mutex
	link  *Conn // the present one
	spare *Conn // accepted, and not of the present one's peer
}

// NewManagedReceiver waits for the first link, for ever when it listens, and keeps
// it replaced after the policy.
func NewManagedReceiver(ctx context.Context, cfg Config, pol transport.Policy) (*ManagedReceiver, error) {
	if err := pol.Validate(); err != nil {
		return nil, err
	}
	s := &source{cfg: cfg.clone()}
	if cfg.Mode == Listening {
		var err error
		if s.ln, err = Listen(ctx, cfg); err != nil {
			return nil, err
		}
	}
	first, err := s.next(ctx)
	if err != nil {
		s.close()
		return nil, err
	}
	takeover := s.takeover
	if s.ln == nil {
		takeover = nil
	}
	r, err := transport.NewManagedReader(first, pol, s.next, takeover)
	if err != nil {
		s.close()
		return nil, err
	}
	return &ManagedReceiver{r, s}, nil
}

func (s *source) next(ctx context.Context) (transport.Reader, error) {
	s.mu.Lock()
	c := s.spare
	s.spare = nil
	s.mu.Unlock()
	var err error
	if c == nil {
		if s.ln != nil {
			c, err = s.ln.AcceptContext(ctx)
		} else {
			c, err = Dial(ctx, s.cfg)
		}
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = c
	return c, nil
}

// takeover looks for a caller that waits while the present link is silent.
func (s *source) takeover(silent time.Duration) transport.Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if silent < takeoverSilence || s.spare != nil {
		return nil
	}
	c, err := s.ln.Accept(0)
	if err != nil {
		return nil
	}
	if s.link == nil || c.PeerAddr().Addr() != s.link.PeerAddr().Addr() || c.StreamID() != s.link.StreamID() {
		s.spare = c // its turn comes when the present link ends
		return nil
	}
	s.link = c
	return c
}

// LocalAddr returns the address listened on, or the present link's.
func (r *ManagedReceiver) LocalAddr() string {
	if r.src.ln != nil {
		return r.src.ln.LocalAddr().String()
	}
	r.src.mu.Lock()
	defer r.src.mu.Unlock()
	return r.src.link.LocalAddr().String()
}

// Details returns libsrt's counters of the present link; zeros while there is none.
func (r *ManagedReceiver) Details() Stats { return CurrentDetails(r.Current()) }

// CurrentDetails returns libsrt's counters when link is one of this package.
func CurrentDetails(link any) Stats {
	if c, ok := link.(*Conn); ok && c != nil {
		return c.Details()
	}
	return Stats{}
}

// Close implements transport.Object.
func (r *ManagedReceiver) Close() error {
	err := r.ManagedReader.Close()
	r.src.close()
	return err
}

func (s *source) close() {
	if s.ln != nil {
		_ = s.ln.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spare != nil {
		_ = s.spare.Close()
		s.spare = nil
	}
}

// Receive binds, waits for one caller, and stops listening: what a plain receiver
// does. ctx bounds the wait.
func Receive(ctx context.Context, cfg Config) (*Conn, error) {
	if cfg.Mode != Listening {
		return nil, tsterr.New(tsterr.SRTConfigInvalid, "receiving needs mode=listener")
	}
	l, err := Listen(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	return l.AcceptContext(ctx)
}
