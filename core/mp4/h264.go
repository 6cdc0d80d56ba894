package mp4

import (
	"encoding/binary"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/tstrans/tstrans/core/tsterr"
)

// h264Syntax reads nal_unit_type of ITU-T H.264 Table 7-1.
type h264Syntax struct{}

func (h264Syntax) class(nal []byte) nalClass {
	switch nal[0] & 0x1f {
	case 1, 2, 3, 4:
		return nalVideo
	case 5:
		return nalSync
	case 7:
		return nalSPS
	case 8:
		return nalPPS
	}
	return nalOther
}

func (h264Syntax) describe(nal []byte) (w, h, reorder int, err error) {
	if len(nal) < 4 {
		return 0, 0, 0, tsterr.New(tsterr.CodecTruncated, "SPS of %d bytes", len(nal))
	}
	var sps h264.SPS
	if err := sps.Unmarshal(nal); err != nil {
		return 0, 0, 0, tsterr.Wrap(tsterr.MP4InputMalformed, err, "")
	}
	w, h = sps.Width(), sps.Height()
	if err := checkSize(w, h); err != nil {
		return 0, 0, 0, err
	}
	reorder = -1
	switch {
	case sps.VUI != nil && sps.VUI.BitstreamRestriction != nil:
		reorder = int(min(sps.VUI.BitstreamRestriction.MaxNumReorderFrames, 16))
	case sps.PicOrderCntType == 2, sps.ProfileIdc == 66:
		reorder = 0 // output order is decoding order (§8.2.1.3; Baseline has no B slices)
	}
	return w, h, reorder, nil
}

// entry writes the decoder configuration record of ISO/IEC 14496-15 §5.3.3.1
// itself: the box library counts the bytes for the chroma format of profiles
// such as High 4:4:4 (244) but does not write them.
func (h264Syntax) entry(t *nalTrack) mp4.Box {
	sps := t.sps[0]
	c := []byte{1, sps[1], sps[2], sps[3], 0xff, 0xe0 | byte(len(t.sps))}
	c = appendSets(c, t.sps)
	c = append(c, byte(len(t.pps)))
	c = appendSets(c, t.pps)
	switch sps[1] {
	case 66, 77, 88:
	default:
		var s h264.SPS
		if s.Unmarshal(sps) == nil {
			c = append(c, 0xfc|byte(s.ChromaFormatIdc&3), 0xf8|byte(s.BitDepthLumaMinus8&7),
				0xf8|byte(s.BitDepthChromaMinus8&7), 0)
		}
	}
	return visualEntry("avc1", t.w, t.h, &rawBox{name: "avcC", body: c})
}

func appendSets(b []byte, sets [][]byte) []byte {
	for _, s := range sets {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	return b
}

// checkSize refuses what a sample entry cannot say in 16 bits.
func checkSize(w, h int) error {
	if w <= 0 || h <= 0 || w > 0xffff || h > 0xffff {
		return tsterr.New(tsterr.MP4InputMalformed, "picture size %dx%d", w, h)
	}
	return nil
}
