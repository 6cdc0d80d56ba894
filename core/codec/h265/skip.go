package h265

import (
	mathbits "math/bits"

	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// maxSetPictures is the most pictures one short-term reference picture set can
// name in each direction: the decoded picture buffer holds 16 (H.265 §A.4.1).
const maxSetPictures = 16

// bitsFor is Ceil(Log2(n)).
func bitsFor(n uint64) int {
	if n <= 1 {
		return 0
	}
	return mathbits.Len64(n - 1)
}

// skipScalingLists passes over scaling_list_data (H.265 §7.3.4).
func skipScalingLists(r *bits.Reader) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !r.Flag() { // scaling_list_pred_mode_flag
				r.UE()
				continue
			}
			if size > 1 {
				r.SE() // scaling_list_dc_coef_minus8
			}
			for range min(64, 1<<(4+size<<1)) {
				r.SE()
			}
			if r.Failed() {
				return
			}
		}
	}
}

// pictureSet is a short-term reference picture set as far as the next set,
// coded against it, needs it: the distances in both directions.
type pictureSet struct {
	before, after   [maxSetPictures]int32
	nBefore, nAfter int
}

// skipShortTermSets passes over the sets of a SPS (H.265 §7.3.7, §7.4.8).
func skipShortTermSets(r *bits.Reader) error {
	n, err := codec.Limited(r, maxShortTermSets, "num_short_term_ref_pic_sets")
	if err != nil {
		return err
	}
	var last pictureSet
	for i := range n {
		if i > 0 && r.Flag() {
			last = predictSet(r, &last)
		} else if last, err = readSet(r); err != nil {
			return err
		}
		if r.Failed() {
			return r.Err()
		}
	}
	return nil
}

func readSet(r *bits.Reader) (s pictureSet, err error) {
	before, err := codec.Limited(r, maxSetPictures, "num_negative_pics")
	if err != nil {
		return s, err
	}
	after, err := codec.Limited(r, maxSetPictures, "num_positive_pics")
	if err != nil {
		return s, err
	}
	s.nBefore, s.nAfter = int(before), int(after)
	poc := int32(0)
	for i := range s.nBefore {
		poc -= int32(r.UE() + 1) //nolint:gosec // wraps for values no stream has
		r.Flag()
		s.before[i] = poc
	}
	poc = 0
	for i := range s.nAfter {
		poc += int32(r.UE() + 1) //nolint:gosec // wraps for values no stream has
		r.Flag()
		s.after[i] = poc
	}
	return s, nil
}

// predictSet reads a set coded against ref, the one before it in a SPS
// (equations 7-61 and 7-62).
func predictSet(r *bits.Reader, ref *pictureSet) pictureSet {
	negative := r.Flag()
	delta := int32(r.UE() + 1) //nolint:gosec // wraps for values no stream has
	if negative {
		delta = -delta
	}
	var use [2*maxSetPictures + 1]bool
	for i := range ref.nBefore + ref.nAfter + 1 {
		use[i] = true
		if !r.Flag() { // used_by_curr_pic_flag
			use[i] = r.Flag() // use_delta_flag
		}
	}
	return predict(ref, delta, use)
}

// predict derives the distances of a set from those of ref; use are its
// use_delta_flag.
func predict(ref *pictureSet, delta int32, use [2*maxSetPictures + 1]bool) (s pictureSet) {
	total := ref.nBefore + ref.nAfter
	add := func(poc int32, used bool) {
		switch {
		case !used || poc == 0:
		case poc < 0 && s.nBefore < maxSetPictures:
			s.before[s.nBefore] = poc
			s.nBefore++
		case poc > 0 && s.nAfter < maxSetPictures:
			s.after[s.nAfter] = poc
			s.nAfter++
		}
	}
	// Only the distances below zero count in the first pass, those above in the
	// second; their order is that of the standard, because the next set's flags
	// follow it.
	for i := ref.nAfter - 1; i >= 0; i-- {
		add(min(ref.after[i]+delta, 0), use[ref.nBefore+i])
	}
	add(min(delta, 0), use[total])
	for i := range ref.nBefore {
		add(min(ref.before[i]+delta, 0), use[i])
	}
	for i := ref.nBefore - 1; i >= 0; i-- {
		add(max(ref.before[i]+delta, 0), use[i])
	}
	add(max(delta, 0), use[total])
	for i := range ref.nAfter {
		add(max(ref.after[i]+delta, 0), use[ref.nBefore+i])
	}
	return s
}
