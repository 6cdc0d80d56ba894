package hls

import (
	"sync"
	"sync/atomic"
	"time"
)

// Part is a partial segment: a run of bytes of its segment.
type Part struct {
	Index       int
	Duration    time.Duration
	Offset      int64 // in the segment, bytes
	Bytes       int64
	Independent bool // begins with a key frame
	Name        string
}

// Segment is one entry of the playlist. It does not change once it is listed.
type Segment struct {
	Sequence uint64
	Name     string
	// Duration is what EXTINF says.
	Duration time.Duration
	// Start is the sum of the durations of all segments before it, also of
	// those that left the list: the time on the presentation's own clock.
	Start time.Duration
	// PTS is the first picture's, in 90 kHz ticks modulo 2^33, where HasPTS.
	PTS    int64
	HasPTS bool
	// Date is the time of the first picture; zero where nobody knows it.
	Date time.Time
	// Discontinuity says that times or tracks do not continue the segment before.
	Discontinuity bool
	// Independent says that it begins with a key frame, as far as that is known.
	Independent bool
	Bytes       int64
	Parts       []Part

	init    *initSection
	blob    blob
	longest time.Duration // of the lists that held it
	leaves  time.Time     // when it need not be there any more
}

// initSection is what EXT-X-MAP names.
type initSection struct {
	name  string
	bytes int64
	blob  blob
}

// State is the presentation at one moment; nothing in it changes.
type State struct {
	// MediaSequence is the number of the first listed segment.
	MediaSequence uint64
	// Target is the target duration.
	Target time.Duration
	// PartTarget is the longest part, 0 without parts.
	PartTarget time.Duration
	// Segments are those listed, oldest first.
	Segments []*Segment
	// Open is the segment being written, nil where there is none. Only its
	// parts are final.
	Open *Segment
	// Ended says that nothing more comes.
	Ended bool
	// Ranges are the date ranges of the list.
	Ranges []DateRange

	mode      Mode
	container Container
	endLive   bool
	kept      []*Segment // all that can be fetched, by number, without gaps
	inits     []*initSection
	dropped   uint64 // discontinuities that left the list
	made      time.Time
	removed   []removedRange // date ranges that left the list lately

	once    sync.Once
	text    []byte
	gzOnce  sync.Once
	gz      []byte
	deltas  [2]delta      // of versions 1 and 2
	changed chan struct{} // closed when the next state is there
}

// Duration is the sum of what is listed.
func (s *State) Duration() (d time.Duration) {
	for _, x := range s.Segments {
		d += x.Duration
	}
	return d
}

// Next is the number of the segment that is open or opens next.
func (s *State) Next() uint64 { return s.MediaSequence + uint64(len(s.Segments)) }

// Changed is closed as soon as there is a newer state.
func (s *State) Changed() <-chan struct{} { return s.changed }

// At finds the listed segment that holds a time of the presentation's clock.
func (s *State) At(t time.Duration) *Segment {
	lo, hi := 0, len(s.Segments)
	for lo < hi {
		mid := (lo + hi) / 2
		if s.Segments[mid].Start <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 || t >= s.Segments[lo-1].Start+s.Segments[lo-1].Duration && lo == len(s.Segments) {
		return nil
	}
	return s.Segments[lo-1]
}

// segment finds what can be fetched by its number.
func (s *State) segment(seq uint64) *Segment {
	if len(s.kept) == 0 || seq < s.kept[0].Sequence || seq-s.kept[0].Sequence >= uint64(len(s.kept)) {
		return nil
	}
	return s.kept[seq-s.kept[0].Sequence]
}

// Stream holds the presentation: a Publisher writes it, anybody reads it.
type Stream struct {
	cfg   *Config
	store store

	mu    sync.Mutex // guards writing
	state atomic.Pointer[State]
	open  *Segment
	media time.Duration // sum of all segments that ended
}

func newStream(cfg *Config, st store) *Stream {
	s := &Stream{cfg: cfg, store: st}
	s.state.Store(&State{
		Target: cfg.target(), PartTarget: cfg.PartDuration, mode: cfg.Mode, container: cfg.Container,
		endLive: cfg.EndLive, made: cfg.Now(), changed: make(chan struct{}),
	})
	return s
}

// State is the presentation now.
func (s *Stream) State() *State { return s.state.Load() }

// publish replaces the state by a changed copy. The caller holds mu.
func (s *Stream) publish(change func(*State)) *State {
	old := s.state.Load()
	n := &State{
		MediaSequence: old.MediaSequence, Target: old.Target, PartTarget: old.PartTarget, Segments: old.Segments,
		Open: old.Open, Ended: old.Ended, Ranges: old.Ranges, mode: old.mode, container: old.container,
		endLive: old.endLive, kept: old.kept, inits: old.inits, dropped: old.dropped,
		made: s.cfg.Now(), removed: old.removed, changed: make(chan struct{}),
	}
	change(n)
	s.state.Store(n)
	close(old.changed)
	return n
}

// begin opens a segment. meta holds what is known of its first picture.
func (s *Stream) begin(meta Segment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state.Load()
	seg := meta
	seg.Sequence = st.Next()
	seg.Name = segmentName(seg.Sequence, s.cfg.Container)
	seg.Start = s.media
	b, err := s.store.create(seg.Name)
	if err != nil {
		return err
	}
	seg.blob = b
	s.open = &seg
	return nil
}

// write appends to the open segment.
func (s *Stream) write(b []byte) error {
	if err := s.open.blob.write(b); err != nil {
		return err
	}
	s.open.Bytes += int64(len(b))
	return nil
}

// flush lets readers see all of the open segment. It comes before a piece of it is listed; where it
// fails nothing has changed.
func (s *Stream) flush() error {
	if s.open == nil {
		return nil
	}
	return s.open.blob.flush()
}

// part ends a part of the open segment: all that was written since the last.
func (s *Stream) part(d time.Duration, independent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addPart(d, independent)
	open := *s.open
	open.Parts = open.Parts[:len(open.Parts):len(open.Parts)]
	s.publish(func(n *State) { n.Open = &open })
}

func (s *Stream) addPart(d time.Duration, independent bool) {
	o := s.open
	var from int64
	if k := len(o.Parts); k > 0 {
		from = o.Parts[k-1].Offset + o.Parts[k-1].Bytes
	}
	o.Parts = append(o.Parts, Part{
		Index: len(o.Parts), Duration: d, Offset: from, Bytes: o.Bytes - from, Independent: independent,
		Name: partName(o.Sequence, len(o.Parts), s.cfg.Container),
	})
}

// end lists the open segment and drops what the list no longer needs. The
// segment is listed also where its file or the playlist's could not be
// finished: what was acknowledged is there.
func (s *Stream) end(d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg := s.open
	s.open = nil
	seg.Duration = d
	s.media += d
	err := seg.blob.seal()
	now := s.cfg.Now()
	n := s.publish(func(n *State) {
		n.Open = nil
		n.Segments = append(n.Segments, seg)
		n.kept = append(n.kept, seg)
		if n.mode == Live {
			s.slide(n, now)
		}
		n.expireRanges()
	})
	if e := s.store.playlist(n.Playlist()); err == nil {
		err = e
	}
	return err
}

// slide drops the oldest entries while the rest has Window entries and three
// target durations (RFC 8216 §6.2.2), and removes those whose time is up.
func (s *Stream) slide(n *State, now time.Time) {
	total := n.Duration()
	for len(n.Segments) > s.cfg.Window {
		first := n.Segments[0]
		if total-first.Duration < windowDurations*n.Target {
			break
		}
		total -= first.Duration
		first.leaves = now.Add(first.Duration + first.longest)
		if first.Discontinuity {
			n.dropped++
		}
		n.Segments = n.Segments[1:]
		n.MediaSequence++
	}
	for _, x := range n.Segments {
		x.longest = max(x.longest, total)
	}
	for len(n.kept) > len(n.Segments) && !n.kept[0].leaves.After(now) {
		n.kept[0].blob.remove()
		n.kept = n.kept[1:]
	}
	if len(n.inits) > 1 {
		n.inits = livingInits(n, s.open)
	}
}

// finish says that nothing more comes.
func (s *Stream) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.publish(func(n *State) { n.Ended, n.Open = true, nil })
	return s.store.playlist(n.Playlist())
}

// addInit stores an initialization section that segments from now on need.
func (s *Stream) addInit(name string, b []byte) (*initSection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, err := s.store.create(name)
	if err != nil {
		return nil, err
	}
	if err := x.write(b); err != nil {
		x.remove()
		return nil, err
	}
	if err := x.seal(); err != nil {
		return nil, err
	}
	i := &initSection{name: name, bytes: int64(len(b)), blob: x}
	s.publish(func(n *State) { n.inits = append(n.inits[:len(n.inits):len(n.inits)], i) })
	return i, nil
}

// livingInits drops initialization sections that nothing fetchable needs.
func livingInits(n *State, open *Segment) []*initSection {
	var out []*initSection
	for k, i := range n.inits {
		used := k == len(n.inits)-1 || open != nil && open.init == i
		for _, x := range n.kept {
			used = used || x.init == i
		}
		if used {
			out = append(out, i)
		} else {
			i.blob.remove()
		}
	}
	return out
}

// close gives memory back; files stay.
func (s *Stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		_ = s.open.blob.seal()
	}
}
