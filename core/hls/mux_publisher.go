package hls

import (
	"sync"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Video is what goes with a picture.
type Video struct {
	PTS int64 // 90 kHz ticks
	// DTS is the decode time where HasDTS. Pictures out of order need it.
	DTS      int64
	HasDTS   bool
	KeyFrame bool
}

// MuxStats are the counters of a MuxPublisher.
type MuxStats struct {
	Bytes  uint64 // muxed
	Drains uint64 // pushes that succeeded
	Cuts   uint64 // explicit cuts, and those that key frames and bounds made
}

// writer turns access units into the bytes of a container.
type writer interface {
	// video tells whether the picture was taken: it may come before anything
	// can be shown.
	video(au []byte, v Video) (bool, error)
	audio(frames []byte, pts int64) error
	klv(unit []byte, index int, pts int64) error
	subtitle(payload []byte, pts int64) error
	// check tells whether a picture can be written, before anything is cut.
	check(au []byte) error
	// restart makes what comes next, a segment or a part of one, readable from
	// there on.
	restart(segment bool)
	// coming is told of the time of a picture before what is open ends, mustCut
	// tells whether the picture needs a segment of its own.
	coming(t int64)
	mustCut() bool
	// describe completes what is known of a segment that opens.
	describe(s *Segment)
	// seal writes what belongs to the part or segment that ends.
	seal(v verdict) error
	// pending is what waits to be published; take removes it.
	pending() []byte
	take(n int)
}

// MuxPublisher takes access units. It owns the Publisher until Release. Any
// thread may call it.
type MuxPublisher struct {
	mu    sync.Mutex
	p     *Publisher // nil once released
	w     writer
	codec mpegts.Codec // of the video
	video bool         // there is a video stream

	cut    cutter // where Config.KeyFrameCuts
	decode decodeClock
	// Without KeyFrameCuts: the first and the newest picture since the last cut.
	started     bool
	start, last int64
	stats       MuxStats
	first       Segment // of the first picture since the last cut, where Config.KeyFrameCuts
}

// NewMuxPublisher muxes one program into p, which must not be used until
// Release gives it back. Where it fails p is as before.
func NewMuxPublisher(p *Publisher, cfg mpegts.MuxConfig) (*MuxPublisher, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.mu.Unlock()
	return newMuxPublisher(p, cfg)
}

func newMuxPublisher(p *Publisher, cfg mpegts.MuxConfig) (*MuxPublisher, error) {
	if len(cfg.Programs) != 1 {
		return nil, configError("programs", "%d programs, a segment holds one", len(cfg.Programs))
	}
	m := &MuxPublisher{p: p, cut: newCutter(&p.cfg)}
	prog := &cfg.Programs[0]
	for i := range prog.Streams {
		if s := &prog.Streams[i]; s.Class == mpegts.MuxVideo && !m.video {
			m.video, m.codec = true, s.Codec
		}
	}
	var err error
	if p.cfg.Container == FMP4 {
		m.w, err = newMP4Writer(p, prog)
	} else {
		m.w, err = newTSWriter(p, cfg)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *MuxPublisher) enter() error {
	m.mu.Lock()
	if m.p == nil {
		m.mu.Unlock()
		return fail(tsterr.HLSClosed, "MuxPublisher already finished")
	}
	m.p.mu.Lock()
	if m.p.finished {
		m.leave()
		return errFinished(false)
	}
	return nil
}

func (m *MuxPublisher) leave() {
	m.p.mu.Unlock()
	m.mu.Unlock()
}

// SendVideo publishes a picture: Annex B for H.26x, OBUs for AV1. A picture
// that a full disk kept from being written is kept, and written with the next.
func (m *MuxPublisher) SendVideo(au []byte, v Video) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	if err := m.sendVideo(au, v); err != nil {
		return err
	}
	for _, w := range m.p.watchers {
		w.Picture(v.PTS)
	}
	return nil
}

func (m *MuxPublisher) sendVideo(au []byte, v Video) error {
	if err := m.w.check(au); err != nil {
		return err
	}
	t := v.PTS
	switch {
	case v.HasDTS:
		t = v.DTS
	case m.p.cfg.KeyFrameCuts:
		if t = m.decode.picture(m.codec, au, v.PTS, v.KeyFrame); t != v.PTS {
			v.DTS, v.HasDTS = t, true
		}
	}
	m.p.dates.wall(v.PTS, m.p.cfg.Now())
	m.p.dates.picture(m.codec, au, v.PTS)
	if err := m.before(t, v.PTS, v.KeyFrame); err != nil {
		return err
	}
	taken, err := m.w.video(au, v)
	if err != nil {
		return err
	}
	m.lead(taken, Segment{PTS: v.PTS & (clock.PTSModulus - 1), HasPTS: true, Independent: v.KeyFrame})
	return m.publish()
}

// lead notes the first picture of a segment.
func (m *MuxPublisher) lead(taken bool, meta Segment) {
	if !taken {
		if !m.first.HasPTS {
			m.cut.started = false // the segment begins with one that is shown
		}
		return
	}
	if !m.first.HasPTS {
		meta.Discontinuity = m.first.Discontinuity
		m.first = meta
	}
}

// before cuts what a picture at t is to be the first of.
func (m *MuxPublisher) before(t, pts int64, key bool) error {
	p := m.p
	if p.cfg.KeyFrameCuts {
		m.w.coming(t)
		v := m.cut.picture(t, key, m.w.mustCut())
		if v.forced {
			p.forced++
		}
		if v.cut {
			p.driven = true
			m.stats.Cuts++
		}
		if v.endPart || v.cut {
			return m.endPiece(v)
		}
		if key && p.stream.open == nil {
			m.w.restart(true)
		}
		return nil
	}
	if due, forced := p.overdue(); due && !key {
		// The wall clock cuts here; what follows must be readable alone.
		if forced {
			p.forced++
		}
		if err := m.endPiece(verdict{cut: true}); err != nil {
			return err
		}
		m.started = false
	}
	if key {
		if m.started {
			p.driven = true
			m.stats.Cuts++
			d := clock.DiffPTS(m.start, pts)
			m.started = false
			if err := m.endPiece(verdict{cut: true, segment: ticks90k(max(0, d))}); err != nil {
				return err
			}
		} else if p.stream.open == nil {
			m.w.restart(true)
		}
	}
	if !m.started {
		m.started, m.start = true, pts
	}
	m.last = pts
	return nil
}

// endPiece ends the open part, and the segment where v says so.
func (m *MuxPublisher) endPiece(v verdict) error {
	p := m.p
	if p.stream.open == nil && len(m.w.pending()) == 0 && p.cfg.Container == TS {
		return nil
	}
	if err := m.w.seal(v); err != nil {
		return err
	}
	if err := m.flush(); err != nil {
		return err
	}
	if v.cut {
		m.first = Segment{Discontinuity: v.broken}
	}
	m.w.restart(v.cut)
	return p.endPiece(v)
}

// endPiece ends the open part, and the segment where v says so.
func (p *Publisher) endPiece(v verdict) error {
	o := p.stream.open
	if o == nil {
		return nil
	}
	if err := p.stream.flush(); err != nil {
		return err
	}
	p.dateOpen()
	if !v.cut {
		p.stream.part(v.partTime, v.independent)
		return nil
	}
	if v.endPart {
		p.stream.mu.Lock()
		p.stream.addPart(v.partTime, v.independent)
		p.stream.mu.Unlock()
	}
	return p.cut(v.segment)
}

// dateOpen dates the open segment, before anything of it is listed.
func (p *Publisher) dateOpen() {
	if o := p.stream.open; o != nil && o.HasPTS && o.Date.IsZero() && len(o.Parts) == 0 {
		o.Date = p.dates.date(o.PTS)
	}
}

// publish writes what a push made.
func (m *MuxPublisher) publish() error {
	m.stats.Drains++
	return m.flush()
}

func (m *MuxPublisher) flush() error {
	b := m.w.pending()
	if len(b) == 0 {
		return nil
	}
	if o := m.p.stream.open; o == nil {
		m.w.describe(&m.first)
	} else if !o.HasPTS && m.first.HasPTS {
		// What came before the first picture opened the segment.
		o.PTS, o.HasPTS, o.Independent = m.first.PTS, true, m.first.Independent
	}
	if err := m.p.append(b, m.first); err != nil {
		return err
	}
	m.stats.Bytes += uint64(len(b))
	m.w.take(len(b))
	return nil
}

// SendAudio publishes whole frames; pts is the first one's.
func (m *MuxPublisher) SendAudio(frames []byte, pts int64) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	return m.sendAudio(frames, pts)
}

func (m *MuxPublisher) sendAudio(frames []byte, pts int64) error {
	if !m.video {
		// Audio alone leads: every frame can begin a segment.
		m.p.dates.wall(pts, m.p.cfg.Now())
		if m.p.cfg.KeyFrameCuts {
			if err := m.before(pts, pts, true); err != nil {
				return err
			}
		} else if err := m.old(); err != nil {
			return err
		}
	} else if err := m.old(); err != nil {
		return err
	}
	if err := m.w.audio(frames, pts); err != nil {
		return err
	}
	if !m.video {
		m.lead(true, Segment{PTS: pts & (clock.PTSModulus - 1), HasPTS: true, Independent: true})
	}
	return m.publish()
}

// old cuts by the wall clock where pictures do not come.
func (m *MuxPublisher) old() error {
	if m.p.cfg.KeyFrameCuts {
		return nil
	}
	due, forced := m.p.overdue()
	if !due {
		return nil
	}
	if forced {
		m.p.forced++
	}
	m.started = false
	return m.endPiece(verdict{cut: true})
}

// SendKLV publishes one KLV unit on the KLV stream of that index, the only one
// where there is one.
func (m *MuxPublisher) SendKLV(unit []byte, pts int64, index int) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	if err := m.sendKLV(unit, pts, index); err != nil {
		return err
	}
	for _, w := range m.p.watchers {
		w.KLV(unit, pts)
	}
	return nil
}

func (m *MuxPublisher) sendKLV(unit []byte, pts int64, index int) error {
	if err := m.old(); err != nil {
		return err
	}
	m.p.dates.klv(unit, pts)
	if err := m.w.klv(unit, index, pts); err != nil {
		return err
	}
	return m.publish()
}

// SendSubtitle publishes one subtitle unit.
func (m *MuxPublisher) SendSubtitle(payload []byte, pts int64) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	if err := m.old(); err != nil {
		return err
	}
	if err := m.w.subtitle(payload, pts); err != nil {
		return err
	}
	return m.publish()
}

// CutSegment ends the open segment: its duration is that of its pictures.
func (m *MuxPublisher) CutSegment() error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	m.stats.Cuts++
	m.p.driven = true
	return m.cutNow()
}

func (m *MuxPublisher) cutNow() error {
	v := verdict{cut: true, last: true}
	if m.p.cfg.KeyFrameCuts {
		v.segment, v.partTime, v.independent = m.cut.end()
		v.endPart = m.p.cfg.PartDuration > 0 && v.partTime > 0
	} else if m.started {
		v.segment = ticks90k(max(0, clock.DiffPTS(m.start, m.last)))
		m.started = false
	}
	return m.endPiece(v)
}

// AddDateRange lists a marker. See Stream.AddDateRange.
func (m *MuxPublisher) AddDateRange(r DateRange) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	return m.p.stream.AddDateRange(r)
}

// Stats returns the counters.
func (m *MuxPublisher) Stats() (MuxStats, error) {
	if err := m.enter(); err != nil {
		return MuxStats{}, err
	}
	defer m.leave()
	return m.stats, nil
}

// Publisher is what it publishes to, for its statistics and its server; nil
// once released.
func (m *MuxPublisher) Publisher() *Publisher {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.p
}

// Release writes what waits and gives the Publisher back.
func (m *MuxPublisher) Release() (*Publisher, error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	p := m.p
	defer func() {
		p.mu.Unlock()
		m.mu.Unlock()
	}()
	var err error
	if p.cfg.KeyFrameCuts {
		err = m.cutNow()
	} else {
		err = m.flush()
	}
	m.p = nil
	return p, err
}
