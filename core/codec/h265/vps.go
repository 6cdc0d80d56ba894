package h265

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// VPS is the head of a video parameter set (H.265 §7.3.2.1), up to and with
// profile_tier_level.
type VPS struct {
	ID                 uint8
	MaxLayersMinus1    uint8
	MaxSubLayersMinus1 uint8
	TemporalIDNesting  bool
	PTL                ProfileTierLevel
}

// Unmarshal reads a VPS from the bytes after the NAL unit header.
func (v *VPS) Unmarshal(rbsp []byte) error {
	if len(rbsp) == 0 {
		return codec.Named(name, bits.Short(0, 8))
	}
	r := bits.NewRBSP(rbsp)
	*v = VPS{ID: uint8(r.U(4))}
	r.Skip(2) // vps_base_layer_internal_flag, vps_base_layer_available_flag
	v.MaxLayersMinus1 = uint8(r.U(6))
	v.MaxSubLayersMinus1 = uint8(r.U(3))
	v.TemporalIDNesting = r.Flag()
	r.Skip(16) // vps_reserved_0xffff_16bits
	v.PTL.unmarshal(&r, int(v.MaxSubLayersMinus1))
	return codec.Named(name, r.Err())
}
