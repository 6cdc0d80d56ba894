package transport

import (
	"context"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// takeoverSlice is how often a silent link is held against a peer that came anew.
const takeoverSlice = 100 * time.Millisecond

// ManagedReader replaces the link under it when it breaks, after its policy. The
// first messages of a new link come with tsterr.Discontinuity.
type ManagedReader struct {
	dial func(ctx context.Context) (Reader, error)
	// takeover returns a link of the same peer that came while the present one is
	// silent, or nil. It may be nil itself.
	takeover func(silent time.Duration) Reader
	pol      Policy
	life     *Life
	sem      chan struct{}

	mu       sync.Mutex // guards what follows; never held across dial or an inner read
	changed  chan struct{}
	cur      Reader
	state    linkState
	fresh    bool // the present link has not delivered yet and is not the first
	lastData time.Time
	end      error
	reason   EndReason
	rs       ReconnectStats
	base     Stats
	workers  sync.WaitGroup
}

// NewManagedReader wraps a first link. dial makes the next ones; its context ends
// with Cancel and Close.
func NewManagedReader(first Reader, pol Policy, dial func(ctx context.Context) (Reader, error),
	takeover func(silent time.Duration) Reader,
) (*ManagedReader, error) {
	if err := pol.Validate(); err != nil {
		return nil, err
	}
	return &ManagedReader{
		dial: dial, takeover: takeover, pol: pol, life: NewLife(), sem: make(chan struct{}, 1),
		changed: make(chan struct{}), cur: first, lastData: time.Now(),
	}, nil
}

// OpenManagedReader makes a first link, without retries, and wraps it.
func OpenManagedReader(ctx context.Context, pol Policy, dial func(ctx context.Context) (Reader, error)) (*ManagedReader, error) {
	if err := pol.Validate(); err != nil {
		return nil, err
	}
	first, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return NewManagedReader(first, pol, dial, nil)
}

// ReadBatch receives from the present link and waits for the next one when it
// broke. Once the attempts are used up it returns tsterr.EOS for ever.
func (r *ManagedReader) ReadBatch(arena []byte, spans []Span, timeout time.Duration) (int, error) {
	t := newTimer(timeout)
	defer t.stop()
	select {
	case r.sem <- struct{}{}:
	default:
		select {
		case r.sem <- struct{}{}:
		case <-r.life.Done():
			return 0, r.life.Err("receive")
		case <-t.c():
			return 0, Timeout("receive")
		}
	}
	defer func() { <-r.sem }()
	for {
		if err := r.life.Err("receive"); err != nil {
			return 0, err
		}
		n, again, err := r.step(arena, spans, &t)
		if !again {
			return n, err
		}
	}
}

func (r *ManagedReader) step(arena []byte, spans []Span, t *timer) (n int, again bool, err error) {
	r.mu.Lock()
	cur, state, ch := r.cur, r.state, r.changed
	r.mu.Unlock()
	switch state {
	case linkDead:
		return 0, false, r.end
	case linkDown:
		select {
		case <-ch:
			return 0, true, nil
		case <-r.life.Done():
			return 0, false, r.life.Err("receive")
		case <-t.c():
			return 0, false, Timeout("receive: reconnecting")
		}
	case linkUp:
	}
	wait, sliced := t.left(), false
	if r.takeover != nil && (wait < 0 || wait > takeoverSlice) {
		wait, sliced = takeoverSlice, true
	}
	n, err = cur.ReadBatch(arena, spans, wait)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case n > 0:
		r.lastData = time.Now()
		if r.fresh {
			r.fresh = false
			return n, false, tsterr.New(tsterr.Discontinuity, "the link was replaced")
		}
		if tsterr.KindOf(err) == tsterr.Discontinuity { // what it receives on was taken over by another peer
			r.rs.Attempts++
			r.rs.Successes++
		}
		return n, false, err
	case IsTimeout(err):
		return 0, r.replace(cur) || sliced, err
	case err != nil && Lost(err) && !r.life.Cancelled(): // Close waits for workers: none may start after it
		r.base = addStats(r.base, cur.Stats())
		r.cur, r.state, r.rs.Reconnecting = nil, linkDown, true
		r.workers.Add(1)
		go r.reconnect(cur)
		return 0, true, nil
	}
	if e := r.life.Err("receive"); e != nil && err != nil {
		err = e
	}
	return 0, false, err
}

// replace puts a waiting link of the same peer in the place of a silent one. mu is held.
func (r *ManagedReader) replace(cur Reader) bool {
	if r.takeover == nil || r.life.Cancelled() {
		return false
	}
	next := r.takeover(time.Since(r.lastData))
	if next == nil {
		return false
	}
	r.base = addStats(r.base, cur.Stats())
	r.cur, r.fresh, r.lastData = next, true, time.Now()
	r.rs.Attempts++
	r.rs.Successes++
	r.workers.Add(1)
	go func() {
		defer r.workers.Done()
		_ = cur.Close()
	}()
	return true
}

func (r *ManagedReader) reconnect(old Reader) {
	defer r.workers.Done()
	_ = old.Close()
	ctx, cancel := r.life.Context(context.Background())
	defer cancel()
	for n := 1; r.pol.MaxAttempts < 0 || n <= r.pol.MaxAttempts; n++ {
		if !sleep(r.life, r.pol.Backoff.Wait(n)) {
			return
		}
		r.mu.Lock()
		r.rs.Attempts++
		r.mu.Unlock()
		link, err := r.dial(ctx)
		r.mu.Lock()
		if err == nil && r.life.Cancelled() {
			r.mu.Unlock()
			_ = link.Close()
			return
		}
		if err == nil {
			r.cur, r.state, r.fresh, r.lastData, r.rs.Reconnecting = link, linkUp, true, time.Now(), false
			r.rs.Successes++
			r.signal()
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finish(EndExhausted)
	r.end = tsterr.New(tsterr.EOS, "no link after %d attempts", r.pol.MaxAttempts)
	r.state, r.rs.Reconnecting = linkDead, false
	r.signal()
}

func (r *ManagedReader) signal() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *ManagedReader) finish(why EndReason) {
	if r.reason == EndNone {
		r.reason = why
	}
}

// EndReason tells why reading ended, EndNone while it has not. The first one sticks.
func (r *ManagedReader) EndReason() EndReason {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}

// Stats adds up the links so far.
func (r *ManagedReader) Stats() Stats {
	r.mu.Lock()
	cur, base := r.cur, r.base
	r.mu.Unlock()
	if cur == nil {
		return base
	}
	return addStats(base, cur.Stats())
}

// Reconnects returns the counters of the wrapper itself.
func (r *ManagedReader) Reconnects() ReconnectStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rs
}

// Current returns the present link, nil while there is none.
func (r *ManagedReader) Current() Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cur
}

// Alive reports whether a link is up or being tried for.
func (r *ManagedReader) Alive() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.life.Closed() && r.state != linkDead
}

// Cancel ends parked and later calls, and a reconnect under way.
func (r *ManagedReader) Cancel() {
	r.life.Cancel()
	r.mu.Lock()
	r.finish(EndCancelled)
	cur := r.cur
	r.mu.Unlock()
	if cur != nil {
		cur.Cancel()
	}
}

// Cancelled reports whether Cancel or Close was called.
func (r *ManagedReader) Cancelled() bool { return r.life.Cancelled() }

// Close ends everything and waits for the worker.
func (r *ManagedReader) Close() error {
	if !r.life.Close() {
		r.workers.Wait()
		return nil
	}
	r.mu.Lock()
	r.finish(EndCancelled)
	cur := r.cur
	r.mu.Unlock()
	var err error
	if cur != nil {
		err = cur.Close()
	}
	r.workers.Wait()
	if late := r.Current(); late != nil && late != cur {
		err = late.Close()
	}
	return err
}
