package mediafile

import (
	"io"

	"github.com/tstrans/tstrans/core/codec"
)

// box is one box of a buffer: its name and body.
type box struct {
	name string
	body []byte
}

// children splits a buffer into boxes and stops at the first that is cut
// (ISO/IEC 14496-12 §4.2).
func children(b []byte) []box {
	var out []box
	for len(b) >= 8 {
		size, head := uint64(u32(b)), 8
		switch size {
		case 0:
			size = uint64(len(b))
		case 1:
			if len(b) < 16 {
				return out
			}
			size, head = u64(b[8:]), 16
		}
		if size < uint64(head) || size > uint64(len(b)) {
			return out
		}
		out = append(out, box{string(b[4:8]), b[head:size]})
		b = b[size:]
	}
	return out
}

// find walks down a path of boxes, the first of each name.
func find(b []byte, path ...string) []byte {
	for _, name := range path {
		var next []byte
		for _, c := range children(b) {
			if c.name == name {
				next = c.body
				break
			}
		}
		if next == nil {
			return nil
		}
		b = next
	}
	return b
}

// track is the video track of a movie.
type track struct {
	id      uint32
	scale   uint32
	start   int64 // media time at which presentation begins, in ticks of scale
	samples []sample
	trex    struct{ duration, size, flags uint32 }
	dts     int64 // where the next fragment begins
}

// sample is a sample in ticks of its track.
type sample struct {
	offset   int64
	size     uint32
	dts      int64
	cts      int32
	duration uint32
	key      bool
}

// indexMP4 reads the movie box and every fragment.
func (r *Reader) indexMP4(size int64) error {
	var t *track
	head := make([]byte, 16)
	for at := int64(0); at+8 <= size; {
		n, err := r.f.ReadAt(head, at)
		if err != nil && err != io.EOF { //nolint:errorlint // ReadAt returns it bare
			return ioError(err)
		}
		length, header := int64(u32(head)), int64(8)
		switch {
		case length == 0:
			length = size - at
		case length == 1 && n >= 16 && u64(head[8:]) < 1<<62:
			length, header = int64(u64(head[8:])), 16
		}
		if length < header || length > size-at {
			break // cut off: what came before is whole
		}
		name := string(head[4:8])
		if name == "moov" || name == "moof" {
			if length > maxMoov {
				return malformed("a %s box of %d bytes", name, length)
			}
			body := make([]byte, length-header)
			if _, err = r.f.ReadAt(body, at+header); err != nil {
				return ioError(err)
			}
			switch {
			case name == "moov" && t == nil:
				if t, err = r.readMovie(body, size); err != nil {
					return err
				}
			case name == "moof" && t != nil:
				if err := t.fragment(body, at, size); err != nil {
					return err
				}
			}
		}
		at += length
	}
	if t == nil {
		return malformed("an MP4 file without an H.264 or HEVC track")
	}
	r.units = make([]unit, len(t.samples))
	for i, s := range t.samples {
		r.units[i] = unit{
			offset: s.offset, size: s.size, key: s.key,
			dts: rescale(s.dts-t.start, t.scale), pts: rescale(s.dts+int64(s.cts)-t.start, t.scale),
		}
	}
	return nil
}

// readMovie finds the first track of video this package knows.
func (r *Reader) readMovie(moov []byte, size int64) (*track, error) {
	for _, c := range children(moov) {
		if c.name != "trak" {
			continue
		}
		stbl := find(c.body, "mdia", "minf", "stbl")
		hdlr, mdhd, tkhd := find(c.body, "mdia", "hdlr"), find(c.body, "mdia", "mdhd"), find(c.body, "tkhd")
		if len(hdlr) < 12 || string(hdlr[8:12]) != "vide" || len(mdhd) < 24 || len(tkhd) < 24 {
			continue
		}
		if !r.sampleEntry(find(stbl, "stsd")) {
			continue
		}
		t := &track{}
		t.scale, t.id = u32(mdhd[12:]), u32(tkhd[12:])
		if mdhd[0] == 1 {
			t.scale = u32(mdhd[20:])
		}
		if tkhd[0] == 1 {
			t.id = u32(tkhd[20:])
		}
		if t.scale == 0 {
			return nil, malformed("a time scale of 0")
		}
		t.start = editStart(find(c.body, "edts", "elst"))
		for _, x := range children(find(moov, "mvex")) {
			if x.name == "trex" && len(x.body) >= 24 && u32(x.body[4:]) == t.id {
				t.trex.duration, t.trex.size, t.trex.flags = u32(x.body[12:]), u32(x.body[16:]), u32(x.body[20:])
			}
		}
		return t, t.table(stbl, size)
	}
	return nil, malformed("an MP4 file without an H.264 or HEVC track")
}

// editStart is the media time of the first edit that shows anything (§8.6.6).
func editStart(elst []byte) int64 {
	if len(elst) < 8 {
		return 0
	}
	step := 12
	if elst[0] == 1 {
		step = 20
	}
	for b := elst[8:]; len(b) >= step; b = b[step:] {
		at := int64(int32(u32(b[4:])))
		if step == 20 {
			at = int64(u64(b[8:]))
		}
		if at >= 0 && at < 1<<62 {
			return at
		}
	}
	return 0
}

// sampleEntry takes the decoder configuration of the first sample entry
// (ISO/IEC 14496-15 §5.3.3.1, §8.3.3.1).
func (r *Reader) sampleEntry(stsd []byte) bool {
	if len(stsd) < 8 {
		return false
	}
	for _, e := range children(stsd[8:]) {
		if len(e.body) < 78 {
			continue
		}
		switch e.name {
		case "avc1", "avc3":
			return r.avcC(find(e.body[78:], "avcC"))
		case "hvc1", "hev1":
			return r.hvcC(find(e.body[78:], "hvcC"))
		}
	}
	return false
}

// takeSets reads count parameter sets, each behind its length.
func (r *Reader) takeSets(b []byte, count int) ([]byte, bool) {
	for range count {
		if len(b) < 2 || len(b)-2 < u16(b) {
			return nil, false
		}
		n := u16(b)
		r.sets = append(append(r.sets, 0, 0, 0, 1), b[2:2+n]...)
		b = b[2+n:]
	}
	return b, true
}

func (r *Reader) avcC(c []byte) bool {
	if len(c) < 7 {
		return false
	}
	r.codec, r.lengthSize, r.sets = codec.H264, int(c[4]&3)+1, nil
	b, ok := r.takeSets(c[6:], int(c[5]&0x1F))
	if !ok || len(b) < 1 {
		return false
	}
	_, ok = r.takeSets(b[1:], int(b[0]))
	return ok
}

func (r *Reader) hvcC(c []byte) bool {
	if len(c) < 23 {
		return false
	}
	r.codec, r.lengthSize, r.sets = codec.H265, int(c[21]&3)+1, nil
	b := c[23:]
	for range c[22] {
		if len(b) < 3 {
			return false
		}
		n := u16(b[1:])
		var ok bool
		if b, ok = r.takeSets(b[3:], n); !ok {
			return false
		}
	}
	return true
}
