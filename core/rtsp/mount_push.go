package rtsp

import (
	"time"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/mpegts"
)

// Only stands for the one stream of its class in the push methods.
const Only = ^mpegts.Handle(0)

// PushVideo pushes an access unit to a video stream.
func (m *Mount) PushVideo(h mpegts.Handle, au []byte, v mpegts.VideoPush) error {
	if m.packer != nil && v.MISP != nil { // the media itself goes out: put the time into it
		var err error
		if au, err = m.stamped(h, au, *v.MISP); err != nil {
			return err
		}
		v.MISP = nil
	}
	return m.push(mpegts.MuxVideo, h, au, v.PTS, func() error {
		if h == Only {
			return m.mux.PushVideo(au, v)
		}
		return m.mux.PushVideoTo(h, au, v)
	})
}

func (m *Mount) stamped(h mpegts.Handle, au []byte, t mpegts.MISPTime) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.packer.tracks {
		if k.class == mpegts.MuxVideo && (h == Only || k.handle == h) {
			return m.mux.WithMISPTime(k.media.codec(), au, t) //nolint:wrapcheck // it is the mux's
		}
	}
	return au, nil // the push will say that there is no such stream
}

// PushAudio pushes whole audio frames.
func (m *Mount) PushAudio(h mpegts.Handle, frames []byte, pts int64) error {
	return m.push(mpegts.MuxAudio, h, frames, pts, func() error {
		if h == Only {
			return m.mux.PushAudio(frames, pts)
		}
		return m.mux.PushAudioTo(h, frames, pts)
	})
}

// PushKLV pushes a KLV packet.
func (m *Mount) PushKLV(h mpegts.Handle, klv []byte, pts int64, serviceID uint8) error {
	return m.push(mpegts.MuxKLV, h, klv, pts, func() error {
		if h == Only {
			return m.mux.PushKLV(klv, pts, serviceID)
		}
		return m.mux.PushKLVTo(h, klv, pts, serviceID)
	})
}

// PushSubtitle pushes subtitle data.
func (m *Mount) PushSubtitle(h mpegts.Handle, payload []byte, pts int64) error {
	return m.push(mpegts.MuxSubtitle, h, payload, pts, func() error {
		if h == Only {
			return m.mux.PushSubtitle(payload, pts)
		}
		return m.mux.PushSubtitleTo(h, payload, pts)
	})
}

// PushData pushes private data.
func (m *Mount) PushData(h mpegts.Handle, data []byte, pts int64) error {
	return m.push(mpegts.MuxData, h, data, pts, func() error {
		if h == Only {
			return m.mux.PushData(data, pts)
		}
		return m.mux.PushDataTo(h, data, pts)
	})
}

// push runs a push on the muxer, which checks it, and sends what came of it:
// its packets, or the media itself where the mount is elementary.
func (m *Mount) push(class mpegts.MuxClass, h mpegts.Handle, data []byte, pts int64, f func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hasPTS && clock.DiffPTS(m.lastPTS, pts) < -backStep {
		m.mux.RepeatTables() // the stream began anew: who joins now needs the tables too
	}
	if err := f(); err != nil {
		return err //nolint:wrapcheck // it is the mux's
	}
	m.lastPTS, m.hasPTS = pts, true
	b := m.mux.Pending()
	defer m.mux.Discard(len(b))
	now := time.Now()
	if m.packer == nil {
		m.sendTS(b, now)
		return nil
	}
	return m.packer.push(class, h, data, pts, now, m.send)
}

// backStep is how far time goes back before a stream counts as begun anew:
// more than pictures are ever reordered by, one second.
const backStep = clock.TicksPerSecond

// PushTS sends MPEG-TS as it is: a whole number of packets that some other
// muxer made, such as a file's.
func (m *Mount) PushTS(ts []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.packer == nil {
		m.sendTS(ts, time.Now())
	}
}
