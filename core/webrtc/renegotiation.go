package webrtc

import (
	"slices"
	"sync/atomic"

	dtlsext "github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"
)

// emptyRenegotiationInfo is the cipher suite that says what an empty extension of
// renegotiation says (RFC 5746 §3.3).
const emptyRenegotiationInfo = 0x00FF

// maxHello bounds what is kept of a ClientHello.
const maxHello = 8192

// renegotiation answers clients that signal safe renegotiation by a cipher suite, as
// OpenSSL's do: such a client ends the handshake unless the server tells that it knows
// (RFC 5746 §3.6). pion/dtls answers the extension alone.
type renegotiation struct {
	hello     []byte // fragments of a ClientHello; of the goroutine that reads
	signalled atomic.Bool
}

// look notes what a ClientHello among incoming records says. It may come in fragments
// (RFC 6347 §4.2.3), each in a record of its own.
func (r *renegotiation) look(record []byte) {
	const head, handshakeRecord = recordlayer.FixedHeaderSize, 22
	var h handshake.Header
	if len(record) < head+handshake.HeaderLength || record[0] != handshakeRecord || h.Unmarshal(record[head:]) != nil ||
		h.Type != handshake.TypeClientHello {
		return
	}
	if h.FragmentOffset == 0 {
		r.hello = r.hello[:0]
	}
	body := record[head+handshake.HeaderLength:]
	if int(h.FragmentOffset) != len(r.hello) || len(r.hello)+len(body) > maxHello {
		return // out of order: the client sends all of it again
	}
	r.hello = append(r.hello, body...)
	var hello handshake.MessageClientHello
	_ = hello.Unmarshal(r.hello) // the suites are read before what may still be missing
	if slices.Contains(hello.CipherSuiteIDs, emptyRenegotiationInfo) {
		r.signalled.Store(true)
	}
}

func (r *renegotiation) answer(hello handshake.MessageServerHello) handshake.Message {
	if r.signalled.Load() && !slices.ContainsFunc(hello.Extensions, func(e dtlsext.Extension) bool {
		return e.TypeValue() == dtlsext.RenegotiationInfoTypeValue
	}) {
		hello.Extensions = append(hello.Extensions, &dtlsext.RenegotiationInfo{})
	}
	return &hello
}
