package main

/*
#include "detail.h"
#include "link_shared.h"

_Static_assert(sizeof(tst_span) == 8, "the span layout is pinned");
*/
import "C"

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/pipeline"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// link is what a tst_link handle stands for. It comes up in the background.
type link struct {
	life  *transport.Life
	ready chan struct{} // closed once obj or err is set
	obj   transport.Object
	err   error
	stop  context.CancelFunc
	end   sync.Once

	rmu  sync.Mutex // guards what a framed read needs
	in   *pipeline.TSReader
	feed feeding

	wmu sync.Mutex // guards what a framed write needs
	out *pipeline.TSWriter

	pmu   sync.Mutex // guards what follows
	id    uint64     // 0 until the handle is given
	there bool       // obj is set

	shared atomic.Pointer[transport.Shared] // what C does for the caller, nil without
}

// listening is what a link that accepts has.
type listening interface {
	accept(timeout time.Duration) (transport.Object, error)
}

// texts is what a link with addresses has.
type texts interface{ text(what uint32) string }

func openedLink(out *C.tst_link, obj transport.Object) C.tst_status {
	l := &link{life: transport.NewLife(), ready: make(chan struct{}), obj: obj, there: true, stop: func() {}}
	close(l.ready)
	return addLink(out, l)
}

// openNow gives a handle for a link that is made before it returns.
func openNow(out *C.tst_link, open func() (transport.Object, error)) C.tst_status {
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	obj, err := open()
	if err != nil {
		return status(err)
	}
	return openedLink(out, obj)
}

// object keeps a nil pointer from becoming an object.
func object[T transport.Object](obj T, err error) (transport.Object, error) {
	if err != nil {
		return nil, err
	}
	return obj, nil
}

// openLink gives a handle for a link that open makes in the background.
func openLink(out *C.tst_link, open func(ctx context.Context) (transport.Object, error)) C.tst_status {
	ctx, stop := context.WithCancel(context.Background())
	l := &link{life: transport.NewLife(), ready: make(chan struct{}), stop: stop}
	go func() {
		defer close(l.ready)
		defer stop()
		l.obj, l.err = open(ctx)
		if l.err != nil {
			l.obj = nil
			return
		}
		l.publish(0)
	}()
	return addLink(out, l)
}

func addLink(out *C.tst_link, l *link) C.tst_status {
	id, err := handles.add(l)
	if err != nil {
		_ = l.Close() // the first error is the one to report
		return status(err)
	}
	l.publish(id)
	*out = C.tst_link(id)
	return C.TST_OK
}

// publish lets C work on the link once both its handle and its object are there: id is 0 where
// it is the object that has come.
func (l *link) publish(id uint64) {
	l.pmu.Lock()
	defer l.pmu.Unlock()
	if id != 0 {
		l.id = id
	} else {
		l.there = true
	}
	if l.id == 0 || !l.there || l.life.Closed() || l.obj == nil {
		return
	}
	if o, ok := l.obj.(interface{ Shared() *transport.Shared }); ok && o.Shared() != nil {
		l.shared.Store(o.Shared())
		C.tsti_shared_add(C.uint64_t(l.id), unsafe.Pointer(o.Shared()))
	}
}

// withdraw ends what publish began: no thread is inside C afterwards.
func (l *link) withdraw() {
	l.pmu.Lock()
	defer l.pmu.Unlock()
	if l.shared.Load() != nil {
		C.tsti_shared_remove(C.uint64_t(l.id))
	}
}

// writerOf is linkAs for what sends: what C holds back goes out first.
func writerOf(id C.tst_link, ms C.int32_t) (*link, transport.Writer, time.Duration, error) {
	l, w, timeout, err := linkAs[transport.Writer](id, ms)
	if err == nil && l.shared.Load() != nil && C.tsti_shared_drain(id, ms) == 0 {
		err = transport.Timeout("link")
	}
	return l, w, timeout, err
}

// Interrupt wakes parked calls: the handle is being closed.
func (l *link) Interrupt() { l.life.Close() }

// cancel ends parked and later calls.
func (l *link) cancel() {
	l.life.Cancel()
	l.stop()
	select {
	case <-l.ready:
		if l.obj != nil {
			l.obj.Cancel()
		}
	default:
	}
}

// Close frees the link. One that is still coming up is freed when it is there.
func (l *link) Close() error {
	l.life.Close()
	l.stop()
	var err error
	l.end.Do(func() {
		l.withdraw()
		select {
		case <-l.ready:
			if l.obj != nil {
				err = l.obj.Close()
			}
		default:
			go func() {
				<-l.ready
				if l.obj != nil {
					_ = l.obj.Close()
				}
			}()
		}
	})
	return err
}

// up waits for the link and takes what it spent off the time given.
func (l *link) up(timeout time.Duration) (transport.Object, time.Duration, error) {
	select {
	case <-l.ready:
	default:
		begun := time.Now()
		var limit <-chan time.Time
		if timeout >= 0 {
			t := time.NewTimer(timeout)
			defer t.Stop()
			limit = t.C
		}
		select {
		case <-l.ready:
		case <-l.life.Done():
			return nil, 0, l.life.Err("link")
		case <-limit:
			return nil, 0, transport.Timeout("link")
		}
		if timeout > 0 {
			timeout = max(0, timeout-time.Since(begun))
		}
	}
	if err := l.life.Err("link"); err != nil {
		return nil, 0, err
	}
	return l.obj, timeout, l.err
}

func millis(ms C.int32_t) time.Duration {
	if ms < 0 {
		return transport.Forever
	}
	return time.Duration(ms) * time.Millisecond
}

// outcome returns expected outcomes as bare codes, faults with their detail.
func outcome(err error) C.tst_status {
	switch k := tsterr.KindOf(err); k { //nolint:exhaustive // the rest are faults
	case tsterr.OK, tsterr.Timeout, tsterr.EOS, tsterr.Discontinuity, tsterr.Cancelled, tsterr.Closed:
		return C.tst_status(k)
	}
	return status(err)
}

// linkAs finds a link, waits until it is up, and gives it as a T.
func linkAs[T any](id C.tst_link, ms C.int32_t) (l *link, obj T, timeout time.Duration, err error) {
	if l, err = share[*link](id); err != nil {
		return l, obj, 0, err
	}
	o, timeout, err := l.up(millis(ms))
	if err != nil {
		return l, obj, 0, err
	}
	obj, ok := o.(T)
	if !ok {
		return l, obj, 0, tsterr.New(tsterr.NotSupported, "this link cannot do that")
	}
	return l, obj, timeout, nil
}

// settled gives what is behind a link, nil where it could not be opened; false while it is not known.
func (l *link) settled() (transport.Object, bool) {
	select {
	case <-l.ready:
		return l.obj, true
	default:
		return nil, false
	}
}

// peekAs finds what is behind a link that is up, cancelled or not: for what only looks.
func peekAs[T any](id C.tst_link) (obj T, err error) {
	l, err := share[*link](id)
	if err != nil {
		return obj, err
	}
	o, ok := l.settled()
	if !ok {
		return obj, transport.Timeout("link")
	}
	if l.err != nil {
		return obj, l.err
	}
	obj, ok = o.(T)
	if !ok {
		return obj, tsterr.New(tsterr.NotSupported, "this link cannot do that")
	}
	return obj, nil
}

//export tst_link_wait
func tst_link_wait(id C.tst_link, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	l, err := share[*link](id)
	if err != nil {
		return status(err)
	}
	_, _, err = l.up(millis(ms))
	return outcome(err)
}

//export tsti_link_read
func tsti_link_read(spans *C.tst_span, capacity C.size_t, n *C.size_t, arena *C.uint8_t, arenaCap C.size_t,
	id C.tst_link, ms C.int32_t,
) (st C.tst_status) {
	defer guard(&st)
	if n == nil || spans == nil || capacity == 0 {
		return fail(tsterr.InvalidArg, "n or spans is NULL or has no room")
	}
	*n = 0
	room, err := output(arena, arenaCap)
	if err != nil {
		return status(err)
	}
	_, r, timeout, err := linkAs[transport.Reader](id, ms)
	if err != nil {
		return outcome(err)
	}
	out := unsafe.Slice((*transport.Span)(unsafe.Pointer(spans)), int(min(capacity, transport.MaxBatch)))
	if len(room) > math.MaxInt32 {
		room = room[:math.MaxInt32]
	}
	k, err := r.ReadBatch(room, out, timeout)
	*n = C.size_t(k)
	return outcome(err)
}

//export tst_link_write
func tst_link_write(taken *C.size_t, id C.tst_link, data *C.tst_cu8, n C.size_t, spans *C.tst_cspan, count C.size_t,
	ms C.int32_t,
) (st C.tst_status) {
	defer guard(&st)
	b, err := taking(taken, data, n)
	if err != nil {
		return status(err)
	}
	if count == 0 {
		return C.TST_OK
	}
	if spans == nil || count > maxInput {
		return fail(tsterr.InvalidArg, "%d spans are impossible", uint64(count))
	}
	list := unsafe.Slice((*transport.Span)(unsafe.Pointer(spans)), int(count))
	for _, s := range list {
		if uint64(s.Off)+uint64(s.Len) > uint64(len(b)) {
			return fail(tsterr.InvalidArg, "a span of %d bytes at %d ends behind %d bytes of data", s.Len, s.Off, len(b))
		}
	}
	_, w, timeout, err := writerOf(id, ms)
	if err != nil {
		return outcome(err)
	}
	k, err := w.WriteBatch(b, list, timeout)
	*taken = C.size_t(k)
	return outcome(err)
}

// ones keeps the spans of single messages: a writer is an interface, so that one on the
// stack would move to the heap at every send.
var ones = sync.Pool{New: func() any { return new([1]transport.Span) }}

// sendOne writes one message without an allocation of its own.
func sendOne(w transport.Writer, b []byte, timeout time.Duration) error {
	one := ones.Get().(*[1]transport.Span)       //nolint:forcetypeassert // what New makes
	one[0] = transport.Span{Len: uint32(len(b))} //nolint:gosec // the callers check
	_, err := w.WriteBatch(b, one[:], timeout)
	ones.Put(one)
	return err
}

//export tsti_link_send
func tsti_link_send(id C.tst_link, data *C.tst_cu8, n C.size_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if len(b) > math.MaxInt32 {
		return fail(tsterr.InvalidArg, "a message of %d bytes is impossible", len(b))
	}
	_, w, timeout, err := writerOf(id, ms)
	if err != nil {
		return outcome(err)
	}
	return outcome(sendOne(w, b, timeout))
}

//export tst_link_accept
func tst_link_accept(out *C.tst_link, id C.tst_link, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	_, l, timeout, err := linkAs[listening](id, ms)
	if err != nil {
		return outcome(err)
	}
	c, err := l.accept(timeout)
	if err != nil {
		return outcome(err)
	}
	return openedLink(out, c)
}

//export tst_link_fd
func tst_link_fd(out *C.int32_t, id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	_, d, _, err := linkAs[interface{ FD() (uintptr, error) }](id, 0)
	if err != nil {
		return outcome(err)
	}
	fd, err := d.FD()
	if err != nil {
		return status(err)
	}
	*out = C.int32_t(fd)
	return C.TST_OK
}

//export tst_link_text
func tst_link_text(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_link, what C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "len"); err != nil {
		return status(err)
	}
	*n = 0
	room, err := output(out, capacity)
	if err != nil {
		return status(err)
	}
	t, err := peekAs[texts](id)
	if err != nil {
		return outcome(err)
	}
	s := t.text(uint32(what))
	copy(room, s)
	*n = C.size_t(len(s))
	return C.TST_OK
}

//export tst_link_alive
func tst_link_alive(id C.tst_link) C.int32_t {
	l, err := share[*link](id)
	if err != nil || l.life.Closed() {
		return 0
	}
	obj, ok := l.settled()
	if !ok {
		return 1
	}
	if l.err != nil {
		return 0
	}
	if a, ok := obj.(interface{ Alive() bool }); ok && !a.Alive() {
		return 0
	}
	return 1
}

//export tst_link_cancel
func tst_link_cancel(id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	l, err := share[*link](id)
	if err != nil {
		return status(err)
	}
	l.cancel()
	return C.TST_OK
}

//export tst_link_close
func tst_link_close(id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*link](id))
}

// readPolicy reads the parameters listed in tstrans/transport.h.
func readPolicy(r *configReader) transport.Policy {
	p := transport.DefaultPolicy()
	const most = math.MaxInt32
	integer(r, "policy.max_attempts", &p.MaxAttempts, -1, most, "attempts")
	kind := int64(1)
	integer(r, "policy.backoff", &kind, 0, 1, "")
	p.Backoff.Exponential = kind == 1
	base, top := p.Backoff.Base.Milliseconds(), p.Backoff.Max.Milliseconds()
	integer(r, "policy.backoff_ms", &base, 0, math.MaxUint32, "ms")
	integer(r, "policy.backoff_max_ms", &top, 0, math.MaxUint32, "ms")
	p.Backoff.Base, p.Backoff.Max = time.Duration(base)*time.Millisecond, time.Duration(top)*time.Millisecond
	integer(r, "policy.gap_capacity", &p.GapCapacity, 1, most, "messages")
	integer(r, "policy.overflow", &p.Overflow, 0, 1, "")
	integer(r, "policy.background", &p.Mode, 0, 1, "")
	return p
}
