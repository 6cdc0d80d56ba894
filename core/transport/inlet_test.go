package transport

import (
	"bytes"
	"testing"
	"unsafe"
)

// TestInletLayout holds the places that capi/link_receive.c pins on its side.
func TestInletLayout(t *testing.T) {
	var in inlet
	for name, c := range map[string]struct{ got, want uintptr }{
		"near":    {unsafe.Offsetof(in.near), 24},
		"sizes":   {unsafe.Offsetof(in.sizes), 48},
		"log":     {unsafe.Offsetof(in.log), 304},
		"arrival": {unsafe.Sizeof(in.log[0]), 24},
	} {
		if c.got != c.want {
			t.Errorf("%s is at %d, not %d", name, c.got, c.want)
		}
	}
	if unsafe.Sizeof(in) > slotsAt-inletAt {
		t.Errorf("%d bytes are too many", unsafe.Sizeof(in))
	}
}

func TestInlet(t *testing.T) {
	var owner int
	s, err := NewShared(&owner, SharedPoll|SharedReceive, 3, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Left(nil); ok {
		t.Error("something is left of nothing")
	}
	in := s.inlet()
	in.near, in.n, in.sizes[0], in.sizes[1] = 100, 2, 40, 130
	mem := unsafe.Slice((*byte)(unsafe.Pointer(s)), inletEnd)
	copy(mem[slotsAt:], bytes.Repeat([]byte{1}, 40))
	copy(mem[slotsAt+inletSlot:], bytes.Repeat([]byte{2}, 100))
	copy(mem[spillsAt+inletSpill:], bytes.Repeat([]byte{3}, 30))
	if b, ok := s.Left(nil); !ok || !bytes.Equal(b, bytes.Repeat([]byte{1}, 40)) {
		t.Errorf("left: %v", b)
	}
	want := append(bytes.Repeat([]byte{2}, 100), bytes.Repeat([]byte{3}, 30)...)
	if b, ok := s.Left(nil); !ok || !bytes.Equal(b, want) {
		t.Errorf("left: %v", b)
	}
	if _, ok := s.Left(nil); ok {
		t.Error("something is left a second time")
	}

	s.TakeRTP(33)
	in.logged.Store(1<<32 - 1) // the count wraps
	in.digested.Store(1<<32 - 1)
	in.log[(1<<32-1)%inletLog] = Arrival{Sequence: 7}
	in.logged.Add(1)
	if a, ok := s.Arrived(); !ok || a.Sequence != 7 {
		t.Errorf("arrived: %+v", a)
	}
	if _, ok := s.Arrived(); ok || in.digested.Load() != 0 {
		t.Error("it arrives twice")
	}
	s.Trim()
}
