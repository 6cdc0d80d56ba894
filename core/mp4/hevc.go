package mp4

import (
	"encoding/binary"

	"github.com/Eyevinn/mp4ff/hevc"
	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/tsterr"
)

// hevcSyntax reads nal_unit_type of ITU-T H.265 Table 7-1.
type hevcSyntax struct{}

func (hevcSyntax) class(nal []byte) nalClass {
	switch t := nal[0] >> 1 & 0x3f; {
	case t >= 16 && t <= 23:
		return nalSync // IRAP pictures
	case t < 32:
		return nalVideo
	case t == 32:
		return nalVPS
	case t == 33:
		return nalSPS
	case t == 34:
		return nalPPS
	}
	return nalOther
}

func (hevcSyntax) describe(nal []byte) (w, h, reorder int, err error) {
	var sps h265.SPS
	if err := sps.Unmarshal(nal); err != nil {
		return 0, 0, 0, tsterr.Wrap(tsterr.MP4InputMalformed, err, "")
	}
	w, h = sps.Width(), sps.Height()
	if err := checkSize(w, h); err != nil {
		return 0, 0, 0, err
	}
	reorder = -1
	if n := len(sps.MaxNumReorderPics); n > 0 {
		reorder = int(min(sps.MaxNumReorderPics[n-1], 16))
	}
	return w, h, reorder, nil
}

func (hevcSyntax) entry(t *nalTrack) mp4.Box {
	// general_profile_space to general_level_idc stand byte aligned behind
	// the NAL unit header and one byte (ITU-T H.265 §7.3.2.2, §7.3.3).
	rbsp := bits.AppendUnescaped(nil, t.sps[0])
	c := &mp4.HvcCBox{DecConfRec: hevc.DecConfRec{
		ConfigurationVersion: 1, LengthSizeMinusOne: 3, ChromaFormatIDC: 1, NumTemporalLayers: 1,
	}}
	var s h265.SPS
	if len(rbsp) >= 15 && s.Unmarshal(t.sps[0]) == nil {
		p := rbsp[3:]
		c.GeneralProfileSpace = p[0] >> 6
		c.GeneralTierFlag = p[0]&0x20 != 0
		c.GeneralProfileIDC = p[0] & 0x1f
		c.GeneralProfileCompatibilityFlags = binary.BigEndian.Uint32(p[1:])
		c.GeneralConstraintIndicatorFlags = uint64(binary.BigEndian.Uint16(p[5:]))<<32 |
			uint64(binary.BigEndian.Uint32(p[7:]))
		c.GeneralLevelIDC = p[11]
		c.ChromaFormatIDC = byte(s.ChromaFormatIdc)
		c.BitDepthLumaMinus8 = byte(s.BitDepthLumaMinus8)
		c.BitDepthChromaMinus8 = byte(s.BitDepthChromaMinus8)
		c.NumTemporalLayers = s.MaxSubLayersMinus1 + 1
		if s.TemporalIDNestingFlag {
			c.TemporalIDNested = 1
		}
	}
	for _, a := range []struct {
		t hevc.NaluType
		n [][]byte
	}{{hevc.NALU_VPS, t.vps}, {hevc.NALU_SPS, t.sps}, {hevc.NALU_PPS, t.pps}} {
		if len(a.n) > 0 {
			c.NaluArrays = append(c.NaluArrays, hevc.NewNaluArray(true, a.t, a.n))
		}
	}
	return visualEntry("hvc1", t.w, t.h, c)
}
