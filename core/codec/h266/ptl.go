package h266

import "github.com/tstrans/tstrans/core/bits"

// ProfileTierLevel is the general part of profile_tier_level (H.266 §7.3.3.1).
type ProfileTierLevel struct {
	ProfileIDC          uint8
	Tier                bool // true for the high tier
	LevelIDC            uint8
	FrameOnlyConstraint bool
	MultilayerEnabled   bool
}

// constraintBits is the size of the flags of general_constraints_info before
// gci_num_additional_bits (H.266 §7.3.3.2).
const constraintBits = 71

func (p *ProfileTierLevel) unmarshal(r *bits.Reader, maxSubLayersMinus1 int) {
	p.ProfileIDC = uint8(r.U(7))
	p.Tier = r.Flag()
	p.LevelIDC = uint8(r.U(8))
	p.FrameOnlyConstraint = r.Flag()
	p.MultilayerEnabled = r.Flag()
	if r.Flag() { // gci_present_flag
		r.Skip(constraintBits)
		r.Skip(int(r.U(8))) // gci_num_additional_bits
	}
	r.Align()
	levels := 0
	for range maxSubLayersMinus1 {
		levels += int(r.U(1)) // ptl_sublayer_level_present_flag
	}
	r.Align()
	r.Skip(8 * levels)
	for n := r.U(8); n > 0 && !r.Failed(); n-- {
		r.U(32) // general_sub_profile_idc
	}
}
