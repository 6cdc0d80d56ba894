package h266

import "github.com/tstrans/tstrans/core/bits"

// unmarshalTiming reads the timing and HRD parameters of a SPS (H.266 §7.3.5).
func (s *SPS) unmarshalTiming(r *bits.Reader) {
	if s.HasTiming = r.Flag(); !s.HasTiming {
		return
	}
	s.NumUnitsInTick, s.TimeScale = r.U(32), r.U(32)
	hrds := int(r.U(1)) + int(r.U(1)) // general_nal, general_vcl_hrd_params_present_flag
	decodingUnits := false
	cpbs := uint64(1)
	if hrds > 0 {
		r.Flag() // general_same_pic_timing_in_all_ols_flag
		if decodingUnits = r.Flag(); decodingUnits {
			r.Skip(8)
		}
		r.Skip(8) // bit_rate_scale, cpb_size_scale
		if decodingUnits {
			r.Skip(4)
		}
		cpbs += uint64(r.UE())
	}
	n := 1
	if s.MaxSubLayersMinus1 > 0 && r.Flag() { // sps_sublayer_cpb_params_present_flag
		n += int(s.MaxSubLayersMinus1)
	}
	for ; n > 0 && !r.Failed(); n-- {
		fixed := r.Flag()          // fixed_pic_rate_general_flag
		inCVS := fixed || r.Flag() // fixed_pic_rate_within_cvs_flag
		if inCVS {
			r.UE()
		} else if hrds > 0 && cpbs == 1 {
			r.Flag() // low_delay_hrd_flag
		}
		for i := uint64(0); i < uint64(hrds)*cpbs && !r.Failed(); i++ {
			r.UE()
			r.UE()
			if decodingUnits {
				r.UE()
				r.UE()
			}
			r.Flag()
		}
	}
}
