package transport

import (
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Backoff is the wait before reconnect attempt n = 1, 2, …: constant, or doubling
// from Base up to Max. There is no jitter.
type Backoff struct {
	Exponential bool
	Base, Max   time.Duration
}

// Wait returns the wait before attempt n, counted from 1.
func (b Backoff) Wait(n int) time.Duration {
	if !b.Exponential {
		return b.Base
	}
	d := b.Base
	for i := 1; i < n && d < b.Max; i++ {
		d *= 2
	}
	return min(d, b.Max)
}

// Overflow says what a full gap buffer does with one more message.
type Overflow uint8

// What a full gap buffer does.
const (
	DropOldest Overflow = iota // the oldest message goes, and is counted
	Reject                     // the new message is refused with tsterr.NoMemory
)

// Mode says who waits for the new link.
type Mode uint8

// Who waits for the new link.
const (
	Blocking   Mode = iota // the call that met the dead link
	Background             // nobody: messages queue in the gap buffer
)

// Bounds of a policy.
const (
	DefaultMaxAttempts = 10
	DefaultGapCapacity = 256
	// MaxGapBytes bounds the gap buffer whatever its capacity in messages.
	MaxGapBytes = 6 << 20
)

// Policy says how a lost link is replaced.
type Policy struct {
	// MaxAttempts is the budget an outage has, negative for no limit; a success resets it.
	MaxAttempts int
	Backoff     Backoff
	// GapCapacity is the number of messages the gap buffer holds.
	GapCapacity int
	Overflow    Overflow
	Mode        Mode
}

// DefaultPolicy is ten attempts, 100 ms doubling to 10 s, a gap buffer of 256
// messages that drops the oldest, and blocking calls.
func DefaultPolicy() Policy {
	return Policy{
		MaxAttempts: DefaultMaxAttempts,
		Backoff:     Backoff{Exponential: true, Base: 100 * time.Millisecond, Max: 10 * time.Second},
		GapCapacity: DefaultGapCapacity,
	}
}

// Validate checks the ranges.
func (p Policy) Validate() error {
	switch {
	case p.GapCapacity < 1:
		return tsterr.New(tsterr.InvalidArg, "gap buffer capacity %d, wanted at least 1 message", p.GapCapacity)
	case p.Backoff.Base < 0 || p.Backoff.Max < 0:
		return tsterr.New(tsterr.InvalidArg, "negative backoff")
	case p.Backoff.Exponential && p.Backoff.Max < p.Backoff.Base:
		return tsterr.New(tsterr.InvalidArg, "backoff maximum %v is below its base %v", p.Backoff.Max, p.Backoff.Base)
	case p.Overflow > Reject || p.Mode > Background:
		return tsterr.New(tsterr.InvalidArg, "unknown overflow policy or mode")
	}
	return nil
}

// ReconnectStats count what a reconnecting object went through.
type ReconnectStats struct {
	Attempts           uint64 // links tried after the first one
	Successes          uint64 // links won back
	GapLen             int    // messages waiting in the gap buffer
	GapMessagesDropped uint64 // messages a full gap buffer cost
	GapBytesDropped    uint64
	// Messages the old links took over that can not have reached the peer's user
	// and that the gap buffer did not hold any more.
	LinkMessagesLost uint64
	LinkBytesLost    uint64
	Resent           uint64 // messages sent again because the old link never acknowledged them
	Reconnecting     bool
}

// EndReason tells why a reconnecting object ended.
type EndReason int32

// Why a reconnecting object ended; the numbers are those of the C ABI.
const (
	EndNone EndReason = iota
	EndOfStream
	EndExhausted
	EndCancelled
)
