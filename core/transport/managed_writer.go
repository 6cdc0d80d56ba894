package transport

import (
	"context"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

type linkState uint8

const (
	linkUp   linkState = iota
	linkDown           // a worker is trying
	linkDead           // the budget is spent; the next call starts over
)

const (
	// flushSlice is how long the worker waits at a time for room on a new link.
	flushSlice = 100 * time.Millisecond
	// What waited goes out at flushRate bytes a second, in pieces of flushPiece: all at
	// once it would overrun the socket buffer of the peer, and what is sent again for that
	// comes too late. A stream that is faster itself sets its own pace: flushFaster times its rate.
	flushRate   = 8 << 20
	flushPiece  = 32 << 10
	flushFaster = 3
	// suspectAfter is how long a peer may acknowledge nothing before its replacement is looked for beside the link:
	// acknowledgements come every few milliseconds where the peer lives. suspectStep is how often that is reconsidered.
	suspectAfter = 500 * time.Millisecond
	suspectStep  = 50 * time.Millisecond
)

// ManagedWriter replaces the link under it when it breaks, after its policy. Where the
// peer of a link goes silent the next link is tried for before this one is given up.
// Messages the old link never acknowledged and the gap buffer still holds go
// out again first, so order is kept and nothing that arrived is repeated.
type ManagedWriter struct {
	dial func(ctx context.Context) (Writer, error)
	pol  Policy
	life *Life
	sem  chan struct{} // held by the one WriteBatch that runs

	began time.Time

	mu      sync.Mutex // guards what follows; never held across dial or an inner write
	changed chan struct{}
	cur     Writer
	state   linkState
	gap     *gapBuffer
	writing bool  // a WriteBatch is inside cur
	working bool  // a worker looks for the next link
	failed  error // to be reported once, by the next call
	rs      ReconnectStats
	base    Stats // of the links before the present one
	workers sync.WaitGroup
}

// NewManagedWriter wraps a first link. dial makes the next ones; its context
// ends with Cancel and Close.
func NewManagedWriter(first Writer, pol Policy, dial func(ctx context.Context) (Writer, error)) (*ManagedWriter, error) {
	if err := pol.Validate(); err != nil {
		return nil, err
	}
	return &ManagedWriter{
		dial: dial, pol: pol, life: NewLife(), sem: make(chan struct{}, 1),
		changed: make(chan struct{}), cur: first, gap: newGapBuffer(pol.GapCapacity), began: time.Now(),
	}, nil
}

// OpenManagedWriter dials a first link, without retries, and wraps it.
func OpenManagedWriter(ctx context.Context, pol Policy, dial func(ctx context.Context) (Writer, error)) (*ManagedWriter, error) {
	if err := pol.Validate(); err != nil {
		return nil, err
	}
	first, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return NewManagedWriter(first, pol, dial)
}

func (w *ManagedWriter) signal() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// WriteBatch sends messages, waiting for a new link when the policy is Blocking
// and queueing when it is Background. When the attempts are used up it returns
// the last cause, once; the call after that starts a fresh round.
func (w *ManagedWriter) WriteBatch(data []byte, spans []Span, timeout time.Duration) (int, error) {
	t := newTimer(timeout)
	defer t.stop()
	if err := w.life.Err("send"); err != nil {
		return 0, err
	}
	select {
	case w.sem <- struct{}{}:
	default:
		select {
		case w.sem <- struct{}{}:
		case <-w.life.Done():
			return 0, w.life.Err("send")
		case <-t.c():
			return 0, Timeout("send")
		}
	}
	defer func() { <-w.sem }()
	done := 0
	for done < len(spans) {
		n, err := w.step(data, spans[done:], &t)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// step makes one move: an inner write, a queueing, or a wait for a change.
func (w *ManagedWriter) step(data []byte, spans []Span, t *timer) (int, error) {
	if err := w.life.Err("send"); err != nil {
		return 0, err
	}
	w.mu.Lock()
	switch {
	case w.failed != nil:
		err := w.failed
		w.failed = nil
		w.mu.Unlock()
		return 0, err
	case w.state == linkUp:
		cur := w.cur
		w.writing = true
		w.mu.Unlock()
		n, err := cur.WriteBatch(data, spans, t.left())
		w.mu.Lock()
		w.writing = false
		w.remember(cur, data, spans[:n])
		switch {
		case w.state != linkUp: // the worker wants to replace the link
			w.signal()
			if !IsTimeout(err) {
				err = nil
			}
		case err != nil && Lost(err):
			w.account(cur)
			w.start()
			err = nil
		case silence(cur) > suspectAfter:
			w.suspect(cur)
		}
		w.mu.Unlock()
		return n, w.own(err)
	case w.state == linkDead:
		w.start()
	}
	if w.pol.Mode == Background {
		defer w.mu.Unlock()
		return w.queue(data, spans)
	}
	ch := w.changed
	w.mu.Unlock()
	select {
	case <-ch:
		return 0, nil
	case <-w.life.Done():
		return 0, w.life.Err("send")
	case <-t.c():
		return 0, Timeout("send: reconnecting")
	}
}

// own turns the inner link's Closed or Cancelled into this object's own.
func (w *ManagedWriter) own(err error) error {
	if k := tsterr.KindOf(err); k == tsterr.Closed || k == tsterr.Cancelled {
		if e := w.life.Err("send"); e != nil {
			return e
		}
	}
	return err
}

// remember keeps what went out until the peer acknowledges it.
func (w *ManagedWriter) remember(cur Writer, data []byte, spans []Span) {
	u, ok := cur.(Unacked)
	if !ok || len(spans) == 0 {
		return
	}
	w.gap.keepUnacked(u.Unacked())
	for _, s := range spans {
		w.gap.pushSent(data[s.Off : s.Off+s.Len])
	}
}

// account counts what a dead link cost. mu is held.
func (w *ManagedWriter) account(cur Writer) {
	st := cur.Stats()
	w.base = addStats(w.base, st)
	if u, ok := cur.(Unacked); ok {
		unacked := u.Unacked()
		w.gap.keepUnacked(unacked)
		n := unacked - w.gap.sent + u.Undelivered()
		w.rs.LinkMessagesLost += uint64(n) //nolint:gosec // unacked is at least what the gap kept of it
		if st.MessagesSent > 0 {
			w.rs.LinkBytesLost += uint64(float64(n) * float64(st.BytesSent) / float64(st.MessagesSent))
		}
		w.rs.Resent += uint64(w.gap.sent) //nolint:gosec // not negative
	}
	if o, ok := cur.(Outstanding); ok {
		// A stream's bytes are not sent again: what part of a message arrived is not known.
		if n := o.Outstanding(); n > 0 && st.BytesSent > 0 {
			w.rs.LinkBytesLost += n
			w.rs.LinkMessagesLost += max(1, n*st.MessagesSent/st.BytesSent)
		}
	}
	w.gap.sent = 0
}

// start begins a round of attempts. mu is held.
func (w *ManagedWriter) start() {
	if w.life.Cancelled() {
		return // Close waits for workers: none may start after it
	}
	old := w.cur
	w.cur, w.state, w.rs.Reconnecting = nil, linkDown, true
	if !w.working { // otherwise it has been at it since the link was suspected, and closes it
		w.working = true
		w.workers.Add(1)
		go w.reconnect(old)
	}
}

// suspect has a worker look for the next link while this one is still up. mu is held.
func (w *ManagedWriter) suspect(cur Writer) {
	if w.working || w.pol.MaxAttempts == 0 || w.life.Cancelled() {
		return
	}
	w.working = true
	w.workers.Add(1)
	go w.reconnect(cur)
}

// silence is for how long the peer of a link has acknowledged nothing of what waits.
func silence(link Writer) time.Duration {
	if s, ok := link.(Silent); ok {
		return s.Silence()
	}
	return 0
}

func (w *ManagedWriter) queue(data []byte, spans []Span) (int, error) {
	for i, s := range spans {
		m := data[s.Off : s.Off+s.Len]
		for w.gap.full(len(m)) && w.gap.n > 0 {
			if w.pol.Overflow == Reject {
				return i, tsterr.New(tsterr.NoMemory, "the gap buffer is full (%d messages)", w.gap.n)
			}
			size := w.gap.pop()
			w.rs.GapMessagesDropped++
			w.rs.GapBytesDropped += uint64(size) //nolint:gosec // not negative
		}
		w.gap.push(m)
	}
	return len(spans), nil
}

// reconnect tries for the next link. Where old is only suspected it is left alone until
// that succeeds, and for good where its peer is heard again.
func (w *ManagedWriter) reconnect(old Writer) {
	defer w.workers.Done()
	ctx, cancel := w.life.Context(context.Background())
	defer cancel()
	link, alive, last := w.early(ctx, old)
	if old != nil && w.Current() != old {
		_ = old.Close()
	}
	if alive {
		return
	}
	n := 1
	if last != nil {
		n++
	} else {
		last = tsterr.New(tsterr.IO, "no reconnect attempt allowed")
	}
	for ; link != nil || w.pol.MaxAttempts < 0 || n <= w.pol.MaxAttempts; n++ {
		var err error
		if link == nil {
			if !sleep(w.life, w.pol.Backoff.Wait(n)) {
				return
			}
			link, err = w.attempt(ctx)
		}
		if err == nil {
			if err = w.adopt(link); err == nil {
				return
			}
			_ = link.Close()
		}
		link = nil
		if w.life.Cancelled() {
			return
		}
		last = err
	}
	w.mu.Lock()
	w.state, w.working, w.rs.Reconnecting = linkDead, false, false
	w.failed = last
	w.signal()
	w.mu.Unlock()
}

func (w *ManagedWriter) attempt(ctx context.Context) (Writer, error) {
	w.mu.Lock()
	w.rs.Attempts++
	w.mu.Unlock()
	return w.dial(ctx)
}

// early tries for a link to replace a suspected one. Where that breaks meanwhile it returns what
// the attempt under way came to, and neither link nor error where there was none. alive says
// that there is nothing more to do: the peer was heard again, or all is over.
func (w *ManagedWriter) early(ctx context.Context, old Writer) (link Writer, alive bool, err error) {
	for n := 1; w.suspected(old); n++ {
		if !sleep(w.life, min(w.pol.Backoff.Wait(n), suspectAfter)) {
			return nil, true, nil
		}
		link, err = w.whileSilent(ctx, old)
		if err == nil {
			break
		}
		link = nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.life.Cancelled() || w.state == linkUp && (link == nil || silence(old) <= suspectAfter):
		w.working = false
		if link != nil {
			w.workers.Add(1)
			go func() {
				defer w.workers.Done()
				_ = link.Close()
			}()
		}
		return nil, true, nil
	case w.state == linkUp:
		w.takeDown(old)
	}
	return link, false, err
}

// whileSilent makes one attempt, which ends when the peer of old is heard again.
func (w *ManagedWriter) whileSilent(ctx context.Context, old Writer) (Writer, error) {
	attempt, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(suspectStep)
		defer t.Stop()
		for {
			select {
			case <-attempt.Done():
				return
			case <-t.C:
				if w.recovered(old) {
					cancel()
					return
				}
			}
		}
	}()
	link, err := w.attempt(attempt)
	cancel()
	<-ended
	return link, err
}

// suspected reports whether old is still in place and silent.
func (w *ManagedWriter) suspected(old Writer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state == linkUp && w.cur == old && silence(old) > suspectAfter
}

// recovered reports whether old is in place and not silent any more.
func (w *ManagedWriter) recovered(old Writer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state == linkUp && silence(old) <= suspectAfter
}

// takeDown ends a link that is up, with nobody left inside. mu is held, and let go meanwhile.
func (w *ManagedWriter) takeDown(old Writer) {
	w.state, w.rs.Reconnecting = linkDown, true
	for w.writing {
		ch := w.changed
		w.mu.Unlock()
		old.Cancel() // whoever is parked there leaves
		<-ch
		w.mu.Lock()
	}
	w.account(old)
	w.cur = nil
}

// adopt sends what waits over the new link and then puts it in place.
func (w *ManagedWriter) adopt(link Writer) error {
	var m []byte
	piece := 0
	for {
		if piece >= flushPiece {
			sleep(w.life, time.Duration(float64(piece)/w.pace()*float64(time.Second)))
			piece = 0
		}
		w.mu.Lock()
		if w.life.Cancelled() {
			w.mu.Unlock()
			return w.life.Err("reconnect")
		}
		if w.gap.queued() == 0 {
			w.cur, w.state, w.working, w.rs.Reconnecting = link, linkUp, false, false
			w.rs.Successes++
			w.signal()
			w.mu.Unlock()
			return nil
		}
		m = append(m[:0], w.gap.at(w.gap.sent)...)
		dropped := w.rs.GapMessagesDropped
		w.mu.Unlock()
		_, err := link.WriteBatch(m, []Span{{0, uint32(len(m))}}, flushSlice) //nolint:gosec // bounded by MaxGapBytes
		if IsTimeout(err) {
			continue
		}
		piece += len(m)
		w.mu.Lock()
		if err == nil {
			w.sentFromGap(link, dropped)
		} else {
			w.gap.sent = 0
		}
		w.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// pace returns how many bytes a second a new link is given of what waited.
func (w *ManagedWriter) pace() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	rate := float64(w.base.BytesSent) / max(time.Since(w.began).Seconds(), 1)
	return max(flushRate, flushFaster*rate)
}

// sentFromGap marks the message that just went out, unless an overflow dropped
// it while it was being sent: then it was counted as lost too early.
func (w *ManagedWriter) sentFromGap(link Writer, droppedBefore uint64) {
	if w.rs.GapMessagesDropped != droppedBefore && w.gap.sent == 0 {
		return
	}
	w.gap.sent++
	if u, ok := link.(Unacked); ok {
		w.gap.keepUnacked(u.Unacked())
	} else {
		w.gap.keepUnacked(0)
	}
}

// Stats adds up the links so far.
func (w *ManagedWriter) Stats() Stats {
	w.mu.Lock()
	cur, base := w.cur, w.base
	w.mu.Unlock()
	if cur == nil {
		return base
	}
	return addStats(base, cur.Stats())
}

// Reconnects returns the counters of the wrapper itself.
func (w *ManagedWriter) Reconnects() ReconnectStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	rs := w.rs
	rs.GapLen = w.gap.queued()
	return rs
}

// Current returns the present link, nil while there is none.
func (w *ManagedWriter) Current() Writer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cur
}

// Alive reports whether a link is up or being tried for.
func (w *ManagedWriter) Alive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.life.Closed() && w.state != linkDead
}

// Cancel ends parked and later calls, and a reconnect under way.
func (w *ManagedWriter) Cancel() {
	w.life.Cancel()
	if cur := w.Current(); cur != nil {
		cur.Cancel()
	}
}

// Cancelled reports whether Cancel or Close was called.
func (w *ManagedWriter) Cancelled() bool { return w.life.Cancelled() }

// Close ends everything and waits for the worker.
func (w *ManagedWriter) Close() error {
	if !w.life.Close() {
		w.workers.Wait()
		return nil
	}
	w.mu.Lock()
	cur := w.cur
	w.mu.Unlock()
	var err error
	if cur != nil {
		err = cur.Close()
	}
	w.workers.Wait()
	if late := w.Current(); late != nil && late != cur {
		err = late.Close()
	}
	return err
}

func addStats(a, b Stats) Stats {
	a.MessagesSent += b.MessagesSent
	a.BytesSent += b.BytesSent
	a.MessagesReceived += b.MessagesReceived
	a.BytesReceived += b.BytesReceived
	a.SendCalls += b.SendCalls
	a.RecvCalls += b.RecvCalls
	a.SendErrors += b.SendErrors
	a.RecvErrors += b.RecvErrors
	a.MessagesDropped += b.MessagesDropped
	return a
}
