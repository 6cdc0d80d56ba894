package rtp

import "github.com/tstrans/tstrans/core/tsterr"

// The two general forms of header extensions (RFC 8285 §4.2, §4.3).
const (
	ExtensionOneByte = 0xBEDE
	ExtensionTwoByte = 0x1000
)

// Element is one element of a header extension.
type Element struct {
	ID    uint8
	Value []byte
}

// Elements reads the elements of a header extension. Zero bytes between them are padding; other profiles have
// none. Values alias the input.
func Elements(out []Element, profile uint16, b []byte) ([]Element, error) {
	for at := 0; at < len(b); {
		if b[at] == 0 {
			at++
			continue
		}
		var e Element
		var n int
		form := "RTP one-byte"
		switch profile {
		case ExtensionOneByte:
			e.ID, n = b[at]>>4, int(b[at]&0x0F)+1
			at++
		case ExtensionTwoByte:
			if at+2 > len(b) {
				return out, cut("extension", at, "RTP two-byte header extension is truncated")
			}
			e.ID, n = b[at], int(b[at+1])
			form = "RTP two-byte"
			at += 2
		default:
			return out, nil
		}
		if at+n > len(b) {
			return out, cut("extension", at, form+" header extension value is truncated")
		}
		e.Value = b[at : at+n]
		at += n
		out = append(out, e)
	}
	return out, nil
}

// AppendElements appends the extension that holds the elements, padded to four bytes, and tells its profile: the
// one-byte form unless an identifier or a length asks for the other.
func AppendElements(dst []byte, elements []Element) (profile uint16, out []byte, err error) {
	if len(elements) == 0 {
		return 0, dst, nil
	}
	profile = ExtensionOneByte
	for _, e := range elements {
		if e.ID == 0 || len(e.Value) > 255 {
			return 0, dst, tsterr.New(tsterr.InvalidArg, "element %d of %d bytes: identifiers begin at 1, values end at 255 bytes",
				e.ID, len(e.Value))
		}
		if e.ID > 14 || len(e.Value) == 0 || len(e.Value) > 16 {
			profile = ExtensionTwoByte
		}
	}
	from := len(dst)
	for _, e := range elements {
		if profile == ExtensionOneByte {
			dst = append(dst, e.ID<<4|byte(len(e.Value)-1))
		} else {
			dst = append(dst, e.ID, byte(len(e.Value)))
		}
		dst = append(dst, e.Value...)
	}
	for (len(dst)-from)%4 != 0 {
		dst = append(dst, 0)
	}
	return profile, dst, nil
}
