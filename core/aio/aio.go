// Package aio runs RTP sessions of voice and video for a process that has an event loop of its own, thousands of
// calls at a time. One owner goroutine serves the sockets of all sessions: it sleeps until something comes, and then
// works in ticks of two or four milliseconds, so that wake-ups are shared. What the user sends goes into a ring in shared
// memory, what arrives comes back in pages of records, with one wake-up of the user's loop a batch: neither direction
// enters the Go runtime from the user's thread.
//
// Specifications: RFC 3550, RFC 3551 (RTP, RTCP), RFC 4585 (NACK, PLI), RFC 4733 (DTMF), RFC 3389 (comfort noise),
// RFC 6184, RFC 7741, RFC 9628 (video), RFC 8489 (STUN binding), RFC 4961 (symmetric RTP).
package aio

import "time"

// Sizes and times of the engine.
const (
	// MaxSessions bounds the sessions of a process.
	MaxSessions = 1 << 14
	// While anything moves, the owner looks at slowTicks instants in the usual frame of 20 ms, and at fastTicks, the
	// slow ones among them, once fastWork posts, datagrams and timers come in a frame: a wake-up costs as much as ten
	// packets. Below slowWork it goes back. The grid repeats each frame, so a stream keeps its rhythm.
	slowTicks   = 5
	fastTicks   = 10
	fastWork    = 90
	slowWork    = 60
	frame       = 20 * time.Millisecond
	ringBytes   = 8 << 20
	maxDatagram = 1 << 16
	batch       = 16 // datagrams a system call
	// tailAfter is how long after the last packet of audio the frames held back are delivered.
	tailAfter = 600 * time.Millisecond
	// lostAfter is how long an incomplete video frame waits for what is missing.
	lostAfter = 100 * time.Millisecond
	// MaxQueue bounds the frames that wait in a paced session: ten minutes of 20 ms.
	MaxQueue = 30000
	// maxPending bounds the work of one NACK.
	maxRetransmit = 128
)

// Kinds of records.
const (
	RecAudio    = 1  // PCM, or the raw payload without a codec
	RecRaw      = 2  // a payload that the user decodes
	RecConceal  = 3  // A frames that the user conceals
	RecDTMF     = 4  // A: key, B: duration
	RecReport   = 5  // a report block about this session, 24 bytes as on the wire
	RecNoise    = 6  // A: level
	RecFrame    = 7  // video, A: 1 key
	RecKeyframe = 8  // the peer asks for a key frame
	RecDrained  = 9  // the paced queue is empty
	RecSilence  = 10 // a frame of comfort noise that the user makes, A: level
)

// Flags of records.
const (
	FlagMore  = 1 // the payload goes on in the next record
	FlagClock = 2 // from the playout clock
)

// Kinds of what is posted to the ring.
const (
	PostPayload = 0 // ready to send with a timestamp
	PostPCM     = 1 // to be encoded
	PostPaced   = 2 // a payload for the paced queue
	PostPacedPC = 3 // PCM for the paced queue
)
