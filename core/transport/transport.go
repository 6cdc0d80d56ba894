// Package transport holds what the protocol rooms (udp, tcp, srt, rist) share:
// the message reader and writer, the life of a blocking object, URL and option
// parsing, and the one reconnecting wrapper. It knows no protocol and no
// payload format.
package transport

import (
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Timeouts of blocking calls.
const (
	// Forever waits without a limit.
	Forever time.Duration = -1
	// Poll does not wait.
	Poll time.Duration = 0
)

// MaxBatch is the number of messages one call moves at most.
const MaxBatch = 1024

// Span is the place of one message in a batch's arena, in bytes.
type Span struct {
	Off, Len uint32
}

// Reader receives whole messages. One thread at a time may be inside ReadBatch;
// Stats, Cancel and Close may be called by any thread at any time.
type Reader interface {
	// ReadBatch waits up to timeout for a first message, then takes what else is
	// ready without waiting. The messages are copied into arena.
	// It returns tsterr.Timeout when nothing came, tsterr.Cancelled or
	// tsterr.Closed once the object is so, and tsterr.BufferTooSmall (attribute
	// "needed") when arena cannot hold the next message, which stays.
	// An error of kind tsterr.Discontinuity comes together with n > 0: the
	// messages are the first of a new link.
	ReadBatch(arena []byte, spans []Span, timeout time.Duration) (n int, err error)
	Object
}

// Writer sends whole messages. Calls of WriteBatch from several threads serialise.
type Writer interface {
	// WriteBatch sends the messages that lie in data at spans and waits up to
	// timeout for room. It returns how many were taken over; data is copied.
	// When n < len(spans) the error says why.
	WriteBatch(data []byte, spans []Span, timeout time.Duration) (n int, err error)
	Object
}

// Object is what every live transport has.
type Object interface {
	Stats() Stats
	// Cancel ends parked and later calls with tsterr.Cancelled. It frees nothing.
	Cancel()
	// Close frees everything. Parked calls end with tsterr.Closed. It may be repeated.
	Close() error
}

// Stats are the counters every transport keeps. Bytes are payload bytes.
type Stats struct {
	MessagesSent     uint64
	BytesSent        uint64
	MessagesReceived uint64
	BytesReceived    uint64
	SendCalls        uint64
	RecvCalls        uint64
	SendErrors       uint64
	RecvErrors       uint64
	// MessagesDropped counts what a full bounded queue cost, the kernel's included.
	MessagesDropped uint64
}

// Unacked is implemented by writers whose protocol acknowledges. Both counts
// stay readable after the link broke.
type Unacked interface {
	// Unacked returns how many of the messages sent last have not been
	// acknowledged by the peer.
	Unacked() int
	// Undelivered returns how many messages before those the peer acknowledged
	// but, by the receive delay agreed with it, cannot have handed out when it was
	// last heard.
	Undelivered() int
}

// Silent is implemented by writers that notice when their peer stops acknowledging.
type Silent interface {
	// Silence returns for how long the peer has acknowledged nothing although something
	// waits for it, 0 where nothing does.
	Silence() time.Duration
}

// Outstanding is implemented by writers of a stream whose system tells what the
// peer's host acknowledged.
type Outstanding interface {
	// Outstanding returns how many bytes given to the system it has not acknowledged,
	// also after the link broke.
	Outstanding() uint64
}

// Lost reports whether err means that the link is gone, so that a new one may help.
func Lost(err error) bool {
	switch tsterr.KindOf(err) { //nolint:exhaustive // the rest is not a lost link
	case tsterr.EOS, tsterr.IO,
		tsterr.SRTConnectFailed, tsterr.SRTAcceptFailed, tsterr.SRTTimeout, tsterr.SRTBroken,
		tsterr.SRTIO, tsterr.SRTEndOfStream,
		tsterr.TCPIO, tsterr.TCPConnectTimeout, tsterr.TCPBroken, tsterr.TCPTLS,
		tsterr.UDPIO, tsterr.UDPBroken,
		tsterr.RISTIO, tsterr.RISTPeerCreateFailed:
		return true
	}
	return false
}

// Timeout makes the error of a call that ran out of time.
func Timeout(what string) *tsterr.Error {
	return tsterr.New(tsterr.Timeout, "%s: nothing within the time given", what)
}

// IsTimeout reports whether err says that the time given ran out.
func IsTimeout(err error) bool { return tsterr.KindOf(err) == tsterr.Timeout }
