package main

/*
#include "detail.h"
*/
import "C"

import (
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/codec/av1"
	"github.com/tstrans/tstrans/core/codec/h264"
	"github.com/tstrans/tstrans/core/codec/h265"
	"github.com/tstrans/tstrans/core/codec/h266"
	"github.com/tstrans/tstrans/core/tsterr"
)

func flag(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// fillFormat fills chroma format and bit depths, which stand together.
func fillFormat(out []int64, chroma codec.ChromaFormat, luma, chromaDepth uint8) {
	out[0], out[1], out[2] = int64(chroma), int64(luma), int64(chromaDepth)
}

// fillSize fills the sizes and, behind them, the crop.
func fillSize(out []int64, codedWidth, codedHeight, width, height uint32, c codec.Crop) {
	out[0], out[1], out[2], out[3] = int64(codedWidth), int64(codedHeight), int64(width), int64(height)
	out[4], out[5], out[6], out[7] = int64(c.Left), int64(c.Right), int64(c.Top), int64(c.Bottom)
}

func fillRate(out []int64, rate codec.Rational, ok bool) {
	out[0], out[1], out[2] = flag(ok), int64(rate.Num), int64(rate.Den)
}

func fillColor(out []int64, c codec.Color) {
	out[0], out[1], out[2], out[3] = int64(c.Primaries), int64(c.Transfer), int64(c.Matrix), flag(c.FullRange)
}

func fillPTL(out []int64, p *h265.ProfileTierLevel) {
	out[0], out[1], out[2], out[3] = int64(p.ProfileSpace), flag(p.Tier), int64(p.ProfileIDC), int64(p.LevelIDC)
	out[4] = int64(p.CompatibilityFlags)
	out[5], out[6] = flag(p.ProgressiveSource), flag(p.InterlacedSource)
	out[7], out[8] = flag(p.NonPackedConstraint), flag(p.FrameOnlyConstraint)
}

func fillH264SPS(out []int64, s *h264.SPS) {
	out[C.TST_H264_SPS_ID] = int64(s.ID)
	out[C.TST_H264_SPS_PROFILE_IDC] = int64(s.ProfileIDC)
	out[C.TST_H264_SPS_CONSTRAINT_FLAGS] = int64(s.ConstraintFlags)
	out[C.TST_H264_SPS_LEVEL_IDC] = int64(s.LevelIDC)
	fillFormat(out[C.TST_H264_SPS_CHROMA:], s.Chroma, s.BitDepthLuma, s.BitDepthChroma)
	fillSize(out[C.TST_H264_SPS_CODED_WIDTH:], s.CodedWidth, s.CodedHeight, s.Width, s.Height, s.Crop)
	rate, ok := s.VUI.FrameRate()
	fillRate(out[C.TST_H264_SPS_HAS_RATE:], rate, ok)
	out[C.TST_H264_SPS_HAS_COLOR] = flag(s.VUI.DescribesColor())
	fillColor(out[C.TST_H264_SPS_PRIMARIES:], s.VUI.Color)
	out[C.TST_H264_SPS_LOG2_MAX_FRAME_NUM_MINUS4] = int64(s.Log2MaxFrameNumMinus4)
	out[C.TST_H264_SPS_FRAME_MBS_ONLY] = flag(s.FrameMbsOnly)
	out[C.TST_H264_SPS_FIXED_FRAME_RATE] = flag(s.VUI.FixedFrameRate)
	out[C.TST_H264_SPS_HAS_B_FRAMES] = flag(s.HasBFrames())
	out[C.TST_H264_SPS_SEPARATE_COLOUR_PLANE] = flag(s.SeparateColourPlane)
	w, h := codec.SampleAspectRatio(s.VUI.AspectRatioIDC, s.VUI.SARWidth, s.VUI.SARHeight)
	out[C.TST_H264_SPS_SAR_WIDTH], out[C.TST_H264_SPS_SAR_HEIGHT] = int64(w), int64(h)
}

func fillH265SPS(out []int64, s *h265.SPS) {
	out[C.TST_H265_SPS_ID] = int64(s.ID)
	out[C.TST_H265_SPS_VPS_ID] = int64(s.VPSID)
	out[C.TST_H265_SPS_MAX_SUB_LAYERS_MINUS1] = int64(s.MaxSubLayersMinus1)
	fillPTL(out[C.TST_H265_SPS_PROFILE_SPACE:], &s.PTL)
	fillFormat(out[C.TST_H265_SPS_CHROMA:], s.Chroma, s.BitDepthLuma, s.BitDepthChroma)
	fillSize(out[C.TST_H265_SPS_CODED_WIDTH:], s.CodedWidth, s.CodedHeight, s.Width, s.Height, s.Crop)
	rate, ok := s.VUI.FrameRate()
	fillRate(out[C.TST_H265_SPS_HAS_RATE:], rate, ok)
	out[C.TST_H265_SPS_HAS_COLOR] = flag(s.VUI.DescribesColor())
	fillColor(out[C.TST_H265_SPS_PRIMARIES:], s.VUI.Color)
	out[C.TST_H265_SPS_LOG2_MAX_POC_LSB_MINUS4] = int64(s.Log2MaxPocLsbMinus4)
	out[C.TST_H265_SPS_SEPARATE_COLOUR_PLANE] = flag(s.SeparateColourPlane)
	out[C.TST_H265_SPS_LOG2_CTB_SIZE] = int64(s.Log2CtbSize)
	w, h := codec.SampleAspectRatio(s.VUI.AspectRatioIDC, s.VUI.SARWidth, s.VUI.SARHeight)
	out[C.TST_H265_SPS_SAR_WIDTH], out[C.TST_H265_SPS_SAR_HEIGHT] = int64(w), int64(h)
}

func fillH266SPS(out []int64, s *h266.SPS) {
	out[C.TST_H266_SPS_ID] = int64(s.ID)
	out[C.TST_H266_SPS_VPS_ID] = int64(s.VPSID)
	out[C.TST_H266_SPS_PROFILE_IDC] = int64(s.PTL.ProfileIDC)
	out[C.TST_H266_SPS_TIER] = flag(s.PTL.Tier)
	out[C.TST_H266_SPS_LEVEL_IDC] = int64(s.PTL.LevelIDC)
	out[C.TST_H266_SPS_CHROMA] = int64(s.Chroma)
	out[C.TST_H266_SPS_BIT_DEPTH] = int64(s.BitDepth)
	fillSize(out[C.TST_H266_SPS_CODED_WIDTH:], s.CodedWidth, s.CodedHeight, s.Width, s.Height, s.Crop)
	rate, ok := s.FrameRate()
	fillRate(out[C.TST_H266_SPS_HAS_RATE:], rate, ok)
	out[C.TST_H266_SPS_HAS_COLOR] = flag(s.VUI.DescribesColor())
	fillColor(out[C.TST_H266_SPS_PRIMARIES:], s.VUI.Color)
	out[C.TST_H266_SPS_LOG2_MAX_POC_LSB_MINUS4] = int64(s.Log2MaxPocLsbMinus4)
}

func fillAV1(out []int64, s *av1.SequenceHeader) {
	out[C.TST_AV1_SEQUENCE_PROFILE] = int64(s.Profile)
	out[C.TST_AV1_SEQUENCE_LEVEL] = int64(s.Level)
	out[C.TST_AV1_SEQUENCE_TIER] = int64(s.Tier)
	out[C.TST_AV1_SEQUENCE_STILL_PICTURE] = flag(s.StillPicture)
	out[C.TST_AV1_SEQUENCE_REDUCED] = flag(s.Reduced)
	out[C.TST_AV1_SEQUENCE_WIDTH] = int64(s.MaxFrameWidth)
	out[C.TST_AV1_SEQUENCE_HEIGHT] = int64(s.MaxFrameHeight)
	out[C.TST_AV1_SEQUENCE_BIT_DEPTH] = int64(s.BitDepth)
	out[C.TST_AV1_SEQUENCE_CHROMA] = int64(s.Chroma())
	rate, ok := s.FrameRate()
	fillRate(out[C.TST_AV1_SEQUENCE_HAS_RATE:], rate, ok)
	fillColor(out[C.TST_AV1_SEQUENCE_PRIMARIES:], s.Color)
}

// within is a field that came from outside, kept in the range of its kind.
func within(v int64, most uint32) uint32 {
	return uint32(min(uint64(v), uint64(most))) //nolint:gosec // a negative one becomes large, and is cut
}

func sliceH264(out []int64, t h264.NALType, set []int64, in []byte) error {
	if err := enough(out, C.TST_H264_SLICE_COUNT); err != nil {
		return err
	}
	if err := shortSet(set, C.TST_H264_SPS_COUNT); err != nil {
		return err
	}
	var sps *h264.SPS
	if len(set) > 0 {
		sps = &h264.SPS{
			Log2MaxFrameNumMinus4: uint8(within(set[C.TST_H264_SPS_LOG2_MAX_FRAME_NUM_MINUS4], 12)),
			SeparateColourPlane:   set[C.TST_H264_SPS_SEPARATE_COLOUR_PLANE] != 0,
		}
	}
	var h h264.SliceHeader
	if err := h.Unmarshal(in, sps); err != nil {
		return err
	}
	out[C.TST_H264_SLICE_FIRST] = flag(h.FirstMb == 0)
	out[C.TST_H264_SLICE_TYPE] = int64(h.Type)
	out[C.TST_H264_SLICE_PPS_ID] = int64(h.PPSID)
	out[C.TST_H264_SLICE_IDR] = flag(t == h264.NALIDR)
	out[C.TST_H264_SLICE_FRAME_NUM] = told(h.HasFrameNum, int64(h.FrameNum))
	return nil
}

// told is a value that may be missing, then -1.
func told(has bool, v int64) int64 {
	if !has {
		return -1
	}
	return v
}

func sliceH265(out []int64, t h265.NALType, set []int64, in []byte) error {
	if err := enough(out, C.TST_H265_SLICE_COUNT); err != nil {
		return err
	}
	if err := shortSet(set, C.TST_H265_SPS_COUNT); err != nil {
		return err
	}
	var sps *h265.SPS
	if len(set) > 0 {
		sps = &h265.SPS{
			Log2MaxPocLsbMinus4: uint8(within(set[C.TST_H265_SPS_LOG2_MAX_POC_LSB_MINUS4], 12)),
			SeparateColourPlane: set[C.TST_H265_SPS_SEPARATE_COLOUR_PLANE] != 0,
			Log2CtbSize:         within(set[C.TST_H265_SPS_LOG2_CTB_SIZE], 1<<32-1),
			CodedWidth:          within(set[C.TST_H265_SPS_CODED_WIDTH], 1<<32-1),
			CodedHeight:         within(set[C.TST_H265_SPS_CODED_HEIGHT], 1<<32-1),
		}
	}
	var h h265.SliceHeader
	if err := h.Unmarshal(in, t, sps, nil); err != nil {
		return err
	}
	out[C.TST_H265_SLICE_FIRST] = flag(h.First)
	out[C.TST_H265_SLICE_TYPE] = int64(h.Type)
	out[C.TST_H265_SLICE_PPS_ID] = int64(h.PPSID)
	out[C.TST_H265_SLICE_IDR] = flag(t.IsIDR())
	out[C.TST_H265_SLICE_POC_LSB] = told(h.HasPoc, int64(h.PocLsb))
	return nil
}

func sliceH266(out []int64, t h266.NALType, set []int64, in []byte) error {
	if err := enough(out, C.TST_H266_SLICE_COUNT); err != nil {
		return err
	}
	if err := shortSet(set, C.TST_H266_SPS_COUNT); err != nil {
		return err
	}
	var sps *h266.SPS
	if len(set) > 0 {
		sps = &h266.SPS{Log2MaxPocLsbMinus4: uint8(within(set[C.TST_H266_SPS_LOG2_MAX_POC_LSB_MINUS4], 15))}
	}
	var h h266.SliceHeader
	if err := h.Unmarshal(in, t, sps); err != nil {
		return err
	}
	out[C.TST_H266_SLICE_FIRST] = flag(h.First)
	out[C.TST_H266_SLICE_TYPE] = int64(h.Type)
	out[C.TST_H266_SLICE_PPS_ID] = int64(h.PPSID)
	out[C.TST_H266_SLICE_IDR] = flag(t.IsIDR())
	out[C.TST_H266_SLICE_POC_LSB] = told(h.HasPoc, int64(h.PocLsb))
	return nil
}

func frameAV1(out, set []int64, in []byte) error {
	if err := enough(out, C.TST_AV1_FRAME_COUNT); err != nil {
		return err
	}
	if len(set) < C.TST_AV1_SEQUENCE_COUNT {
		return tsterr.New(tsterr.InvalidArg, "a frame header needs its sequence header")
	}
	var h av1.FrameHeader
	if err := h.Unmarshal(in, &av1.SequenceHeader{Reduced: set[C.TST_AV1_SEQUENCE_REDUCED] != 0}); err != nil {
		return err
	}
	out[C.TST_AV1_FRAME_SHOW_EXISTING] = flag(h.ShowExisting)
	out[C.TST_AV1_FRAME_TYPE] = int64(h.Type)
	out[C.TST_AV1_FRAME_SHOW] = flag(h.Show)
	return nil
}
