package h264

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// extendedSAR is the aspect_ratio_idc that is followed by a ratio.
const extendedSAR = 255

// VUI holds video usability information (H.264 §E.1.1).
type VUI struct {
	HasAspectRatio bool
	AspectRatioIDC uint8
	SARWidth       uint16 // only for AspectRatioIDC 255
	SARHeight      uint16

	HasVideoSignalType bool
	VideoFormat        uint8
	HasColour          bool
	// Color is unspecified where the stream does not tell.
	Color             codec.Color
	HasChromaLocation bool

	HasTiming      bool
	NumUnitsInTick uint32
	TimeScale      uint32
	FixedFrameRate bool

	HasNalHRD        bool
	HasVclHRD        bool
	PicStructPresent bool

	HasBitstreamRestriction bool
	MaxNumReorderFrames     uint32
	MaxDecFrameBuffering    uint32
}

func (v *VUI) unmarshal(r *bits.Reader) error {
	v.Color = codec.Color{Primaries: codec.Unspecified, Transfer: codec.Unspecified, Matrix: codec.Unspecified}
	if v.HasAspectRatio = r.Flag(); v.HasAspectRatio {
		v.AspectRatioIDC = uint8(r.U(8))
		if v.AspectRatioIDC == extendedSAR {
			v.SARWidth, v.SARHeight = uint16(r.U(16)), uint16(r.U(16))
		}
	}
	if r.Flag() { // overscan_info_present_flag
		r.Flag()
	}
	if v.HasVideoSignalType = r.Flag(); v.HasVideoSignalType {
		v.VideoFormat = uint8(r.U(3))
		v.Color.FullRange = r.Flag()
		if v.HasColour = r.Flag(); v.HasColour {
			v.Color.Primaries, v.Color.Transfer, v.Color.Matrix = uint8(r.U(8)), uint8(r.U(8)), uint8(r.U(8))
		}
	}
	if v.HasChromaLocation = r.Flag(); v.HasChromaLocation {
		if err := codec.SkipChromaLocations(r); err != nil {
			return err
		}
	}
	if v.HasTiming = r.Flag(); v.HasTiming {
		v.NumUnitsInTick, v.TimeScale = r.U(32), r.U(32)
		v.FixedFrameRate = r.Flag()
	}
	if v.HasNalHRD = r.Flag(); v.HasNalHRD {
		skipHRD(r)
	}
	if v.HasVclHRD = r.Flag(); v.HasVclHRD {
		skipHRD(r)
	}
	if v.HasNalHRD || v.HasVclHRD {
		r.Flag() // low_delay_hrd_flag
	}
	v.PicStructPresent = r.Flag()
	if v.HasBitstreamRestriction = r.Flag(); v.HasBitstreamRestriction {
		r.Flag() // motion_vectors_over_pic_boundaries_flag
		r.UE()   // max_bytes_per_pic_denom
		r.UE()   // max_bits_per_mb_denom
		r.UE()   // log2_max_mv_length_horizontal
		r.UE()   // log2_max_mv_length_vertical
		v.MaxNumReorderFrames = r.UE()
		v.MaxDecFrameBuffering = r.UE()
	}
	return nil
}

// FrameRate tells the rate of frames, two fields each: time_scale over twice
// num_units_in_tick. Not ok without timing, or when it has no value.
func (v *VUI) FrameRate() (rate codec.Rational, ok bool) {
	if !v.HasTiming || v.NumUnitsInTick == 0 || v.NumUnitsInTick > 1<<31-1 {
		return codec.Rational{}, false
	}
	return codec.Rational{Num: v.TimeScale, Den: 2 * v.NumUnitsInTick}, true
}

// DescribesColor tells whether the VUI says how samples are to be shown: aspect
// ratio, signal type or chroma location.
func (v *VUI) DescribesColor() bool {
	return v.HasAspectRatio || v.HasVideoSignalType || v.HasChromaLocation
}

// skipHRD passes over hrd_parameters (H.264 §E.1.2).
func skipHRD(r *bits.Reader) {
	n := r.UE()
	r.Skip(8) // bit_rate_scale, cpb_size_scale
	for i := uint64(0); i <= uint64(n) && !r.Failed(); i++ {
		r.UE()
		r.UE()
		r.Flag()
	}
	r.Skip(20) // four lengths of 5 bits
}
