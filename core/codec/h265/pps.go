package h265

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// The largest ids read: the standard stops at 63 for a PPS (§7.4.3.3.1).
const (
	maxPPSID = 63
	maxSPSID = 15
	// maxSlicePPSID is what a slice header may name without an error here; a
	// reference to a set that cannot exist fails later, when it is looked up.
	maxSlicePPSID = 255
)

// PPS is the head of a picture parameter set (H.265 §7.3.2.3.1). The flags after
// the ids are what a slice segment header depends on; they stay zero when the
// data ends before them.
type PPS struct {
	ID                      uint8
	SPSID                   uint8
	DependentSliceSegments  bool
	OutputFlagPresent       bool
	NumExtraSliceHeaderBits uint8
}

// Unmarshal reads a PPS from the bytes after the NAL unit header; only the two
// ids must be there.
func (p *PPS) Unmarshal(rbsp []byte) error {
	if len(rbsp) == 0 {
		return codec.Named(name, bits.Short(0, 8))
	}
	r := bits.NewRBSP(rbsp)
	id, err := codec.Limited(&r, maxPPSID, "pps_pic_parameter_set_id")
	if err != nil {
		return codec.Named(name, err)
	}
	spsID, err := codec.Limited(&r, maxSPSID, "pps_seq_parameter_set_id")
	if err != nil {
		return codec.Named(name, err)
	}
	*p = PPS{ID: uint8(id), SPSID: uint8(spsID)}
	dependent, output, extra := r.Flag(), r.Flag(), r.U(3)
	if !r.Failed() {
		p.DependentSliceSegments, p.OutputFlagPresent, p.NumExtraSliceHeaderBits = dependent, output, uint8(extra)
	}
	return nil
}
