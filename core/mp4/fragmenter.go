package mp4

import (
	"encoding/binary"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/codec/aac"
	"github.com/tstrans/tstrans/core/tsterr"
)

// VideoScale is the time scale of a Fragmenter's video: that of PTS and DTS, so
// that no time is rounded.
const VideoScale = 90_000

const (
	videoTrack = 1
	audioTrack = 2
	// audioSlip is how far audio may be from where its samples say, in
	// seconds, before it is taken at its word.
	audioSlip = 0.1
	// maxFragmentSamples bounds one fragment: hours of one segment.
	maxFragmentSamples = 1 << 20
)

// fragSample is one sample of the open fragment.
type fragSample struct {
	dts, pts int64 // ticks of the track
	size     uint32
	duration uint32 // of audio
	sync     bool
}

// Fragmenter makes an initialization section and movie fragments in memory: a
// video track, an AAC track, or both (ISO/IEC 14496-12 §8.8, ISO/IEC 23000-19).
// One goroutine at a time may use it.
type Fragmenter struct {
	video     track // nil without
	codec     Codec
	audio     *aac.Frame // of the first frame; nil before it
	hasVideo  bool
	hasAudio  bool
	initAudio bool // the initialization section has the audio track
	sequence  uint32

	vs, as     []fragSample
	vbuf, abuf []byte
	audioNext  int64 // decode time of the next audio sample
	audioOn    bool
	step       int64 // between the last two pictures
}

// NewFragmenter returns one for a video codec, and for AAC where audio.
func NewFragmenter(c Codec, video, audio bool) (*Fragmenter, error) {
	if video && c != H264 && c != HEVC && c != AV1 {
		return nil, tsterr.New(tsterr.MP4CodecUnknown, "%v does not go into fragments", c)
	}
	f := &Fragmenter{codec: c, hasVideo: video, hasAudio: audio, step: VideoScale / 25}
	if video {
		f.video = newTrack(c)
	}
	return f, nil
}

// Check tells whether a picture is of the codec's form.
func (f *Fragmenter) Check(au []byte) error {
	if f.codec != AV1 {
		if codec.IndexStartCode(au, 0) < 0 {
			return tsterr.At(tsterr.MP4InputMalformed, "start_code", 0, "no start code: not an Annex B access unit")
		}
		return nil
	}
	for pos := 0; pos < len(au); {
		_, _, n, err := obu(au[pos:])
		if err != nil {
			return err
		}
		pos += n
	}
	return nil
}

// AddVideo adds a picture. Times are in ticks of VideoScale, not modulo
// anything. taken is false for one that came before the parameter sets it
// needs, and for sets alone.
func (f *Fragmenter) AddVideo(au []byte, pts, dts int64, key bool) (taken bool, err error) {
	base := len(f.vbuf)
	buf, u, err := f.video.add(f.vbuf, au)
	if err != nil {
		return false, err
	}
	if !u.sample {
		f.video.hold(buf[base:])
		return false, nil
	}
	if len(buf)-base > math.MaxInt32 || len(f.vs) >= maxFragmentSamples {
		return false, tsterr.New(tsterr.MP4InputMalformed, "a fragment of %d pictures and %d bytes is too long", len(f.vs), len(buf))
	}
	f.vbuf = buf
	if n := len(f.vs); n > 0 && dts <= f.vs[n-1].dts {
		dts = f.vs[n-1].dts + 1 // decode times rise
	} else if n > 0 {
		f.step = dts - f.vs[n-1].dts
	}
	f.vs = append(f.vs, fragSample{dts: dts, pts: pts, size: uint32(len(buf) - base), sync: key || u.sync})
	return true, nil
}

// AddAudio adds whole ADTS frames with the time of the first, in ticks of
// VideoScale.
func (f *Fragmenter) AddAudio(frames []byte, pts int64) error {
	var list [64]aac.Frame
	for len(frames) > 0 {
		n, err := aac.Split(list[:], frames)
		if n == 0 {
			if err == nil {
				err = tsterr.New(tsterr.MP4InputMalformed, "no ADTS frame in %d bytes", len(frames))
			}
			return tsterr.Wrap(tsterr.MP4InputMalformed, err, "audio")
		}
		n = min(n, len(list))
		for i := range list[:n] {
			if len(f.as) >= maxFragmentSamples {
				return tsterr.New(tsterr.MP4InputMalformed, "a fragment of %d audio frames is too long", len(f.as))
			}
			f.addFrame(&list[i], frames, pts)
			pts += int64(list[i].Samples()) * VideoScale / int64(list[i].SampleRate)
		}
		last := &list[n-1]
		end := int(last.Offset) + int(last.Length)
		if err != nil && n < len(list) {
			return tsterr.Wrap(tsterr.MP4InputMalformed, err, "audio")
		}
		frames = frames[min(end, len(frames)):]
	}
	return nil
}

func (f *Fragmenter) addFrame(h *aac.Frame, b []byte, pts int64) {
	if f.audio == nil {
		first := *h
		f.audio = &first
	}
	rate := int64(f.audio.SampleRate)
	at := pts * rate / VideoScale
	slip := at - f.audioNext
	if !f.audioOn || slip > int64(audioSlip*float64(rate)) || slip < -int64(audioSlip*float64(rate)) && len(f.as) == 0 {
		f.audioNext, f.audioOn = at, true
	}
	body := b[h.Offset+uint64(h.HeaderLength) : h.Offset+uint64(h.Length)]
	d := uint32(h.Samples())
	f.as = append(f.as, fragSample{dts: f.audioNext, pts: f.audioNext, size: uint32(len(body)), duration: d, sync: true})
	f.abuf = append(f.abuf, body...)
	f.audioNext += int64(d)
}

// Empty tells whether there is nothing to flush.
func (f *Fragmenter) Empty() bool { return len(f.vs) == 0 && len(f.as) == 0 }

// Waiting tells whether audio came that the initialization section does not
// know: a new one is needed.
func (f *Fragmenter) Waiting() bool { return f.audio != nil && !f.initAudio && f.sequence > 0 }

// Init is the initialization section of the tracks seen so far. It is called
// before the first Flush.
func (f *Fragmenter) Init() []byte {
	f.initAudio = f.audio != nil
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale, mvhd.NextTrackID = VideoScale, audioTrack+1
	moov := mp4.NewMoovBox()
	moov.AddChild(mvhd)
	mvex := mp4.NewMvexBox()
	if f.video != nil && len(f.vs) > 0 {
		w, h := f.video.size()
		tkhd := mp4.CreateTkhd()
		tkhd.Flags, tkhd.TrackID, tkhd.Volume = 7, videoTrack, 0
		tkhd.Width, tkhd.Height = mp4.Fixed32(w)<<16, mp4.Fixed32(h)<<16
		moov.AddChild(trak(tkhd, VideoScale, "vide", &mp4.VmhdBox{Flags: 1}, f.video.entry()))
		mvex.AddChild(mp4.CreateTrex(videoTrack))
	}
	if f.initAudio {
		config := f.audio.AudioSpecificConfig()
		entry := mp4.CreateAudioSampleEntryBox("mp4a", uint16(f.audio.Channels()), 16,
			uint16(min(f.audio.SampleRate, math.MaxUint16)), mp4.CreateEsdsBox(config[:]))
		tkhd := mp4.CreateTkhd()
		tkhd.Flags, tkhd.TrackID, tkhd.Volume = 7, audioTrack, 0x100
		moov.AddChild(trak(tkhd, f.audio.SampleRate, "soun", &mp4.SmhdBox{}, entry))
		mvex.AddChild(mp4.CreateTrex(audioTrack))
	}
	moov.AddChild(mvex)
	ftyp := mp4.NewFtyp("iso6", 0, []string{"iso6", "cmfc", "mp41"})
	return append(encodeBox(ftyp), encodeBox(moov)...)
}

// trak is a track without samples.
func trak(tkhd *mp4.TkhdBox, scale uint32, handler string, header, entry mp4.Box) *mp4.TrakBox {
	mdhd := &mp4.MdhdBox{Timescale: scale}
	mdhd.SetLanguage("und")
	stbl := mp4.NewStblBox()
	stsd := mp4.NewStsdBox()
	stsd.AddChild(entry)
	stbl.AddChild(stsd)
	stbl.AddChild(&mp4.SttsBox{})
	stbl.AddChild(&mp4.StscBox{})
	stbl.AddChild(&mp4.StszBox{})
	stbl.AddChild(&mp4.StcoBox{})
	minf := mp4.NewMinfBox()
	minf.AddChild(header)
	dinf := &mp4.DinfBox{}
	dref := &mp4.DrefBox{}
	dref.AddChild(mp4.CreateURLBox())
	dinf.AddChild(dref)
	minf.AddChild(dinf)
	minf.AddChild(stbl)
	mdia := mp4.NewMdiaBox()
	mdia.AddChild(mdhd)
	mdia.AddChild(&mp4.HdlrBox{HandlerType: handler, Name: "tstrans"})
	mdia.AddChild(minf)
	t := mp4.NewTrakBox()
	t.AddChild(tkhd)
	t.AddChild(mdia)
	return t
}

// AudioScale is the time scale of the audio, 0 before its first frame.
func (f *Fragmenter) AudioScale() int64 {
	if f.audio == nil {
		return 0
	}
	return int64(f.audio.SampleRate)
}

// Earliest is the presentation time of the earliest picture of the open
// fragment, or of its audio where there is no picture, in ticks of VideoScale.
func (f *Fragmenter) Earliest() (pts int64, ok bool) {
	for i := range f.vs {
		if !ok || f.vs[i].pts < pts {
			pts, ok = f.vs[i].pts, true
		}
	}
	if !ok && len(f.as) > 0 && f.audio != nil {
		return f.as[0].pts * VideoScale / int64(f.audio.SampleRate), true
	}
	return pts, ok
}

// Flush appends a fragment of everything added. next is the decode time of the
// picture that follows, where hasNext; the last sample lasts until it.
func (f *Fragmenter) Flush(dst []byte, next int64, hasNext bool) []byte {
	if f.Empty() {
		return dst
	}
	f.sequence++
	as := f.as
	if !f.initAudio {
		as = nil // unknown to the section in force; see Waiting
	}
	size := 8 + 16
	for _, n := range []int{len(f.vs), len(as)} {
		if n > 0 {
			size += 8 + 16 + 20 + 20 + 16*n
		}
	}
	be := binary.BigEndian
	dst = append(be.AppendUint32(dst, uint32(size)), "moof"...)
	dst = append(be.AppendUint32(dst, 16), "mfhd\x00\x00\x00\x00"...)
	dst = be.AppendUint32(dst, f.sequence)
	payload := 0
	if n := len(f.vs); n > 0 {
		for i := range f.vs {
			to := f.vs[i].dts + f.step
			switch {
			case i+1 < n:
				to = f.vs[i+1].dts
			case hasNext && next > f.vs[i].dts && next-f.vs[i].dts < math.MaxInt32:
				to = next
			}
			f.vs[i].duration = uint32(min(max(to-f.vs[i].dts, 0), math.MaxInt32))
		}
		dst = appendTraf(dst, videoTrack, f.vs, size+8)
		payload = len(f.vbuf)
	}
	if len(as) > 0 {
		dst = appendTraf(dst, audioTrack, as, size+8+payload)
		payload += len(f.abuf)
	}
	dst = append(be.AppendUint32(dst, uint32(payload+8)), "mdat"...)
	dst = append(dst, f.vbuf...)
	if len(as) > 0 {
		dst = append(dst, f.abuf...)
	}
	f.vs, f.as, f.vbuf, f.abuf = f.vs[:0], f.as[:0], f.vbuf[:0], f.abuf[:0]
	return dst
}

// appendTraf writes a track fragment with one run (ISO/IEC 14496-12 §8.8.6).
func appendTraf(b []byte, id uint32, ss []fragSample, offset int) []byte {
	be := binary.BigEndian
	b = append(be.AppendUint32(b, uint32(8+16+20+20+16*len(ss))), "traf"...)
	b = append(be.AppendUint32(b, 16), "tfhd\x00\x02\x00\x00"...) // default-base-is-moof
	b = be.AppendUint32(b, id)
	b = append(be.AppendUint32(b, 20), "tfdt\x01\x00\x00\x00"...)
	b = be.AppendUint64(b, uint64(max(0, ss[0].dts)))
	b = append(be.AppendUint32(b, uint32(20+16*len(ss))), "trun\x01\x00\x0f\x01"...)
	b = be.AppendUint32(b, uint32(len(ss)))
	b = be.AppendUint32(b, uint32(offset))
	for i := range ss {
		s := &ss[i]
		b = be.AppendUint32(b, s.duration)
		b = be.AppendUint32(b, s.size)
		flags := uint32(flagsNonSync)
		if s.sync {
			flags = flagsSync
		}
		b = be.AppendUint32(b, flags)
		b = be.AppendUint32(b, uint32(int32(s.pts-s.dts)))
	}
	return b
}

// NewSets tells whether a picture brings other sequence parameter sets than the
// initialization section has: it needs a new one.
func (f *Fragmenter) NewSets(au []byte) bool {
	t, ok := f.video.(*nalTrack)
	if !ok || !t.ready {
		return false
	}
	for sc := codec.IndexStartCode(au, 0); sc >= 0; {
		start, end, next := nextNAL(au, sc)
		sc = next
		if start == end || t.syntax.class(au[start:end]) != nalSPS {
			continue
		}
		same := false
		for _, s := range t.sps {
			same = same || string(s) == string(au[start:end])
		}
		if !same {
			return true
		}
	}
	return false
}

// unknownDepth is taken for a stream that does not say how far its pictures are
// reordered: what encoders commonly do. Too much only makes decode times early.
const unknownDepth = 2

// ReorderDepth tells how many pictures may stand out of order, from the
// sequence parameter set of an access unit; ok is false where there is none.
func ReorderDepth(c Codec, au []byte) (depth int, ok bool) {
	t, isNAL := newTrack(c).(*nalTrack)
	if !isNAL {
		return 0, false
	}
	for sc := codec.IndexStartCode(au, 0); sc >= 0; {
		start, end, next := nextNAL(au, sc)
		sc = next
		if start == end {
			continue
		}
		switch t.syntax.class(au[start:end]) {
		case nalSPS:
			if _, _, n, err := t.syntax.describe(au[start:end]); err == nil {
				if n < 0 {
					n = unknownDepth
				}
				return n, true
			}
		case nalVideo, nalSync:
			return 0, false
		default:
		}
	}
	return 0, false
}
