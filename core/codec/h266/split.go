package h266

import "github.com/tstrans/tstrans/core/codec"

// maxLayerID is the largest nuh_layer_id (H.266 §7.4.2.2).
const maxLayerID = 55

// Split finds the NAL units of an Annex B access unit; units shorter than their
// header are left out. One with nuh_reserved_zero_bit set, or with a layer id
// that the standard reserves, is for later decoders: it is marked as dropped. Split fills dst and returns
// how many units there are, which may be more than dst holds.
func Split(dst []codec.Unit, au []byte) (n int) {
	for nals := codec.NewNALs(au); nals.Next(); {
		if len(nals.Unit) < HeaderSize {
			continue
		}
		h := ParseHeader(nals.Unit[0], nals.Unit[1])
		u := codec.Unit{
			Offset: uint64(nals.Offset) + HeaderSize,
			Length: uint64(len(nals.Unit)) - HeaderSize,
			Type:   uint8(h.Type),
			A:      h.LayerID,
			B:      h.TemporalIDPlus1,
		}
		if h.Forbidden {
			u.Flags |= codec.UnitForbidden
		}
		switch {
		case h.Reserved:
			u.Flags |= codec.UnitReserved | codec.UnitDropped
		case h.LayerID > maxLayerID:
			u.Flags |= codec.UnitLayerRange | codec.UnitDropped
		case h.TemporalIDPlus1 == 0:
			u.Flags |= codec.UnitTemporalZero
		}
		n = codec.Put(dst, n, u)
	}
	return n
}

// IsRandomAccess tells whether the first slice of an Annex B access unit
// belongs to an IRAP picture (IDR or CRA).
func IsRandomAccess(au []byte) bool {
	for nals := codec.NewNALs(au); nals.Next(); {
		if len(nals.Unit) < HeaderSize {
			continue
		}
		if t := ParseHeader(nals.Unit[0], nals.Unit[1]).Type; t.IsSlice() {
			return t.IsIRAP()
		}
	}
	return false
}
