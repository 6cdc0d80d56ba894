package h266

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// maxPPSID is the largest ph_pic_parameter_set_id (H.266 §7.4.3.8).
const maxPPSID = 63

// SliceType is sh_slice_type (H.266 table 9).
type SliceType uint8

// The slice types. A slice header tells its type only behind fields that need
// the PPS; without it the type is known where a picture has I slices alone.
const (
	SliceB SliceType = iota
	SliceP
	SliceI
	SliceUnknown
)

// SliceHeader is what the head of a slice header (H.266 §7.3.7) tells, and of a
// picture header (§7.3.2.8) when the slice header holds one.
type SliceHeader struct {
	// First is sh_picture_header_in_slice_header_flag: the slice is the first
	// and only one of its picture.
	First  bool
	Type   SliceType
	PPSID  uint8
	HasPoc bool
	PocLsb uint32 // ph_pic_order_cnt_lsb
}

// Unmarshal reads from the bytes after the NAL unit header. Only the first bit
// must be there. Where a slice of an IDR picture does not tell more, its type is
// I and its picture order count 0.
func (h *SliceHeader) Unmarshal(rbsp []byte, t NALType, sps *SPS) error {
	r := bits.NewRBSP(rbsp)
	*h = SliceHeader{First: r.Flag(), Type: SliceUnknown}
	if r.Failed() {
		return codec.Named(name, r.Err())
	}
	if t.IsIDR() {
		h.Type, h.HasPoc = SliceI, true
	}
	if h.First {
		h.unmarshalPictureHeader(&r, sps)
	}
	return nil
}

func (h *SliceHeader) unmarshalPictureHeader(r *bits.Reader, sps *SPS) {
	irap := r.Flag() // ph_gdr_or_irap_pic_flag
	r.Flag()         // ph_non_ref_pic_flag
	if irap {
		r.Flag() // ph_gdr_pic_flag
	}
	inter := r.Flag() // ph_inter_slice_allowed_flag
	if inter {
		r.Flag() // ph_intra_slice_allowed_flag
	}
	id, err := codec.Limited(r, maxPPSID, "ph_pic_parameter_set_id")
	if err != nil {
		return
	}
	h.PPSID = uint8(id)
	if !inter {
		h.Type = SliceI
	}
	if sps == nil {
		return
	}
	poc := r.U(int(sps.Log2MaxPocLsbMinus4) + 4)
	if !r.Failed() {
		h.HasPoc, h.PocLsb = true, poc
	}
}
