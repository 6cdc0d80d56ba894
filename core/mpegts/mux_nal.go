package mpegts

import (
	"bytes"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

// countNALs counts the NAL units of an Annex B access unit, which must begin
// with a start code of three or four bytes and have no empty unit.
func countNALs(au []byte) (uint64, error) {
	sc := 0
	if len(au) > 0 && au[0] == 0 && bytes.HasPrefix(au[1:], []byte{0, 0, 1}) {
		sc = 1
	}
	if !bytes.HasPrefix(au[min(sc, len(au)):], []byte{0, 0, 1}) {
		return 0, tsterr.At(tsterr.MuxInvalidNAL, "start_code", 0, "video input does not begin with an Annex B start code")
	}
	var n uint64
	for sc >= 0 {
		start := sc + 3
		next := codec.IndexStartCode(au, start)
		end := next
		if next < 0 {
			end = len(au)
		} else if next > start && au[next-1] == 0 {
			end-- // a start code of four bytes
		}
		if end <= start {
			return n, tsterr.At(tsterr.MuxInvalidNAL, "nal_unit", int64(start), "start code without a NAL unit at byte %d", start)
		}
		n++
		sc = next
	}
	return n, nil
}

// firstSlice finds where the start code of the first coded slice begins, or -1.
func firstSlice(c Codec, au []byte) int {
	for sc := codec.IndexStartCode(au, 0); sc >= 0; sc = codec.IndexStartCode(au, sc+3) {
		if sc+3 >= len(au) {
			return -1
		}
		b := au[sc+3]
		slice := false
		switch c {
		case CodecH264:
			slice = b&0x1F >= 1 && b&0x1F <= 5 // ITU-T H.264 Table 7-1
		case CodecH265:
			slice = b>>1&0x3F < 32 // ITU-T H.265 Table 7-1
		}
		if slice {
			if sc > 0 && au[sc-1] == 0 {
				return sc - 1
			}
			return sc
		}
	}
	return -1
}
