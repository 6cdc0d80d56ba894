package main

/*
#include "detail.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"

	"github.com/tstrans/tstrans/core/tsterr"
)

// A handle is generation<<32 | slot+1. Looking one up takes no lock: slots
// never move, and a slot's entry carries the id it was given, so that a stale
// id finds either nothing or an entry of another id.
const (
	pageBits = 10
	pageSize = 1 << pageBits
	maxPages = 1 << 12 // four million open handles
)

type page [pageSize]atomic.Pointer[entry]

// entry is one open object.
type entry struct {
	id     uint64
	obj    any
	busy   atomic.Bool // a thread is inside, or the object is finalised
	closed atomic.Bool
}

// closer frees what an object holds; it runs once, when no thread is inside.
type closer interface{ Close() error }

// interrupter wakes a thread parked inside the object, before Close.
type interrupter interface{ Interrupt() }

type handleTable struct {
	pages [maxPages]atomic.Pointer[page]

	mu   sync.Mutex
	free []uint32 // slots to use again, oldest first
	next uint32   // the first slot never used
	gens []uint32 // the generation last given, a slot
	open atomic.Int64
}

// handles is the process's one table: a C caller has no other place to keep it.
var handles handleTable

// hand gives a new object to the caller as a handle; where there is no room for one
// it closes the object.
func hand[H ~uint64](out *H, obj any) error {
	id, err := handles.add(obj)
	if err != nil {
		if c, ok := obj.(closer); ok {
			_ = c.Close() // the cause is what counts
		}
		return err
	}
	*out = H(id)
	return nil
}

// add is hand for a call that checks nothing else of out.
func add[H ~uint64](out *H, obj any) C.tst_status {
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	return status(hand(out, obj))
}

// add stores an object and gives its id.
func (t *handleTable) add(obj any) (uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var slot uint32
	// Slots are reused only once some are free, so that a stale id is noticed
	// long after its close even where generations were to wrap.
	if len(t.free) > 64 || t.next == maxPages*pageSize {
		if len(t.free) == 0 {
			return 0, tsterr.New(tsterr.NoMemory, "too many open handles")
		}
		slot = t.free[0]
		t.free = t.free[1:]
	} else {
		slot = t.next
		if slot == 0 {
			// The first object: every package has been initialised, and hardly
			// any of that is needed again.
			C.tsti_trim()
		}
		t.next++
		t.gens = append(t.gens, 0)
		if t.pages[slot>>pageBits].Load() == nil {
			t.pages[slot>>pageBits].Store(new(page))
		}
	}
	t.gens[slot]++
	id := uint64(t.gens[slot])<<32 | uint64(slot+1)
	t.pages[slot>>pageBits].Load()[slot&(pageSize-1)].Store(&entry{id: id, obj: obj})
	t.open.Add(1)
	return id, nil
}

func (t *handleTable) find(id uint64) *entry {
	slot := uint32(id) - 1
	if slot >= maxPages*pageSize {
		return nil
	}
	p := t.pages[slot>>pageBits].Load()
	if p == nil {
		return nil
	}
	e := p[slot&(pageSize-1)].Load()
	if e == nil || e.id != id {
		return nil
	}
	return e
}

// remove takes the id out of the table, wakes whoever is parked inside and
// finalises the object, at once or when that thread leaves.
func (t *handleTable) remove(e *entry) {
	slot := uint32(e.id) - 1
	if !t.pages[slot>>pageBits].Load()[slot&(pageSize-1)].CompareAndSwap(e, nil) {
		return
	}
	t.mu.Lock()
	t.free = append(t.free, slot)
	t.mu.Unlock()
	t.open.Add(-1)
	e.closed.Store(true)
	if i, ok := e.obj.(interrupter); ok {
		i.Interrupt()
	}
	if e.busy.CompareAndSwap(false, true) {
		e.finalise()
	}
}

func (e *entry) finalise() {
	if c, ok := e.obj.(closer); ok {
		_ = c.Close() // the caller that closed has gone; core reports such errors earlier
	}
}

// leave ends what enter began.
func (e *entry) leave() {
	e.busy.Store(false)
	if e.closed.Load() && e.busy.CompareAndSwap(false, true) {
		e.finalise()
	}
}

var errHandle = &tsterr.Error{Kind: tsterr.InvalidHandle, Msg: "no open handle of this type", Offset: tsterr.NoOffset}

var errBusy = &tsterr.Error{Kind: tsterr.Busy, Msg: "another thread is inside this handle", Offset: tsterr.NoOffset}

// enter finds an object of type T for the one thread that may use it; call
// leave on the entry afterwards.
func enter[T any, H ~uint64](id H) (obj T, e *entry, err error) {
	e = handles.find(uint64(id))
	if e == nil {
		return obj, nil, errHandle
	}
	obj, ok := e.obj.(T)
	if !ok {
		return obj, nil, errHandle
	}
	if !e.busy.CompareAndSwap(false, true) {
		return obj, nil, errBusy
	}
	return obj, e, nil
}

// share finds an object of type T for a call that any thread may make at any
// time: what it calls must be safe beside a call that is inside.
func share[T any, H ~uint64](id H) (obj T, err error) {
	e := handles.find(uint64(id))
	if e == nil {
		return obj, errHandle
	}
	obj, ok := e.obj.(T)
	if !ok {
		return obj, errHandle
	}
	return obj, nil
}

// shareWith is share for a call that brings data, which is looked at first.
func shareWith[T any, H ~uint64](id H, data *C.tst_cu8, n C.size_t) (obj T, b []byte, err error) {
	if b, err = input(data, n); err != nil {
		return obj, nil, err
	}
	obj, err = share[T](id)
	return obj, b, err
}

// closeHandle closes an object of type T; 0 and ids closed before are fine, an
// id of another type is an error.
func closeHandle[T any, H ~uint64](id H) error {
	e := handles.find(uint64(id))
	if e == nil {
		return nil
	}
	if _, ok := e.obj.(T); !ok {
		return errHandle
	}
	handles.remove(e)
	return nil
}
