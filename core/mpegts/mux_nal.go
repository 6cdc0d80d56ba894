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
		return 0, tsterr.At(tsterr.MuxInvalidNAL, "start_code", 0, "video input does not begin with an Annex-B start code")
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
