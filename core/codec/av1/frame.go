package av1

import (
	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
)

// FrameType is frame_type (AV1 §6.8.2).
type FrameType uint8

// The frame types.
const (
	FrameKey FrameType = iota
	FrameInter
	FrameIntraOnly
	FrameSwitch
)

// FrameHeader is the head of a frame header (AV1 §5.9.2).
type FrameHeader struct {
	ShowExisting bool // show_existing_frame: Type is that of the frame shown, not told here
	Type         FrameType
	Show         bool
}

// Unmarshal reads the payload of a frame or frame header OBU that belongs to seq.
func (h *FrameHeader) Unmarshal(payload []byte, seq *SequenceHeader) error {
	*h = FrameHeader{Show: true}
	if seq.Reduced {
		return nil
	}
	r := bits.NewReader(payload)
	if h.ShowExisting = r.Flag(); h.ShowExisting {
		return nil
	}
	h.Type = FrameType(r.U(2))
	h.Show = r.Flag()
	return codec.Named(name, r.Err())
}
