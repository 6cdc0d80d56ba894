package page

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tstrans/tstrans/core/hls"
	"github.com/tstrans/tstrans/core/timeline"
)

// Markers of an attached timeline stand in the playlist as date ranges (RFC
// 8216bis §4.4.5.1), for players that know nothing of the page.

const (
	// markerClass is the CLASS of a marker's range.
	markerClass = "tstrans.marker"
	// maxRangeText bounds a marker's text in the playlist, in bytes before
	// escapes: every client loads all of them again and again.
	maxRangeText = 512
	// maxRangeData bounds its data likewise, with escapes; larger data is left out.
	maxRangeData = 1024
	// maxWaiting bounds the markers whose time has not come; later ones beyond it
	// are not listed.
	maxWaiting = 10_000
	// markerPage is how many markers are read at once.
	markerPage = 1000
)

// mark keeps the date ranges of a stream in step with the site's markers until
// stop is closed, the stream ends or the store is closed.
func (s *Site) mark(stream *hls.Stream, stop <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	news := make(chan timeline.State)
	defer func() {
		cancel()
		for range news { //nolint:revive // until the goroutine below has ended
		}
	}()
	go func() {
		select {
		case <-stop: // a query that is under way ends, too
			cancel()
		case <-ctx.Done():
		}
	}()
	go func() {
		defer close(news)
		var seen timeline.State
		for {
			now, err := s.cfg.Markers.Wait(ctx, seen)
			if err != nil {
				return // closed, or not wanted any more
			}
			seen = now
			select {
			case news <- now:
			case <-ctx.Done():
				return
			}
		}
	}()
	m := marking{store: s.cfg.Markers, stream: stream}
	for {
		st := stream.State()
		m.list(st)
		if st.Ended {
			return
		}
		select {
		case now, ok := <-news:
			if !ok {
				return
			}
			m.wanted = now
			m.read(ctx, st)
		case <-m.changed(st):
			m.read(ctx, stream.State())
		case <-stop:
			return
		}
	}
}

// marking is the state of one mark.
type marking struct {
	store   *timeline.Store
	stream  *hls.Stream
	wanted  timeline.State    // what there is to read
	epoch   int64             // that waiting belongs to
	last    int64             // newest marker that was read
	waiting []timeline.Marker // whose pictures are not listed yet
}

// changed tells of a new playlist where a marker waits for one, or could not be
// read the last time.
func (m *marking) changed(st *hls.State) <-chan struct{} {
	if len(m.waiting) == 0 && m.last >= m.wanted.Last {
		return nil
	}
	return st.Changed()
}

// read takes the markers that are new. Where the database fails it is asked again
// at the next change of the playlist: last tells how far it came.
func (m *marking) read(ctx context.Context, st *hls.State) {
	if m.wanted.Epoch != m.epoch {
		m.epoch, m.waiting = m.wanted.Epoch, nil
	}
	q := timeline.Query{Epoch: m.epoch, ByID: true, Limit: markerPage}
	if len(st.Segments) > 0 {
		from := st.Segments[0].Start.Seconds() // what left the list has no place in it
		q.From = &from
	}
	for m.last < m.wanted.Last {
		q.AfterID = m.last
		got, err := m.store.Markers(ctx, q)
		if err != nil {
			return
		}
		for i := range got {
			m.last = got[i].ID
			if len(m.waiting) < maxWaiting {
				m.waiting = append(m.waiting, got[i])
			}
		}
		if len(got) < markerPage {
			m.last = m.wanted.Last
		}
	}
}

// list puts into the playlist what has its place by now.
func (m *marking) list(st *hls.State) {
	if len(m.waiting) == 0 {
		return
	}
	room := hls.MaxRanges - len(st.Ranges)
	var ready []hls.DateRange
	rest := m.waiting[:0]
	for i := range m.waiting {
		at, where := dateOf(st, m.waiting[i].Time)
		switch {
		case where == listed && len(ready) < room:
			ready = append(ready, dateRange(&m.waiting[i], at))
		case where != gone:
			rest = append(rest, m.waiting[i])
		}
	}
	m.waiting = rest
	for len(ready) > 0 {
		// A program may have listed a range of the same ID itself; its own counts.
		if err := m.stream.AddDateRanges(ready); err == nil {
			return
		}
		ready = ready[1:]
	}
}

// place is where a time lies from what is listed.
type place uint8

const (
	ahead  place = iota // not listed yet
	listed              // and its date is known
	gone                // before all of it
)

// dateOf dates a time of the stream's clock as players do: from the nearest
// segment before it that has a date, else from the first one after it.
func dateOf(st *hls.State, at float64) (time.Time, place) {
	end, ok := edge(st)
	switch {
	case !ok || at >= end && !(st.Ended && at == end):
		return time.Time{}, ahead
	case len(st.Segments) > 0 && at < st.Segments[0].Start.Seconds() || at < 0:
		return time.Time{}, gone
	}
	var near *hls.Segment
	for _, x := range st.Segments {
		if x.Date.IsZero() {
			continue
		}
		if near != nil && x.Start.Seconds() > at {
			break
		}
		near = x
	}
	if x := st.Open; x != nil && !x.Date.IsZero() && (near == nil || x.Start.Seconds() <= at) {
		near = x
	}
	if near == nil {
		return time.Time{}, ahead
	}
	off := time.Duration(math.Round((at - near.Start.Seconds()) * float64(time.Second)))
	return near.Date.Add(off), listed
}

// dateRange describes a marker. It is an instant, or as long as the number
// "duration" of its data says, in seconds.
func dateRange(m *timeline.Marker, at time.Time) hls.DateRange {
	r := hls.DateRange{
		ID: "marker-" + strconv.FormatInt(m.ID, 10), Class: markerClass, Start: at, HasDuration: true,
		Attributes: map[string]string{
			"X-TSTRANS-TEXT": escape(shorten(m.Text, maxRangeText)),
			"X-TSTRANS-TIME": strconv.FormatFloat(m.Time, 'f', -1, 64),
		},
	}
	if len(m.Data) == 0 {
		return r
	}
	if data := escape(string(m.Data)); len(data) <= maxRangeData {
		r.Attributes["X-TSTRANS-DATA"] = data
	}
	var in struct {
		Duration *float64 `json:"duration"`
	}
	if json.Unmarshal(m.Data, &in) == nil && in.Duration != nil && *in.Duration > 0 && *in.Duration <= timeline.MaxTime {
		r.Duration = time.Duration(*in.Duration * float64(time.Second))
	}
	return r
}

// shorten cuts a text behind a whole character.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const more = "…"
	at := most - len(more)
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + more
}

// escape writes what a quoted string cannot hold (RFC 8216bis §4.2: quotes and line
// ends, §4.1: control characters) as %XX of its UTF-8 bytes, and the percent sign
// itself: decodeURIComponent gives the text back.
func escape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, r := range s {
		if r >= 0x20 && r != '"' && r != '%' && (r < 0x7F || r >= 0xA0) {
			b.WriteRune(r)
			continue
		}
		for _, x := range []byte(string(r)) {
			b.WriteByte('%')
			b.WriteByte(digits[x>>4])
			b.WriteByte(digits[x&15])
		}
	}
	return b.String()
}
