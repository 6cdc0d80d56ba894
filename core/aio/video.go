package aio

import (
	"time"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/flow"
	"github.com/tstrans/tstrans/core/rtp/rtcp"
	"github.com/tstrans/tstrans/core/rtp/rtpvideo"
	"github.com/tstrans/tstrans/core/tsterr"
)

// video is the video half of a session.
type video struct {
	s       *Session
	jitter  *flow.JitterBuffer
	missing flow.Missing
	units   rtpvideo.Depacketizer
	shut    bool // until a key frame comes
	pass    bool // the gate stays open
	expire  *timer
	buf     []byte
	ends    []int
}

func newVideo(s *Session) (*video, error) {
	v := &video{s: s, units: rtpvideo.NewDepacketizer(s.cfg.VideoCodec)}
	var err error
	v.jitter, err = flow.NewJitterBuffer(flow.JitterConfig{Capacity: s.cfg.Capacity, Video: true, WaitForLost: !s.cfg.AsReference})
	v.expire = newTimer(func(int64) { v.giveUp() })
	return v, err
}

func (v *video) packet(t time.Time, p *rtp.Packet) {
	s := v.s
	if int(p.PayloadType) != s.cfg.PayloadType {
		return
	}
	if s.from(p.SSRC) {
		v.jitter.Reset()
		v.missing.Reset()
		v.units.Reset()
		v.shut = !v.pass
		v.askKey()
	}
	s.in.Add(seconds(t), p.Sequence, p.Timestamp)
	if v.missing.Add(p.Sequence) {
		v.nack()
	}
	pli, f := v.jitter.Add(p.Sequence, p.Timestamp, p.Marker, p.Payload)
	if pli {
		v.lost()
	}
	for ; f != nil; f = v.jitter.Next() {
		v.frame(f)
	}
	if s.cfg.AsReference {
		return
	}
	switch {
	case !v.jitter.Blocked():
		s.e.timers.stop(v.expire)
	case v.begins(p.Payload):
		// A key frame makes waiting for what lies before it pointless.
		v.giveUp()
	case v.expire.index < 0:
		s.e.timers.set(v.expire, now()+int64(lostAfter))
	}
}

// begins tells whether a payload begins a key frame.
func (v *video) begins(b []byte) bool {
	switch v.s.cfg.VideoCodec {
	case rtpvideo.VP8:
		return rtpvideo.IsKeyVP8(b)
	case rtpvideo.VP9:
		return rtpvideo.BeginsKeyVP9(b)
	case rtpvideo.H264:
	}
	return rtpvideo.BeginsKeyNAL(b)
}

// giveUp stops waiting for what is missing.
func (v *video) giveUp() {
	pli, f := v.jitter.Expire()
	if pli {
		v.lost()
	}
	for ; f != nil; f = v.jitter.Next() {
		v.frame(f)
	}
	if v.jitter.Blocked() && !v.s.closed {
		v.s.e.timers.set(v.expire, now()+int64(lostAfter))
	} else {
		v.s.e.timers.stop(v.expire)
	}
}

// lost closes the gate after a loss and asks for a key frame.
func (v *video) lost() {
	v.units.Reset()
	v.shut = !v.pass
	v.askKey()
}

func (v *video) frame(f *flow.Frame) {
	at := 0
	for i, n := range f.Packets {
		for _, u := range v.units.Feed(f.Data[at:at+n], i == len(f.Packets)-1) {
			if v.shut {
				if !u.Key {
					continue
				}
				v.shut = false
			}
			key := uint32(0)
			if u.Key {
				key = 1
			}
			if v.s.hub != nil {
				v.s.hub.put(v.s, RecFrame, 0, f.Timestamp, u.Data, key, 0)
			}
		}
		at += n
	}
}

func (v *video) feedback(p *rtcp.Packet) {
	p.SSRC, p.Media = v.s.out.SSRC, v.s.source
	if b, err := p.Marshal(nil); err == nil {
		v.s.remoteRTCP.send(v.s.rtcp, b)
	}
}

func (v *video) nack() {
	v.feedback(&rtcp.Packet{Type: rtcp.RTPFB, Format: rtcp.FmtNACK, Lost: v.missing.List()})
}

func (v *video) askKey() {
	if v.s.hasSource {
		v.feedback(&rtcp.Packet{Type: rtcp.PSFB, Format: rtcp.FmtPLI})
	}
}

// RequestKeyframe asks the peer for one, once there is a peer.
func (s *Session) RequestKeyframe() error {
	return s.with(func() error {
		if s.video != nil {
			s.video.askKey()
		}
		return nil
	})
}

// SetPassthrough keeps the gate open, or lets it close after a loss.
func (s *Session) SetPassthrough(on bool) error {
	return s.with(func() error {
		if s.video != nil {
			s.video.pass = on
			s.video.shut = s.video.shut && !on
		}
		return nil
	})
}

// SendFrame sends the NAL units (H.264) or frames of one picture: data holds them one after the other, sizes their
// lengths. auto takes the next timestamp, which is returned.
func (s *Session) SendFrame(data []byte, sizes []uint32, ts uint32, auto, key bool) (uint32, error) {
	if s.video == nil {
		return 0, tsterr.New(tsterr.NotSupported, "this session carries audio")
	}
	total := uint64(0)
	for _, n := range sizes {
		total += uint64(n)
	}
	if total != uint64(len(data)) {
		return 0, tsterr.New(tsterr.InvalidArg, "units of %d bytes in %d bytes", total, len(data))
	}
	err := s.with(func() error {
		if auto {
			ts = s.out.Step()
		}
		v := s.video
		v.buf, v.ends = v.buf[:0], v.ends[:0]
		for _, n := range sizes {
			v.buf, v.ends = rtpvideo.Packetize(s.cfg.VideoCodec, v.buf, v.ends, data[:n], rtpvideo.DefaultMTU, key)
			data = data[n:]
		}
		at := 0
		for i, end := range v.ends {
			s.send(s.out.PayloadType, i == len(v.ends)-1, ts, v.buf[at:end])
			at = end
		}
		return nil
	})
	return ts, err
}
