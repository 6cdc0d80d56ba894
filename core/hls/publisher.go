package hls

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Publisher cuts transport packets into segments. Any thread may call it.
type Publisher struct {
	cfg    Config
	stream *Stream

	mu       sync.Mutex
	server   *Server // nil without one
	finished bool
	driven   bool // an explicit cut was made: key frames lead
	openedAt time.Time
	ingest   *ingest     // of packets that are cut at key frames
	repack   *repackager // of packets that become fragmented MP4
	dates    dater
	watchers []Watcher

	flusher *time.Timer
	late    bool // flusher is running

	pace *mpegts.Pacer // of a recording; only the one who plays it touches it

	segments uint64
	bytes    uint64
	forced   uint64
	skipped  uint64 // bytes before the first key frame
	last     time.Duration
	hasLast  bool
}

// Watcher is told what a MuxPublisher sends to a publisher, with presentation times in 90 kHz
// ticks. It must not call the publisher back, and not keep the unit.
type Watcher interface {
	Picture(pts int64)
	KLV(unit []byte, pts int64)
}

// Stats are the counters of a Publisher.
type Stats struct {
	Segments   uint64 // with the open one
	Bytes      uint64 // accepted
	ForcedCuts uint64 // cuts because no key frame came in time
	Skipped    uint64 // bytes dropped before the first key frame, where KeyFrameCuts
	OpenBytes  int64  // of the open segment
	Open       bool
	OpenAge    time.Duration // where Open
	Last       time.Duration // duration of the newest ended segment, where HasLast
	HasLast    bool

	Clients  uint64 // connections taken
	Refused  uint64 // connections above MaxClients
	Requests uint64
	Sent     uint64 // bytes of segments and playlists
}

// Open makes the folder, binds the server and starts serving.
func Open(cfg Config) (*Publisher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	var st store = &memStore{}
	if !cfg.Memory {
		d, err := openDir(cfg.Dir, cfg.Container)
		if err != nil {
			return nil, err
		}
		st = d
	}
	p := &Publisher{cfg: cfg}
	p.dates = dater{clock: cfg.Clock}
	p.stream = newStream(&p.cfg, st)
	if cfg.NoServer {
		return p, nil
	}
	var err error
	if p.server, err = serve(&p.cfg, p.stream); err != nil {
		return nil, err
	}
	return p, nil
}

func errFinished(again bool) error {
	if again {
		return fail(tsterr.HLSFinished, "HlsPublisher already finished")
	}
	return fail(tsterr.HLSFinished, "HlsPublisher finished")
}

// Stream is what the publisher writes to; it can be read at any time.
func (p *Publisher) Stream() *Stream { return p.stream }

// Watch tells w of every picture and KLV unit that a MuxPublisher sends here from
// now on.
func (p *Publisher) Watch(w Watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers = append(p.watchers, w)
}

// Dated says that segments have dates, as date ranges need them.
func (p *Publisher) Dated() bool { return p.cfg.Clock != NoClock }

// Server is the publisher's server, nil without one.
func (p *Publisher) Server() *Server {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.server
}

// Handle serves h beside the presentation, under a pattern of http.ServeMux.
// See Server.Handle.
func (p *Publisher) Handle(pattern string, h http.Handler) error {
	srv := p.Server()
	if srv == nil {
		return configError("addr", "there is no server to serve %s", pattern)
	}
	return srv.Handle(pattern, h)
}

// enter takes the lock of a publisher that is not finished.
func (p *Publisher) enter() error {
	p.mu.Lock()
	if p.finished {
		p.mu.Unlock()
		return errFinished(false)
	}
	return nil
}

// PushTS appends whole transport packets. What fails was not taken: the same
// packets may be pushed again. With Config.KeyFrameCuts, and where segments are
// fragmented MP4, packets are kept that a full disk did not take.
func (p *Publisher) PushTS(b []byte) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.mu.Unlock()
	if len(b)%mpegts.PacketSize != 0 {
		return fail(tsterr.HLSUnalignedPushTS, "payload must be a multiple of %d bytes; got %d", mpegts.PacketSize, len(b))
	}
	if len(b) == 0 {
		return nil
	}
	if p.cfg.Container == FMP4 {
		if p.repack == nil {
			r, err := newRepackager(p)
			if err != nil {
				return err
			}
			p.repack = r
		}
		return p.repack.push(b)
	}
	if p.cfg.KeyFrameCuts {
		if p.ingest == nil {
			p.ingest = newIngest(p)
		}
		return p.ingest.push(b)
	}
	if err := p.age(); err != nil {
		return err
	}
	return p.append(b, Segment{})
}

// PlayTS is PushTS for a recording: packets are taken when its clock references say
// that they are due, until then nothing but waiting is done. It ends at the time
// given, or once all are taken, and tells how many bytes were. One goroutine at a
// time.
func (p *Publisher) PlayTS(b []byte, until time.Time) (taken int, err error) {
	if len(b)%mpegts.PacketSize != 0 {
		return 0, p.PushTS(b)
	}
	if p.pace == nil {
		p.pace = mpegts.NewPacer()
	}
	for {
		now := time.Now()
		n, wait := p.pace.Next(b[taken:], now)
		if err := p.PushTS(b[taken : taken+n]); err != nil {
			return taken, err
		}
		if taken += n; taken == len(b) {
			return taken, nil
		}
		if now.Add(wait).After(until) {
			time.Sleep(time.Until(until))
			return taken, nil
		}
		time.Sleep(wait)
	}
}

// overdue tells whether the open segment is to be cut by the wall clock, and
// whether that counts as forced.
func (p *Publisher) overdue() (due, forced bool) {
	if p.stream.open == nil {
		return false, false
	}
	age := p.cfg.Now().Sub(p.openedAt)
	if p.driven {
		return age >= p.cfg.maxAge(), true
	}
	return age >= p.cfg.SegmentDuration, false
}

// age cuts the open segment by the wall clock where that is due.
func (p *Publisher) age() error {
	due, forced := p.overdue()
	if !due {
		return nil
	}
	if forced {
		p.forced++
	}
	return p.cut(0)
}

// append writes to the open segment, or to a new one that meta describes.
func (p *Publisher) append(b []byte, meta Segment) error {
	if p.stream.open == nil {
		if err := p.stream.begin(meta); err != nil {
			return err
		}
		p.openedAt = p.cfg.Now()
		p.segments++
	}
	if err := p.stream.write(b); err != nil {
		return err
	}
	p.bytes += uint64(len(b))
	if !p.late && p.stream.open.blob.holds() {
		p.late = true
		if p.flusher == nil {
			p.flusher = time.AfterFunc(flushAfter, p.flushLate)
		} else {
			p.flusher.Reset(flushAfter)
		}
	}
	return nil
}

// flushAfter is how long small pushes are gathered before they are in the file.
const flushAfter = 100 * time.Millisecond

// flushLate brings to the file what the last pushes gathered, whether or not others follow.
func (p *Publisher) flushLate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = false
	_ = p.stream.flush() // where it fails the next push, cut or Finish tells
}

// cut ends the open segment, if any; d 0 means by the wall clock.
func (p *Publisher) cut(d time.Duration) error {
	if p.stream.open == nil {
		return nil
	}
	if d <= 0 {
		d = max(0, p.cfg.Now().Sub(p.openedAt))
	}
	p.last, p.hasLast = d, true
	if err := p.stream.flush(); err != nil {
		return err
	}
	return p.stream.end(d)
}

// CutSegment ends the open segment with the duration it took by the wall
// clock. Without one it does nothing. Later cuts by age count as forced.
func (p *Publisher) CutSegment() error { return p.CutSegmentWithDuration(0) }

// CutSegmentWithDuration ends the open segment with the duration of its media;
// 0 stands for the wall clock.
func (p *Publisher) CutSegmentWithDuration(d time.Duration) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.mu.Unlock()
	p.driven = true
	if d <= 0 {
		switch {
		case p.ingest != nil:
			return p.ingest.cutNow()
		case p.repack != nil && p.repack.m != nil:
			return p.repack.m.cutNow()
		}
	}
	return p.cut(min(d, maxDuration))
}

// Stats returns the counters.
func (p *Publisher) Stats() (Stats, error) {
	if err := p.enter(); err != nil {
		return Stats{}, err
	}
	defer p.mu.Unlock()
	s := Stats{
		Segments: p.segments, Bytes: p.bytes, ForcedCuts: p.forced, Skipped: p.skipped, Last: p.last, HasLast: p.hasLast,
	}
	if o := p.stream.open; o != nil {
		s.Open, s.OpenBytes, s.OpenAge = true, o.Bytes, max(0, p.cfg.Now().Sub(p.openedAt))
	}
	if p.server != nil {
		p.server.count(&s)
	}
	return s, nil
}

// Addr is the "ip:port" of the server, empty without one.
func (p *Publisher) Addr() (string, error) {
	if err := p.enter(); err != nil {
		return "", err
	}
	defer p.mu.Unlock()
	if p.server == nil {
		return "", nil
	}
	return p.server.Addr()
}

// Playlist is the text of the playlist now; ending adds the end tag that an
// event or VOD playlist gets at Finish.
func (p *Publisher) Playlist(ending bool) (string, error) {
	if err := p.enter(); err != nil {
		return "", err
	}
	defer p.mu.Unlock()
	if ending {
		return string(p.stream.State().Ending()), nil
	}
	return string(p.stream.State().Playlist()), nil
}

// AddDateRange lists a marker. See Stream.AddDateRange.
func (p *Publisher) AddDateRange(r DateRange) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.mu.Unlock()
	return p.stream.AddDateRange(r)
}

// Finish ends the open segment, writes the final playlist and stops the
// server. It ends all of that also where it fails.
func (p *Publisher) Finish() error {
	srv, err := p.finish()
	if srv != nil {
		srv.Close()
	}
	return err
}

// FinishServing is Finish with the server left running.
func (p *Publisher) FinishServing() (*Server, error) { return p.finish() }

func (p *Publisher) finish() (*Server, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return nil, errFinished(true)
	}
	p.finished = true
	var err error
	switch {
	case p.ingest != nil:
		err = p.ingest.cutNow()
	case p.repack != nil:
		err = p.repack.finish()
	}
	// A publisher that took packets ends what they left open; by now that is
	// nothing but for plain packets.
	if e := p.cut(0); err == nil {
		err = e
	}
	if p.stream.open != nil {
		_ = p.stream.end(p.last) // with what there is of it
	}
	err = errors.Join(err, p.stream.finish())
	srv := p.server
	p.server = nil
	if err != nil {
		// The first fault tells most; a joined one has no kind of its own.
		var first *tsterr.Error
		if errors.As(err, &first) {
			err = first
		}
	}
	return srv, err
}

// Close stops the server and ends the publisher as Finish does, and never
// fails: it may be repeated.
func (p *Publisher) Close() error {
	_ = p.Finish()
	return nil
}

// Abort stops the server and leaves what is there as it is: no segment is
// ended, no playlist written.
func (p *Publisher) Abort() {
	p.mu.Lock()
	done := p.finished
	p.finished = true
	srv := p.server
	p.server = nil
	p.mu.Unlock()
	if !done {
		p.stream.close()
	}
	if srv != nil {
		srv.Close()
	}
}
