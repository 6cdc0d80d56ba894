package mp4

import (
	"bytes"

	ffav1 "github.com/Eyevinn/mp4ff/av1"
	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"

	"github.com/tstrans/tstrans/core/tsterr"
)

// OBU types of the AV1 specification §6.2.2.
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrameHeader       = 3
	obuFrame             = 6
)

// av1Track takes temporal units in the low-overhead format (AV1 §5.2).
type av1Track struct {
	seq    av1.SequenceHeader
	config []byte // the sequence header OBU, with its size field
}

func (t *av1Track) size() (int, int) { return t.seq.Width(), t.seq.Height() }

// obu splits the first OBU off b. Only the last of a temporal unit may come
// without its size field.
func obu(b []byte) (kind byte, header, total int, err error) {
	h := b[0]
	if h&0x80 != 0 {
		return 0, 0, 0, tsterr.At(tsterr.MP4InputMalformed, "obu_forbidden_bit", 0, "not an OBU: the forbidden bit is set")
	}
	header = 1
	if h&0x04 != 0 {
		header = 2
	}
	kind = h >> 3 & 0x0f
	if h&0x02 == 0 {
		if header > len(b) {
			return 0, 0, 0, tsterr.At(tsterr.MP4InputMalformed, "obu_extension", 1, "OBU ends in its header")
		}
		return kind, header, len(b), nil
	}
	var size uint64
	for i := 0; ; i++ {
		if i == 8 || header >= len(b) {
			return 0, 0, 0, tsterr.At(tsterr.MP4InputMalformed, "obu_size", int64(header), "OBU size is not a leb128 number")
		}
		c := b[header]
		header++
		size |= uint64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			break
		}
	}
	if size > uint64(len(b)-header) {
		return 0, 0, 0, tsterr.At(tsterr.MP4InputMalformed, "obu_size", int64(header),
			"OBU of %d bytes where %d are left", size, len(b)-header)
	}
	return kind, header, header + int(size), nil
}

func (t *av1Track) add(dst, tu []byte) ([]byte, unit, error) {
	u := unit{}
	base := len(dst)
	seenFrame := false
	if len(tu) == 0 {
		return dst, u, tsterr.At(tsterr.MP4InputMalformed, "obu", 0, "empty temporal unit")
	}
	for pos := 0; pos < len(tu); {
		kind, header, total, err := obu(tu[pos:])
		if err != nil {
			return dst[:base], u, err
		}
		o := tu[pos : pos+total]
		pos += total
		switch kind {
		case obuTemporalDelimiter:
			continue // AV1-ISOBMFF §2.4: not in samples
		case obuSequenceHeader:
			if t.config == nil {
				if err := t.init(o); err != nil {
					return dst[:base], u, err
				}
			}
		case obuFrame, obuFrameHeader:
			if !seenFrame {
				seenFrame = true
				u.sync = t.keyFrame(o[header:])
			}
		}
		dst = append(dst, o...)
	}
	if t.config == nil {
		u.dropped = seenFrame
		return dst[:base], u, nil
	}
	if !seenFrame {
		return dst[:base], u, nil
	}
	u.sample = true
	return dst, u, nil
}

func (t *av1Track) init(o []byte) error {
	var s av1.SequenceHeader
	if err := s.Unmarshal(o); err != nil {
		return tsterr.Wrap(tsterr.MP4InputMalformed, err, "sequence header")
	}
	if err := checkSize(s.Width(), s.Height()); err != nil {
		return err
	}
	t.seq, t.config = s, bytes.Clone(o)
	return nil
}

// keyFrame reads the first bits of uncompressed_header (AV1 §5.9.2).
func (t *av1Track) keyFrame(header []byte) bool {
	if t.seq.ReducedStillPictureHeader {
		return true
	}
	if len(header) == 0 {
		return false
	}
	showExisting := header[0]&0x80 != 0
	frameType := header[0] >> 5 & 3
	show := header[0]&0x10 != 0
	return !showExisting && frameType == 0 && show
}

func (t *av1Track) entry() mp4.Box {
	bit := func(b bool) byte {
		if b {
			return 1
		}
		return 0
	}
	c := &mp4.Av1CBox{CodecConfRec: ffav1.CodecConfRec{
		Version: 1, SeqProfile: t.seq.SeqProfile,
		HighBitdepth: bit(t.seq.ColorConfig.HighBitDepth), TwelveBit: bit(t.seq.ColorConfig.TwelveBit),
		MonoChrome:           bit(t.seq.ColorConfig.MonoChrome),
		ChromaSubsamplingX:   bit(t.seq.ColorConfig.SubsamplingX),
		ChromaSubsamplingY:   bit(t.seq.ColorConfig.SubsamplingY),
		ChromaSamplePosition: byte(t.seq.ColorConfig.ChromaSamplePosition),
		ConfigOBUs:           t.config,
	}}
	if len(t.seq.SeqLevelIdx) > 0 {
		c.SeqLevelIdx0 = t.seq.SeqLevelIdx[0]
	}
	if len(t.seq.SeqTier) > 0 {
		c.SeqTier0 = bit(t.seq.SeqTier[0])
	}
	return visualEntry("av01", t.seq.Width(), t.seq.Height(), c)
}

func (t *av1Track) hold([]byte) {}

func (t *av1Track) extend(dst, part []byte) ([]byte, unit, error) { return t.add(dst, part) }
