// Package descriptor reads and writes the descriptors of program maps.
//
// Specifications: ISO/IEC 13818-1 §2.6; ETSI EN 300 468 §6.2 (subtitling,
// teletext); ATSC A/52 Annex A (AC-3 audio stream descriptor).
package descriptor

import "github.com/tstrans/tstrans/core/tsterr"

// Tags of descriptors.
const (
	TagRegistration    = 0x05
	TagISO639Language  = 0x0A
	TagMetadataPointer = 0x25
	TagMetadata        = 0x26
	TagMetadataSTD     = 0x27
	TagVBITeletext     = 0x46
	TagTeletext        = 0x56
	TagSubtitling      = 0x59
	TagAC3AudioStream  = 0x81
)

// headerSize is tag and length in bytes.
const headerSize = 2

// Raw is a descriptor as it stands in a loop.
type Raw struct {
	Tag  uint8
	Data []byte // the body, without tag and length
}

// ValidLoop tells whether loop is a sequence of whole descriptors.
func ValidLoop(loop []byte) bool {
	for len(loop) > 0 {
		if len(loop) < headerSize || headerSize+int(loop[1]) > len(loop) {
			return false
		}
		loop = loop[headerSize+int(loop[1]):]
	}
	return true
}

// Next splits the first descriptor off a loop; ok is false at the end and where
// the loop is cut. The result aliases loop.
func Next(loop []byte) (d Raw, rest []byte, ok bool) {
	if len(loop) < headerSize || headerSize+int(loop[1]) > len(loop) {
		return Raw{}, nil, false
	}
	n := headerSize + int(loop[1])
	return Raw{Tag: loop[0], Data: loop[headerSize:n:n]}, loop[n:], true
}

// MarshalSize is the length of the descriptor in bytes.
func (d *Raw) MarshalSize() int { return headerSize + len(d.Data) }

// MarshalTo writes tag, length and body.
func (d *Raw) MarshalTo(buf []byte) (int, error) {
	return put(buf, d.Tag, len(d.Data), func(b []byte) { copy(b, d.Data) })
}

func put(buf []byte, tag uint8, n int, fill func([]byte)) (int, error) {
	if n > 255 {
		return 0, tsterr.At(tsterr.InvalidArg, "descriptor_length", 1, "descriptor body of %d bytes exceeds 255", n)
	}
	if len(buf) < headerSize+n {
		return 0, tsterr.New(tsterr.BufferTooSmall, "descriptor needs %d bytes", headerSize+n)
	}
	buf[0], buf[1] = tag, byte(n)
	fill(buf[headerSize : headerSize+n])
	return headerSize + n, nil
}

func body(buf []byte, tag uint8, least int, name string) ([]byte, int, error) {
	d, _, ok := Next(buf)
	if !ok {
		return nil, 0, tsterr.At(tsterr.InvalidArg, "descriptor_length", 1, "%s is cut", name)
	}
	if d.Tag != tag {
		return nil, 0, tsterr.At(tsterr.InvalidArg, "descriptor_tag", 0, "tag 0x%02X is not a %s", d.Tag, name)
	}
	if len(d.Data) < least {
		return nil, 0, tsterr.At(tsterr.InvalidArg, "descriptor_length", 1, "%s has %d bytes, needs %d", name, len(d.Data), least)
	}
	return d.Data, headerSize + len(d.Data), nil
}
