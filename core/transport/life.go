package transport

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	lifeOpen = iota
	lifeCancelled
	lifeClosed
)

// Life is the state a blocking object goes through: open, cancelled, closed.
// The zero value is not usable; NewLife makes one.
type Life struct {
	state atomic.Int32
	mu    sync.Mutex
	done  chan struct{}
}

// NewLife returns an open life.
func NewLife() *Life { return &Life{done: make(chan struct{})} }

// Cancel moves from open to cancelled and reports whether it was this call.
func (l *Life) Cancel() bool { return l.move(lifeCancelled) == lifeOpen }

// Close moves to closed and reports whether it was this call.
func (l *Life) Close() bool { return l.move(lifeClosed) != lifeClosed }

func (l *Life) move(to int32) int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.state.Load()
	if to > old {
		l.state.Store(to)
		if old == lifeOpen {
			close(l.done)
		}
	}
	return old
}

// Done is closed by the first Cancel or Close.
func (l *Life) Done() <-chan struct{} { return l.done }

// Cancelled reports whether Cancel or Close was called.
func (l *Life) Cancelled() bool { return l.state.Load() != lifeOpen }

// Closed reports whether Close was called.
func (l *Life) Closed() bool { return l.state.Load() == lifeClosed }

// Err is nil while open, then tsterr.Cancelled or tsterr.Closed.
func (l *Life) Err(what string) error {
	switch l.state.Load() {
	case lifeCancelled:
		return tsterr.New(tsterr.Cancelled, "%s: cancelled", what)
	case lifeClosed:
		return tsterr.New(tsterr.Closed, "%s: closed", what)
	}
	return nil
}

// Context returns a context that ends with the life or with the parent.
func (l *Life) Context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	stop := make(chan struct{})
	var once sync.Once
	go func() {
		select {
		case <-l.done:
			cancel()
		case <-stop:
		}
	}()
	return ctx, func() {
		cancel()
		once.Do(func() { close(stop) })
	}
}
