package flow

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tstrans/tstrans/core/tsterr"
)

// digits in the order of their event codes (RFC 4733 §3.2).
const digits = "0123456789*#ABCD"

// Event is a telephone event (RFC 4733 §2.3).
type Event struct {
	Code     uint8
	End      bool
	Volume   uint8  // in -dBm0, 0 to 63
	Duration uint16 // in timestamp units
}

// EventSize is the length of an event's payload.
const EventSize = 4

// ParseEvent reads a payload; what follows the first four bytes is left alone.
func ParseEvent(b []byte) (Event, error) {
	if len(b) < EventSize {
		return Event{}, tsterr.At(tsterr.InvalidArg, "event", int64(len(b)), "DTMF event payload must be at least 4 bytes")
	}
	return Event{b[0], b[1]&0x80 != 0, b[1] & 0x3F, binary.BigEndian.Uint16(b[2:])}, nil
}

// Append appends the payload to dst.
func (e Event) Append(dst []byte) []byte {
	b := e.Volume & 0x3F
	if e.End {
		b |= 0x80
	}
	return binary.BigEndian.AppendUint16(append(dst, e.Code, b), e.Duration)
}

// Digit is the key of an event, "?" where the code has none.
func (e Event) Digit() string {
	if int(e.Code) < len(digits) {
		return digits[e.Code : e.Code+1]
	}
	return "?"
}

// EventOf finds the code of a key, in either case.
func EventOf(digit string) (uint8, error) {
	up := strings.ToUpper(digit)
	if i := strings.Index(digits, up); len(up) == 1 && i >= 0 {
		return uint8(i), nil //nolint:gosec // below 16
	}
	return 0, tsterr.New(tsterr.InvalidArg, "Invalid DTMF digit: %s", digit)
}

// maxEvents bounds the packets of one digit: a minute.
const maxEvents = 3000

// Events gives the packets of one press: its progress each 20 ms, then the end three times (RFC 4733 §2.5.1).
func Events(digit string, durationMS, volume, clockRate int) ([]Event, error) {
	code, err := EventOf(digit)
	if err != nil {
		return nil, err
	}
	total := durationMS * clockRate / 1000
	step := clockRate / 50
	if durationMS < 0 || clockRate <= 0 || total > 0xFFFF || step > 0 && total/step > maxEvents {
		return nil, tsterr.New(tsterr.InvalidArg, "a digit of %d ms at %d Hz: at most 65535 timestamp units", durationMS, clockRate)
	}
	var out []Event
	v := uint8(min(max(volume, 0), 63)) //nolint:gosec // bounded
	for d := step; step > 0 && d < total; d += step {
		out = append(out, Event{code, false, v, uint16(d)}) //nolint:gosec // below total
	}
	for range 3 {
		out = append(out, Event{code, true, v, uint16(total)}) //nolint:gosec // bounded
	}
	return out, nil
}

// toldEvents is how many presses a receiver remembers, to know their late ends.
const toldEvents = 4

// EventReceiver tells each press once, however often its end is repeated and however late one of them comes.
type EventReceiver struct {
	seen bool
	ts   uint32
	told bool
	past [toldEvents]pastEvent
	next int
}

type pastEvent struct {
	told bool
	code uint8
	ts   uint32
}

// Add takes the payload of an event packet; ok tells that a press has just ended.
func (r *EventReceiver) Add(ts uint32, payload []byte) (e Event, ok bool) {
	e, err := ParseEvent(payload)
	if err != nil {
		return e, false
	}
	if !r.seen || r.ts != ts {
		if slices.Contains(r.past[:], pastEvent{true, e.Code, ts}) {
			return e, false
		}
		r.seen, r.ts, r.told = true, ts, false
	}
	if !e.End || r.told {
		return e, false
	}
	r.told = true
	r.past[r.next] = pastEvent{true, e.Code, ts}
	r.next = (r.next + 1) % toldEvents
	return e, true
}
