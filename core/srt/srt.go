// Package srt moves messages over SRT (draft-sharabayko-srt) with libsrt: live
// mode, handshake version 5, message API. Sockets are made and configured
// through srtgo.
package srt

import (
	"sync"
	"time"

	"github.com/haivision/srtgo"
)

// Defaults and bounds.
const (
	// DefaultConnectTimeout bounds a caller's handshake.
	DefaultConnectTimeout = 3 * time.Second
	// DefaultPayload is seven TS packets, the longest message sent unless payloadsize says more.
	DefaultPayload = 1316
	// MaxPayload is the longest message of live mode in bytes.
	MaxPayload = 1456
	// ReadArena is the least arena a read needs in bytes.
	ReadArena = 2048
)

const (
	// waitSlice is how long a call is parked inside libsrt at a time: so late may a
	// cancel be seen.
	waitSlice = 40 * time.Millisecond
	// readStep is how often a parked read looks for data: little beside the receive
	// delay, and at common rates less work than a wake-up a message.
	readStep = 4 * time.Millisecond
	// pollStep is the pace of waits that libsrt offers no wait for: connecting,
	// accepting, and sends shorter than a slice.
	pollStep = 5 * time.Millisecond
	// brokenGrace is how long a connecting socket that failed may be without a reason.
	brokenGrace = 100 * time.Millisecond

	// redials is how often a dial that broke without a reason is made again, within the time for connecting.
	redials = 3
	// trackStep is how often a sender looks at what the peer acknowledged.
	trackStep = 3 * time.Millisecond
	// readerLag is how long after a message is due a receiver's user has it, on average:
	// ours looks every readStep.
	readerLag = readStep / 2
	// drainLimit bounds how long Close waits for sent data to be acknowledged, the
	// rest leaves in the background within the linger time, and closeLimit the whole of it.
	drainLimit = 30 * time.Millisecond
	closeLimit = 40 * time.Millisecond
	// statsLimit bounds how long statistics wait for libsrt, and firstStatsLimit how long the
	// first ones of a link do: there are none from before to give instead.
	statsLimit      = 30 * time.Millisecond
	firstStatsLimit = 500 * time.Millisecond
	// closeLinger is the linger time of a socket that sets none, in seconds.
	closeLinger = 3
	backlog     = 64
)

// start brings libsrt up at first use. It stays up: taking it down while another
// thread is inside would not be safe, and its one idle thread costs nothing.
var start = sync.OnceFunc(func() {
	srtgo.InitSRT()
	srtgo.SrtSetLogLevel(srtgo.SrtLogLevelCrit) // what matters comes back as an error
})
