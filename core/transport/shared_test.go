package transport

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestSharedLayout holds the places that capi/link_shared.c pins on its side.
func TestSharedLayout(t *testing.T) {
	var s Shared
	for name, c := range map[string]struct{ got, want uintptr }{
		"visit":        {unsafe.Offsetof(s.visit), 40},
		"messagesSent": {unsafe.Offsetof(s.messagesSent), 48},
		"Send":         {unsafe.Offsetof(s.Send), 96},
		"Step":         {unsafe.Offsetof(s.Step), 120},
		"epoch":        {unsafe.Offsetof(s.epoch), 136},
		"head":         {unsafe.Offsetof(s.head), 152},
		"reserved":     {unsafe.Offsetof(s.reserved), 168},
		"size":         {unsafe.Sizeof(s), 232},
	} {
		if c.got != c.want {
			t.Errorf("%s is at %d, not %d", name, c.got, c.want)
		}
	}
}

func TestSharedCountsAndErrors(t *testing.T) {
	var owner int
	s, err := NewShared(&owner, SharedRTP, 3, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	var c Counters
	c.Share(s)
	c.Sent(2, 20)
	s.messagesSent.Add(3)
	s.bytesSent.Add(30)
	if got := c.Snapshot(); got.MessagesSent != 5 || got.BytesSent != 50 {
		t.Errorf("counted %+v", got)
	}
	s.Number([12]byte{0x80}, 7, 90000, 65535)
	if a, b := s.NextSequence(10), s.NextSequence(5); a != 65535 || b != 0 || s.Octets() != 15 {
		t.Errorf("numbers %d and %d, %d octets", a, b, s.Octets())
	}
	s.errno.Store(uint32(unix.EPERM))
	if err := s.TakeError(); !errors.Is(err, unix.EPERM) || s.TakeError() != nil {
		t.Errorf("the error is %v, or comes twice", err)
	}
	s.Trim()
}

func TestSharedLock(t *testing.T) {
	var owner int
	s, err := NewShared(&owner, SharedDatagram, 3, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	var inside, overlaps atomic.Int32 // atomic, as the race detector does not see locks in mapped memory
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 1000 {
				s.Lock()
				if inside.Add(1) != 1 {
					overlaps.Add(1)
				}
				inside.Add(-1)
				s.Unlock()
			}
		}()
	}
	all.Wait()
	if n := overlaps.Load(); n != 0 {
		t.Errorf("%d times two had the lock", n)
	}
	var none *Shared // a link without
	none.Lock()
	none.SetHeld(true)
	none.Unlock()
	none.Stop()
	none.Trim()
}
