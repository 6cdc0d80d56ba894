package h266

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// extendedSAR is the vui_aspect_ratio_idc that is followed by a ratio.
const extendedSAR = 255

// maxChromaLocation is the largest chroma sample location type (H.274 §7.3).
const maxChromaLocation = 6

// VUI holds video usability information (ITU-T H.274 §7.2).
type VUI struct {
	HasAspectRatio bool
	AspectRatioIDC uint8
	SARWidth       uint16 // only for AspectRatioIDC 255
	SARHeight      uint16
	HasColour      bool
	// Color is unspecified where the stream does not tell.
	Color             codec.Color
	HasChromaLocation bool
}

func (v *VUI) unmarshal(r *bits.Reader) error {
	v.Color = codec.Color{Primaries: codec.Unspecified, Transfer: codec.Unspecified, Matrix: codec.Unspecified}
	progressive, interlaced := r.Flag(), r.Flag()
	r.Skip(2) // vui_non_packed_constraint_flag, vui_non_projected_constraint_flag
	if v.HasAspectRatio = r.Flag(); v.HasAspectRatio {
		r.Flag() // vui_aspect_ratio_constant_flag
		v.AspectRatioIDC = uint8(r.U(8))
		if v.AspectRatioIDC == extendedSAR {
			v.SARWidth, v.SARHeight = uint16(r.U(16)), uint16(r.U(16))
		}
	}
	if r.Flag() { // vui_overscan_info_present_flag
		r.Flag()
	}
	if v.HasColour = r.Flag(); v.HasColour {
		v.Color.Primaries, v.Color.Transfer, v.Color.Matrix = uint8(r.U(8)), uint8(r.U(8)), uint8(r.U(8))
		v.Color.FullRange = r.Flag()
	}
	if v.HasChromaLocation = r.Flag(); v.HasChromaLocation {
		names := []string{"vui_chroma_sample_loc_type_frame"}
		if !progressive || interlaced {
			names = []string{"vui_chroma_sample_loc_type_top_field", "vui_chroma_sample_loc_type_bottom_field"}
		}
		for _, field := range names {
			if _, err := codec.Limited(r, maxChromaLocation, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// DescribesColor tells whether the VUI says how samples are to be shown: aspect
// ratio, colour description or chroma location.
func (v *VUI) DescribesColor() bool {
	return v.HasAspectRatio || v.HasColour || v.HasChromaLocation
}
