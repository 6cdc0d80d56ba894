package h266

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// tools are the flags of a SPS on which the presence of later fields depends.
type tools struct {
	transform64   bool
	transformSkip bool
	lfnst         bool
	weighted      bool
	longTerm      bool
	interLayer    bool
	maxMergeCands uint32
	actEnabled    bool
}

// skipDPB passes over dpb_parameters (H.266 §7.3.4).
func (s *SPS) skipDPB(r *bits.Reader) {
	n := 1
	if s.MaxSubLayersMinus1 > 0 && r.Flag() { // sps_sublayer_dpb_params_flag
		n += int(s.MaxSubLayersMinus1)
	}
	for range n {
		r.UE()
		r.UE()
		r.UE()
	}
}

// skipPartitions passes over the block partition limits.
func (s *SPS) skipPartitions(r *bits.Reader) {
	r.UE()   // sps_log2_min_luma_coding_block_size_minus2
	r.Flag() // sps_partition_constraints_override_enabled_flag
	skipTree(r)
	dual := s.Chroma != codec.Monochrome && r.Flag() // sps_qtbtt_dual_tree_intra_flag
	if dual {
		skipTree(r)
	}
	skipTree(r)
}

// skipTree passes over one set of quad tree and multi-type tree limits.
func skipTree(r *bits.Reader) {
	r.UE()
	if r.UE() != 0 {
		r.UE()
		r.UE()
	}
}

// skipTransforms passes over the fields from sps_max_luma_transform_size_64_flag
// to sps_lmcs_enabled_flag.
func (s *SPS) skipTransforms(r *bits.Reader) {
	t := &s.tools
	t.transform64 = s.CtbSize > 32 && r.Flag()
	if t.transformSkip = r.Flag(); t.transformSkip {
		r.UE()
		r.Flag()
	}
	if r.Flag() { // sps_mts_enabled_flag
		r.Skip(2)
	}
	t.lfnst = r.Flag()
	if s.Chroma != codec.Monochrome {
		tables := 2
		if r.Flag() { // sps_joint_cbcr_enabled_flag
			tables = 3
		}
		if r.Flag() { // sps_same_qp_table_for_chroma_flag
			tables = 1
		}
		for range tables {
			r.SE()
			for n := uint64(r.UE()) + 1; n > 0 && !r.Failed(); n-- {
				r.UE()
				r.UE()
			}
		}
	}
	r.Flag()      // sps_sao_enabled_flag
	if r.Flag() { // sps_alf_enabled_flag
		if s.Chroma != codec.Monochrome {
			r.Flag()
		}
	}
	r.Flag() // sps_lmcs_enabled_flag
}

// skipReferences passes over the reference picture lists (H.266 §7.3.10).
func (s *SPS) skipReferences(r *bits.Reader) {
	t := &s.tools
	pred, bipred := r.Flag(), r.Flag()
	t.weighted = pred || bipred
	t.longTerm = r.Flag()
	if s.VPSID > 0 {
		t.interLayer = r.Flag()
	}
	r.Flag() // sps_idr_rpl_present_flag
	lists := 2
	if r.Flag() { // sps_rpl1_same_as_rpl0_flag
		lists = 1
	}
	for range lists {
		for n := r.UE(); n > 0 && !r.Failed(); n-- {
			s.skipReferenceList(r)
		}
	}
}

func (s *SPS) skipReferenceList(r *bits.Reader) {
	t := &s.tools
	entries := r.UE()
	inHeader := t.longTerm && entries > 0 && r.Flag() // ltrp_in_header_flag
	for i := uint32(0); i < entries && !r.Failed(); i++ {
		if t.interLayer && r.Flag() { // inter_layer_ref_pic_flag
			r.UE() // ilrp_idx
			continue
		}
		if t.longTerm && !r.Flag() { // st_ref_pic_flag
			if !inHeader {
				r.Skip(int(s.Log2MaxPocLsbMinus4) + 4)
			}
			continue
		}
		// Equation 150: the distance is coded minus one, but for the later
		// entries of a stream with weighted prediction.
		delta := r.UE()
		if !t.weighted || i == 0 {
			delta++
		}
		if delta > 0 {
			r.Flag() // strp_entry_sign_flag
		}
	}
}

// skipTools passes over the fields from sps_ref_wraparound_enabled_flag to those
// of explicit scaling lists, and tells whether there are such lists.
func (s *SPS) skipTools(r *bits.Reader) (explicit bool) {
	r.Flag()      // sps_ref_wraparound_enabled_flag
	if r.Flag() { // sps_temporal_mvp_enabled_flag
		r.Flag()
	}
	amvr := r.Flag()
	if r.Flag() { // sps_bdof_enabled_flag
		r.Flag()
	}
	r.Flag()      // sps_smvd_enabled_flag
	if r.Flag() { // sps_dmvr_enabled_flag
		r.Flag()
	}
	if r.Flag() { // sps_mmvd_enabled_flag
		r.Flag()
	}
	s.tools.maxMergeCands = 6 - min(6, r.UE())
	r.Flag()      // sps_sbt_enabled_flag
	if r.Flag() { // sps_affine_enabled_flag
		r.UE()
		r.Flag()
		if amvr {
			r.Flag()
		}
		if r.Flag() { // sps_affine_prof_enabled_flag
			r.Flag()
		}
	}
	r.Skip(2)                                   // sps_bcw_enabled_flag, sps_ciip_enabled_flag
	if s.tools.maxMergeCands >= 2 && r.Flag() { // sps_gpm_enabled_flag
		if s.tools.maxMergeCands >= 3 {
			r.UE()
		}
	}
	r.UE()    // sps_log2_parallel_merge_level_minus2
	r.Skip(3) // sps_isp_enabled_flag, sps_mrl_enabled_flag, sps_mip_enabled_flag
	return s.skipChromaTools(r)
}

func (s *SPS) skipChromaTools(r *bits.Reader) (explicit bool) {
	t := &s.tools
	if s.Chroma != codec.Monochrome {
		r.Flag() // sps_cclm_enabled_flag
	}
	if s.Chroma == codec.YUV420 {
		r.Skip(2)
	}
	palette := r.Flag()
	t.actEnabled = s.Chroma == codec.YUV444 && !t.transform64 && r.Flag()
	if t.transformSkip || palette {
		r.UE()
	}
	if r.Flag() { // sps_ibc_enabled_flag
		r.UE()
	}
	if r.Flag() { // sps_ladf_enabled_flag
		n := r.U(2) + 1
		r.SE()
		for ; n > 0; n-- {
			r.SE()
			r.UE()
		}
	}
	return r.Flag() // sps_explicit_scaling_list_enabled_flag
}

// skipList passes over a count and as many ue(v).
func skipList(r *bits.Reader) {
	for n := r.UE(); n > 0 && !r.Failed(); n-- {
		r.UE()
	}
}
