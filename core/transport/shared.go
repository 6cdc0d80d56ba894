package transport

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a link lets its caller's thread do without entering Go.
const (
	SharedDatagram   = 1 << iota // send(2) of a datagram
	SharedRTP                    // the same, behind an RTP header
	SharedStream                 // send(2) of a piece of a stream
	SharedCall                   // Send
	SharedPoll                   // wait with poll(2) on FD and Wake
	SharedReady                  // wait with Ready
	SharedReceive                // receive datagrams from FD (inlet.go)
	SharedReceiveRTP             // the same, and take RTP headers off
)

// Shared is the part of a link that C code works on beside this one: entering Go
// costs the caller of a single send or a wait several times the system call it is
// for. capi/link_shared.c is the other side and pins the layout. Whatever is not
// plain, an error above all, that side leaves to the link's own methods.
//
// The memory is mapped; pages that nothing reached cost nothing.
type Shared struct {
	open     atomic.Uint32 // calls may begin
	sendLock atomic.Uint32 // held by whoever writes to the descriptor
	Kind     atomic.Uint32
	FD       int32
	Wake     int32
	Max      uint32        // longest message in bytes
	held     atomic.Uint32 // something was received already: a read need not wait
	whole    atomic.Uint32 // no piece of a transport stream waits to be completed
	errno    atomic.Uint32 // what sending a burst met: the next send reports it
	fed      atomic.Uint32 // the same, of what capi keeps
	visit    atomic.Uint64 // the time on the monotonic clock, ns, from which a send goes through Go once; 0 never

	messagesSent, bytesSent         atomic.Uint64
	messagesReceived, bytesReceived atomic.Uint64
	sendCalls, recvCalls            atomic.Uint64

	Send  uintptr // int (*)(void *arg, const void *data, uint32_t n): 1 sent, 0 left to Go
	Ready uintptr // int (*)(void *arg): 1 something waits, also when that is an end
	Arg   uintptr
	Step  uint32 // microseconds between two looks with Ready

	seq      atomic.Uint32 // of the next RTP packet; its low 16 bits count
	base     uint32        // RTP time stamp at epoch
	rate     uint32        // Hz
	epoch    uint64        // on the monotonic clock, ns
	octets   atomic.Uint64 // RTP payload bytes
	head     [12]byte      // RTP header without sequence number and time stamp
	_        uint32
	reserved [64]byte // C's own
}

const (
	sharedPage  = 4096
	sharedBurst = 64 << 10 // behind the page: what a burst holds back
)

// NewShared makes the memory of an open link, which lives as long as owner.
func NewShared[T any](owner *T, kind uint32, fd int, wait *Waiter, most int) (*Shared, error) {
	size := sharedPage + sharedBurst
	if kind&SharedReceive != 0 {
		size = inletEnd
	}
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	runtime.AddCleanup(owner, func(mem []byte) { _ = unix.Munmap(mem) }, mem)
	s := (*Shared)(unsafe.Pointer(&mem[0]))
	s.FD, s.Wake, s.Max = int32(fd), -1, uint32(most) //nolint:gosec // descriptors, and a size that was checked
	if wait != nil {
		s.Wake = int32(wait.wake) //nolint:gosec // a descriptor
	}
	s.Kind.Store(kind)
	s.open.Store(1)
	return s, nil
}

// Trim gives the pages of messages back: the link is closed, and only its counters are
// asked for. No thread may be inside C. Nil is fine.
func (s *Shared) Trim() {
	if s == nil {
		return
	}
	s.drop(sharedPage, inletAt)
	if s.Kind.Load()&SharedReceive != 0 {
		s.drop(slotsAt, inletEnd)
	}
}

func (s *Shared) drop(from, to int) {
	_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(s), from)), to-from), unix.MADV_DONTNEED)
}

// Stop has every later call go through Go, which tells why it fails. Nil is fine.
func (s *Shared) Stop() {
	if s != nil {
		s.open.Store(0)
	}
}

// Lock makes a sender the only one. It spins: the lock is held for a system call,
// or while another sender waits for room. Nil is fine.
func (s *Shared) Lock() {
	if s != nil {
		acquire(&s.sendLock)
	}
}

func acquire(lock *atomic.Uint32) {
	for tries := 0; !lock.CompareAndSwap(0, 1); tries++ {
		if tries < 100 {
			runtime.Gosched()
			continue
		}
		time.Sleep(50 * time.Microsecond)
	}
}

// Unlock ends what Lock began.
func (s *Shared) Unlock() {
	if s != nil {
		s.sendLock.Store(0)
	}
}

// TakeError gives what sending a burst met, once.
func (s *Shared) TakeError() error {
	if s == nil || s.errno.Load() == 0 {
		return nil
	}
	if no := s.errno.Swap(0); no != 0 {
		return unix.Errno(no)
	}
	return nil
}

// SetHeld tells whether something was received that no read has handed out yet.
func (s *Shared) SetHeld(held bool) {
	if s != nil {
		s.held.Store(flag(held))
	}
}

// SetFed is SetHeld for the layer above the link.
func (s *Shared) SetFed(fed bool) {
	if s != nil {
		s.fed.Store(flag(fed))
	}
}

// SetWhole tells whether the next bytes of a transport stream begin a message.
func (s *Shared) SetWhole(whole bool) {
	if s != nil {
		s.whole.Store(flag(whole))
	}
}

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// VisitAfter has the first send after d go through Go.
func (s *Shared) VisitAfter(d time.Duration) {
	if s != nil {
		s.visit.Store(Monotonic() + uint64(d)) //nolint:gosec // not negative
	}
}

// Monotonic is the time on the monotonic clock, in ns.
func Monotonic() uint64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // never fails
	return uint64(t.Nano())                         //nolint:gosec // not negative
}

// Number has C number the packets of an RTP stream: head is the header of any of
// them, base the time stamp now of a clock of rate Hz, seq the next number.
func (s *Shared) Number(head [12]byte, base uint32, rate int, seq uint16) {
	s.head, s.base, s.rate, s.epoch = head, base, uint32(rate), Monotonic() //nolint:gosec // a rate
	s.seq.Store(uint32(seq))
}

// NextSequence takes a number of an RTP stream, and counts the packet's payload.
func (s *Shared) NextSequence(payload int) uint16 {
	s.octets.Add(uint64(payload))   //nolint:gosec // not negative
	return uint16(s.seq.Add(1) - 1) //nolint:gosec // it wraps
}

// Enable has C do more than it was made for.
func (s *Shared) Enable(kind uint32) {
	if s != nil {
		s.Kind.Or(kind)
	}
}

// Octets is how many payload bytes an RTP stream carried.
func (s *Shared) Octets() uint64 { return s.octets.Load() }

// Sent is how many messages C sent.
func (s *Shared) Sent() uint64 {
	if s == nil {
		return 0
	}
	return s.messagesSent.Load()
}

// add puts what C counted into a snapshot.
func (s *Shared) add(to *Stats) {
	to.MessagesSent += s.messagesSent.Load()
	to.BytesSent += s.bytesSent.Load()
	to.MessagesReceived += s.messagesReceived.Load()
	to.BytesReceived += s.bytesReceived.Load()
	to.SendCalls += s.sendCalls.Load()
	to.RecvCalls += s.recvCalls.Load()
}
