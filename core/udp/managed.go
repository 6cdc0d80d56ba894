package udp

import (
	"context"

	"github.com/tstrans/tstrans/core/transport"
)

// NewManagedSender makes a socket and replaces it after the policy when the system
// reports it broken: an interface that went away, a route that is gone. UDP itself
// reports no loss.
func NewManagedSender(ctx context.Context, cfg SenderConfig, pol transport.Policy) (*transport.ManagedWriter, error) {
	return transport.OpenManagedWriter(ctx, pol, func(ctx context.Context) (transport.Writer, error) {
		s, err := Dial(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return s, nil
	})
}

// NewManagedReceiver binds, and binds and joins again after the policy when nothing
// came for the idle timeout: a group that a switch forgot is joined anew, and what
// comes then begins with a discontinuity.
func NewManagedReceiver(ctx context.Context, cfg ReceiverConfig, pol transport.Policy) (*transport.ManagedReader, error) {
	return transport.OpenManagedReader(ctx, pol, func(ctx context.Context) (transport.Reader, error) {
		r, err := Listen(ctx, cfg)
		if err != nil {
			return nil, err
		}
		cfg.Port = r.Port() // a port the system picked stays the same
		return r, nil
	})
}
