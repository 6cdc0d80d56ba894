package h265

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// extendedSAR is the aspect_ratio_idc that is followed by a ratio.
const extendedSAR = 255

// VUI holds video usability information (H.265 §E.2.1).
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
	FieldSequence     bool

	HasTiming      bool
	NumUnitsInTick uint32
	TimeScale      uint32

	// MinSpatialSegmentation is min_spatial_segmentation_idc, 0 when not told.
	MinSpatialSegmentation uint16
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
	r.Flag() // neutral_chroma_indication_flag
	v.FieldSequence = r.Flag()
	r.Flag()      // frame_field_info_present_flag
	if r.Flag() { // default_display_window_flag
		r.UE()
		r.UE()
		r.UE()
		r.UE()
	}
	if v.HasTiming = r.Flag(); v.HasTiming {
		v.NumUnitsInTick, v.TimeScale = r.U(32), r.U(32)
		if r.Flag() { // vui_poc_proportional_to_timing_flag
			r.UE()
		}
	}
	return nil
}

// unmarshalTail reads the rest, from vui_hrd_parameters_present_flag on.
func (v *VUI) unmarshalTail(r *bits.Reader, maxSubLayersMinus1 int) {
	if v.HasTiming && r.Flag() {
		skipHRD(r, maxSubLayersMinus1)
	}
	if r.Flag() { // bitstream_restriction_flag
		r.Skip(3)
		if n := r.UE(); n <= 4095 { // the range of §E.3.1
			v.MinSpatialSegmentation = uint16(n)
		}
	}
}

// FrameRate tells vui_time_scale over vui_num_units_in_tick; not ok without
// timing, or when it has no value.
func (v *VUI) FrameRate() (rate codec.Rational, ok bool) {
	if !v.HasTiming || v.NumUnitsInTick == 0 {
		return codec.Rational{}, false
	}
	return codec.Rational{Num: v.TimeScale, Den: v.NumUnitsInTick}, true
}

// DescribesColor tells whether the VUI says how samples are to be shown: aspect
// ratio, signal type or chroma location.
func (v *VUI) DescribesColor() bool {
	return v.HasAspectRatio || v.HasVideoSignalType || v.HasChromaLocation
}

// skipHRD passes over hrd_parameters(1, maxSubLayersMinus1) (H.265 §E.2.2).
func skipHRD(r *bits.Reader, maxSubLayersMinus1 int) {
	nal, vcl, subPic := r.Flag(), r.Flag(), false
	if nal || vcl {
		if subPic = r.Flag(); subPic {
			r.Skip(19)
		}
		r.Skip(8) // bit_rate_scale, cpb_size_scale
		if subPic {
			r.Skip(4)
		}
		r.Skip(15)
	}
	for i := 0; i <= maxSubLayersMinus1 && !r.Failed(); i++ {
		fixed := r.Flag()
		inCVS := fixed || r.Flag() // fixed_pic_rate_within_cvs_flag is implied by the general one
		lowDelay := false
		if inCVS {
			r.UE() // elemental_duration_in_tc_minus1
		} else {
			lowDelay = r.Flag()
		}
		cpbs := uint64(1)
		if !lowDelay {
			cpbs += uint64(r.UE())
		}
		if nal {
			skipSubLayerHRD(r, cpbs, subPic)
		}
		if vcl {
			skipSubLayerHRD(r, cpbs, subPic)
		}
	}
}

func skipSubLayerHRD(r *bits.Reader, cpbs uint64, subPic bool) {
	for ; cpbs > 0 && !r.Failed(); cpbs-- {
		r.UE()
		r.UE()
		if subPic {
			r.UE()
			r.UE()
		}
		r.Flag()
	}
}
