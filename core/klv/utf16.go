package klv

import (
	"unicode/utf16"
	"unicode/utf8"
)

// appendUTF16 writes text as MISB ST 0102 item 13 wants it here: a byte order
// mark FE FF, then big-endian code units.
func appendUTF16(dst, text []byte) []byte {
	dst = append(dst, 0xfe, 0xff)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
			dst = append(dst, byte(r1>>8), byte(r1), byte(r2>>8), byte(r2))
			continue
		}
		dst = append(dst, byte(r>>8), byte(r))
	}
	return dst
}

// decodeUTF16 appends the UTF-8 form of v. Either byte order mark is honoured,
// big endian is the default; odd lengths and lone surrogates are refused.
func decodeUTF16(dst, v []byte) ([]byte, bool) {
	if len(v)%2 != 0 {
		return dst, false
	}
	hi, lo := 0, 1
	if len(v) >= 2 && (v[0] == 0xfe && v[1] == 0xff || v[0] == 0xff && v[1] == 0xfe) {
		if v[0] == 0xff {
			hi, lo = 1, 0
		}
		v = v[2:]
	}
	for len(v) > 0 {
		r := rune(v[hi])<<8 | rune(v[lo])
		v = v[2:]
		if utf16.IsSurrogate(r) {
			if len(v) < 2 {
				return dst, false
			}
			r = utf16.DecodeRune(r, rune(v[hi])<<8|rune(v[lo]))
			if r == utf8.RuneError {
				return dst, false
			}
			v = v[2:]
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, true
}
