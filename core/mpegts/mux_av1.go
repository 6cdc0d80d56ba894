package mpegts

import (
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

// nextOBU gives the length of the first OBU of b with its header (AV1 §5.3).
// Without its size only an empty OBU at the end is taken: anything else would
// make every byte string one OBU.
func nextOBU(b []byte) (int, bool) {
	n := 1
	if b[0]&0x04 != 0 {
		n = 2 // extension header
	}
	if b[0]&0x02 == 0 {
		return len(b), n == len(b)
	}
	var size uint64
	for i := 0; ; i++ {
		if i == 8 || n >= len(b) {
			return 0, false
		}
		c := b[n]
		n++
		size |= uint64(c&0x7F) << (7 * i)
		if c&0x80 == 0 {
			break
		}
	}
	if size > uint64(len(b)-n) {
		return 0, false
	}
	return n + int(size), true
}

// countOBUs counts the OBUs of a temporal unit and refuses what is none.
func countOBUs(tu []byte) (uint64, error) {
	var n uint64
	for at := 0; at < len(tu); {
		size, ok := nextOBU(tu[at:])
		if !ok || tu[at]&0x80 != 0 {
			return n, tsterr.At(tsterr.MuxInvalidAV1OBU, "obu_header", int64(at),
				"byte %d begins no well-formed OBU; wire bytes go through push_video_wire_to", at)
		}
		n++
		at += size
	}
	return n, nil
}

// countWireOBUs counts without refusing anything.
func countWireOBUs(wire []byte, c AV1Carriage) uint64 {
	if c == AV1InteropRawOBU {
		n, _ := countOBUs(wire)
		return n
	}
	var n uint64
	for sc := codec.IndexStartCode(wire, 0); sc >= 0; sc = codec.IndexStartCode(wire, sc+3) {
		n++
	}
	return n
}

// appendOpenBitstreamUnits puts a start code before each OBU and escapes it
// ("Carriage of AV1 in MPEG-2 TS" §3.2, ts_open_bitstream_unit). The OBUs were
// counted before.
func appendOpenBitstreamUnits(dst, tu []byte) []byte {
	for len(tu) > 0 {
		n, ok := nextOBU(tu)
		if !ok {
			break
		}
		dst = append(dst, 0, 0, 1)
		dst = appendEscapedOBU(dst, tu[:n])
		tu = tu[n:]
	}
	return dst
}

// appendEscapedOBU appends an OBU with emulation prevention bytes. Other than
// in a NAL unit, none follows zero bytes at the end: the OBU has its size.
func appendEscapedOBU(dst, b []byte) []byte {
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c <= 3 {
			dst = append(dst, 3)
			zeros = 0
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		dst = append(dst, c)
	}
	return dst
}
