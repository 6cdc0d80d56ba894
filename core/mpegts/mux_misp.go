package mpegts

import (
	"slices"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/codec/misp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// insertMISP cuts an access unit before its first slice and makes the SEI NAL
// unit that goes there (MISB ST 0604). sei is valid until the next push.
func (m *Muxer) insertMISP(c Codec, au []byte, t *misp.Time) (before, sei, after []byte, err error) {
	video := codec.H264
	switch {
	case c == CodecH264 && t.Nano:
		return nil, nil, nil, tsterr.New(tsterr.MuxMISPTime, "nanoseconds have no place in H.264 (MISB ST 0604 §12.2)")
	case c == CodecH264:
	case c == CodecH265:
		video = codec.H265
	default:
		return nil, nil, nil, tsterr.New(tsterr.MuxMISPTime, "MISB ST 0604 has no time stamp for %v", c)
	}
	at := misp.FirstSlice(video, au)
	if at < 0 {
		return nil, nil, nil, tsterr.New(tsterr.MuxMISPTime, "the access unit has no slice to put the time stamp before")
	}
	if m.scratch, err = misp.AppendSEI(m.scratch[:0], video, *t); err != nil {
		return nil, nil, nil, err
	}
	return au[:at], m.scratch, au[at:], nil
}

// MISPTime is a precision time stamp for a picture (MISB ST 0604).
type MISPTime = misp.Time

// WithMISPTime returns a copy of an access unit of H.264 or H.265 with a time
// stamp before its first slice, for those who send the picture itself rather
// than a transport stream.
func (m *Muxer) WithMISPTime(c Codec, au []byte, t MISPTime) ([]byte, error) {
	if _, err := countNALs(au); err != nil {
		return nil, err
	}
	before, sei, after, err := m.insertMISP(c, au, &t)
	if err != nil {
		return nil, err
	}
	return slices.Concat(before, sei, after), nil
}
