package aio

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Hub brings records to one event loop. Its descriptor is readable when there are some.
type Hub struct {
	mem     []byte
	head    *hubHeader
	fd      int
	at      int // page that is being filled
	open    *pageHeader
	base    []byte // of the open page
	shown   bool   // the page was published
	dirty   bool
	dropped uint64
	closed  bool
}

func newHub() (*Hub, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	mem, err := unix.Mmap(-1, 0, HubMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err //nolint:wrapcheck // see above
	}
	h := &Hub{mem: mem, fd: fd}
	h.head = (*hubHeader)(unsafe.Pointer(&mem[0]))
	return h, nil
}

// FD is the descriptor.
func (h *Hub) FD() int { return h.fd }

// Memory is the address of the shared pages.
func (h *Hub) Memory() unsafe.Pointer { return unsafe.Pointer(&h.mem[0]) }

func (h *Hub) close() {
	if h.closed {
		return
	}
	h.closed = true
	_ = unix.Close(h.fd)
	_ = unix.Munmap(h.mem)
	h.mem, h.head, h.open = nil, nil, nil
}

func (h *Hub) page(i int) ([]byte, *pageHeader) {
	b := h.mem[hubHead+i*pageSize:][:pageSize]
	return b, (*pageHeader)(unsafe.Pointer(&b[0]))
}

// room makes a page open that takes a record with n bytes of payload, and gives its free arena.
func (h *Hub) room(n int) []byte {
	if h.closed {
		return nil
	}
	for range 3 {
		if h.open == nil && !h.reopen() {
			return nil
		}
		if int(h.open.n) < pageRecords && pageArena-int(h.open.arena) >= n {
			return h.base[pageHead+pageRecords*recordSize+int(h.open.arena) : pageSize : pageSize]
		}
		// On to the next page, which must be free: a full one holds older records.
		next := (h.at + 1) % pages
		_, q := h.page(next)
		if atomic.LoadUint32(&q.state) != pageFree {
			return nil
		}
		atomic.StoreUint32(&h.open.state, pageFull)
		h.open, h.at, h.shown = nil, next, false
	}
	return nil
}

// reopen goes on with the page that was published last, where the user has not taken it, or begins the next one.
func (h *Hub) reopen() bool {
	b, p := h.page(h.at)
	if h.shown && !atomic.CompareAndSwapUint32(&p.state, pageFull, pageFill) {
		h.at, h.shown = (h.at+1)%pages, false
		b, p = h.page(h.at)
	}
	if !h.shown && !atomic.CompareAndSwapUint32(&p.state, pageFree, pageFill) {
		return false // all pages are full, or the user reads this one
	}
	h.base, h.open, h.shown = b, p, false
	return true
}

// free is how many pages a payload could still go into, the open one not counted.
func (h *Hub) free() int {
	n := 0
	for i := 1; i < pages; i++ {
		_, p := h.page((h.at + i) % pages)
		if atomic.LoadUint32(&p.state) != pageFree {
			break
		}
		n++
	}
	return n
}

// add writes a record whose n bytes of payload lie at the start of room.
func (h *Hub) add(s *Session, kind, flags uint16, ts uint32, n int, a, b uint32) {
	p := h.open
	r := (*record)(unsafe.Pointer(&h.base[pageHead+int(p.n)*recordSize]))
	*r = record{slot: s.slot, kind: kind, flags: flags, ts: ts, off: p.arena, n: uint32(n), a: a, b: b, gen: s.gen} //nolint:gosec // below a page
	p.n++
	p.arena += uint32(n+7) &^ 7 //nolint:gosec // see above
	p.arena = min(p.arena, pageArena)
	h.dirty = true
}

// put copies a payload into a record; where there is no room it is dropped and counted.
func (h *Hub) put(s *Session, kind, flags uint16, ts uint32, payload []byte, a, b uint32) bool {
	if len(payload) > pageArena {
		return h.split(s, kind, flags, ts, payload, a, b)
	}
	room := h.room(len(payload))
	if room == nil {
		h.dropped++
		s.dropped++
		return false
	}
	copy(room, payload)
	h.add(s, kind, flags, ts, len(payload), a, b)
	return true
}

// split spreads a large payload over records.
func (h *Hub) split(s *Session, kind, flags uint16, ts uint32, payload []byte, a, b uint32) bool {
	if h.closed || len(payload) > (h.free()-1)*pageArena {
		h.dropped++
		s.dropped++
		return false
	}
	for len(payload) > 0 {
		n := min(len(payload), pageArena)
		f := flags
		if n < len(payload) {
			f |= FlagMore
		}
		room := h.room(n)
		if room == nil {
			h.dropped++
			s.dropped++
			return false
		}
		copy(room, payload[:n])
		h.add(s, kind, f, ts, n, a, b)
		payload = payload[n:]
	}
	return true
}

// publish makes what was written visible and wakes the user once.
func (h *Hub) publish() {
	if h.closed {
		return
	}
	if h.open != nil { // also where nothing fitted: what the page holds must be seen
		atomic.StoreUint32(&h.open.state, pageFull)
		h.open, h.shown = nil, true
	}
	if !h.dirty {
		return
	}
	h.dirty = false
	if atomic.CompareAndSwapUint32(&h.head.signalled, 0, 1) {
		_, _ = unix.Write(h.fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}
