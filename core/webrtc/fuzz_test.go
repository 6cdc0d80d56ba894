package webrtc

import (
	"testing"

	pion "github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"
)

// FuzzDatagram hands datagrams to all that looks at them before they are known to be
// the other side's: STUN, DTLS, SRTP, SRTCP.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42" + "0123456789ab"))
	f.Add([]byte{0x80, 0x61, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
	f.Add([]byte{0x81, 200, 0, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 1})
	f.Add([]byte{22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 1, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 28, 0xFE, 0xFD})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, _ := receiverFor(t)
		in, err := srtp.CreateContext(make([]byte, 16), make([]byte, 14), srtp.ProtectionProfileAes128CmHmacSha1_80)
		if err != nil {
			t.Fatal(err)
		}
		p.t.in = in
		p.t.media(b)
		p.t.renegotiation.look(b)
		p.t.renegotiation.look(b)
		if len(p.t.renegotiation.hello) > maxHello {
			t.Fatal("it holds too much")
		}
		m := stun.Message{Raw: append([]byte(nil), b...)}
		if m.Decode() == nil {
			again := stun.Message{Raw: append([]byte(nil), m.Raw...)}
			if err := again.Decode(); err != nil || !again.Equal(&m) {
				t.Fatalf("decoded once more it differs: %v", err)
			}
		}
	})
}

// FuzzPacket hands decrypted packets to their receiver.
func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x80, 0x61, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0x10, 1})
	f.Add([]byte{0x90, 0xE1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xBE, 0xDE, 0, 1, 0x10, '0', 0, 0, 0x10, 1})
	f.Add([]byte{0xB0, 0x62, 0, 1, 0, 0, 0, 1, 0, 0, 0, 8, 0x10, 0, 0, 1, 1, 1, '0', 0, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, tr := receiverFor(t)
		tr.codecs, tr.exts, tr.mid = offered(Video, preferences{}), extensions(Video), "0"
		var h pion.Header
		if _, err := h.Unmarshal(b); err != nil {
			return
		}
		p.packet(&h, b)
		p.packet(&h, b)
		frames(p)
	})
}
