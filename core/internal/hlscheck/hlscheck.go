// Package hlscheck reads media playlists as strictly as
// draft-pantos-hls-rfc8216bis writes them, for tests of what is published. It
// shares no code with the publisher.
package hlscheck

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Part is an EXT-X-PART.
type Part struct {
	URI         string
	Duration    float64
	Independent bool
}

// Segment is a media segment.
type Segment struct {
	URI           string
	Duration      float64
	Sequence      uint64
	Discontinuity bool
	Map           string
	Date          time.Time
	Parts         []Part
}

// Range is an EXT-X-DATERANGE.
type Range struct {
	ID         string
	Attributes map[string]string
}

// Playlist is a media playlist.
type Playlist struct {
	Version       int
	Target        int
	Sequence      uint64
	Discontinuity uint64
	Type          string
	Ended         bool
	Skipped       int
	RangesSkipped bool     // those listed before the skip boundary, too
	Removed       []string // IDs of ranges that left
	Map           string
	PartTarget    float64
	Control       map[string]string
	Segments      []Segment
	Open          []Part // behind the last segment
	Hint          string
	Ranges        []Range
}

// Duration is the sum of the segments' durations.
func (p *Playlist) Duration() (d float64) {
	for _, s := range p.Segments {
		d += s.Duration
	}
	return d
}

var (
	attribute = regexp.MustCompile(`^([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)`)
	decimal   = regexp.MustCompile(`^\d+(\.\d+)?$`)
)

// checker gathers problems.
type checker struct {
	p        Playlist
	problems []string
	line     int
}

func (c *checker) bad(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("line %d: ", c.line)+fmt.Sprintf(format, args...))
}

func (c *checker) attributes(s string) map[string]string {
	out := map[string]string{}
	for s != "" {
		m := attribute.FindStringSubmatch(s)
		if m == nil {
			c.bad("attribute list %q (4.2)", s)
			return out
		}
		if _, twice := out[m[1]]; twice {
			c.bad("attribute %s twice (4.2)", m[1])
		}
		out[m[1]] = m[2]
		s = s[len(m[0]):]
		if m[3] == "," && s == "" {
			c.bad("attribute list ends with a comma (4.2)")
		}
	}
	return out
}

func (c *checker) quoted(a map[string]string, name string) string {
	v := a[name]
	if len(v) < 2 || v[0] != '"' {
		c.bad("%s is no quoted string: %q", name, v)
		return ""
	}
	return v[1 : len(v)-1]
}

func (c *checker) float(v string) float64 {
	if !decimal.MatchString(v) {
		c.bad("%q is no decimal number", v)
	}
	f, _ := strconv.ParseFloat(v, 64)
	return f
}

func (c *checker) number(v string) uint64 {
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		c.bad("%q is no decimal integer", v)
	}
	return n
}

// Check reads a playlist and lists what is wrong with it.
func Check(text string) (Playlist, []string) {
	c := &checker{}
	if !utf8.ValidString(text) || strings.HasPrefix(text, "\ufeff") {
		c.bad("not UTF-8 without BOM (4.1)")
	}
	if !strings.HasSuffix(text, "\n") {
		c.bad("the last line has no end")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != "#EXTM3U" {
		c.bad("does not begin with #EXTM3U (4.4.1.1)")
	}
	seen := map[string]bool{}
	var next Segment
	inf, needed := false, 1
	for i, l := range lines {
		c.line = i + 1
		for _, r := range l {
			if r == '\t' && strings.HasPrefix(l, "#EXT-X-SKIP:") {
				continue // between the IDs of 4.4.5.2
			}
			if r < 0x20 || r >= 0x7F && r < 0xA0 {
				c.bad("control character (4.1)")
			}
		}
		if !strings.HasPrefix(l, "#") {
			if l == "" {
				c.bad("blank line")
				continue
			}
			if !inf {
				c.bad("segment %q without EXTINF", l)
			}
			next.URI, next.Sequence = l, c.p.Sequence+uint64(c.p.Skipped+len(c.p.Segments))
			next.Map = c.p.Map
			if int(math.Floor(next.Duration+0.5)) > c.p.Target {
				c.bad("EXTINF %v rounds past the target duration %d (4.4.3.1)", next.Duration, c.p.Target)
			}
			c.parts(&next)
			c.p.Segments = append(c.p.Segments, next)
			next, inf = Segment{}, false
			continue
		}
		tag, value, _ := strings.Cut(l, ":")
		once := func() {
			if seen[tag] {
				c.bad("%s twice", tag)
			}
		}
		first := func() {
			once()
			if len(c.p.Segments) > 0 {
				c.bad("%s behind a segment", tag)
			}
		}
		switch tag {
		case "#EXTM3U":
			once()
		case "#EXT-X-VERSION":
			first()
			c.p.Version = int(c.number(value))
		case "#EXT-X-TARGETDURATION":
			first()
			if c.p.Target = int(c.number(value)); c.p.Target < 1 {
				c.bad("target duration %d", c.p.Target)
			}
		case "#EXT-X-MEDIA-SEQUENCE":
			first()
			c.p.Sequence = c.number(value)
		case "#EXT-X-DISCONTINUITY-SEQUENCE":
			first()
			c.p.Discontinuity = c.number(value)
		case "#EXT-X-PLAYLIST-TYPE":
			first()
			if c.p.Type = value; value != "EVENT" && value != "VOD" {
				c.bad("playlist type %q", value)
			}
		case "#EXT-X-ENDLIST":
			once()
			c.p.Ended = true
		case "#EXTINF":
			d, _, comma := strings.Cut(value, ",")
			if !comma {
				c.bad("EXTINF without a comma (4.4.4.1)")
			}
			if strings.Contains(d, ".") {
				needed = max(needed, 3)
			}
			next.Duration, inf = c.float(d), true
		case "#EXT-X-DISCONTINUITY":
			next.Discontinuity = true
		case "#EXT-X-MAP":
			needed = max(needed, 6)
			if len(next.Parts) > 0 {
				c.bad("EXT-X-MAP behind a part of its segment (4.4.4.9)")
			}
			c.p.Map = c.quoted(c.attributes(value), "URI")
		case "#EXT-X-PROGRAM-DATE-TIME":
			t, err := time.Parse("2006-01-02T15:04:05.000Z07:00", value)
			if err != nil {
				c.bad("date %q (4.4.4.6)", value)
			}
			if len(next.Parts) > 0 {
				c.bad("date behind a part of its segment (4.4.4.9)")
			}
			next.Date = t
		case "#EXT-X-PART-INF":
			first()
			c.p.PartTarget = c.float(c.attributes(value)["PART-TARGET"])
		case "#EXT-X-SERVER-CONTROL":
			first()
			c.p.Control = c.attributes(value)
		case "#EXT-X-PART":
			a := c.attributes(value)
			next.Parts = append(next.Parts, Part{
				URI: c.quoted(a, "URI"), Duration: c.float(a["DURATION"]), Independent: a["INDEPENDENT"] == "YES",
			})
		case "#EXT-X-PRELOAD-HINT":
			once()
			a := c.attributes(value)
			if a["TYPE"] != "PART" {
				c.bad("hint of type %q", a["TYPE"])
			}
			c.p.Hint = c.quoted(a, "URI")
		case "#EXT-X-SKIP":
			first()
			needed = max(needed, 9)
			a := c.attributes(value)
			c.p.Skipped = int(c.number(a["SKIPPED-SEGMENTS"]))
			if _, ok := a["RECENTLY-REMOVED-DATERANGES"]; ok {
				needed = max(needed, 10)
				c.p.RangesSkipped = true
				if ids := c.quoted(a, "RECENTLY-REMOVED-DATERANGES"); ids != "" {
					c.p.Removed = strings.Split(ids, "\t")
				}
			}
		case "#EXT-X-DATERANGE":
			c.dateRange(value)
		default:
			c.bad("tag %s is not known here", tag)
		}
		seen[tag] = true
	}
	c.p.Open = next.Parts
	c.whole(inf, needed)
	return c.p, c.problems
}

func (c *checker) dateRange(value string) {
	a := c.attributes(value)
	r := Range{ID: c.quoted(a, "ID"), Attributes: a}
	for _, o := range c.p.Ranges {
		if o.ID == r.ID {
			c.bad("date range %q twice", r.ID)
		}
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z07:00", c.quoted(a, "START-DATE")); err != nil {
		c.bad("START-DATE: %v", err)
	}
	for k, v := range a {
		switch {
		case k == "DURATION" || k == "PLANNED-DURATION":
			c.float(v)
		case strings.HasPrefix(k, "X-") || k == "ID" || k == "CLASS" || k == "START-DATE":
			c.quoted(a, k)
		default:
			c.bad("date range attribute %s", k)
		}
	}
	c.p.Ranges = append(c.p.Ranges, r)
}

// parts checks the parts of a segment (4.4.4.9).
func (c *checker) parts(s *Segment) {
	if len(s.Parts) == 0 {
		return
	}
	sum := 0.0
	for i, p := range s.Parts {
		sum += p.Duration
		c.part(p, i == len(s.Parts)-1)
	}
	if math.Abs(sum-s.Duration) > 0.0001*float64(len(s.Parts)) {
		c.bad("parts of %v s, the segment has %v", sum, s.Duration)
	}
}

func (c *checker) part(p Part, last bool) {
	if c.p.PartTarget == 0 {
		c.bad("part without EXT-X-PART-INF")
	}
	if p.Duration > c.p.PartTarget+1e-5 {
		c.bad("part of %v s, target %v (4.4.4.9)", p.Duration, c.p.PartTarget)
	}
	if p.Duration < 0.85*c.p.PartTarget && !last && !p.Independent {
		c.bad("part of %v s is under 85 %% of %v (4.4.4.9)", p.Duration, c.p.PartTarget)
	}
}

// whole checks what only the whole list tells.
func (c *checker) whole(inf bool, needed int) {
	c.line = 0
	p := &c.p
	if inf {
		c.bad("EXTINF without a segment")
	}
	if p.Target == 0 {
		c.bad("no target duration")
	}
	if p.Version < needed {
		c.bad("version %d, needs %d (8)", p.Version, needed)
	}
	for _, x := range p.Open {
		c.part(x, true)
	}
	if p.PartTarget > 0 {
		hold := c.float(p.Control["PART-HOLD-BACK"])
		if hold < 2*p.PartTarget {
			c.bad("PART-HOLD-BACK %v (4.4.3.8)", hold)
		}
		if p.Control["CAN-BLOCK-RELOAD"] != "YES" {
			c.bad("parts without CAN-BLOCK-RELOAD")
		}
		if v, ok := p.Control["CAN-SKIP-UNTIL"]; ok && c.float(v) < 6*float64(p.Target) {
			c.bad("CAN-SKIP-UNTIL %s (4.4.3.8)", v)
		}
		if !p.Ended && p.Hint == "" {
			c.bad("no hint of the next part (B.1)")
		}
		if p.Skipped == 0 && len(p.Segments) > 0 {
			c.history()
		}
	}
	if p.Ended && p.Hint != "" {
		c.bad("hint in a list that ended")
	}
	dated := false
	for _, s := range p.Segments {
		dated = dated || !s.Date.IsZero()
	}
	if len(p.Ranges) > 0 && !dated && len(p.Open) == 0 {
		c.bad("date range without a date (4.4.5.1)")
	}
}

// history checks that parts stay listed near the end and leave farther back.
func (c *checker) history() {
	p := &c.p
	age := 0.0
	for i := len(p.Segments) - 1; i >= 0; i-- {
		s := &p.Segments[i]
		if age > 3*float64(p.Target) && len(s.Parts) > 0 {
			c.bad("parts of %s are still listed %v s from the end (6.2.2)", s.URI, age)
		}
		age += s.Duration
	}
}

// CheckUpdate lists what a reload may not have changed (6.2.1, 6.2.2). Both are
// lists without skipped segments.
func CheckUpdate(a, b Playlist) []string {
	c := &checker{p: b}
	if a.Target != b.Target {
		c.bad("target duration %d became %d", a.Target, b.Target)
	}
	if a.PartTarget != b.PartTarget {
		c.bad("part target %v became %v", a.PartTarget, b.PartTarget)
	}
	if b.Sequence < a.Sequence {
		c.bad("media sequence went back from %d to %d", a.Sequence, b.Sequence)
	}
	if (a.Type != "" || b.Type != "") && a.Sequence != b.Sequence {
		c.bad("a list that only grows lost segments")
	}
	gone := uint64(0)
	for _, s := range a.Segments {
		if s.Sequence < b.Sequence {
			if s.Discontinuity {
				gone++
			}
			continue
		}
		i := s.Sequence - b.Sequence
		if i >= uint64(len(b.Segments)) {
			c.bad("segment %d was taken back", s.Sequence)
			continue
		}
		n := b.Segments[i]
		if n.URI != s.URI || n.Duration != s.Duration || n.Map != s.Map || !n.Date.Equal(s.Date) || n.Discontinuity != s.Discontinuity {
			c.bad("segment %d changed: %+v, %+v", s.Sequence, s, n)
		}
	}
	if b.Discontinuity != a.Discontinuity+gone {
		c.bad("discontinuity sequence %d after %d and %d gone", b.Discontinuity, a.Discontinuity, gone)
	}
	if a.Sequence < b.Sequence && !b.Ended && b.Duration() < 3*float64(b.Target) {
		c.bad("removal left %v s, under three target durations (6.2.2)", b.Duration())
	}
	// The parts of the open segment stay what they were.
	open := b.Open
	if n := a.Sequence + uint64(len(a.Segments)); len(a.Open) > 0 && n >= b.Sequence && n-b.Sequence < uint64(len(b.Segments)) {
		open = b.Segments[n-b.Sequence].Parts
	}
	for i, p := range a.Open {
		if len(open) > 0 && (i >= len(open) || open[i] != p) {
			c.bad("part %s changed", p.URI)
		}
	}
	if a.Hint != "" && len(b.Open) > 0 && len(a.Open) < len(b.Open) && a.Sequence+uint64(len(a.Segments)) == b.Sequence+uint64(len(b.Segments)) &&
		b.Open[len(a.Open)].URI != a.Hint {
		c.bad("the hinted part %s came as %s", a.Hint, b.Open[len(a.Open)].URI)
	}
	return c.problems
}
