package timeline

import (
	"bytes"
	"sort"
	"sync"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// TrackConfig configures a Track. The zero value works.
type TrackConfig struct {
	// MaxBytes bounds the records kept; the oldest leave. It defaults to 64 MiB:
	// hours of one record a picture.
	MaxBytes int
}

// maxJump is the step of time stamps, in ticks, that begins a new span: another
// clock, not the next picture.
const maxJump = 10 * clock.TicksPerSecond

// maxRecord bounds one record of telemetry, in bytes; larger ones are counted and
// left out.
const maxRecord = 64 << 10

// entry is one record as it came.
type entry struct {
	span  int   // time stamps of one span follow one clock
	pts   int64 // 90 kHz, continued beyond 33 bits
	async bool  // it carried no time: that of the last picture
	raw   []byte
}

// TrackStats counts what a Track saw.
type TrackStats struct {
	Records int64 // taken
	Kept    int
	Bytes   int   // of those kept
	Dropped int64 // left because of MaxBytes
	Refused int64 // larger than 64 KiB
	Faults  int64 // of the transport stream
}

// Track keeps the UAS Datalink records (MISB ST 0601) of a transport stream by
// presentation time, so that the one that belongs to a picture is found. Any
// number of goroutines.
type Track struct {
	max int

	feed  sync.Mutex // one Push at a time
	dmx   *mpegts.Demuxer
	recs  [64]mpegts.Record
	arena []byte
	buf   []byte

	mu      sync.RWMutex // guards what follows
	entries []entry      // by span, then time
	span    int
	last    int64 // newest time seen in this span, continued
	lastPic int64 // of pictures
	seen    bool
	pics    bool
	stats   TrackStats
	closed  bool // guarded by feed and mu: written with both
}

// NewTrack makes a track.
func NewTrack(cfg TrackConfig) (*Track, error) {
	if cfg.MaxBytes < 0 {
		return nil, fault(tsterr.InvalidArg, "max_bytes", "max_bytes %d is below 0", cfg.MaxBytes)
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 20
	}
	d, err := mpegts.NewDemuxer(mpegts.DemuxerConfig{})
	if err != nil {
		return nil, err
	}
	return &Track{max: cfg.MaxBytes, dmx: d, arena: make([]byte, 256<<10)}, nil
}

// PushTS takes a piece of the stream. Its faults are counted, not returned.
func (t *Track) PushTS(b []byte) error {
	t.feed.Lock()
	defer t.feed.Unlock()
	if t.closed {
		return tsterr.New(tsterr.Closed, "the track is closed")
	}
	for len(b) > 0 {
		n := min(len(b), 1<<20) // below what a demuxer takes at once
		if err := t.dmx.Feed(b[:n]); err != nil {
			t.mu.Lock()
			t.stats.Faults++
			t.mu.Unlock()
		}
		b = b[n:]
		t.drain()
	}
	return nil
}

// Flush takes what a stream that ended left open.
func (t *Track) Flush() {
	t.feed.Lock()
	defer t.feed.Unlock()
	if !t.closed {
		t.dmx.Flush()
		t.drain()
	}
}

func (t *Track) drain() {
	for {
		n, _, chunk, need := t.dmx.Read(t.recs[:], t.arena)
		if n == 0 {
			if need <= len(t.arena) {
				return
			}
			t.arena = make([]byte, need)
			continue
		}
		for i := range t.recs[:n] {
			t.event(&t.recs[i], chunk)
		}
		if chunk != nil {
			chunk.Release()
		}
	}
}

// Picture notes the presentation time of a picture that came past the transport
// stream, in 90 kHz ticks.
func (t *Track) Picture(pts int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.lastPic, t.pics = t.place(pts), true
	}
}

// KLV takes a record that came past the transport stream, with its presentation
// time in 90 kHz ticks. A copy is kept. The same record of the same time is kept
// once: a program may push the stream as well.
func (t *Track) KLV(unit []byte, pts int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
	case len(unit) > maxRecord:
		t.stats.Refused++
	case len(unit) >= klv.ULSize && klv.IsUASDatalink(unit):
		e := entry{pts: t.place(pts)}
		e.span = t.span
		if !t.known(e, unit) {
			e.raw = append([]byte(nil), unit...)
			t.add(e)
		}
	}
}

// known tells whether the record is there.
func (t *Track) known(e entry, raw []byte) bool {
	for i := len(t.entries) - 1; i >= 0; i-- {
		x := &t.entries[i]
		if x.span != e.span || x.pts < e.pts {
			return false
		}
		if x.pts == e.pts && bytes.Equal(x.raw, raw) {
			return true
		}
	}
	return false
}

func (t *Track) event(r *mpegts.Record, chunk *mpegts.Chunk) {
	switch r.Type {
	case mpegts.EventVideo:
		if r.Flags&mpegts.FlagHasPTS != 0 {
			t.mu.Lock()
			t.lastPic, t.pics = t.place(r.PTS), true
			t.mu.Unlock()
		}
	case mpegts.EventKLV:
		var raw []byte
		switch {
		case r.PayloadLen > maxRecord:
		case r.Flags&mpegts.FlagLazy == 0:
			raw = t.arena[r.Payload : r.Payload+r.PayloadLen]
		default:
			if cap(t.buf) < int(r.PayloadLen) {
				t.buf = make([]byte, r.PayloadLen)
			}
			if k, err := chunk.Gather(t.buf[:r.PayloadLen], r.Payload); err == nil {
				raw = t.buf[:k]
			}
		}
		t.record(r, raw)
	default:
	}
}

func (t *Track) record(r *mpegts.Record, raw []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if raw == nil {
		t.stats.Refused++
		return
	}
	if len(raw) < klv.ULSize || !klv.IsUASDatalink(raw) {
		return // another set: not telemetry of the platform
	}
	e := entry{span: t.span}
	switch {
	case r.Flags&mpegts.FlagHasPTS != 0:
		e.pts = t.place(r.PTS)
		e.span = t.span
	case t.pics:
		e.pts, e.async = t.lastPic, true
	default:
		return // before the first picture it belongs to none
	}
	if !t.known(e, raw) {
		e.raw = append([]byte(nil), raw...)
		t.add(e)
	}
}

// place continues a time stamp beyond 33 bits, or begins a span.
func (t *Track) place(pts int64) int64 {
	if t.seen {
		d := clock.DiffPTS(t.last&(clock.PTSModulus-1), pts)
		if d >= -maxJump && d <= maxJump {
			at := t.last + d
			t.last = max(t.last, at)
			return at
		}
		t.span++
		t.pics = false
	}
	t.seen = true
	t.last = pts
	return pts
}

func (t *Track) add(e entry) {
	at := len(t.entries)
	for at > 0 && t.entries[at-1].span == e.span && t.entries[at-1].pts > e.pts {
		at--
	}
	t.entries = append(t.entries, entry{})
	copy(t.entries[at+1:], t.entries[at:])
	t.entries[at] = e
	t.stats.Records++
	t.stats.Bytes += len(e.raw)
	drop := 0
	for t.stats.Bytes > t.max && drop < len(t.entries) {
		t.stats.Bytes -= len(t.entries[drop].raw)
		t.entries[drop].raw = nil
		drop++
	}
	if drop > 0 {
		t.stats.Dropped += int64(drop)
		t.entries = t.entries[drop:]
	}
}

// Reading is one record of the track.
type Reading struct {
	PTS   int64 // 90 kHz ticks, modulo 2^33
	Async bool  // the record carried no time of its own: that of the picture before it
	Raw   []byte
}

// Range gives the records of a stretch of presentation time, oldest first: from is
// in 90 kHz ticks modulo 2^33, ticks its length. Where the stream's clock was set
// anew, the newest stretch that has the time counts. limit bounds the answer.
func (t *Track) Range(from, ticks int64, limit int) []Reading {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []Reading
	for hi := len(t.entries); hi > 0; {
		span := t.entries[hi-1].span
		lo := sort.Search(hi, func(i int) bool { return t.entries[i].span >= span })
		first := t.entries[lo].pts
		start := first + clock.DiffPTS(first&(clock.PTSModulus-1), from)
		i := lo + sort.Search(hi-lo, func(i int) bool { return t.entries[lo+i].pts >= start })
		for ; i < hi && t.entries[i].pts < start+ticks && len(out) < limit; i++ {
			out = append(out, reading(&t.entries[i]))
		}
		if len(out) > 0 {
			return out
		}
		hi = lo
	}
	return out
}

// Sample gives at most n records spread over all that are kept, the newest among
// them.
func (t *Track) Sample(n int) []Reading {
	t.mu.RLock()
	defer t.mu.RUnlock()
	total := len(t.entries)
	if n <= 0 || total == 0 {
		return nil
	}
	step := (total + n - 1) / n
	out := make([]Reading, 0, total/step+1)
	for i := (total - 1) % step; i < total; i += step {
		out = append(out, reading(&t.entries[i]))
	}
	return out
}

// Newest is the newest presentation time that was seen, of pictures and records, in
// 90 kHz ticks modulo 2^33: records up to it are there, later ones may yet come.
func (t *Track) Newest() (pts int64, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.last & (clock.PTSModulus - 1), t.seen
}

func reading(e *entry) Reading {
	return Reading{PTS: e.pts & (clock.PTSModulus - 1), Async: e.async, Raw: e.raw}
}

// Stats gives the counters.
func (t *Track) Stats() TrackStats {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.stats
	s.Kept = len(t.entries)
	return s
}

// Close gives the memory back.
func (t *Track) Close() error {
	t.feed.Lock()
	defer t.feed.Unlock()
	if t.closed {
		return nil
	}
	t.mu.Lock()
	t.closed = true
	t.entries, t.stats.Bytes = nil, 0
	t.mu.Unlock()
	return t.dmx.Close()
}
