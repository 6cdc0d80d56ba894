package bits

import "bytes"

// AppendUnescaped appends src to dst without its emulation prevention bytes:
// the 03 of every 00 00 03 (H.264 §7.4.1, H.265 §7.4.2, AV1 in MPEG-2 TS §4).
// dst and src must not overlap.
func AppendUnescaped(dst, src []byte) []byte {
	start, pos := 0, 0
	for {
		i := bytes.IndexByte(src[pos:], 3)
		if i < 0 {
			return append(dst, src[start:]...)
		}
		i += pos
		pos = i + 1
		// A 03 that was taken out parts the zeros before it from those after.
		if i >= start+2 && src[i-1] == 0 && src[i-2] == 0 {
			dst = append(dst, src[start:i]...)
			start = pos
		}
	}
}

// AppendEscaped appends src to dst with a 03 wherever two zero bytes would be
// followed by 00, 01, 02 or 03, and after two zero bytes at the end.
func AppendEscaped(dst, src []byte) []byte {
	zeros := 0
	for _, b := range src {
		if zeros >= 2 && b <= 3 {
			dst = append(dst, 3)
			zeros = 0
		}
		dst = append(dst, b)
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	if zeros >= 2 {
		dst = append(dst, 3)
	}
	return dst
}
