package transport

import (
	"sync/atomic"
	"unsafe"
)

// A receiver of datagrams that was made with SharedReceive has room, behind that of bursts,
// into which C receives: it copies what it can hand out to its caller and leaves the rest to
// Left. capi/link_receive.c is the other side and pins the layout.
const (
	inletSlots = 64
	inletSlot  = 2048    // of a datagram; what is longer goes on in its spill
	inletSpill = 1 << 16 // no datagram reaches most of its pages
	inletLog   = 2048

	inletAt  = sharedPage + sharedBurst
	slotsAt  = inletAt + 64<<10
	spillsAt = slotsAt + inletSlots*inletSlot
	inletEnd = spillsAt + inletSlots*inletSpill
)

type inlet struct {
	lock     atomic.Uint32 // held by who receives or takes what is left
	next, n  uint32        // the slots that were received into and not handed out
	payload  uint32        // the RTP payload type to take
	logged   atomic.Uint32 // arrivals written; both counts wrap
	digested atomic.Uint32 // and read
	near     uint32        // so many bytes of a datagram are in its slot, the rest in its spill
	_        uint32
	_        [2]uint64 // C's own
	sizes    [inletSlots]uint32
	log      [inletLog]Arrival
}

// Arrival is an RTP packet that C handed out.
type Arrival struct {
	At        uint64 // on the monotonic clock, ns
	Timestamp uint32
	SSRC      uint32
	Sequence  uint16
	Size      uint16 // its header included
	_         uint32
}

func (s *Shared) inlet() *inlet {
	if s == nil || s.Kind.Load()&SharedReceive == 0 {
		return nil
	}
	return (*inlet)(unsafe.Add(unsafe.Pointer(s), inletAt))
}

// TakeRTP has C hand out the payloads of RTP packets of one payload type, those with the plain
// header of twelve bytes, and note their arrivals. It is called before C has the memory.
func (s *Shared) TakeRTP(payloadType uint8) {
	s.inlet().payload = uint32(payloadType)
	s.Enable(SharedReceiveRTP)
}

// Left gives a copy in buf of the next datagram that C received and could not hand out. Nil is fine.
func (s *Shared) Left(buf []byte) ([]byte, bool) {
	in := s.inlet()
	if in == nil {
		return buf, false
	}
	acquire(&in.lock)
	defer in.lock.Store(0)
	if in.next >= in.n {
		return buf, false
	}
	i, size, near := uintptr(in.next), in.sizes[in.next], in.near
	in.next++
	slot := (*byte)(unsafe.Add(unsafe.Pointer(s), slotsAt+i*inletSlot))
	buf = append(buf[:0], unsafe.Slice(slot, min(size, near))...)
	if size > near {
		spill := (*byte)(unsafe.Add(unsafe.Pointer(s), spillsAt+i*inletSpill))
		buf = append(buf, unsafe.Slice(spill, size-near)...)
	}
	return buf, true
}

// Arrived gives the next arrival that C noted. One thread at a time calls it. Nil is fine.
func (s *Shared) Arrived() (Arrival, bool) {
	in := s.inlet()
	if in == nil {
		return Arrival{}, false
	}
	at := in.digested.Load()
	if at == in.logged.Load() {
		return Arrival{}, false
	}
	a := in.log[at%inletLog]
	in.digested.Store(at + 1)
	return a, true
}
