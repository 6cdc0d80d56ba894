package h265

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// The largest values that fields of a SPS may have (H.265 §7.4.3.2.1).
const (
	maxChromaFormat   = 3
	maxBitDepthMinus8 = 8
	maxLog2PocLsb     = 12
	maxShortTermSets  = 64
)

// SPS is a sequence parameter set (H.265 §7.3.2.2.1).
type SPS struct {
	VPSID              uint8
	MaxSubLayersMinus1 uint8
	TemporalIDNesting  bool
	PTL                ProfileTierLevel

	ID                  uint8
	Chroma              codec.ChromaFormat
	SeparateColourPlane bool
	CodedWidth          uint32 // luma samples before cropping
	CodedHeight         uint32
	Crop                codec.Crop // the conformance window
	Width               uint32     // luma samples after cropping
	Height              uint32
	BitDepthLuma        uint8
	BitDepthChroma      uint8

	Log2MaxPocLsbMinus4 uint8
	Log2CtbSize         uint32

	HasVUI bool
	VUI    VUI

	chromaIDC uint32 // chroma_format_idc, before it is checked
	cropped   bool   // conformance_window_flag
}

// Unmarshal reads a SPS from the bytes after the NAL unit header, emulation
// prevention bytes in place. What follows the timing fields of the VUI is read
// when it is there; its absence is no error.
func (s *SPS) Unmarshal(rbsp []byte) error {
	if len(rbsp) == 0 {
		return codec.Named(name, bits.Short(0, 8))
	}
	r := bits.NewRBSP(rbsp)
	*s = SPS{}
	if err := s.unmarshal(&r); err != nil {
		return codec.Named(name, err)
	}
	if err := r.Err(); err != nil {
		return codec.Named(name, err)
	}
	if s.HasVUI {
		s.VUI.unmarshalTail(&r, int(s.MaxSubLayersMinus1))
	}
	return nil
}

func (s *SPS) unmarshal(r *bits.Reader) error {
	s.VPSID = uint8(r.U(4))
	s.MaxSubLayersMinus1 = uint8(r.U(3))
	s.TemporalIDNesting = r.Flag()
	s.PTL.unmarshal(r, int(s.MaxSubLayersMinus1))
	v, err := codec.Limited(r, maxSPSID, "sps_seq_parameter_set_id")
	if err != nil {
		return err
	}
	s.ID = uint8(v)
	if err = s.unmarshalFormat(r); err != nil {
		return err
	}
	if v, err = codec.Limited(r, maxLog2PocLsb, "log2_max_pic_order_cnt_lsb_minus4"); err != nil {
		return err
	}
	s.Log2MaxPocLsbMinus4 = uint8(v)
	s.unmarshalCoding(r)
	if err = skipShortTermSets(r); err != nil {
		return err
	}
	if r.Flag() { // long_term_ref_pics_present_flag
		for n := r.UE(); n > 0 && !r.Failed(); n-- {
			r.Skip(int(s.Log2MaxPocLsbMinus4) + 4 + 1)
		}
	}
	r.Skip(2) // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
	s.HasVUI = r.Flag()
	if s.HasVUI {
		if err = s.VUI.unmarshal(r); err != nil {
			return err
		}
	}
	if r.Failed() {
		return r.Err()
	}
	if s.chromaIDC > maxChromaFormat {
		return codec.Reserved("chroma_format_idc", uint64(s.chromaIDC))
	}
	s.Chroma = codec.ChromaFormat(s.chromaIDC)
	s.Width, s.Height = s.CodedWidth, s.CodedHeight
	if s.cropped {
		s.Width, s.Height, err = s.Crop.Size(s.CodedWidth, s.CodedHeight, codec.CropNames{
			Horizontal: "conf_win_left_offset + conf_win_right_offset",
			Vertical:   "conf_win_top_offset + conf_win_bottom_offset",
		})
	}
	return err
}

// unmarshalFormat reads chroma format, size, conformance window and bit depths.
func (s *SPS) unmarshalFormat(r *bits.Reader) error {
	chroma := r.UE()
	if chroma == uint32(codec.YUV444) {
		s.SeparateColourPlane = r.Flag()
	}
	s.CodedWidth, s.CodedHeight = r.UE(), r.UE()
	if s.cropped = r.Flag(); s.cropped {
		unitX, unitY := codec.ChromaFormat(min(chroma, maxChromaFormat)).Subsampling()
		s.Crop.Left = codec.MulSat(r.UE(), unitX)
		s.Crop.Right = codec.MulSat(r.UE(), unitX)
		s.Crop.Top = codec.MulSat(r.UE(), unitY)
		s.Crop.Bottom = codec.MulSat(r.UE(), unitY)
	}
	luma, err := codec.Limited(r, maxBitDepthMinus8, "bit_depth_luma_minus8")
	if err != nil {
		return err
	}
	depth, err := codec.Limited(r, maxBitDepthMinus8, "bit_depth_chroma_minus8")
	if err != nil {
		return err
	}
	s.chromaIDC = chroma
	s.BitDepthLuma, s.BitDepthChroma = uint8(luma)+8, uint8(depth)+8
	return nil
}

// unmarshalCoding reads from sps_sub_layer_ordering_info_present_flag to the PCM
// fields; of these only the size of a coding tree block is kept.
func (s *SPS) unmarshalCoding(r *bits.Reader) {
	subLayers := 1
	if r.Flag() {
		subLayers = int(s.MaxSubLayersMinus1) + 1
	}
	for range subLayers {
		r.UE() // sps_max_dec_pic_buffering_minus1
		r.UE() // sps_max_num_reorder_pics
		r.UE() // sps_max_latency_increase_plus1
	}
	s.Log2CtbSize = codec.AddSat(codec.AddSat(r.UE(), 3), r.UE())
	r.UE()        // log2_min_luma_transform_block_size_minus2
	r.UE()        // log2_diff_max_min_luma_transform_block_size
	r.UE()        // max_transform_hierarchy_depth_inter
	r.UE()        // max_transform_hierarchy_depth_intra
	if r.Flag() { // scaling_list_enabled_flag
		if r.Flag() { // sps_scaling_list_data_present_flag
			skipScalingLists(r)
		}
	}
	r.Skip(2) // amp_enabled_flag, sample_adaptive_offset_enabled_flag
	if r.Flag() {
		r.Skip(8) // PCM bit depths
		r.UE()
		r.UE()
		r.Flag()
	}
}

// sliceAddressBits tells the width of slice_segment_address (§7.4.7.1), not ok
// for sizes that no picture has.
func (s *SPS) sliceAddressBits() (n int, ok bool) {
	if s.Log2CtbSize > 6 || s.CodedWidth == 0 || s.CodedHeight == 0 {
		return 0, false
	}
	round := uint64(1)<<s.Log2CtbSize - 1
	ctbs := ((uint64(s.CodedWidth) + round) >> s.Log2CtbSize) * ((uint64(s.CodedHeight) + round) >> s.Log2CtbSize)
	return bitsFor(ctbs), true
}
