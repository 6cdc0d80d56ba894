package rtp

import (
	"bytes"
	"net/netip"
	"testing"

	pion "github.com/pion/rtp"
)

func FuzzWire(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 4, 5})
	f.Add([]byte{0xB1, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0xBE, 0xDE, 0, 1, 0x10, 7, 0, 0, 9, 0, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var w Wire
		if w.Unmarshal(b) != nil {
			return
		}
		if list, err := Elements(nil, w.ExtensionProfile, w.Extension); err == nil && len(list) > 0 {
			if p, x, err := AppendElements(nil, list); err == nil {
				again, err := Elements(nil, p, x)
				if err != nil || len(again) != len(list) {
					t.Fatalf("%v came back as %v, %v", list, again, err)
				}
			}
		}
		out := make([]byte, w.MarshalSize())
		if _, err := w.MarshalTo(out); err != nil {
			t.Fatal(err)
		}
		var again Wire
		if err := again.Unmarshal(out); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Payload, w.Payload) || !bytes.Equal(again.Extension, w.Extension) || again.Padding != w.Padding ||
			again.Sequence != w.Sequence || len(again.CSRC) != len(w.CSRC) {
			t.Fatalf("%+v came back as %+v", w, again)
		}
		// Pion is more lenient, never stricter, but for padding within the payload.
		var p pion.Packet
		if err := p.Unmarshal(b); err == nil && w.Padding == 0 && !bytes.Equal(p.Payload, w.Payload) {
			t.Fatalf("pion reads %x, this %x", p.Payload, w.Payload)
		}
		AppendSTUNAnswer(nil, b, netip.MustParseAddrPort("127.0.0.1:9"))
	})
}

// RFC 5769 §2.2, §2.3: the mapped addresses of its sample responses, without their other attributes.
func TestSTUNAnswer(t *testing.T) {
	request := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae)
	got := AppendSTUNAnswer(nil, request, netip.MustParseAddrPort("192.0.2.1:32853"))
	if want := []byte{0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43}; !bytes.Equal(got[20:], want) {
		t.Errorf("% x want % x", got[20:], want)
	}
	got = AppendSTUNAnswer(nil, request, netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677%5]:32853"))
	want := []byte{
		0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5,
		0xbe, 0xd2, 0xb9, 0xd9,
	}
	if !bytes.Equal(got[20:], want) {
		t.Errorf("% x want % x", got[20:], want)
	}
	if AppendSTUNAnswer(nil, got, netip.MustParseAddrPort("192.0.2.1:1")) != nil {
		t.Error("a response was answered")
	}
}
