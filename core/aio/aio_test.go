package aio

import (
	"net"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/audio"
	"github.com/tstrans/tstrans/core/rtp"
)

func engine(t *testing.T) *Engine {
	t.Helper()
	e, err := NewEngine()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func config(remote netip.AddrPort) Config {
	return Config{
		Local: netip.MustParseAddrPort("127.0.0.1:0"), Remote: remote, ClockRate: 8000, Capacity: 16, Codec: audio.ULaw{},
		SampleRate: 8000, FrameSamples: 160, DTMFType: 101, NoiseType: 13, SSRC: 7, CNAME: "x",
	}
}

// take plays the user's side of a hub.
func take(h *Hub) (out []record) {
	for {
		b, p := h.page(int(h.head.next))
		h.head.signalled = 0
		if p.state != pageFull {
			return out
		}
		for i := range p.n {
			out = append(out, *(*record)(unsafe.Pointer(&b[pageHead+int(i)*recordSize])))
		}
		p.n, p.arena, p.state = 0, 0, pageFree
		h.head.next = (h.head.next + 1) % pages
	}
}

func TestSessionDelivers(t *testing.T) {
	e := engine(t)
	h, err := e.NewHub()
	if err != nil {
		t.Fatal(err)
	}
	defer e.CloseHub(h)
	s, err := e.Open(config(netip.AddrPort{}), h)
	if err != nil {
		t.Fatal(err)
	}
	local, _ := s.Local()
	c, err := net.Dial("udp", local.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // a test
	for i := range 20 {
		p := rtp.Packet{Sequence: uint16(i), Timestamp: uint32(160 * i), SSRC: 9}
		b := make([]byte, 172)
		p.PutHeader(b)
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	var got []record
	for end := time.Now().Add(10 * time.Second); len(got) < 20 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		e.mu.Lock()
		got = append(got, take(h)...)
		e.mu.Unlock()
	}
	// The last frame is known complete only once the sender has gone quiet.
	if len(got) != 20 || got[19].ts != 19*160 || got[0].n != 320 {
		t.Fatalf("%d records", len(got))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		e.mu.Lock()
		running := e.running
		e.mu.Unlock()
		if !running {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the owner did not end with the last session")
		}
	}
}

func TestHubKeepsOrderAndCountsWhatItDrops(t *testing.T) {
	h, err := newHub()
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	s := &Session{slot: 3, gen: 1}
	payload := make([]byte, 1000)
	sent := 0
	for i := range 40000 {
		if h.put(s, RecAudio, 0, uint32(i), payload, 0, 0) {
			sent++
		}
		if i%7 == 0 {
			h.publish()
		}
	}
	h.publish()
	if h.dropped == 0 || s.dropped != h.dropped || sent+int(h.dropped) != 40000 {
		t.Fatal(sent, h.dropped)
	}
	got := take(h)
	if len(got) != sent {
		t.Fatalf("%d of %d", len(got), sent)
	}
	for i, r := range got {
		if r.ts != uint32(i) {
			t.Fatalf("record %d is %d", i, r.ts)
		}
	}
	if !h.put(s, RecFrame, 0, 1, make([]byte, 3<<20), 0, 0) {
		t.Fatal("a large payload finds no room in an empty hub")
	}
	h.publish()
	total := 0
	for i, r := range take(h) {
		total += int(r.n)
		if more := r.flags&FlagMore != 0; more != (i < 2) {
			t.Fatal(i, r)
		}
	}
	if total != 3<<20 {
		t.Fatal(total)
	}
	if h.put(s, RecFrame, 0, 1, make([]byte, 17<<20), 0, 0) {
		t.Fatal("more than all pages hold was taken")
	}
}

func FuzzDatagram(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 4, 5}, false)
	f.Add([]byte{0x80, 101, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 5, 0x8A, 5, 0}, false)
	f.Add([]byte{0x81, 0xCD, 0, 3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0x80, 2}, true)
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, false)
	e, err := NewEngine()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, b []byte, video bool) {
		cfg := config(netip.AddrPort{})
		cfg.Video, cfg.NACK, cfg.Playout = video, true, len(b)%2 == 0
		if video {
			cfg.PayloadType, cfg.Capacity = 96, 32
		}
		s := &Session{e: e, cfg: cfg, rtp: -1, rtcp: -1}
		s.out = newSender(cfg)
		s.in = newReception(cfg)
		if s.parts() != nil {
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if s.voice != nil {
			s.voice.start()
		}
		t := time.Now()
		from := netip.MustParseAddrPort("127.0.0.1:9")
		// The input is a run of datagrams, each led by its length.
		for len(b) > 0 {
			n := min(int(b[0]), len(b)-1)
			s.datagram(t, b[1:1+n], from, false)
			b = b[1+n:]
		}
		s.sendReport()
		e.timers = nil
	})
}
