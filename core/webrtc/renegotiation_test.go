package webrtc

import (
	"encoding/hex"
	"slices"
	"testing"

	dtlsext "github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
)

func record(t *testing.T, body []byte, offset, total int) []byte {
	t.Helper()
	h := handshake.Header{
		Type: handshake.TypeClientHello, Length: uint32(total), FragmentOffset: uint32(offset), FragmentLength: uint32(len(body)), //nolint:gosec // short
	}
	b, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat([]byte{22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(b) + len(body))}, b, body)
}

func TestRenegotiation(t *testing.T) {
	// Version, random, no session, no cookie, two suites, no compression, no extensions.
	signalled, _ := hex.DecodeString("fefd" + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" + "00" + "00" + "0004c02b00ff" + "0100" + "0000")
	silent := append([]byte(nil), signalled...)
	silent[40], silent[41] = 0xC0, 0x2C
	for name, c := range map[string]struct {
		body []byte
		cut  int
		want int
	}{
		"signalled": {signalled, 0, 1},
		"fragments": {signalled, 41, 1}, // in the middle of the suite that signals
		"silent":    {silent, 0, 0},
	} {
		var r renegotiation
		if c.cut > 0 {
			r.look(record(t, c.body[c.cut:], c.cut, len(c.body))) // too early
			r.look(record(t, c.body[:c.cut], 0, len(c.body)))
			if r.signalled.Load() {
				t.Errorf("%s: from half a suite", name)
			}
		}
		r.look(record(t, c.body[c.cut:], c.cut, len(c.body)))
		hello, ok := r.answer(handshake.MessageServerHello{}).(*handshake.MessageServerHello)
		if !ok || len(hello.Extensions) != c.want {
			t.Errorf("%s: %+v", name, hello)
		}
		once, _ := r.answer(handshake.MessageServerHello{Extensions: []dtlsext.Extension{&dtlsext.RenegotiationInfo{}}}).(*handshake.MessageServerHello)
		if len(once.Extensions) != 1 {
			t.Errorf("%s: answered twice", name)
		}
	}
	var r renegotiation
	for _, b := range [][]byte{nil, {22}, make([]byte, 25), make([]byte, 4000)} {
		r.look(b)
	}
}
