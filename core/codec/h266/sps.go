package h266

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

// maxBitDepthMinus8 is the largest sps_bitdepth_minus8 (H.266 §7.4.3.4).
const maxBitDepthMinus8 = 8

// SPS is a sequence parameter set (H.266 §7.3.2.4).
type SPS struct {
	ID                 uint8
	VPSID              uint8
	MaxSubLayersMinus1 uint8
	Chroma             codec.ChromaFormat
	CtbSize            uint32
	HasPTL             bool // sps_ptl_dpb_hrd_params_present_flag
	PTL                ProfileTierLevel

	CodedWidth  uint32 // sps_pic_width_max_in_luma_samples
	CodedHeight uint32
	Crop        codec.Crop // the conformance window
	Width       uint32     // luma samples after cropping
	Height      uint32
	BitDepth    uint8

	Log2MaxPocLsbMinus4 uint8

	HasTiming      bool
	NumUnitsInTick uint32
	TimeScale      uint32
	FieldSequence  bool

	HasVUI bool
	VUI    VUI

	tools   tools
	cropped bool // sps_conformance_window_flag
}

// Unmarshal reads a SPS from the bytes after the NAL unit header, emulation
// prevention bytes in place. Subpictures and explicit scaling lists are refused
// as an unsupported profile.
func (s *SPS) Unmarshal(rbsp []byte) error {
	if len(rbsp) == 0 {
		return codec.Named(name, bits.Short(0, 8))
	}
	r := bits.NewRBSP(rbsp)
	*s = SPS{}
	if err := s.unmarshal(&r); err != nil {
		return codec.Named(name, err)
	}
	return codec.Named(name, r.Err())
}

func (s *SPS) unmarshal(r *bits.Reader) error {
	s.ID = uint8(r.U(4))
	s.VPSID = uint8(r.U(4))
	s.MaxSubLayersMinus1 = uint8(r.U(3))
	s.Chroma = codec.ChromaFormat(r.U(2))
	s.CtbSize = 32 << r.U(2)
	if s.HasPTL = r.Flag(); s.HasPTL {
		s.PTL.unmarshal(r, int(s.MaxSubLayersMinus1))
	}
	r.Flag()      // sps_gdr_enabled_flag
	if r.Flag() { // sps_ref_pic_resampling_enabled_flag
		r.Flag()
	}
	s.unmarshalSize(r)
	if r.Flag() { // sps_subpic_info_present_flag
		return unsupported(r, s.PTL.ProfileIDC)
	}
	depth, err := codec.Limited(r, maxBitDepthMinus8, "sps_bitdepth_minus8")
	if err != nil {
		return err
	}
	s.BitDepth = uint8(depth) + 8
	s.Width, s.Height = s.CodedWidth, s.CodedHeight
	if s.cropped {
		s.Width, s.Height, err = s.Crop.Size(s.CodedWidth, s.CodedHeight, codec.CropNames{
			Horizontal: "sps_conf_win_left_offset + sps_conf_win_right_offset",
			Vertical:   "sps_conf_win_top_offset + sps_conf_win_bottom_offset",
		})
		if err != nil {
			return err
		}
	}
	r.Skip(2) // sps_entropy_coding_sync_enabled_flag, sps_entry_point_offsets_present_flag
	s.Log2MaxPocLsbMinus4 = uint8(r.U(4))
	if r.Flag() { // sps_poc_msb_cycle_flag
		r.UE()
	}
	r.Skip(8 * int(r.U(2))) // sps_extra_ph_bit_present_flag
	r.Skip(8 * int(r.U(2))) // sps_extra_sh_bit_present_flag
	if s.HasPTL {
		s.skipDPB(r)
	}
	s.skipPartitions(r)
	s.skipTransforms(r)
	s.skipReferences(r)
	if explicit := s.skipTools(r); explicit {
		return unsupported(r, s.PTL.ProfileIDC)
	}
	r.Skip(2)     // sps_dep_quant_enabled_flag, sps_sign_data_hiding_enabled_flag
	if r.Flag() { // sps_virtual_boundaries_enabled_flag
		if r.Flag() { // sps_virtual_boundaries_present_flag
			skipList(r)
			skipList(r)
		}
	}
	if s.HasPTL {
		s.unmarshalTiming(r)
	}
	s.FieldSequence = r.Flag()
	if s.HasVUI = r.Flag(); s.HasVUI {
		size := int64(r.UE()) + 1 // sps_vui_payload_size_minus1
		r.Align()
		end := int64(r.Offset()) + 8*size
		if err = s.VUI.unmarshal(r); err != nil {
			return err
		}
		// The payload may be longer: later versions add to it.
		for left := end - int64(r.Offset()); left > 0 && !r.Failed(); left = end - int64(r.Offset()) {
			r.U(int(min(left, 32)))
		}
	}
	r.Flag() // sps_extension_flag
	return nil
}

func (s *SPS) unmarshalSize(r *bits.Reader) {
	s.CodedWidth, s.CodedHeight = r.UE(), r.UE()
	if s.cropped = r.Flag(); s.cropped {
		unitX, unitY := s.Chroma.Subsampling()
		s.Crop.Left = codec.MulSat(r.UE(), unitX)
		s.Crop.Right = codec.MulSat(r.UE(), unitX)
		s.Crop.Top = codec.MulSat(r.UE(), unitY)
		s.Crop.Bottom = codec.MulSat(r.UE(), unitY)
	}
}

// FrameRate tells time_scale over num_units_in_tick of the general timing
// parameters (H.266 §7.3.5.1); not ok without them, or when they have no value.
func (s *SPS) FrameRate() (rate codec.Rational, ok bool) {
	if !s.HasTiming || s.NumUnitsInTick == 0 || s.TimeScale == 0 {
		return codec.Rational{}, false
	}
	return codec.Rational{Num: s.TimeScale, Den: s.NumUnitsInTick}, true
}

func unsupported(r *bits.Reader, profileIDC uint8) error {
	if r.Failed() {
		return r.Err()
	}
	return tsterr.New(tsterr.CodecUnsupportedProfile, "unsupported profile_idc %d", profileIDC).
		With("profile_idc", int64(profileIDC))
}
