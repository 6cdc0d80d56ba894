package aio

import (
	"sync/atomic"
	"unsafe"
)

// Shared memory that the caller's thread reads and writes without entering Go. The layouts are those of
// capi/aio_shared.h, which holds the other side.

// lane is the sending side of a session: 64 bytes.
type lane struct {
	gen       uint32 // odd while open
	timestamp uint32 // of the next automatic frame
	increment uint32
	_         [52]byte
}

// ringHead leads the ring of posts: 128 bytes, then the lanes, then the bytes of the ring.
type ringHead struct {
	lock   uint32 // of the posting side
	asleep uint32 // the owner waits for wake
	wake   int32  // eventfd
	size   uint32 // bytes of the ring, a power of two
	_      [48]byte
	head   uint64 // posted, in bytes since ever
	_      [56]byte
	tail   uint64 // taken
	_      [56]byte
}

// post leads a record of the ring: 24 bytes, then the data, to a multiple of 8. kind 0xFFFF fills the end.
type post struct {
	size    uint32 // of the record, header included
	slot    uint32
	gen     uint32
	stamp   uint32
	n       uint32
	kind    uint16
	stamped uint16
}

const (
	postHead = 24
	postFill = 0xFFFF
	headSize = 192
	laneSize = 64
)

// ring is the engine's side.
type ring struct {
	mem   []byte
	head  *ringHead
	lanes []lane
	data  []byte
}

func newRing(mem []byte, wake int) *ring {
	r := &ring{mem: mem}
	r.head = (*ringHead)(unsafe.Pointer(&mem[0]))
	r.lanes = unsafe.Slice((*lane)(unsafe.Pointer(&mem[headSize])), MaxSessions)
	r.data = mem[headSize+MaxSessions*laneSize:][:ringBytes]
	r.head.size, r.head.wake = ringBytes, int32(wake) //nolint:gosec // a descriptor
	return r
}

// ringMemory is the size of a ring's memory.
const ringMemory = headSize + MaxSessions*laneSize + ringBytes

func (r *ring) empty() bool {
	return atomic.LoadUint64(&r.head.head) == atomic.LoadUint64(&r.head.tail)
}

// drain hands what was posted to f, one record at a time. The posting side moves an empty ring's tail, and then its
// head, on to the start: head is read first, so that a tail beyond it means that there was nothing.
func (r *ring) drain(f func(p *post, data []byte)) (n int) {
	head := atomic.LoadUint64(&r.head.head)
	tail := atomic.LoadUint64(&r.head.tail)
	if tail >= head {
		return 0
	}
	for tail < head {
		at := tail % ringBytes
		if ringBytes-at < postHead {
			tail += ringBytes - at // too little for a record: the next one begins at the start
			continue
		}
		p := (*post)(unsafe.Pointer(&r.data[at]))
		if p.kind != postFill {
			f(p, r.data[at+postHead:][:p.n:p.n])
			n++
		}
		tail += uint64(p.size)
	}
	atomic.StoreUint64(&r.head.tail, tail)
	return n
}

// Pages of a hub, and records in them.
const (
	pages       = 16
	pageRecords = 2048
	pageArena   = 1 << 20
	recordSize  = 32
	pageHead    = 64
	pageSize    = pageHead + pageRecords*recordSize + pageArena
	hubHead     = 64
	// HubMemory is the size of a hub's memory; pages that nothing reached are never touched.
	HubMemory = hubHead + pages*pageSize
)

// States of a page.
const (
	pageFree  = 0
	pageFull  = 1 // has records for the user
	pageTaken = 2 // the user reads it
	pageFill  = 3 // the owner writes to it
)

type hubHeader struct {
	signalled uint32
	next      uint32 // page the user takes next
	_         [56]byte
}

type pageHeader struct {
	state uint32
	n     uint32 // records
	arena uint32 // bytes
	_     [52]byte
}

type record struct {
	slot  uint32
	kind  uint16
	flags uint16
	ts    uint32
	off   uint32
	n     uint32
	a     uint32
	b     uint32
	gen   uint32
}
