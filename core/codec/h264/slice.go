package h264

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// SliceType is slice_type modulo 5 (H.264 table 7-6).
type SliceType uint8

// The slice types.
const (
	SliceP SliceType = iota
	SliceB
	SliceI
	SliceSP
	SliceSI
)

// SliceHeader is the head of a slice header (H.264 §7.3.3).
type SliceHeader struct {
	FirstMb     uint32
	Type        SliceType
	PPSID       uint8
	HasFrameNum bool
	FrameNum    uint16
}

// Unmarshal reads from the bytes after the NAL unit header. Without sps it
// stops before frame_num, whose width the SPS tells.
func (h *SliceHeader) Unmarshal(rbsp []byte, sps *SPS) error {
	r := bits.NewRBSP(rbsp)
	*h = SliceHeader{FirstMb: r.UE()}
	h.Type = SliceType(r.UE() % 5)
	id, err := codec.Limited(&r, maxPPSID, "pic_parameter_set_id")
	if err != nil {
		return codec.Named(name, err)
	}
	h.PPSID = uint8(id)
	if sps != nil {
		if sps.SeparateColourPlane {
			r.Skip(2) // colour_plane_id
		}
		h.HasFrameNum = true
		h.FrameNum = uint16(r.U(int(sps.Log2MaxFrameNumMinus4) + 4))
	}
	return codec.Named(name, r.Err())
}
