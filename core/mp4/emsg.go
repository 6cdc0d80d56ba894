package mp4

import (
	"bytes"
	"encoding/binary"

	"github.com/tstrans/tstrans/core/tsterr"
)

// UnknownDuration is event_duration of an event of unknown length.
const UnknownDuration = 0xFFFFFFFF

// EventMessage is an event message box (ISO/IEC 23009-1 §5.10.3.3).
type EventMessage struct {
	// Version 0 counts Time from the start of the segment, version 1 on the
	// track's own timeline.
	Version   uint8
	SchemeURI string
	Value     string
	Timescale uint32 // ticks a second
	Time      uint64 // ticks
	Duration  uint32 // ticks, or UnknownDuration
	ID        uint32
	Data      []byte // aliases the input of Unmarshal
}

// MarshalSize is the length of the box in bytes.
func (e *EventMessage) MarshalSize() int {
	fixed := 12 + 4 + 4 + 4 + 4 // header, timescale, time, duration, id
	if e.Version == 1 {
		fixed += 4
	}
	return fixed + len(e.SchemeURI) + len(e.Value) + 2 + len(e.Data)
}

// Append appends the box.
func (e *EventMessage) Append(b []byte) []byte {
	be := binary.BigEndian
	b = append(be.AppendUint32(b, uint32(e.MarshalSize())), "emsg"...)
	b = append(b, e.Version, 0, 0, 0)
	text := func() {
		b = append(append(b, e.SchemeURI...), 0)
		b = append(append(b, e.Value...), 0)
	}
	if e.Version == 0 {
		text()
	}
	b = be.AppendUint32(b, e.Timescale)
	if e.Version == 0 {
		b = be.AppendUint32(b, uint32(e.Time))
	} else {
		b = be.AppendUint64(b, e.Time)
	}
	b = be.AppendUint32(b, e.Duration)
	b = be.AppendUint32(b, e.ID)
	if e.Version != 0 {
		text()
	}
	return append(b, e.Data...)
}

// Unmarshal reads a whole box, size first, and gives the bytes of it.
func (e *EventMessage) Unmarshal(b []byte) (int, error) {
	be := binary.BigEndian
	bad := func(field string, at int, what string) (int, error) {
		return 0, tsterr.At(tsterr.MP4InputMalformed, field, int64(at), "emsg: %s", what)
	}
	if len(b) < 12 || string(b[4:8]) != "emsg" {
		return bad("type", 0, "no such box")
	}
	n := int64(be.Uint32(b))
	if n < 12 || n > int64(len(b)) {
		return bad("size", 0, "the box is cut")
	}
	box := b[:n]
	*e = EventMessage{Version: box[8]}
	if e.Version > 1 {
		return bad("version", 8, "unknown version")
	}
	p := 12
	text := func(to *string) bool {
		k := bytes.IndexByte(box[p:], 0)
		if k < 0 {
			return false
		}
		*to = string(box[p : p+k])
		p += k + 1
		return true
	}
	if e.Version == 0 && (!text(&e.SchemeURI) || !text(&e.Value)) {
		return bad("scheme_id_uri", p, "a text without end")
	}
	fixed := 16
	if e.Version == 1 {
		fixed = 20
	}
	if len(box)-p < fixed {
		return bad("timescale", p, "the box is cut")
	}
	e.Timescale = be.Uint32(box[p:])
	if e.Version == 0 {
		e.Time = uint64(be.Uint32(box[p+4:]))
	} else {
		e.Time = be.Uint64(box[p+4:])
	}
	e.Duration, e.ID = be.Uint32(box[p+fixed-8:]), be.Uint32(box[p+fixed-4:])
	p += fixed
	if e.Version == 1 && (!text(&e.SchemeURI) || !text(&e.Value)) {
		return bad("scheme_id_uri", p, "a text without end")
	}
	e.Data = box[p:]
	return int(n), nil
}
