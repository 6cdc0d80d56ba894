package h264

import "github.com/tstrans/tstrans/core/codec"

// Split finds the NAL units of an Annex B access unit. It fills dst and returns
// how many units there are, which may be more than dst holds.
func Split(dst []codec.Unit, au []byte) (n int) {
	for nals := codec.NewNALs(au); nals.Next(); {
		h := ParseHeader(nals.Unit[0])
		u := codec.Unit{
			Offset: uint64(nals.Offset) + HeaderSize,
			Length: uint64(len(nals.Unit)) - HeaderSize,
			Type:   uint8(h.Type),
			A:      h.RefIDC,
		}
		if h.Forbidden {
			u.Flags |= codec.UnitForbidden
		}
		n = codec.Put(dst, n, u)
	}
	return n
}

// IsRandomAccess tells whether an Annex B access unit has a slice of an IDR
// picture. A recovery point SEI is not looked for.
func IsRandomAccess(au []byte) bool {
	for nals := codec.NewNALs(au); nals.Next(); {
		switch t := ParseHeader(nals.Unit[0]).Type; {
		case t == NALIDR:
			return true
		case t.IsSlice():
			return false
		}
	}
	return false
}
