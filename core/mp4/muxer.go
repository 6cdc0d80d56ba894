package mp4

import (
	"math"
	"math/bits"
	"os"
	"sync"

	"github.com/tstrans/tstrans/core/tsterr"
)

// NoTime says that an optional time of a Push is not given.
const NoTime = uint64(math.MaxUint64)

// Times are those of one access unit, in nanoseconds. DTS and Duration are
// NoTime where they are not given.
type Times struct {
	PTS, DTS, Duration uint64
}

// sample is one sample of the open fragment.
type sample struct {
	pts, dts int64 // nanoseconds; unsigned times in two's complement, of which only differences are used
	duration uint64
	size     uint32
	known    bool // dts is final
	sync     bool
}

// Muxer writes one file. Any thread may call it, one at a time.
type Muxer struct {
	mu       sync.Mutex
	cfg      Config
	scale    uint32
	frame    uint32
	out      *output
	track    track
	finished bool
	err      error // the first write error: the file cannot grow past it

	buf   []byte   // room for a moof, then the samples of the open fragment
	moof  []byte   // scratch for the fragment's boxes
	room  int      // where the samples start in buf
	frag  []sample // the open fragment; its newest sample is open
	times clock
	table table
	stats Stats
}

// Create makes or truncates the file and returns a muxer for it.
func Create(path string, cfg Config) (*Muxer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	out, err := openOutput(path)
	if err != nil {
		return nil, err
	}
	m := &Muxer{cfg: cfg, out: out, track: newTrack(cfg.Codec), room: maxMoof}
	m.scale, m.frame = cfg.timescale()
	m.times = clock{scale: m.scale, frameNs: mulDiv(uint64(m.frame), 1e9, uint64(m.scale)), depth: -1, hint: -1}
	m.table.frame = m.frame
	m.buf = make([]byte, m.room, m.room+fragmentBytes+fragmentBytes/2)
	m.moof = make([]byte, 0, maxMoof)
	m.frag = make([]sample, 0, fragmentSamples+1)
	return m, nil
}

// Finished tells whether Finish was called.
func (m *Muxer) Finished() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.finished
}

// Stats returns the counters.
func (m *Muxer) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// Push adds one access unit: Annex B for H.264 and HEVC, a temporal unit with
// size fields for AV1, one image file for JPEG and PNG. data is copied. Two
// parts of a picture may come in two calls with equal times.
//
// A failed Push leaves the file as it was before the call.
func (m *Muxer) Push(data []byte, t Times) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.finished {
		return tsterr.New(tsterr.MP4Finished, "Muxer already finished")
	}
	if m.err != nil {
		return m.err
	}
	s := sample{pts: int64(t.PTS), dts: int64(t.DTS), duration: t.Duration, known: t.DTS != NoTime}
	open := m.open()
	same := open != nil && open.pts == s.pts && (!s.known || !open.known || open.dts == s.dts) &&
		(m.cfg.Codec == H264 || m.cfg.Codec == HEVC)
	if same {
		return m.extend(open, data)
	}
	if err := m.checkTimes(open, &s); err != nil {
		return err
	}
	base := len(m.buf)
	buf, u, err := m.track.add(m.buf, data)
	if err != nil {
		return err
	}
	m.stats.AccessUnitsIn++
	if !u.sample {
		if u.dropped {
			m.stats.DroppedBeforeInit++
		}
		m.track.hold(buf[base:])
		return nil
	}
	if len(buf)-base > math.MaxInt32 {
		return tsterr.New(tsterr.MP4InputMalformed, "a sample of %d bytes does not fit an MP4 file", len(buf)-base)
	}
	m.buf = buf
	s.size = uint32(len(buf) - base)
	s.sync = u.sync
	m.times.hint = max(m.times.hint, u.reorder)
	m.frag = append(m.frag, s)
	return m.cut()
}

// open returns the sample that the next push may still add to.
func (m *Muxer) open() *sample {
	if len(m.frag) == 0 {
		return nil
	}
	return &m.frag[len(m.frag)-1]
}

func (m *Muxer) extend(open *sample, part []byte) error {
	base := len(m.buf)
	buf, u, err := m.track.extend(m.buf, part)
	if err != nil {
		return err
	}
	m.stats.AccessUnitsIn++
	m.buf = buf
	open.size += uint32(len(buf) - base)
	open.sync = open.sync || u.sync
	return nil
}

// checkTimes keeps every difference that the file stores in 32 bits within
// reach, and decode times in order.
func (m *Muxer) checkTimes(prev, s *sample) error {
	limit := mulDiv(math.MaxInt32, 1e9, uint64(m.scale))
	far := func(a, b int64) bool {
		d := a - b
		return d == math.MinInt64 || uint64(max(d, -d)) > limit
	}
	if s.known && far(s.pts, s.dts) {
		return tsterr.At(tsterr.MP4TimeRange, "pts_ns", tsterr.NoOffset,
			"pts_ns %d and dts_ns %d are too far apart", uint64(s.pts), uint64(s.dts))
	}
	if s.duration != NoTime && s.duration > limit {
		return tsterr.At(tsterr.MP4TimeRange, "duration_ns", tsterr.NoOffset, "duration_ns %d is too long", s.duration)
	}
	if prev == nil {
		return nil
	}
	if far(s.pts, prev.pts) {
		return tsterr.At(tsterr.MP4TimeRange, "pts_ns", tsterr.NoOffset,
			"pts_ns %d is too far from the one before, %d", uint64(s.pts), uint64(prev.pts))
	}
	if s.known && prev.known && s.dts-prev.dts < 0 {
		return tsterr.At(tsterr.MP4TimeRange, "dts_ns", tsterr.NoOffset,
			"dts_ns goes back from %d to %d", uint64(prev.dts), uint64(s.dts))
	}
	return nil
}

// cut gives the newest sample its decode time and writes the fragment in
// front of it, if that is long enough.
func (m *Muxer) cut() error {
	n := len(m.frag) - 1
	if !m.times.started() {
		// Decode times are made up from the order of the first pictures.
		if !m.frag[n].known && n < reorderWindow {
			return nil
		}
		m.times.start(m.frag)
	} else {
		m.times.next(&m.frag[n])
	}
	if n == 0 {
		return nil
	}
	payload := len(m.buf) - m.room
	if payload-int(m.frag[n].size) < fragmentBytes && n < fragmentSamples &&
		m.frag[n].dts-m.frag[0].dts < fragmentNs {
		return nil
	}
	return m.flush(n)
}

// flush writes the first n samples of the open fragment; the sample behind
// them, if any, opens the next one.
func (m *Muxer) flush(n int) error {
	if n == 0 {
		return nil
	}
	if m.table.samples() == 0 {
		m.table.begin(m.frag, &m.times)
		if err := m.writeInit(); err != nil {
			return m.fail(err)
		}
	}
	size := 0
	for i := range m.frag[:n] {
		size += int(m.frag[i].size)
	}
	rest := m.buf[m.room+size:]
	undo := m.table.addFragment(m.frag, n, &m.times)
	moof := appendMoof(m.moof[:0], m.table.fragments(), m.table.decodeTime(n), m.table.newest(n), size)
	// The moof goes right in front of the samples.
	start := m.room - len(moof)
	copy(m.buf[start:m.room], moof)
	at, err := m.out.write(m.buf[start : m.room+size])
	if err != nil {
		m.table.dropFragment(undo)
		return m.fail(err)
	}
	m.table.chunks = append(m.table.chunks, chunk{offset: at + int64(len(moof)), samples: uint32(n)})
	m.stats.SamplesWritten += uint64(n)
	m.stats.FragmentsWritten++
	m.stats.BytesWritten = uint64(m.out.pos)
	m.buf = append(m.buf[:m.room], rest...)
	m.frag = append(m.frag[:0], m.frag[n:]...)
	return nil
}

// writeInit writes what comes before the first fragment.
func (m *Muxer) writeInit() error {
	ftyp := encodeBox(ftypBox())
	moov := encodeBox(m.movie(nil, 0))
	return m.out.begin(ftyp, moov)
}

// fail remembers the first write error. What was written before stays.
func (m *Muxer) fail(err error) error {
	if m.err == nil {
		m.err = err
	}
	return err
}

// Finish writes what is open and turns the file into a plain fast-start one.
// Calling it again does nothing. A muxer that was given nothing to write
// leaves no file.
func (m *Muxer) Finish() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.finished {
		return nil
	}
	m.finished = true
	if n := len(m.frag); n > 0 && m.err == nil {
		if !m.times.started() {
			m.times.start(m.frag)
		}
		_ = m.flush(n)
	}
	err := m.err
	if m.table.samples() == 0 {
		m.out.discard()
		if err == nil && m.stats.AccessUnitsIn > 0 {
			err = tsterr.New(tsterr.MP4NothingUsable,
				"nothing that can be played came in %d access units: no parameter sets, or no picture", m.stats.AccessUnitsIn)
		}
		return err
	}
	// After a write error the fragments before it are still made into a
	// plain file where that needs no more room; else they stay fragments.
	if e := m.finalize(); err == nil {
		err = e
	}
	if e := m.out.close(); err == nil {
		err = e
	}
	m.buf, m.frag = nil, nil
	return err
}

// finalize chooses between the two ways to a plain file.
func (m *Muxer) finalize() error {
	if !m.out.regular {
		return nil // a pipe keeps its fragments
	}
	moov := encodeBox(m.movie(&m.table, 0))
	fits := len(moov)+maxMdatHeader <= moovReserve
	if m.out.pos < moovReserve+compactBelow || !fits {
		err := m.out.rewrite(m)
		if err == nil || !fits {
			return err
		}
	}
	return m.out.flip(moov)
}

// mulDiv is a*b/c, rounded to nearest.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	lo, carry := bits.Add64(lo, c/2, 0)
	hi += carry
	if hi >= c {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// isRegular tells whether f can be written at any place.
func isRegular(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode().IsRegular()
}
