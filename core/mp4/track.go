package mp4

import (
	"bytes"
	"encoding/binary"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

// track knows one codec: how an access unit becomes a sample, and the sample
// entry of the file.
type track interface {
	// add appends one access unit to dst in the form of the file. ok is false
	// where the unit makes no sample of its own (parameter sets alone, or
	// nothing that can be played yet).
	add(dst, au []byte) (out []byte, u unit, err error)
	// entry builds the sample entry. It is called once, after the first
	// sample.
	entry() mp4.Box
	// extend adds the second part of an access unit that came in two calls
	// to the sample at the end of dst.
	extend(dst, part []byte) (out []byte, u unit, err error)
	// hold keeps what add appended for a unit without a picture, for the
	// next one.
	hold(b []byte)
	// size is the picture size in pixels.
	size() (w, h int)
}

// unit says what add made of an access unit.
type unit struct {
	sample  bool // bytes of a picture were appended
	sync    bool // decoding can start here
	dropped bool // a picture came before its parameter sets
	reorder int  // how many pictures may be out of order; -1 where the stream does not say
}

func newTrack(c Codec) track {
	switch c {
	case H264:
		return &nalTrack{syntax: h264Syntax{}}
	case HEVC:
		return &nalTrack{syntax: hevcSyntax{}}
	case AV1:
		return &av1Track{}
	case JPEG:
		return &imageTrack{name: "jpeg", parse: parseJPEG}
	default:
		return &imageTrack{name: "png ", parse: parsePNG}
	}
}

// nalClass is what a NAL unit means for the file.
type nalClass uint8

const (
	nalOther nalClass = iota
	nalVideo
	nalSync
	nalVPS
	nalSPS
	nalPPS
)

// nalSyntax is where H.264 and HEVC differ.
type nalSyntax interface {
	class(nal []byte) nalClass
	describe(sps []byte) (w, h, reorder int, err error)
	entry(t *nalTrack) mp4.Box
}

// nalTrack turns Annex B access units into length-prefixed samples
// (ISO/IEC 14496-15 §4.3.2) and keeps the parameter sets for the sample entry.
type nalTrack struct {
	syntax        nalSyntax
	vps, sps, pps [][]byte
	ready         bool
	w, h, reorder int
	pending       []byte // NAL units that came ahead of their picture
	lastNAL       int    // where in dst the length of the newest NAL unit stands
}

func (t *nalTrack) size() (int, int) { return t.w, t.h }

func (t *nalTrack) entry() mp4.Box { return t.syntax.entry(t) }

func (t *nalTrack) hold(b []byte) {
	if len(t.pending)+len(b) <= maxPending {
		t.pending = append(t.pending, b...)
	}
}

// extend accepts a cut anywhere but inside a start code.
func (t *nalTrack) extend(dst, part []byte) ([]byte, unit, error) {
	sc := codec.IndexStartCode(part, 0)
	head := part
	if sc >= 0 {
		head = part[:sc]
	}
	for len(head) > 0 && head[len(head)-1] == 0 {
		head = head[:len(head)-1]
	}
	if len(head) > 0 {
		dst = append(dst, head...)
		binary.BigEndian.PutUint32(dst[t.lastNAL:], uint32(len(dst)-t.lastNAL-4))
	}
	if sc < 0 {
		if len(head) == 0 {
			return dst, unit{}, tsterr.At(tsterr.MP4InputMalformed, "start_code", 0, "nothing but zero bytes")
		}
		return dst, unit{}, nil
	}
	return t.add(dst, part[sc:])
}

func (t *nalTrack) add(dst, au []byte) ([]byte, unit, error) {
	u := unit{reorder: -1}
	sc := codec.IndexStartCode(au, 0)
	if sc < 0 {
		return dst, u, tsterr.At(tsterr.MP4InputMalformed, "start_code", 0, "no start code: not an Annex B access unit")
	}
	for i := range sc {
		if au[i] != 0 {
			return dst, u, tsterr.At(tsterr.MP4InputMalformed, "start_code", int64(i),
				"bytes before the first start code: not an Annex B access unit")
		}
	}
	base := len(dst)
	units := 0
	for sc >= 0 {
		start, end, next := nextNAL(au, sc)
		sc = next
		if start == end {
			continue
		}
		nal := au[start:end]
		units++
		c := t.syntax.class(nal)
		switch c {
		case nalVPS, nalSPS, nalPPS:
			known, err := t.keep(c, nal)
			if err != nil {
				return dst[:base], u, err
			}
			if known {
				continue
			}
		case nalVideo, nalSync:
			if !t.ready && !t.start() {
				u.dropped = true
				t.pending = t.pending[:0]
				return dst[:base], u, nil
			}
			if len(t.pending) > 0 {
				// What came ahead goes in front of the whole unit.
				dst = append(dst, t.pending...)
				copy(dst[base+len(t.pending):], dst[base:len(dst)-len(t.pending)])
				copy(dst[base:], t.pending)
				t.pending = t.pending[:0]
			}
			u.sample = true
			u.sync = u.sync || c == nalSync
		}
		n := len(nal)
		t.lastNAL = len(dst)
		dst = append(dst, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		dst = append(dst, nal...)
	}
	if units == 0 {
		return dst[:base], u, tsterr.At(tsterr.MP4InputMalformed, "nal_unit", 0, "start codes without a NAL unit")
	}
	u.reorder = t.reorder
	return dst, u, nil
}

// keep stores a parameter set and tells whether the sample entry will hold,
// or already holds, exactly these bytes. Sets that change later stay in the
// samples, where every decoder finds them.
func (t *nalTrack) keep(c nalClass, nal []byte) (known bool, err error) {
	list := &t.pps
	switch c {
	case nalVPS:
		list = &t.vps
	case nalSPS:
		list = &t.sps
	}
	for _, have := range *list {
		if bytes.Equal(have, nal) {
			return true, nil
		}
	}
	if t.ready {
		return false, nil
	}
	// An avcC counts its sets in five bits and gives each 16 bits of length.
	if len(*list) >= maxParameterSets || len(nal) > 0xffff {
		return false, tsterr.At(tsterr.MP4InputMalformed, "parameter_set", tsterr.NoOffset,
			"more than %d parameter sets, or one above 65535 bytes", maxParameterSets)
	}
	if c == nalSPS {
		// The newest one before the first picture counts: a stream joined
		// midway may bring an older one first.
		if _, _, _, err := t.syntax.describe(nal); err != nil {
			return false, tsterr.Wrap(tsterr.MP4InputMalformed, err, "sequence parameter set")
		}
		t.sps = t.sps[:0]
	}
	*list = append(*list, bytes.Clone(nal))
	return true, nil
}

// start fixes the sample entry at the first picture that can be decoded.
func (t *nalTrack) start() bool {
	if len(t.sps) == 0 || len(t.pps) == 0 {
		return false
	}
	w, h, reorder, err := t.syntax.describe(t.sps[0])
	if err != nil {
		return false
	}
	t.w, t.h, t.reorder, t.ready = w, h, reorder, true
	return true
}

// visualEntry makes the common part of all sample entries
// (ISO/IEC 14496-12 §12.1.3).
func visualEntry(name string, w, h int, config mp4.Box) *mp4.VisualSampleEntryBox {
	b := mp4.CreateVisualSampleEntryBox(name, uint16(w), uint16(h), config)
	b.CompressorName = ""
	if config == nil {
		b.CompressorName = "tstrans"
	}
	return b
}
