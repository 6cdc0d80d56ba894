package hls

import (
	"fmt"
	"sort"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/mp4"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// klvScheme is the scheme_id_uri of KLV in event message boxes (MISB ST 1910.1).
const klvScheme = "urn:misb:KLV:bin:1910.1"

// maxEvents bounds the KLV units that wait for the pictures of their time.
const maxEvents = 4096

// maxKLV bounds one KLV unit in a box, in bytes.
const maxKLV = 1 << 20

// event is a KLV unit on its way into a box.
type event struct {
	pts   int64 // ticks of the video, not modulo anything
	value string
	data  []byte
}

// mp4Writer writes segments of fragmented MP4, one fragment a part. Nothing is
// published before the part ends.
type mp4Writer struct {
	p      *Publisher
	f      *mp4.Fragmenter
	codec  mp4.Codec
	hasV   bool
	hasA   bool
	begun  bool     // the first key frame came, or there is no video
	klvs   []string // value of the boxes, a KLV stream
	events []event
	nextID uint32
	out    []byte
	init   *initSection
	inits  int

	last     int64 // newest time of the stream, not modulo anything
	started  bool
	next     int64 // decode time of the picture that is about to come
	hasNext  bool
	earliest int64 // of the open segment
	sets     bool  // a picture is coming that needs another initialization section
	broken   bool  // the next segment does not continue the one before
}

func newMP4Writer(p *Publisher, prog *mpegts.MuxProgram) (*mp4Writer, error) {
	w := &mp4Writer{p: p}
	for i := range prog.Streams {
		s := &prog.Streams[i]
		bad := func(what string) error {
			return configError("program", "%s cannot go into fragmented MP4 (PID 0x%04X)", what, s.PID)
		}
		switch s.Class {
		case mpegts.MuxVideo:
			if w.hasV {
				return nil, bad("a second video stream")
			}
			w.hasV = true
			switch s.Codec {
			case mpegts.CodecH264:
				w.codec = mp4.H264
			case mpegts.CodecH265:
				w.codec = mp4.HEVC
			case mpegts.CodecAV1:
				w.codec = mp4.AV1
			default:
				return nil, bad(s.Codec.String())
			}
		case mpegts.MuxAudio:
			if w.hasA || s.Codec != mpegts.CodecAAC {
				return nil, bad("audio other than one AAC stream")
			}
			w.hasA = true
		case mpegts.MuxKLV:
			kind := "01BD"
			if s.KLVSync {
				kind = "01FC"
			}
			w.klvs = append(w.klvs, fmt.Sprintf("KLV%d:%s", len(w.klvs), kind))
		default:
			return nil, bad(s.Class.String())
		}
	}
	if !w.hasV && !w.hasA {
		return nil, configError("program", "a program needs video or audio")
	}
	var err error
	if w.f, err = mp4.NewFragmenter(w.codec, w.hasV, w.hasA); err != nil {
		return nil, err
	}
	w.begun = !w.hasV
	return w, nil
}

// unwrap puts a time of 33 bits on the stream's own line.
func (w *mp4Writer) unwrap(t int64) int64 {
	if !w.started {
		w.started = true
		w.last = t & (clock.PTSModulus - 1)
		return w.last
	}
	at := w.last + clock.DiffPTS(w.last&(clock.PTSModulus-1), t)
	if at < 0 {
		at += clock.PTSModulus
		w.last += clock.PTSModulus
	}
	w.last = max(w.last, at)
	return at
}

func (w *mp4Writer) check(au []byte) error {
	if !w.hasV {
		return tsterr.New(tsterr.MuxInvalidUsage, "no video stream is configured")
	}
	if err := w.f.Check(au); err != nil {
		if w.codec == mp4.AV1 {
			return tsterr.Wrap(tsterr.MuxInvalidAV1OBU, err, "")
		}
		return tsterr.Wrap(tsterr.MuxInvalidNAL, err, "")
	}
	w.sets = w.f.NewSets(au)
	return nil
}

// mustCut tells whether the coming picture cannot stand in the open segment.
func (w *mp4Writer) mustCut() bool { return w.sets || w.f.Waiting() }

// coming is told of the time of a picture before what is open may end.
func (w *mp4Writer) coming(t int64) { w.next, w.hasNext = w.unwrap(t), true }

// restart is told that a segment or a part begins.
func (w *mp4Writer) restart(segment bool) {
	if !segment || !w.sets {
		return
	}
	// Parameter sets changed: tracks begin anew. The codec is one that worked.
	if f, err := mp4.NewFragmenter(w.codec, w.hasV, w.hasA); err == nil {
		w.f, w.init, w.broken = f, nil, true
	}
	w.sets = false
}

func (w *mp4Writer) video(au []byte, v Video) (bool, error) {
	if !w.begun && !v.KeyFrame {
		w.p.skipped += uint64(len(au))
		return false, nil
	}
	t := v.PTS
	if v.HasDTS {
		t = v.DTS
	}
	dts := w.unwrap(t)
	taken, err := w.f.AddVideo(au, dts+clock.DiffPTS(t, v.PTS), dts, v.KeyFrame)
	if err != nil {
		return false, tsterr.Wrap(tsterr.MuxInvalidNAL, err, "")
	}
	if !taken {
		w.p.skipped += uint64(len(au))
	}
	w.begun = w.begun || taken
	return taken, nil
}

func (w *mp4Writer) audio(frames []byte, pts int64) error {
	if !w.hasA {
		return tsterr.New(tsterr.MuxInvalidUsage, "no audio stream is configured")
	}
	if !w.begun {
		w.p.skipped += uint64(len(frames))
		return nil
	}
	if err := w.f.AddAudio(frames, w.unwrap(pts)); err != nil {
		return tsterr.Wrap(tsterr.MuxInputMalformed, err, "")
	}
	return nil
}

func (w *mp4Writer) subtitle([]byte, int64) error {
	return tsterr.New(tsterr.MuxInvalidUsage, "no subtitle stream is configured")
}

func (w *mp4Writer) klv(unit []byte, index int, pts int64) error {
	if len(w.klvs) == 1 {
		index = 0
	}
	if index >= len(w.klvs) {
		return tsterr.New(tsterr.MuxInvalidUsage, "stream_index %d of %d KLV streams", index, len(w.klvs))
	}
	if len(unit) > maxKLV {
		return tsterr.New(tsterr.MuxKLVTooLarge, "KLV too large: %d bytes, at most %d", len(unit), maxKLV)
	}
	if len(w.events) >= maxEvents {
		return tsterr.New(tsterr.MuxBackpressure, "%d KLV units wait for pictures", len(w.events))
	}
	if len(unit) > 0 {
		w.events = append(w.events, event{pts: w.unwrap(pts), value: w.klvs[index], data: append([]byte(nil), unit...)})
	}
	return nil
}

// seal makes a fragment of what waits. The bytes are those of the part, and of
// its stretch of the segment.
func (w *mp4Writer) seal(v verdict) error {
	next, hasNext := w.next, w.hasNext
	w.hasNext = false
	first, ok := w.f.Earliest()
	if !ok {
		return nil
	}
	if w.p.stream.open == nil && len(w.out) == 0 {
		w.earliest = first
		if w.init == nil || w.f.Waiting() {
			w.broken = w.broken || w.init != nil
			name := fmt.Sprintf("init_%05d.mp4", w.inits)
			x, err := w.p.stream.addInit(name, w.f.Init())
			if err != nil {
				return err
			}
			w.init = x
			w.inits++
		}
	}
	w.messages(next, hasNext && !v.last)
	w.out = w.f.Flush(w.out, next, hasNext)
	return nil
}

// messages writes the boxes of the KLV units up to a time: each stands in the
// piece that holds its time (ISO/IEC 23000-19 §7.4.5).
func (w *mp4Writer) messages(end int64, bounded bool) {
	sort.SliceStable(w.events, func(i, j int) bool { return w.events[i].pts < w.events[j].pts })
	scale := int64(mp4.VideoScale)
	if !w.hasV {
		scale = w.f.AudioScale()
	}
	n := 0
	for ; n < len(w.events) && (!bounded || w.events[n].pts < end); n++ {
		e := &w.events[n]
		m := mp4.EventMessage{
			Version: 1, SchemeURI: klvScheme, Value: e.value, Timescale: uint32(scale),
			// Not before the segment: what came late counts from its start.
			Time: uint64(max(e.pts, w.earliest)) * uint64(scale) / mp4.VideoScale, Duration: mp4.UnknownDuration,
			ID: w.nextID, Data: e.data,
		}
		w.nextID++
		w.out = m.Append(w.out)
	}
	w.events = append(w.events[:0], w.events[n:]...)
}

func (w *mp4Writer) pending() []byte { return w.out }
func (w *mp4Writer) take(n int)      { w.out = w.out[:copy(w.out, w.out[n:])] }

// describe adds what a segment that opens needs.
func (w *mp4Writer) describe(s *Segment) {
	s.init = w.init
	s.Discontinuity = s.Discontinuity || w.broken
	w.broken = false
}
