package av1

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

const (
	maxProfile = 2
	// mainTierLast is the last seq_level_idx without a tier bit (AV1 §5.5.1).
	mainTierLast = 7
	// The code points that mean sRGB together (AV1 §5.5.2).
	primariesBT709 = 1
	transferSRGB   = 13
	matrixIdentity = 0
	// selectScreenContent is SELECT_SCREEN_CONTENT_TOOLS (AV1 §3).
	selectScreenContent = 2
)

// SequenceHeader is a sequence header OBU (AV1 §5.5).
type SequenceHeader struct {
	Profile      uint8
	StillPicture bool
	Reduced      bool  // reduced_still_picture_header
	Level        uint8 // seq_level_idx[0]
	Tier         uint8 // seq_tier[0]

	HasTiming            bool
	NumUnitsInTick       uint32 // num_units_in_display_tick
	TimeScale            uint32
	EqualPictureInterval bool
	NumTicksPerPicture   uint64 // only with EqualPictureInterval

	MaxFrameWidth  uint32
	MaxFrameHeight uint32
	BitDepth       uint8
	Monochrome     bool
	SubsamplingX   bool
	SubsamplingY   bool
	ChromaPosition uint8
	// Color is unspecified where the stream does not tell.
	Color codec.Color
}

// Unmarshal reads the payload of a sequence header OBU.
func (s *SequenceHeader) Unmarshal(payload []byte) error {
	r := bits.NewReader(payload)
	*s = SequenceHeader{Profile: uint8(r.U(3))}
	if s.Profile > maxProfile {
		return codec.Named(name, codec.Reserved("seq_profile", uint64(s.Profile)))
	}
	s.StillPicture = r.Flag()
	s.Reduced = r.Flag()
	if s.Reduced {
		s.Level = uint8(r.U(5))
	} else {
		if err := s.unmarshalTiming(&r); err != nil {
			return codec.Named(name, err)
		}
	}
	s.unmarshalTools(&r)
	s.unmarshalColor(&r)
	if !s.Reduced { // a still picture may do without its last bit
		r.U(1) // film_grain_params_present
	}
	return codec.Named(name, r.Err())
}

// unmarshalTiming reads the timing (AV1 §5.5.3, §5.5.4) and what follows it.
func (s *SequenceHeader) unmarshalTiming(r *bits.Reader) error {
	delayBits := 0
	if s.HasTiming = r.Flag(); s.HasTiming {
		s.NumUnitsInTick, s.TimeScale = r.U(32), r.U(32)
		switch {
		case r.Failed():
			return r.Err()
		case s.NumUnitsInTick == 0:
			return codec.Reserved("num_units_in_display_tick", 0)
		case s.TimeScale == 0:
			return codec.Reserved("time_scale", 0)
		}
		if s.EqualPictureInterval = r.Flag(); s.EqualPictureInterval {
			s.NumTicksPerPicture = uint64(uvlc(r)) + 1
		}
		if r.Flag() { // decoder_model_info_present_flag
			delayBits = int(r.U(5)) + 1
			r.U(32) // num_units_in_decoding_tick
			r.U(5)  // buffer_removal_time_length_minus_1
			r.U(5)  // frame_presentation_time_length_minus_1
		}
	}
	s.unmarshalOperation(r, delayBits)
	return nil
}

// unmarshalOperation reads the operating points; the first one tells level and
// tier. delayBits is 0 without a decoder model.
func (s *SequenceHeader) unmarshalOperation(r *bits.Reader, delayBits int) {
	displayDelay := r.Flag()
	points := int(r.U(5)) + 1
	for i := 0; i < points && !r.Failed(); i++ {
		r.U(12) // operating_point_idc
		level, tier := uint8(r.U(5)), uint8(0)
		if level > mainTierLast {
			tier = uint8(r.U(1))
		}
		if i == 0 {
			s.Level, s.Tier = level, tier
		}
		if delayBits > 0 && r.Flag() { // decoder_model_present_for_this_op
			r.U(delayBits)
			r.U(delayBits)
			r.U(1)
		}
		if displayDelay && r.Flag() {
			r.U(4)
		}
	}
}

// unmarshalTools reads the frame size and passes over the coding tools.
func (s *SequenceHeader) unmarshalTools(r *bits.Reader) {
	widthBits, heightBits := int(r.U(4))+1, int(r.U(4))+1
	s.MaxFrameWidth = r.U(widthBits) + 1
	s.MaxFrameHeight = r.U(heightBits) + 1
	if !s.Reduced && r.Flag() { // frame_id_numbers_present_flag
		r.U(4)
		r.U(3)
	}
	r.U(1) // use_128x128_superblock
	r.U(1) // enable_filter_intra
	r.U(1) // enable_intra_edge_filter
	if !s.Reduced {
		r.U(1) // enable_interintra_compound
		r.U(1) // enable_masked_compound
		r.U(1) // enable_warped_motion
		r.U(1) // enable_dual_filter
		orderHint := r.Flag()
		if orderHint {
			r.U(1) // enable_jnt_comp
			r.U(1) // enable_ref_frame_mvs
		}
		screen := uint32(selectScreenContent)
		if !r.Flag() { // seq_choose_screen_content_tools
			screen = r.U(1)
		}
		if screen > 0 && !r.Flag() { // seq_choose_integer_mv
			r.U(1)
		}
		if orderHint {
			r.U(3) // order_hint_bits_minus_1
		}
	}
	r.U(1) // enable_superres
	r.U(1) // enable_cdef
	r.U(1) // enable_restoration
}

// unmarshalColor reads color_config (AV1 §5.5.2).
func (s *SequenceHeader) unmarshalColor(r *bits.Reader) {
	s.BitDepth = 8
	if r.Flag() { // high_bitdepth
		s.BitDepth = 10
		if s.Profile == maxProfile && r.Flag() { // twelve_bit
			s.BitDepth = 12
		}
	}
	s.Monochrome = s.Profile != 1 && r.Flag()
	s.Color = codec.Color{Primaries: codec.Unspecified, Transfer: codec.Unspecified, Matrix: codec.Unspecified}
	if r.Flag() { // color_description_present_flag
		s.Color.Primaries, s.Color.Transfer, s.Color.Matrix = uint8(r.U(8)), uint8(r.U(8)), uint8(r.U(8))
	}
	switch {
	case s.Monochrome:
		s.Color.FullRange = r.Flag()
		s.SubsamplingX, s.SubsamplingY = true, true
	case s.Color.Primaries == primariesBT709 && s.Color.Transfer == transferSRGB && s.Color.Matrix == matrixIdentity:
		s.Color.FullRange = true
		r.U(1) // separate_uv_delta_q
	default:
		s.Color.FullRange = r.Flag()
		s.unmarshalSubsampling(r)
		if s.SubsamplingX && s.SubsamplingY {
			s.ChromaPosition = uint8(r.U(2))
		}
		r.U(1) // separate_uv_delta_q
	}
}

func (s *SequenceHeader) unmarshalSubsampling(r *bits.Reader) {
	switch {
	case s.Profile == 0:
		s.SubsamplingX, s.SubsamplingY = true, true
	case s.Profile == 1:
	case s.BitDepth == 12:
		if s.SubsamplingX = r.Flag(); s.SubsamplingX {
			s.SubsamplingY = r.Flag()
		}
	default:
		s.SubsamplingX = true
	}
}

// Chroma tells the chroma format by the names of the ITU standards.
func (s *SequenceHeader) Chroma() codec.ChromaFormat {
	switch {
	case s.Monochrome:
		return codec.Monochrome
	case s.SubsamplingX && s.SubsamplingY:
		return codec.YUV420
	case s.SubsamplingX:
		return codec.YUV422
	default:
		return codec.YUV444
	}
}

// FrameRate tells the rate of a sequence whose pictures have equal intervals,
// in lowest terms; not ok without that, or when it does not fit.
func (s *SequenceHeader) FrameRate() (rate codec.Rational, ok bool) {
	if !s.HasTiming || !s.EqualPictureInterval {
		return codec.Rational{}, false
	}
	// The second factor is at most 2^32, the first below it: no overflow.
	num, den := uint64(s.TimeScale), uint64(s.NumUnitsInTick)*s.NumTicksPerPicture
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	num, den = num/a, den/a
	if den > 1<<32-1 {
		return codec.Rational{}, false
	}
	return codec.Rational{Num: uint32(num), Den: uint32(den)}, true //nolint:gosec // num only shrank
}

// uvlc reads an unsigned variable length code (AV1 §4.10.3): 32 zeros or more
// mean the largest value.
func uvlc(r *bits.Reader) uint32 {
	zeros := 0
	for !r.Failed() && !r.Flag() {
		zeros++
	}
	if zeros >= 32 {
		return 1<<32 - 1
	}
	return r.U(zeros) + (1<<zeros - 1)
}
