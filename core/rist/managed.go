package rist

import (
	"context"

	"github.com/tstrans/tstrans/core/transport"
)

// NewManagedSender makes a sender, whose receiver may come later, and replaces it after the policy when that
// receiver is gone: when nobody listens at its port any more, or it was not heard for the idle
// timeout, or was not for a while and answers a new sender but not the old one. Links that
// are replaced want a receiver that answers.
//
// What never arrived is sent again from the gap buffer. What arrived and was not due yet, by the
// buffer of this side, is counted as lost.
func NewManagedSender(ctx context.Context, cfg Config, pol transport.Policy) (*transport.ManagedWriter, error) {
	cfg.managed = !cfg.Addr.Addr().IsMulticast()
	var last *Sender
	return transport.OpenManagedWriter(ctx, pol, func(ctx context.Context) (transport.Writer, error) {
		s, err := Dial(ctx, cfg)
		if err != nil {
			return nil, err
		}
		if last != nil && cfg.managed {
			if err := s.meet(ctx, last); err != nil {
				_ = s.Close()
				return nil, err
			}
		}
		last = s
		return s, nil
	})
}

// NewManagedReceiver binds, and binds again after the policy when nothing came for
// the idle timeout. What comes then, or from a sender that came anew, begins with a discontinuity.
func NewManagedReceiver(ctx context.Context, cfg Config, pol transport.Policy) (*transport.ManagedReader, error) {
	cfg.managed = true
	return transport.OpenManagedReader(ctx, pol, func(ctx context.Context) (transport.Reader, error) {
		r, err := Listen(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return r, nil
	})
}
