package page

import (
	"time"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/hls"
)

// maxDrift is how far a segment may lie from where the last anchor puts it, in
// seconds, before it gets one of its own: durations in a playlist are rounded.
const maxDrift = 0.002

// Anchors ties the time stamps of a publisher's segments to its clock.
func Anchors(st *hls.State) []Anchor {
	var out []Anchor
	at := func(s *hls.Segment) {
		if s == nil || !s.HasPTS {
			return
		}
		a := Anchor{Sequence: s.Sequence, PTS: s.PTS & (clock.PTSModulus - 1), Start: s.Start.Seconds()}
		if n := len(out); n > 0 {
			last := out[n-1]
			want := last.Start + float64(clock.DiffPTS(last.PTS, a.PTS))/clock.TicksPerSecond
			if d := want - a.Start; d > -maxDrift && d < maxDrift && !s.Discontinuity {
				return
			}
		}
		out = append(out, a)
	}
	for _, s := range st.Segments {
		at(s)
	}
	at(st.Open)
	return out
}

// edge is the end of the media that the publisher has, on its clock.
func edge(st *hls.State) (float64, bool) {
	var end time.Duration
	ok := false
	if n := len(st.Segments); n > 0 {
		s := st.Segments[n-1]
		end, ok = s.Start+s.Duration, true
	}
	if s := st.Open; s != nil && len(s.Parts) > 0 {
		end, ok = s.Start, true
		for i := range s.Parts {
			end += s.Parts[i].Duration
		}
	}
	return end.Seconds(), ok
}

// Edge is the newest stream time of an attached publisher, in seconds.
func (s *Site) Edge() (float64, bool) { return s.now() }

// Attach serves the site beside a publisher's presentation: "/" is the page, and
// its clocks are the publisher's. Where its segments have dates (Config.Clock), the
// markers of the current epoch stand in its playlist as date ranges. KLV that a
// MuxPublisher publishes there becomes the site's telemetry.
func (s *Site) Attach(p *hls.Publisher) error {
	stream := p.Stream()
	s.Tie(func() []Anchor { return Anchors(stream.State()) })
	s.mu.Lock()
	s.edge = func() (float64, bool) { return edge(stream.State()) }
	s.mu.Unlock()
	if err := p.Handle("/", s); err != nil {
		return err
	}
	if s.cfg.Telemetry != nil {
		p.Watch(s.cfg.Telemetry)
	}
	if srv := p.Server(); srv != nil && s.cfg.Markers != nil && p.Dated() {
		srv.Run(func(stop <-chan struct{}) { s.mark(stream, stop) })
	}
	return nil
}
