package h265

import "github.com/tstrans/tstrans/core/bits"

// ProfileTierLevel is the general part of profile_tier_level (H.265 §7.3.3).
type ProfileTierLevel struct {
	ProfileSpace         uint8
	Tier                 bool // true for the high tier
	ProfileIDC           uint8
	CompatibilityFlags   uint32 // general_profile_compatibility_flag[0] in the top bit
	ProgressiveSource    bool
	InterlacedSource     bool
	NonPackedConstraint  bool
	FrameOnlyConstraint  bool
	ConstraintIndicators uint64 // the 48 bits from general_progressive_source_flag on
	LevelIDC             uint8  // the level times 30
}

// maxSubLayers sizes the loops over sub-layers (sps_max_sub_layers_minus1 is a
// field of three bits).
const maxSubLayers = 8

func (p *ProfileTierLevel) unmarshal(r *bits.Reader, maxSubLayersMinus1 int) {
	p.ProfileSpace = uint8(r.U(2))
	p.Tier = r.Flag()
	p.ProfileIDC = uint8(r.U(5))
	p.CompatibilityFlags = r.U(32)
	p.ConstraintIndicators = r.U64(48)
	p.ProgressiveSource = p.ConstraintIndicators>>47&1 != 0
	p.InterlacedSource = p.ConstraintIndicators>>46&1 != 0
	p.NonPackedConstraint = p.ConstraintIndicators>>45&1 != 0
	p.FrameOnlyConstraint = p.ConstraintIndicators>>44&1 != 0
	p.LevelIDC = uint8(r.U(8))

	var hasProfile, hasLevel [maxSubLayers]bool
	for i := range maxSubLayersMinus1 {
		hasProfile[i], hasLevel[i] = r.Flag(), r.Flag()
	}
	if maxSubLayersMinus1 > 0 {
		r.Skip(2 * (maxSubLayers - maxSubLayersMinus1)) // reserved_zero_2bits
	}
	for i := range maxSubLayersMinus1 {
		if hasProfile[i] {
			r.Skip(88)
		}
		if hasLevel[i] {
			r.Skip(8)
		}
	}
}
