// Package opus reads what is around Opus packets; it decodes nothing.
//
// Specifications: RFC 6716 §3 (packets); "Encapsulation of Opus in MPEG-TS", draft
// 0.1 of the Xiph.Org Foundation, §3.1 (control header).
package opus

import (
	"github.com/tstrans/tstrans/core/tsterr"
)

// Rate is what durations count, whatever the encoder's input was (RFC 7587 §4.1).
const Rate = 48000

// maxSamples of a packet: 120 ms (RFC 6716 §3.2.5).
const maxSamples = 5760

// Samples gives the length of a packet in samples of 48 kHz, 0 for what is no packet.
func Samples(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	toc := packet[0]
	frames := 2
	switch toc & 3 {
	case 0:
		frames = 1
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = int(packet[1] & 0x3F)
	}
	n := frames * frameSamples(toc>>3)
	if n > maxSamples {
		return 0
	}
	return n
}

// frameSamples follows RFC 6716 table 2.
func frameSamples(config byte) int {
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		return [...]int{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		return [...]int{480, 960}[config&1]
	}
	return 120 << (config & 3) // CELT: 2.5, 5, 10, 20 ms
}

// Unit is one packet of a transport stream.
type Unit struct {
	Packet    []byte // aliases the input
	Samples   int    // of 48 kHz
	StartTrim int    // samples to leave out at its start and end
	EndTrim   int
}

func broken(field string, offset int) error {
	return tsterr.At(tsterr.InvalidArg, field, int64(offset), "Opus in a transport stream: %s at byte %d", field, offset)
}

// Unmarshal takes the first unit of a PES payload: n bytes. Errors are *tsterr.Error
// with field and offset.
func (u *Unit) Unmarshal(b []byte) (n int, err error) {
	if len(b) < 3 || b[0] != 0x7F || b[1]&0xE0 != 0xE0 {
		return 0, broken("control header", 0)
	}
	flags, at, size := b[1], 2, 0
	for {
		if at >= len(b) {
			return 0, broken("size", at)
		}
		size += int(b[at])
		at++
		if b[at-1] != 0xFF {
			break
		}
	}
	trim := func(field string) (int, error) {
		if len(b)-at < 2 {
			return 0, broken(field, at)
		}
		v := int(b[at]&0x1F)<<8 | int(b[at+1])
		at += 2
		return v, nil
	}
	*u = Unit{}
	if flags&0x10 != 0 {
		if u.StartTrim, err = trim("start trim"); err != nil {
			return 0, err
		}
	}
	if flags&0x08 != 0 {
		if u.EndTrim, err = trim("end trim"); err != nil {
			return 0, err
		}
	}
	if flags&0x04 != 0 {
		if at >= len(b) || len(b)-at-1 < int(b[at]) {
			return 0, broken("control extension", at)
		}
		at += 1 + int(b[at])
	}
	if size == 0 || len(b)-at < size {
		return 0, broken("packet", at)
	}
	u.Packet = b[at : at+size]
	if u.Samples = Samples(u.Packet); u.Samples == 0 {
		return 0, broken("table of contents", at)
	}
	return at + size, nil
}
