package rtp

import (
	"bytes"
	"testing"

	pion "github.com/pion/rtp"
)

// casesPacket are packets that pion/rtp writes.
func casesPacket(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	base := pion.Header{Version: 2, PayloadType: 33, SequenceNumber: 0xFFFE, Timestamp: 0xFFFFFFF0, SSRC: 0xCAFEBABE}
	add := func(name string, p pion.Packet) {
		b, err := p.Marshal()
		if err != nil {
			t.Fatal(name, err)
		}
		out[name] = b
	}
	add("plain", pion.Packet{Header: base, Payload: []byte{0x47, 1, 2, 3}})
	h := base
	h.Marker = true
	add("marker, empty", pion.Packet{Header: h})
	h.CSRC = []uint32{1, 2, 3}
	add("csrc", pion.Packet{Header: h, Payload: []byte("x")})
	h.Extension, h.ExtensionProfile = true, pion.ExtensionProfileOneByte
	if err := h.SetExtension(3, []byte{9, 8, 7}); err != nil {
		t.Fatal(err)
	}
	add("extension", pion.Packet{Header: h, Payload: []byte("payload")})
	h.Padding = true
	add("padding", pion.Packet{Header: h, Payload: []byte("payload"), PaddingSize: 5})
	return out
}

func TestPacketAgainstPion(t *testing.T) {
	t.Parallel()
	for name, b := range casesPacket(t) {
		var want pion.Packet
		if err := want.Unmarshal(b); err != nil {
			t.Fatal(name, err)
		}
		before := bytes.Clone(b)
		var got Packet
		if err := got.Unmarshal(b); err != nil {
			t.Fatal(name, err)
		}
		if !bytes.Equal(b, before) {
			t.Errorf("%s: the input changed", name)
		}
		if got.Marker != want.Marker || got.PayloadType != want.PayloadType || got.Sequence != want.SequenceNumber ||
			got.Timestamp != want.Timestamp || got.SSRC != want.SSRC || !bytes.Equal(got.Payload, want.Payload) {
			t.Errorf("%s: %+v, wanted %v", name, got, &want)
		}
	}
}

func TestPacketHeaderWritten(t *testing.T) {
	t.Parallel()
	p := Packet{Marker: true, PayloadType: 96, Sequence: 65535, Timestamp: 1<<32 - 1, SSRC: 7}
	var h [HeaderSize]byte
	p.PutHeader(h[:])
	var got pion.Header
	if _, err := got.Unmarshal(h[:]); err != nil {
		t.Fatal(err)
	}
	if !got.Marker || got.PayloadType != 96 || got.SequenceNumber != 65535 || got.Timestamp != 1<<32-1 || got.SSRC != 7 {
		t.Errorf("%+v", got)
	}
}

func TestPacketDamaged(t *testing.T) {
	t.Parallel()
	whole := casesPacket(t)["padding"]
	for n := range HeaderSize {
		if (&Packet{}).Unmarshal(whole[:n]) == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
	for name, b := range map[string][]byte{
		"version 1":             append([]byte{0x40}, make([]byte, 11)...),
		"csrc cut":              append([]byte{0x81}, make([]byte, 11)...),
		"extension cut":         append([]byte{0x90}, make([]byte, 14)...),
		"extension too long":    append(append([]byte{0x90}, make([]byte, 11)...), 0, 0, 0, 9),
		"padding of zero":       append([]byte{0xA0}, make([]byte, 12)...),
		"padding over the head": append(append([]byte{0xA0}, make([]byte, 11)...), 0, 3),
	} {
		if (&Packet{}).Unmarshal(b) == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzPacket(f *testing.F) {
	for _, b := range casesPacket(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		if p.Unmarshal(b) != nil {
			return
		}
		if len(p.Payload) > len(b)-HeaderSize {
			t.Fatal("payload reaches into the header")
		}
		var h [HeaderSize]byte
		p.PutHeader(h[:])
		var again Packet
		if err := again.Unmarshal(append(h[:], p.Payload...)); err != nil {
			t.Fatal(err)
		}
		if again.Marker != p.Marker || again.PayloadType != p.PayloadType || again.Sequence != p.Sequence ||
			again.Timestamp != p.Timestamp || again.SSRC != p.SSRC || !bytes.Equal(again.Payload, p.Payload) {
			t.Fatalf("%+v became %+v", p, again)
		}
	})
}

// FuzzInbound feeds datagrams, each after a byte that says RTP or RTCP and its length.
func FuzzInbound(f *testing.F) {
	for _, b := range casesPacket(f) {
		f.Add(append([]byte{0, byte(len(b))}, b...)) //nolint:gosec // short
	}
	o := NewOutbound(33, nil, ClockRate, 0, epoch())
	for _, b := range [][]byte{o.Report("x", epoch(), 5), o.Bye("x", epoch(), 5)} {
		f.Add(append([]byte{1, byte(len(b))}, b...)) //nolint:gosec // short
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		now := epoch()
		in := NewInbound(InboundConfig{PayloadType: 33, Hold: DefaultHold})
		pushed := 0
		popped := 0
		for len(b) >= 2 {
			n := min(int(b[1]), len(b)-2)
			d, isRTCP := b[2:2+n], b[0]&1 == 1
			b = b[2+n:]
			now = now.Add(DefaultHold / 4)
			if isRTCP {
				in.Control(d, zeroAddr(), now)
				continue
			}
			in.Push(d, zeroAddr(), now)
			pushed++
			for {
				if _, ok := in.Pop(now); !ok {
					break
				}
				popped++
			}
		}
		in.Report(1, "x", now)
		if s := in.Stats(); popped > pushed || s.Lost > 1<<40 || s.Packets > uint64(pushed) { //nolint:gosec // not negative
			t.Fatalf("%d pushed, %d popped, %+v", pushed, popped, s)
		}
	})
}
