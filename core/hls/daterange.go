package hls

import (
	"errors"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// MaxRanges bounds the date ranges of a playlist: every client loads all of
// them with every update that does not skip them.
const MaxRanges = 1000

// maxAttribute bounds one text of a date range in bytes.
const maxAttribute = 4096

// DateRange is a marker in the playlist (RFC 8216bis §4.4.5.1). Players show
// it on their timeline. It needs a Clock.
type DateRange struct {
	// ID is unique among all ranges of the presentation.
	ID string
	// Class groups ranges with the same meaning.
	Class string
	// Start is when it begins, on the clock of the segments' dates.
	Start time.Time
	// Duration is how long it lasts, where HasDuration; 0 is an instant.
	Duration    time.Duration
	HasDuration bool
	// Attributes are texts by name; a name begins with "X-".
	Attributes map[string]string

	listed time.Time // when it came, or changed last
}

// removedRange is a range that left the list.
type removedRange struct {
	id string
	at time.Time
}

func (r *DateRange) validate() error {
	bad := func(field, format string, args ...any) error {
		return tsterr.At(tsterr.HLSInvalidConfig, field, tsterr.NoOffset, format, args...)
	}
	quoted := func(field, v string) error {
		if len(v) > maxAttribute {
			return bad(field, "%s of %d bytes, at most %d", field, len(v), maxAttribute)
		}
		if strings.ContainsAny(v, "\"\r\n") || strings.ToValidUTF8(v, "") != v {
			return bad(field, "%s cannot hold line ends or quotes", field)
		}
		for _, c := range v {
			if c < 0x20 || c >= 0x7F && c < 0xA0 {
				return bad(field, "%s cannot hold control characters", field)
			}
		}
		return nil
	}
	if r.ID == "" {
		return bad("id", "a date range needs an id")
	}
	if r.Start.IsZero() {
		return bad("start", "a date range needs a start")
	}
	if r.HasDuration && r.Duration < 0 {
		return bad("duration", "duration %v is below 0", r.Duration)
	}
	if err := quoted("id", r.ID); err != nil {
		return err
	}
	if err := quoted("class", r.Class); err != nil {
		return err
	}
	for k, v := range r.Attributes {
		if !strings.HasPrefix(k, "X-") || strings.Trim(k, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" || len(k) > 256 {
			return bad("attributes", "attribute name %q is not X- and capital letters, digits or hyphens", k)
		}
		if err := quoted(k, v); err != nil {
			return err
		}
	}
	return nil
}

// AddDateRange lists a range from the next playlist on. A range of the same ID
// takes attributes and a duration that it did not have; what it has cannot
// change. The oldest ranges leave with the segments they cover.
func (s *Stream) AddDateRange(r DateRange) error { return s.AddDateRanges([]DateRange{r}) }

// AddDateRanges lists several with one change of the playlist. The first that
// cannot be listed is reported; those before it are listed.
func (s *Stream) AddDateRanges(ranges []DateRange) error {
	if s.cfg.Clock == NoClock {
		return configError("clock", "date ranges need a clock: segments have no dates")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := append([]DateRange(nil), s.state.Load().Ranges...)
	now := s.cfg.Now()
	for i := range ranges {
		next, err := withRange(list, &ranges[i], now)
		if err != nil {
			if i == 0 {
				return err
			}
			return errors.Join(err, s.relist(list))
		}
		list = next
	}
	return s.relist(list)
}

// withRange adds one to a list, or completes the one of the same ID.
func withRange(list []DateRange, r *DateRange, now time.Time) ([]DateRange, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == r.ID {
			m, err := merge(list[i], *r)
			if err != nil {
				return nil, err
			}
			m.listed = now
			list[i] = m
			return list, nil
		}
	}
	if len(list) >= MaxRanges {
		return nil, fail(tsterr.HLSInvalidConfig, "%d date ranges are listed already", len(list))
	}
	add := *r
	add.Attributes, add.listed = clone(r.Attributes), now
	return append(list, add), nil
}

func (s *Stream) relist(list []DateRange) error {
	n := s.publish(func(n *State) { n.Ranges = list })
	return s.store.playlist(n.Playlist())
}

func clone(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// merge adds what b has and a has not.
func merge(a, b DateRange) (DateRange, error) {
	conflict := func(field string) (DateRange, error) {
		return a, tsterr.At(tsterr.HLSInvalidConfig, field, tsterr.NoOffset, "date range %q has another %s already", a.ID, field)
	}
	if b.Class != "" && a.Class != "" && a.Class != b.Class {
		return conflict("class")
	}
	if !a.Start.Equal(b.Start) {
		return conflict("start")
	}
	if a.HasDuration && b.HasDuration && a.Duration != b.Duration {
		return conflict("duration")
	}
	if b.HasDuration {
		a.Duration, a.HasDuration = b.Duration, true
	}
	if a.Class == "" {
		a.Class = b.Class
	}
	m := clone(a.Attributes)
	for k, v := range b.Attributes {
		if old, ok := m[k]; ok && old != v {
			return conflict(k)
		}
		m[k] = v
	}
	a.Attributes = m
	return a, nil
}

// expireRanges drops those that end before the first listed segment, and
// remembers them for as long as a client may come for an update without them.
func (n *State) expireRanges() {
	var removed []removedRange
	for _, r := range n.removed {
		if n.made.Sub(r.at) <= skipDurations*n.Target {
			removed = append(removed, r)
		}
	}
	n.removed = removed
	var first time.Time
	for _, x := range n.Segments {
		if !x.Date.IsZero() {
			first = x.Date
			break
		}
	}
	if first.IsZero() || len(n.Ranges) == 0 {
		return
	}
	var out []DateRange
	for _, r := range n.Ranges {
		end := r.Start.Add(r.Duration)
		if end.After(first) || r.Duration == 0 && end.Equal(first) {
			out = append(out, r)
		} else {
			n.removed = append(n.removed, removedRange{r.ID, n.made})
		}
	}
	n.Ranges = out
}

// oldRange tells whether a client that may skip has the range already.
func (s *State) oldRange(r *DateRange) bool {
	return s.made.Sub(r.listed) > skipDurations*s.Target
}

// appendRanges writes the tags, where recent only those that are new within the
// skip boundary. They mean nothing in a list without a date.
func (s *State) appendRanges(b []byte, recent bool) []byte {
	dated := s.Open != nil && !s.Open.Date.IsZero()
	for _, x := range s.Segments {
		dated = dated || !x.Date.IsZero()
	}
	if !dated {
		return b
	}
	for i := range s.Ranges {
		r := &s.Ranges[i]
		if recent && s.oldRange(r) {
			continue
		}
		b = append(b, `#EXT-X-DATERANGE:ID="`...)
		b = append(b, r.ID...)
		b = append(b, '"')
		if r.Class != "" {
			b = append(b, `,CLASS="`...)
			b = append(b, r.Class...)
			b = append(b, '"')
		}
		b = append(b, `,START-DATE="`...)
		b = appendDate(b, r.Start)
		b = append(b, '"')
		if r.HasDuration {
			b = append(b, ",DURATION="...)
			b = strconv.AppendFloat(b, r.Duration.Seconds(), 'f', -1, 64)
		}
		names := make([]string, 0, len(r.Attributes))
		for k := range r.Attributes {
			names = append(names, k)
		}
		sort.Strings(names)
		for _, k := range names {
			b = append(b, ',')
			b = append(b, k...)
			b = append(b, `="`...)
			b = append(b, r.Attributes[k]...)
			b = append(b, '"')
		}
		b = append(b, '\n')
	}
	return b
}
