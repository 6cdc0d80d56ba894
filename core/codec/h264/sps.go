package h264

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// Profiles whose limits matter here; those whose SPS has the chroma and bit
// depth fields are told by hasChromaInfo.
const (
	profileBaseline = 66
	profileHigh     = 100
)

// The largest values that fields of a SPS may have (H.264 §7.4.2.1).
const (
	maxSPSID           = 31
	maxChromaFormat    = 3
	maxBitDepthMinus8  = 8 // the standard stops at 6; encoders for 16 bits exist
	maxLog2FrameNum    = 12
	maxPicOrderCntType = 2
	maxLog2PocLsb      = 12
)

// SPS is a sequence parameter set (H.264 §7.3.2.1.1).
type SPS struct {
	ProfileIDC      uint8
	ConstraintFlags uint8 // constraint_set0_flag in the top bit
	LevelIDC        uint8 // the level times 10

	ID                  uint8
	Chroma              codec.ChromaFormat
	SeparateColourPlane bool
	BitDepthLuma        uint8
	BitDepthChroma      uint8

	Log2MaxFrameNumMinus4 uint8
	PicOrderCntType       uint8
	// Log2MaxPicOrderCntLsbMinus4 is only set for PicOrderCntType 0.
	Log2MaxPicOrderCntLsbMinus4 uint8
	DeltaPicOrderAlwaysZero     bool
	MaxNumRefFrames             uint32
	FrameNumGapsAllowed         bool
	FrameMbsOnly                bool
	MbAdaptiveFrameField        bool

	CodedWidth  uint32 // luma samples before cropping
	CodedHeight uint32 // luma rows of a frame before cropping
	Crop        codec.Crop
	Width       uint32 // luma samples after cropping
	Height      uint32

	HasVUI bool
	VUI    VUI
}

// Unmarshal reads a SPS from the bytes after the NAL unit header, emulation
// prevention bytes in place. On error the SPS holds what was read until then.
func (s *SPS) Unmarshal(rbsp []byte) error {
	if len(rbsp) == 0 {
		return codec.Named(name, bits.Short(0, 8))
	}
	r := bits.NewRBSP(rbsp)
	*s = SPS{Chroma: codec.YUV420, BitDepthLuma: 8, BitDepthChroma: 8}
	if err := s.unmarshal(&r); err != nil {
		return codec.Named(name, err)
	}
	return codec.Named(name, r.Err())
}

func (s *SPS) unmarshal(r *bits.Reader) error {
	s.ProfileIDC = uint8(r.U(8))
	s.ConstraintFlags = uint8(r.U(8))
	s.LevelIDC = uint8(r.U(8))
	id, err := codec.Limited(r, maxSPSID, "seq_parameter_set_id")
	if err != nil {
		return err
	}
	s.ID = uint8(id)
	if hasChromaInfo(s.ProfileIDC) {
		if err = s.unmarshalChroma(r); err != nil {
			return err
		}
	}
	v, err := codec.Limited(r, maxLog2FrameNum, "log2_max_frame_num_minus4")
	if err != nil {
		return err
	}
	s.Log2MaxFrameNumMinus4 = uint8(v)
	if err = s.unmarshalPicOrder(r); err != nil {
		return err
	}
	s.MaxNumRefFrames = r.UE()
	s.FrameNumGapsAllowed = r.Flag()
	s.unmarshalSize(r)
	if s.HasVUI = r.Flag(); s.HasVUI {
		if err = s.VUI.unmarshal(r); err != nil {
			return err
		}
	}
	if r.Failed() {
		return r.Err()
	}
	s.Width, s.Height, err = s.Crop.Size(s.CodedWidth, s.CodedHeight, codec.CropNames{
		Horizontal: "frame_crop_left_offset + frame_crop_right_offset",
		Vertical:   "frame_crop_top_offset + frame_crop_bottom_offset",
	})
	return err
}

func (s *SPS) unmarshalChroma(r *bits.Reader) error {
	chroma := r.UE()
	if chroma == uint32(codec.YUV444) {
		s.SeparateColourPlane = r.Flag()
	}
	luma, err := codec.Limited(r, maxBitDepthMinus8, "bit_depth_luma_minus8")
	if err != nil {
		return err
	}
	depth, err := codec.Limited(r, maxBitDepthMinus8, "bit_depth_chroma_minus8")
	if err != nil {
		return err
	}
	r.Flag() // qpprime_y_zero_transform_bypass_flag
	if r.Flag() {
		skipScalingLists(r, chroma == uint32(codec.YUV444))
	}
	if r.Failed() {
		return r.Err()
	}
	if chroma > maxChromaFormat {
		return codec.Reserved("chroma_format_idc", uint64(chroma))
	}
	s.Chroma, s.BitDepthLuma, s.BitDepthChroma = codec.ChromaFormat(chroma), uint8(luma)+8, uint8(depth)+8
	return nil
}

func (s *SPS) unmarshalPicOrder(r *bits.Reader) error {
	v, err := codec.Limited(r, maxPicOrderCntType, "pic_order_cnt_type")
	if err != nil {
		return err
	}
	s.PicOrderCntType = uint8(v)
	switch v {
	case 0:
		if v, err = codec.Limited(r, maxLog2PocLsb, "log2_max_pic_order_cnt_lsb_minus4"); err != nil {
			return err
		}
		s.Log2MaxPicOrderCntLsbMinus4 = uint8(v)
	case 1:
		s.DeltaPicOrderAlwaysZero = r.Flag()
		r.SE() // offset_for_non_ref_pic
		r.SE() // offset_for_top_to_bottom_field
		for n := r.UE(); n > 0 && !r.Failed(); n-- {
			r.SE() // offset_for_ref_frame
		}
	}
	return nil
}

// unmarshalSize reads picture size and cropping (H.264 equations 7-13 to 7-22).
func (s *SPS) unmarshalSize(r *bits.Reader) {
	widthMbs := codec.AddSat(r.UE(), 1)
	heightMaps := codec.AddSat(r.UE(), 1)
	s.FrameMbsOnly = r.Flag()
	fields := uint32(1)
	if !s.FrameMbsOnly {
		fields = 2
		s.MbAdaptiveFrameField = r.Flag()
	}
	s.CodedWidth = codec.MulSat(widthMbs, 16)
	s.CodedHeight = codec.MulSat(codec.MulSat(heightMaps, 16), fields)
	r.Flag() // direct_8x8_inference_flag
	if r.Flag() {
		unitX, unitY := s.Chroma.Subsampling()
		unitY *= fields
		s.Crop.Left = codec.MulSat(r.UE(), unitX)
		s.Crop.Right = codec.MulSat(r.UE(), unitX)
		s.Crop.Top = codec.MulSat(r.UE(), unitY)
		s.Crop.Bottom = codec.MulSat(r.UE(), unitY)
	}
}

// HasBFrames tells whether pictures may be output in another order than they
// are coded: as the VUI limits it, else as the profile does. Baseline and
// Constrained High (§A.2.4.2) have no B slices.
func (s *SPS) HasBFrames() bool {
	if s.HasVUI && s.VUI.HasBitstreamRestriction {
		return s.VUI.MaxNumReorderFrames > 0
	}
	const set4And5 = 0x0c
	constrainedHigh := s.ProfileIDC == profileHigh && s.ConstraintFlags&set4And5 == set4And5
	return s.ProfileIDC != profileBaseline && !constrainedHigh
}

// hasChromaInfo tells the profiles whose SPS carries chroma format, bit depths
// and scaling lists (H.264 §7.3.2.1.1).
func hasChromaInfo(profileIDC uint8) bool {
	switch profileIDC {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// skipScalingLists passes over the lists of H.264 §7.3.2.1.1.1. A list whose
// scale drops to 0 ends there: the rest repeats.
func skipScalingLists(r *bits.Reader, allPlanes bool) {
	lists := 8
	if allPlanes {
		lists = 12
	}
	for i := range lists {
		if !r.Flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for range size {
			if next != 0 {
				next = (last + r.SE()) & 0xff
			}
			if next != 0 {
				last = next
			}
		}
	}
}
