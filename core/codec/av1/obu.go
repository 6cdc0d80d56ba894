package av1

import (
	"bytes"

	"github.com/tstrans/tstrans/core/codec"
)

// Split finds the OBUs of a buffer in the low-overhead format (AV1 §5.2). It
// fills dst and returns how many there are, which may be more than dst holds.
// It stops without a word at a size that does not fit the buffer.
func Split(dst []codec.Unit, buf []byte) int {
	n, _ := split(dst, 0, buf, 0)
	return n
}

// SplitTS finds the OBUs of an access unit in the MPEG-2 TS binding (carriage
// §3.2): each behind a start code, with emulation prevention. The payloads are
// put into scratch, which grows to at most the size of au, without emulation
// prevention; offsets lead into what is returned. Without a start code at its
// beginning, au is taken for raw OBUs, framed is false, and offsets lead into
// au, which is returned.
func SplitTS(dst []codec.Unit, scratch, au []byte) (n int, data []byte, framed bool) {
	if !bytes.HasPrefix(au, []byte{0, 0, 1}) {
		n, _ = split(dst, 0, au, 0)
		return n, au, false
	}
	data = scratch[:0]
	for start := 0; start >= 0; {
		// A zero in front of the three bytes belongs to the OBU before.
		begin := start + 3
		start = codec.IndexStartCode(au, begin)
		end := start
		if end < 0 {
			end = len(au)
		}
		from := len(data)
		data = appendUnescaped(data, au[begin:end])
		var ok bool
		if n, ok = split(dst, n, data[from:], from); !ok {
			break
		}
	}
	return n, data, true
}

// appendUnescaped takes out the 03 of every 00 00 03 that stands before 00, 01,
// 02 or 03: an OBU may end in 00 00 03 (carriage §3.2).
func appendUnescaped(dst, src []byte) []byte {
	start, pos := 0, 0
	for {
		i := bytes.IndexByte(src[pos:], 3)
		if i < 0 {
			return append(dst, src[start:]...)
		}
		i += pos
		pos = i + 1
		if i >= start+2 && src[i-1] == 0 && src[i-2] == 0 && pos < len(src) && src[pos] <= 3 {
			dst = append(dst, src[start:i]...)
			start = pos
		}
	}
}

// split goes on at number n; base is added to offsets. It tells whether all of
// buf was read.
func split(dst []codec.Unit, n int, buf []byte, base int) (int, bool) {
	for pos := 0; pos < len(buf); {
		u, end := first(buf[pos:])
		u.Offset += uint64(base + pos)
		if end < 0 {
			return note(dst, n, u), false
		}
		n = codec.Put(dst, n, u)
		pos += end
	}
	return n, true
}

// first reads the OBU at the start of buf, which is not empty, and tells where
// it ends; -1 when its size does not fit.
func first(buf []byte) (u codec.Unit, end int) {
	head := buf[0]
	pos := 1
	u.Type = head >> 3 & 0xf
	if head&0x80 != 0 {
		u.Flags |= codec.UnitForbidden
	}
	if head&1 != 0 {
		u.Flags |= codec.UnitReserved
	}
	if head&4 != 0 {
		if pos == len(buf) {
			return u, -1
		}
		ext := buf[pos]
		pos++
		u.A, u.B = ext>>5, ext>>3&3
		u.Flags |= codec.UnitHasExtension
		if ext&7 != 0 {
			u.Flags |= codec.UnitExtReserved
		}
	}
	size := uint64(len(buf) - pos)
	if head&2 != 0 {
		v, k := LEB128(buf[pos:])
		pos += k
		if k == 0 || v > uint64(len(buf)-pos) {
			return u, -1
		}
		size = v
	} else {
		u.Flags |= codec.UnitNoSize
	}
	if OBUType(u.Type) == OBUTileList {
		u.Flags |= codec.UnitTileList
	}
	u.Offset, u.Length = uint64(pos), size
	return u, pos + int(size) //nolint:gosec // at most len(buf)
}

// note keeps the findings of an OBU whose end is not known.
func note(dst []codec.Unit, n int, u codec.Unit) int {
	if u.Flags&codec.UnitFindings == 0 {
		return n
	}
	u.Flags |= codec.UnitDropped
	u.Offset, u.Length = 0, 0
	return codec.Put(dst, n, u)
}

// IsRandomAccess tells whether a temporal unit of raw OBUs begins a coded video
// sequence: a sequence header, and a first frame that is a shown key frame.
func IsRandomAccess(tu []byte) bool {
	var (
		seq    SequenceHeader
		hasSeq bool
	)
	for len(tu) > 0 {
		u, end := first(tu)
		if end < 0 {
			return false
		}
		payload := tu[u.Offset:end]
		switch OBUType(u.Type) {
		case OBUSequenceHeader:
			hasSeq = seq.Unmarshal(payload) == nil
		case OBUFrame, OBUFrameHeader:
			var h FrameHeader
			return hasSeq && h.Unmarshal(payload, &seq) == nil && h.Type == FrameKey && h.Show && !h.ShowExisting
		}
		tu = tu[end:]
	}
	return false
}
