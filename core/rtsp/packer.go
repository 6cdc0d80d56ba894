package rtsp

import (
	"time"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtpaac"
	"github.com/tstrans/tstrans/core/rtp/rtph264"
	"github.com/tstrans/tstrans/core/rtp/rtph265"
	"github.com/tstrans/tstrans/core/rtp/rtpklv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// firstDynamic is the first dynamic payload type (RFC 3551 §6).
const firstDynamic = 96

// packer puts the streams of an elementary mount into RTP payloads.
type packer struct {
	tracks    []packTrack
	out       rtp.Payloads
	ends      []uint32
	anchored  bool
	anchorPTS int64 // shown by the wall clock at anchor
	anchor    time.Time
}

type packTrack struct {
	class  mpegts.MuxClass
	handle mpegts.Handle
	media  Media
	ready  bool // the description is complete
}

func newPacker(prog mpegts.MuxProgram) (*packer, error) {
	k := &packer{}
	var n [5]mpegts.Handle
	for _, s := range prog.Streams {
		t := packTrack{class: s.Class, handle: n[s.Class]}
		n[s.Class]++
		t.media.PayloadType = uint8(firstDynamic + len(k.tracks)) //nolint:gosec // a program has few streams
		t.media.Rate = rtp.ClockRate
		switch {
		case s.Class == mpegts.MuxVideo && s.Codec == mpegts.CodecH264:
			t.media.Kind, t.ready = KindH264, true
		case s.Class == mpegts.MuxVideo && s.Codec == mpegts.CodecH265:
			t.media.Kind, t.ready = KindH265, true
		case s.Class == mpegts.MuxAudio && s.Codec == mpegts.CodecAAC:
			t.media.Kind = KindAAC
		case s.Class == mpegts.MuxKLV:
			t.media.Kind, t.ready = KindKLV, true
		default:
			return nil, tsterr.New(tsterr.RTSPMount, "a %v stream of codec %v has no elementary RTP here", s.Class, s.Codec)
		}
		k.tracks = append(k.tracks, t)
	}
	return k, nil
}

// describe gives the media; one whose configuration is not known yet has no
// kind.
func (k *packer) describe() []Media {
	out := make([]Media, len(k.tracks))
	for i, t := range k.tracks {
		out[i] = t.media
		out[i].Sets = append([][]byte(nil), t.media.Sets...)
		if !t.ready {
			out[i].Kind = KindOther
		}
	}
	return out
}

// push packs one unit and gives its frames to send.
func (k *packer) push(class mpegts.MuxClass, h mpegts.Handle, data []byte, pts int64, now time.Time, send func(frame)) error {
	i := 0
	for i < len(k.tracks) && (k.tracks[i].class != class || (h != Only && k.tracks[i].handle != h)) {
		i++
	}
	if i == len(k.tracks) {
		return tsterr.New(tsterr.MuxInvalidUsage, "no such stream")
	}
	t := &k.tracks[i]
	if !k.anchored || clock.DiffPTS(k.anchorPTS, pts) < -backStep {
		k.anchored, k.anchorPTS, k.anchor = true, pts, now
	}
	switch t.media.Kind {
	case KindH264:
		t.learn(data, 7, 8, func(n []byte) byte { return n[0] & 0x1F })
		rtph264.Packetize(&k.out, data, elementaryPayload)
	case KindH265:
		t.learn(data, 32, 34, func(n []byte) byte { return n[0] >> 1 & 0x3F })
		rtph265.Packetize(&k.out, data, elementaryPayload)
	case KindKLV:
		rtpklv.Packetize(&k.out, data, elementaryPayload)
	case KindAAC:
		n := int64(0)
		ok := rtpaac.Frames(data, func(cfg rtpaac.Config, f []byte) {
			if !t.ready || t.media.AAC != cfg {
				t.ready, t.media.AAC, t.media.Rate = true, cfg, cfg.Rate()
			}
			rtpaac.Packetize(&k.out, f, elementaryPayload)
			k.emit(i, pts+n*rtpaac.FrameSamples*rtp.ClockRate/int64(t.media.Rate), send)
			n++
		})
		if !ok {
			return tsterr.New(tsterr.MuxInputMalformed, "audio without ADTS headers cannot be sent as elementary RTP")
		}
		return nil
	case KindMP2T, KindOther, KindMPEGAudio, KindLATM, KindOpus, KindALaw, KindULaw: // mounts have none of these
	}
	k.emit(i, pts, send)
	return nil
}

func (k *packer) emit(i int, pts int64, send func(frame)) {
	if len(k.out.Ends) > 0 {
		ts := uint64(pts) * uint64(k.tracks[i].media.Rate) / rtp.ClockRate //nolint:gosec // 33 bits times a rate
		k.ends = k.ends[:0]
		for _, e := range k.out.Ends {
			k.ends = append(k.ends, uint32(e)) //nolint:gosec // bounded by the muxer's limits
		}
		send(frame{
			track: i, data: k.out.Data, ends: k.ends, marker: true, ts: uint32(ts), //nolint:gosec // it wraps
			at: k.anchor.Add(time.Duration(clock.DiffPTS(k.anchorPTS, pts)) * time.Second / rtp.ClockRate),
		})
	}
	k.out.Reset()
}

// learn keeps the parameter sets of the stream for its description.
func (t *packTrack) learn(au []byte, first, last byte, kind func([]byte) byte) {
	rtp.NALs(au, func(n []byte) {
		v := kind(n)
		if v < first || v > last || len(n) < 4 {
			return
		}
		if len(t.media.Sets) == 0 {
			t.media.Sets = make([][]byte, last-first+1)
		}
		if at := v - first; string(t.media.Sets[at]) != string(n) {
			t.media.Sets[at] = append([]byte(nil), n...)
		}
	})
}
