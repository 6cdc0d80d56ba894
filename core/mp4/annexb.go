package mp4

import "bytes"

// startCode finds the next 00 00 01 at or after from, or -1. It looks for the
// 01, which is the rarest of the three in coded video: zero bytes come in
// pairs up to twice per 00 00 03, a lone 01 once in 256.
func startCode(b []byte, from int) int {
	i := from + 2
	for i < len(b) {
		j := bytes.IndexByte(b[i:], 1)
		if j < 0 {
			return -1
		}
		i += j
		if b[i-1] == 0 && b[i-2] == 0 {
			return i - 2
		}
		i++
	}
	return -1
}

// nextNAL gives the bounds of the NAL unit that follows the start code at sc,
// without trailing zero bytes, and the next start code or -1
// (ITU-T H.264 Annex B, H.265 Annex B).
func nextNAL(b []byte, sc int) (start, end, next int) {
	start = sc + 3
	next = startCode(b, start)
	end = next
	if next < 0 {
		end = len(b)
	}
	for end > start && b[end-1] == 0 {
		end--
	}
	return start, end, next
}

// unescape removes emulation prevention bytes (ITU-T H.264 §7.3.1). It
// returns the input itself where there are none.
func unescape(nal []byte) []byte {
	if !bytes.Contains(nal, []byte{0, 0, 3}) {
		return nal
	}
	out := make([]byte, 0, len(nal))
	zeros := 0
	for _, c := range nal {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}
