package h266

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// VPS is the head of a video parameter set (H.266 §7.3.2.3).
type VPS struct {
	ID           uint8
	MaxLayers    uint8 // 1..64
	MaxSubLayers uint8 // 1..8
}

// Unmarshal reads a VPS as far as vps_max_sublayers_minus1, from the bytes
// after the NAL unit header.
func (v *VPS) Unmarshal(rbsp []byte) error {
	r := bits.NewRBSP(rbsp)
	*v = VPS{ID: uint8(r.U(4)), MaxLayers: uint8(r.U(6)) + 1, MaxSubLayers: uint8(r.U(3)) + 1}
	return codec.Named(name, r.Err())
}

// PPS is the head of a picture parameter set (H.266 §7.3.2.5).
type PPS struct {
	ID    uint8
	SPSID uint8
}

// Unmarshal reads the two ids of a PPS, from the bytes after the NAL unit header.
func (p *PPS) Unmarshal(rbsp []byte) error {
	r := bits.NewRBSP(rbsp)
	*p = PPS{ID: uint8(r.U(6)), SPSID: uint8(r.U(4))}
	return codec.Named(name, r.Err())
}
