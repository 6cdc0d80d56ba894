package mp4

import "github.com/tstrans/tstrans/core/codec"

// nextNAL gives the bounds of the NAL unit that follows the start code at sc,
// without trailing zero bytes, and the next start code or -1
// (ITU-T H.264 Annex B, H.265 Annex B).
func nextNAL(b []byte, sc int) (start, end, next int) {
	start = sc + 3
	next = codec.IndexStartCode(b, start)
	end = next
	if next < 0 {
		end = len(b)
	}
	for end > start && b[end-1] == 0 {
		end--
	}
	return start, end, next
}
