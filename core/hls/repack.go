package hls

import (
	"github.com/tstrans/tstrans/core/codec/h264"
	"github.com/tstrans/tstrans/core/codec/h265"
	"github.com/tstrans/tstrans/core/mpegts"
)

const (
	// repackFeed is how much a demuxer is given at once, in bytes.
	repackFeed = 1 << 20
	// repackArena is the first room for small payloads, in bytes.
	repackArena = 256 << 10
)

// repackager takes transport packets apart and publishes their access units as
// fragmented MP4: KLV becomes event messages, whichever way it was carried.
// The first program with a video or AAC stream counts.
type repackager struct {
	p       *Publisher
	d       *mpegts.Demuxer
	m       *MuxPublisher // nil before the first program map
	program uint16
	video   uint16 // PID, 0 without
	audio   uint16
	klvs    []uint16
	codec   mpegts.Codec
	lastPTS int64
	useless bool // a program has nothing that goes into the segments

	recs  [64]mpegts.Record
	arena []byte
	buf   []byte
}

func newRepackager(p *Publisher) (*repackager, error) {
	d, err := mpegts.NewDemuxer(mpegts.DemuxerConfig{})
	if err != nil {
		return nil, err
	}
	return &repackager{p: p, d: d, arena: make([]byte, repackArena)}, nil
}

// push takes packets. The first fault of publishing is returned, after all of
// them were taken.
func (r *repackager) push(b []byte) error {
	var first error
	for len(b) > 0 {
		n := min(len(b), repackFeed)
		// What the demuxer finds amiss is left out of the stream, as a player would.
		_ = r.d.Feed(b[:n])
		b = b[n:]
		if err := r.drain(); first == nil {
			first = err
		}
	}
	if first == nil && r.m == nil && r.useless {
		first = configError("program", "no program has H.264, HEVC or AV1 video, or AAC")
	}
	return first
}

// finish publishes what is still open.
func (r *repackager) finish() error {
	r.d.Flush()
	err := r.drain()
	if r.m != nil {
		if e := r.m.cutNow(); err == nil {
			err = e
		}
	}
	if e := r.d.Close(); err == nil {
		err = e
	}
	return err
}

func (r *repackager) drain() (first error) {
	for {
		n, _, chunk, need := r.d.Read(r.recs[:], r.arena)
		if n == 0 {
			if need <= len(r.arena) {
				return first
			}
			r.arena = make([]byte, need)
			continue
		}
		for i := range r.recs[:n] {
			if err := r.event(&r.recs[i], chunk); first == nil {
				first = err
			}
		}
		if chunk != nil {
			chunk.Release()
		}
	}
}

// payload gives the bytes of a record, valid until the next one.
func (r *repackager) payload(e *mpegts.Record, chunk *mpegts.Chunk) []byte {
	if e.Flags&mpegts.FlagLazy == 0 {
		return r.arena[e.Payload : e.Payload+e.PayloadLen]
	}
	if cap(r.buf) < int(e.PayloadLen) {
		r.buf = make([]byte, e.PayloadLen+e.PayloadLen/2)
	}
	n, err := chunk.Gather(r.buf[:e.PayloadLen], e.Payload)
	if err != nil {
		return nil
	}
	return r.buf[:n]
}

func (r *repackager) event(e *mpegts.Record, chunk *mpegts.Chunk) error {
	if e.Type == mpegts.EventProgramMap {
		return r.programMap(r.arena[e.Text : e.Text+e.TextLen])
	}
	if r.m == nil || e.ProgramNumber != r.program {
		return nil
	}
	hasPTS := e.Flags&mpegts.FlagHasPTS != 0
	switch {
	case e.Type == mpegts.EventVideo && e.PID == r.video && hasPTS:
		au := r.payload(e, chunk)
		key := e.Flags&mpegts.FlagRandomAccess != 0 || randomAccess(r.codec, au)
		r.lastPTS = e.PTS
		return r.m.sendVideo(au, Video{PTS: e.PTS, DTS: e.DTS, HasDTS: e.Flags&mpegts.FlagHasDTS != 0, KeyFrame: key})
	case e.Type == mpegts.EventAudio && e.PID == r.audio && hasPTS:
		return r.m.sendAudio(r.payload(e, chunk), e.PTS)
	case e.Type == mpegts.EventKLV:
		pts := e.PTS
		if !hasPTS {
			pts = r.lastPTS // the time of the picture it came with
		}
		for i, pid := range r.klvs {
			if pid == e.PID {
				return r.m.sendKLV(r.payload(e, chunk), pts, i)
			}
		}
	}
	return nil
}

func randomAccess(c mpegts.Codec, au []byte) bool {
	switch c {
	case mpegts.CodecH264:
		return h264.IsRandomAccess(au)
	case mpegts.CodecH265:
		return h265.IsRandomAccess(au)
	}
	return false
}

// programMap chooses the streams, once, and again where they change.
func (r *repackager) programMap(b []byte) error {
	var t mpegts.ProgramMap
	if _, err := t.Unmarshal(b); err != nil {
		return err
	}
	if r.m != nil && t.ProgramNumber != r.program {
		return nil
	}
	prog := mpegts.MuxProgram{Number: t.ProgramNumber, PMTPID: t.PMTPID}
	var video, audio uint16
	var klvs []uint16
	var c mpegts.Codec
	for _, s := range t.Streams {
		x := mpegts.MuxStream{PID: s.PID, Codec: s.Codec, CarriesPTS: true}
		switch {
		case s.Kind == mpegts.KindVideo && video == 0:
			x.Class, video, c = mpegts.MuxVideo, s.PID, s.Codec
		case s.Kind == mpegts.KindAudio && s.Codec == mpegts.CodecAAC && audio == 0:
			x.Class, audio = mpegts.MuxAudio, s.PID
		case s.Kind == mpegts.KindKLVSync || s.Kind == mpegts.KindKLVAsync:
			x.Class, x.KLVSync = mpegts.MuxKLV, s.Kind == mpegts.KindKLVSync
			klvs = append(klvs, s.PID)
		default:
			continue // audio of other codecs, subtitles and data have no place in CMAF here
		}
		prog.Streams = append(prog.Streams, x)
	}
	if video == 0 && audio == 0 {
		r.useless = true
		return nil
	}
	if r.m != nil {
		if video == r.video && audio == r.audio && c == r.codec && len(klvs) == len(r.klvs) {
			return nil
		}
		// Other tracks: what is open ends, and the next segment begins anew.
		if err := r.m.cutNow(); err != nil {
			return err
		}
	}
	m, err := newMuxPublisher(r.p, mpegts.NewMuxConfig(prog))
	if err != nil {
		return err
	}
	if r.m != nil {
		old, now := r.m.w.(*mp4Writer), m.w.(*mp4Writer) //nolint:forcetypeassert // both are of this container
		now.inits, now.nextID, now.broken = old.inits, old.nextID, true
	}
	r.m, r.program, r.video, r.audio, r.klvs, r.codec = m, t.ProgramNumber, video, audio, klvs, c
	return nil
}
