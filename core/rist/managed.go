package rist

import (
	"context"

	"github.com/tstrans/tstrans/core/transport"
)

// NewManagedSender makes a sender and replaces it after the policy when librist
// takes no more. An absent receiver is no fault: librist meets the next one by itself.
func NewManagedSender(ctx context.Context, cfg Config, pol transport.Policy) (*transport.ManagedWriter, error) {
	return transport.OpenManagedWriter(ctx, pol, func(ctx context.Context) (transport.Writer, error) {
		s, err := Dial(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return s, nil
	})
}

// NewManagedReceiver binds, and binds again after the policy when nothing came for
// the idle timeout: what comes then begins with a discontinuity.
func NewManagedReceiver(ctx context.Context, cfg Config, pol transport.Policy) (*transport.ManagedReader, error) {
	return transport.OpenManagedReader(ctx, pol, func(ctx context.Context) (transport.Reader, error) {
		r, err := Listen(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return r, nil
	})
}
