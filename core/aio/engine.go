package aio

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Engine serves the sessions of a process.
type Engine struct {
	// mu guards everything below, sessions and hubs included. It is held for the work of one tick at most.
	mu       sync.Mutex
	epoll    int
	wake     int
	ring     *ring
	sessions []*Session // by slot
	free     []uint32
	hubs     map[*Hub]bool
	timers   timers
	in       *receiver
	running  bool
	open     int
	packet   []byte // scratch for encoding
	ticks    uint64
	// tick is how far apart the instants are that the owner looks at now, in ns; 0: it looks when something comes.
	tick    int64
	instant int64 // the one it looks at
	// phase shifts the grid of ticks, so that two processes that talk to each other do not race for one instant.
	phase int64
}

// now is the monotonic clock in nanoseconds.
func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// NewEngine makes an engine; its goroutine runs while there are sessions.
func NewEngine() (*Engine, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, tsterr.IOError(err, "epoll_create")
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(ep)
		return nil, tsterr.IOError(err, "eventfd")
	}
	mem, err := unix.Mmap(-1, 0, ringMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err == nil {
		err = unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1})
	}
	if err != nil {
		_ = unix.Close(ep)
		_ = unix.Close(wake)
		return nil, tsterr.IOError(err, "the engine's memory")
	}
	e := &Engine{epoll: ep, wake: wake, ring: newRing(mem, wake), hubs: map[*Hub]bool{}, in: newReceiver()}
	e.phase = int64(os.Getpid()) * 618_034 % int64(frame) // neighbouring numbers fall far apart
	return e, nil
}

// Shared is the address of the ring's memory.
func (e *Engine) Shared() unsafe.Pointer { return unsafe.Pointer(&e.ring.mem[0]) }

// NewHub makes a hub.
func (e *Engine) NewHub() (*Hub, error) {
	h, err := newHub()
	if err != nil {
		return nil, tsterr.IOError(err, "eventfd")
	}
	e.mu.Lock()
	e.hubs[h] = true
	e.mu.Unlock()
	return h, nil
}

// CloseHub frees a hub; its sessions go on without one.
func (e *Engine) CloseHub(h *Hub) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sessions {
		if s != nil && s.hub == h {
			s.hub = nil
		}
	}
	delete(e.hubs, h)
	h.close()
}

// nudge wakes the owner where it sleeps; mu is held.
func (e *Engine) nudge() {
	if atomic.CompareAndSwapUint32(&e.ring.head.asleep, 1, 0) {
		e.kick()
	}
}

// kick wakes the owner.
func (e *Engine) kick() { _, _ = unix.Write(e.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// add gives a session its slot and starts the owner where it does not run.
func (e *Engine) add(s *Session) error {
	if len(e.free) == 0 {
		if len(e.sessions) == MaxSessions {
			return tsterr.New(tsterr.NoMemory, "%d sessions are open: that is the most", MaxSessions)
		}
		e.free = append(e.free, uint32(len(e.sessions))) //nolint:gosec // below MaxSessions
		e.sessions = append(e.sessions, nil)
	}
	s.slot = e.free[len(e.free)-1]
	e.free = e.free[:len(e.free)-1]
	e.sessions[s.slot] = s
	l := &e.ring.lanes[s.slot]
	s.gen = l.gen + 1
	l.timestamp, l.increment = s.out.Timestamp, s.out.Increment
	atomic.StoreUint32(&l.gen, s.gen)
	e.open++
	if !e.running {
		e.running = true
		go e.run()
	}
	return nil
}

func (e *Engine) remove(s *Session) {
	atomic.StoreUint32(&e.ring.lanes[s.slot].gen, s.gen+1)
	e.sessions[s.slot] = nil
	e.free = append([]uint32{s.slot}, e.free...) // the one freed last is used last
	e.open--
}

// flush takes what was posted; mu is held.
func (e *Engine) flush() int {
	return e.ring.drain(func(p *post, data []byte) {
		if int(p.slot) >= len(e.sessions) {
			return
		}
		if s := e.sessions[p.slot]; s != nil && s.gen == p.gen {
			s.posted(p, data)
		}
	})
}

// publish hands records to the loops; mu is held.
func (e *Engine) publish() {
	for h := range e.hubs {
		h.publish()
	}
}

// maxEvents is how many sockets one epoll call tells of.
const maxEvents = 1024

// run is the owner. It sleeps until something comes; then it looks each tick, on a fixed grid, so that
// a stream keeps its rhythm, until a tick found nothing.
func (e *Engine) run() {
	runtime.LockOSThread()
	events := make([]unix.EpollEvent, maxEvents)
	busy, ticks, load := false, int64(slowTicks), int64(0)
	for {
		timeout, instant := 0, int64(0)
		if busy {
			instant = ((now()-e.phase)*ticks/int64(frame)+1)*int64(frame)/ticks + e.phase
			sleepUntil(instant)
		} else {
			timeout = e.patience()
			if timeout != 0 {
				atomic.StoreUint32(&e.ring.head.asleep, 1)
				if !e.ring.empty() {
					timeout = 0
				}
			}
		}
		n := wait(e.epoll, events, timeout)
		if !busy {
			atomic.StoreUint32(&e.ring.head.asleep, 0)
		}
		e.mu.Lock()
		e.ticks++
		e.tick, e.instant = 0, instant
		if busy {
			e.tick = int64(frame) / ticks
		} else {
			e.instant = now()
		}
		work := e.flush()
		for n > 0 {
			work += n
			for i := range events[:n] {
				e.ready(int(events[i].Fd))
			}
			if n < len(events) {
				break
			}
			n = wait(e.epoll, events, 0)
		}
		work += e.timers.run(now())
		e.publish()
		if e.open == 0 {
			e.running = false
			e.mu.Unlock()
			runtime.UnlockOSThread()
			return
		}
		e.mu.Unlock()
		busy = work > 0
		// Work a frame, times 256, averaged over some 16 ticks.
		load += (int64(work)*ticks*256 - load) / 16
		switch {
		case load >= fastWork*256:
			ticks = fastTicks
		case load < slowWork*256:
			ticks = slowTicks
		}
	}
}

// patience is how long nothing has to be done, in ms for epoll; -1: for ever.
func (e *Engine) patience() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.timers) == 0 {
		return -1
	}
	d := e.timers[0].due - now()
	if d <= 0 {
		return 0
	}
	return int(min((d+999_999)/1_000_000, 60_000))
}

func sleepUntil(t int64) {
	ts := unix.NsecToTimespec(t)
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) // a signal ends it early, which is fine
}

func wait(epoll int, events []unix.EpollEvent, timeout int) int {
	n, err := unix.EpollWait(epoll, events, timeout)
	if err != nil {
		return 0
	}
	return n
}

// ready reads from a socket. fd is -1 for the wake-up, else slot and which of the two sockets.
func (e *Engine) ready(id int) {
	if id < 0 {
		var b [8]byte
		_, _ = unix.Read(e.wake, b[:])
		return
	}
	slot, control := id>>1, id&1 != 0
	if slot >= len(e.sessions) || e.sessions[slot] == nil {
		return
	}
	s := e.sessions[slot]
	fd := s.rtp
	if control {
		fd = s.rtcp
	} else if s.rhythm.early(e) {
		return // epoll tells of it again at the next tick
	}
	// A flood on one socket does not keep the others waiting: what is left is read at the next tick.
	for range 4 {
		k := e.in.read(fd)
		t := time.Now()
		for i := range k {
			b, from := e.in.datagram(i)
			s.datagram(t, b, from, control)
		}
		if k < batch {
			return
		}
	}
}
