package mp4

import (
	"bytes"
	"encoding/binary"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/tstrans/tstrans/core/tsterr"
)

// imageTrack stores one image file a sample, in the QuickTime sample entries
// "jpeg" and "png " (QuickTime File Format, Video Media).
type imageTrack struct {
	name  string
	parse func([]byte) (w, h int, err error)
	w, h  int
}

func (t *imageTrack) size() (int, int) { return t.w, t.h }
func (t *imageTrack) entry() mp4.Box   { return visualEntry(t.name, t.w, t.h, nil) }

func (t *imageTrack) add(dst, img []byte) ([]byte, unit, error) {
	w, h, err := t.parse(img)
	if err == nil {
		err = checkSize(w, h)
	}
	if err != nil {
		return dst, unit{}, err
	}
	if t.w == 0 {
		t.w, t.h = w, h
	}
	return append(dst, img...), unit{sample: true, sync: true}, nil
}

// parseJPEG walks the marker segments up to the frame header
// (ITU-T T.81 Annex B).
func parseJPEG(b []byte) (w, h int, err error) {
	bad := func(off int, msg string) (int, int, error) {
		return 0, 0, tsterr.At(tsterr.MP4InputMalformed, "jpeg", int64(off), "%s", msg)
	}
	if len(b) < 4 || b[0] != 0xff || b[1] != 0xd8 {
		return bad(0, "not a JPEG image: no SOI marker")
	}
	for i := 2; i+4 <= len(b); {
		if b[i] != 0xff {
			return bad(i, "marker expected")
		}
		m := b[i+1]
		switch {
		case m == 0xff: // fill byte
			i++
			continue
		case m == 0x01 || m >= 0xd0 && m <= 0xd7:
			i += 2
			continue
		case m == 0xd9 || m == 0xda:
			return bad(i, "image data before a frame header")
		}
		n := int(binary.BigEndian.Uint16(b[i+2:]))
		if n < 2 || i+2+n > len(b) {
			return bad(i, "marker segment runs past the image")
		}
		if m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc {
			if n < 8 {
				return bad(i, "frame header too short")
			}
			return int(binary.BigEndian.Uint16(b[i+7:])), int(binary.BigEndian.Uint16(b[i+5:])), nil
		}
		i += 2 + n
	}
	return bad(len(b), "no frame header")
}

var pngSignature = []byte("\x89PNG\r\n\x1a\n")

// parsePNG reads the IHDR chunk (ISO/IEC 15948 §11.2.2).
func parsePNG(b []byte) (w, h int, err error) {
	if len(b) < 33 || !bytes.HasPrefix(b, pngSignature) || string(b[12:16]) != "IHDR" {
		return 0, 0, tsterr.At(tsterr.MP4InputMalformed, "png", 0, "not a PNG image: no signature and IHDR chunk")
	}
	w64, h64 := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	if w64 > 0xffff || h64 > 0xffff {
		return 0, 0, tsterr.At(tsterr.MP4InputMalformed, "png", 16, "image of %d x %d pixels", w64, h64)
	}
	return int(w64), int(h64), nil
}

func (t *imageTrack) hold([]byte) {}

func (t *imageTrack) extend(dst, part []byte) ([]byte, unit, error) { return t.add(dst, part) }
