package h265

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// SliceType is slice_type (H.265 table 7-7).
type SliceType uint8

// The slice types. A later segment of a picture does not always tell its type.
const (
	SliceB SliceType = iota
	SliceP
	SliceI
	SliceUnknown
)

// SliceHeader is the head of a slice segment header (H.265 §7.3.6.1).
type SliceHeader struct {
	First  bool // first_slice_segment_in_pic_flag
	Type   SliceType
	PPSID  uint8
	HasPoc bool
	PocLsb uint16 // slice_pic_order_cnt_lsb, 0 for an IDR picture
}

// Unmarshal reads from the bytes after the NAL unit header. Without sps it
// stops before the picture order count. Without pps it takes the stream for one
// that has no dependent segments, no extra header bits and no output flag, as
// common encoders make it.
func (h *SliceHeader) Unmarshal(rbsp []byte, t NALType, sps *SPS, pps *PPS) error {
	r := bits.NewRBSP(rbsp)
	*h = SliceHeader{First: r.Flag(), Type: SliceUnknown}
	if t.IsIRAP() {
		r.Flag() // no_output_of_prior_pics_flag
	}
	id, err := codec.Limited(&r, maxSlicePPSID, "slice_pic_parameter_set_id")
	if err != nil {
		return codec.Named(name, err)
	}
	h.PPSID = uint8(id)
	if sps != nil && t.IsIDR() {
		h.HasPoc = true
	}
	if !h.First {
		return codec.Named(name, h.unmarshalLater(&r, t, sps, pps))
	}
	return codec.Named(name, h.unmarshalType(&r, t, sps, pps))
}

// unmarshalLater reads a segment that is not the first of its picture.
func (h *SliceHeader) unmarshalLater(r *bits.Reader, t NALType, sps *SPS, pps *PPS) error {
	if pps != nil && pps.DependentSliceSegments && r.Flag() {
		return r.Err() // a dependent segment goes on with the values of the one before
	}
	if sps == nil {
		return r.Err()
	}
	n, ok := sps.sliceAddressBits()
	if !ok {
		return r.Err()
	}
	r.Skip(n)
	if err := h.unmarshalType(r, t, sps, pps); err != nil {
		if r.Failed() || pps != nil {
			return err
		}
		// The stream is not of the common kind: what was read is no slice type.
		h.Type = SliceUnknown
	}
	return nil
}

func (h *SliceHeader) unmarshalType(r *bits.Reader, t NALType, sps *SPS, pps *PPS) error {
	if pps != nil {
		r.Skip(int(pps.NumExtraSliceHeaderBits))
	}
	v, err := codec.Limited(r, uint32(SliceI), "slice_type")
	if err != nil {
		return err
	}
	h.Type = SliceType(v)
	if sps == nil || t.IsIDR() {
		return nil
	}
	if pps != nil && pps.OutputFlagPresent {
		r.Flag()
	}
	if sps.SeparateColourPlane {
		r.Skip(2) // colour_plane_id
	}
	h.PocLsb = uint16(r.U(int(sps.Log2MaxPocLsbMinus4) + 4))
	h.HasPoc = !r.Failed()
	return r.Err()
}
