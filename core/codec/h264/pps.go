package h264

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

const maxPPSID = 255

// PPS is the head of a picture parameter set (H.264 §7.3.2.2).
type PPS struct {
	ID    uint8
	SPSID uint8
	CABAC bool // entropy_coding_mode_flag
}

// Unmarshal reads a PPS as far as entropy_coding_mode_flag, from the bytes
// after the NAL unit header.
func (p *PPS) Unmarshal(rbsp []byte) error {
	if len(rbsp) == 0 {
		return codec.Named(name, bits.Short(0, 8))
	}
	r := bits.NewRBSP(rbsp)
	id, spsID, cabac := r.UE(), r.UE(), r.Flag()
	switch {
	case r.Failed():
		return codec.Named(name, r.Err())
	case id > maxPPSID:
		return codec.Named(name, codec.Reserved("pic_parameter_set_id", uint64(id)))
	case spsID > maxSPSID:
		return codec.Named(name, codec.Reserved("seq_parameter_set_id", uint64(spsID)))
	}
	*p = PPS{ID: uint8(id), SPSID: uint8(spsID), CABAC: cabac}
	return nil
}
