package hls

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"sync"
	"time"
)

const (
	// partHistory is how many target durations from the end parts stay listed
	// (RFC 8216bis §6.2.2).
	partHistory = 3
	// skipDurations is the skip boundary in target durations, the least that
	// EXT-X-SERVER-CONTROL may say (§4.4.3.8).
	skipDurations = 6
	// holdParts is PART-HOLD-BACK in part targets.
	holdParts = 3
	// dateFormat has milliseconds and the zone.
	dateFormat = "2006-01-02T15:04:05.000Z07:00"
)

// Playlist is the whole playlist, made once.
func (s *State) Playlist() []byte {
	s.once.Do(func() { s.text = s.render(s.ends(), 0, whole) })
	return s.text
}

// Ending is the playlist with its end tag where the mode has one, whether the
// presentation ended or not.
func (s *State) Ending() []byte {
	if s.mode == Live || s.Ended {
		return s.Playlist()
	}
	return s.render(true, 0, whole)
}

// update says what a playlist delta update leaves out (RFC 8216bis §6.2.5.1).
type update uint8

const (
	whole        update = iota
	skipSegments        // _HLS_skip=YES: segments before the skip boundary
	skipRanges          // _HLS_skip=v2: date ranges that are listed for longer, too
)

// delta is one kind of update, made once.
type delta struct {
	once sync.Once
	text []byte
}

// Delta is the playlist without what a client that asked for an update has,
// the whole one where no segment can be skipped.
func (s *State) Delta(u update) []byte {
	if s.PartTarget == 0 || s.ends() || u == whole {
		return s.Playlist()
	}
	d := &s.deltas[u-skipSegments]
	d.once.Do(func() {
		if skip := s.skippable(); skip == 0 {
			d.text = s.Playlist()
		} else {
			d.text = s.render(false, skip, u)
		}
	})
	return d.text
}

// skippable counts the segments that lie wholly before the skip boundary.
func (s *State) skippable() (n int) {
	left := s.Duration()
	if s.Open != nil {
		for _, p := range s.Open.Parts {
			left += p.Duration
		}
	}
	for n < len(s.Segments) {
		if left -= s.Segments[n].Duration; left < skipDurations*s.Target {
			break
		}
		n++
	}
	return n
}

// gzipped is the playlist compressed, made once.
func (s *State) gzipped() []byte {
	s.gzOnce.Do(func() { s.gz = compress(s.Playlist()) })
	return s.gz
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // the level is a valid one
	_, _ = w.Write(b)                                 // a Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// ends tells whether the playlist has EXT-X-ENDLIST.
func (s *State) ends() bool { return s.Ended && (s.mode != Live || s.endLive) }

func appendSeconds(b []byte, d time.Duration, decimals int) []byte {
	return strconv.AppendFloat(b, d.Seconds(), 'f', decimals, 64)
}

// appendDate rounds, where AppendFormat would cut.
func appendDate(b []byte, t time.Time) []byte {
	return t.Round(time.Millisecond).UTC().AppendFormat(b, dateFormat)
}

// render writes the playlist after RFC 8216bis §4.4. skip is the number of
// segments replaced by EXT-X-SKIP, u what else is.
func (s *State) render(end bool, skip int, u update) []byte {
	b := make([]byte, 0, 512+64*len(s.Segments))
	version := "6"
	switch u { // EXT-X-SKIP (§8)
	case skipSegments:
		version = "9"
	case skipRanges:
		version = "10"
	}
	b = append(b, "#EXTM3U\n#EXT-X-VERSION:"+version+"\n#EXT-X-TARGETDURATION:"...)
	b = strconv.AppendInt(b, int64(s.Target/time.Second), 10)
	b = append(b, '\n')
	if s.PartTarget > 0 {
		b = append(b, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK="...)
		b = appendSeconds(b, holdParts*s.PartTarget, 3)
		b = append(b, ",CAN-SKIP-UNTIL="...)
		b = appendSeconds(b, skipDurations*s.Target, 1)
		b = append(b, ",CAN-SKIP-DATERANGES=YES"...)
		b = append(b, "\n#EXT-X-PART-INF:PART-TARGET="...)
		b = appendSeconds(b, s.PartTarget, 5)
		b = append(b, '\n')
	}
	b = append(b, "#EXT-X-MEDIA-SEQUENCE:"...)
	b = strconv.AppendUint(b, s.MediaSequence, 10)
	b = append(b, '\n')
	if s.dropped > 0 {
		b = append(b, "#EXT-X-DISCONTINUITY-SEQUENCE:"...)
		b = strconv.AppendUint(b, s.dropped, 10)
		b = append(b, '\n')
	}
	switch s.mode {
	case Event:
		b = append(b, "#EXT-X-PLAYLIST-TYPE:EVENT\n"...)
	case VOD:
		b = append(b, "#EXT-X-PLAYLIST-TYPE:VOD\n"...)
	}
	if skip > 0 {
		b = append(b, "#EXT-X-SKIP:SKIPPED-SEGMENTS="...)
		b = strconv.AppendInt(b, int64(skip), 10)
		if u == skipRanges {
			b = append(b, `,RECENTLY-REMOVED-DATERANGES="`...)
			for i, r := range s.removed {
				if i > 0 {
					b = append(b, '\t')
				}
				b = append(b, r.id...)
			}
			b = append(b, '"')
		}
		b = append(b, '\n')
	}
	b = s.appendRanges(b, u == skipRanges)
	var init *initSection
	if skip > 0 {
		init = s.Segments[skip-1].init
	}
	age := s.Duration()
	for k, x := range s.Segments {
		age -= x.Duration
		if k < skip {
			continue
		}
		b, init = appendHead(b, x, init)
		if s.PartTarget > 0 && age < partHistory*s.Target && !end {
			b = appendParts(b, x.Parts)
		}
		b = append(b, "#EXTINF:"...)
		b = appendSeconds(b, x.Duration, s.decimals())
		b = append(b, ",\n"...)
		b = append(b, x.Name...)
		b = append(b, '\n')
	}
	switch {
	case end:
		b = append(b, "#EXT-X-ENDLIST\n"...)
	case s.PartTarget > 0 && !s.Ended:
		next, part := s.Next(), 0
		if s.Open != nil {
			b, _ = appendHead(b, s.Open, init)
			b = appendParts(b, s.Open.Parts)
			part = len(s.Open.Parts)
		}
		b = append(b, `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="`...)
		b = append(b, partName(next, part, s.container)...)
		b = append(b, "\"\n"...)
	}
	return b
}

// decimals of EXTINF: with parts, whose durations must add up to it, more than
// milliseconds.
func (s *State) decimals() int {
	if s.PartTarget > 0 {
		return 5
	}
	return 3
}

// appendHead writes the tags that stand before a segment and its first part.
func appendHead(b []byte, x *Segment, last *initSection) ([]byte, *initSection) {
	if x.Discontinuity {
		b = append(b, "#EXT-X-DISCONTINUITY\n"...)
	}
	if x.init != nil && x.init != last {
		b = append(b, `#EXT-X-MAP:URI="`...)
		b = append(b, x.init.name...)
		b = append(b, "\"\n"...)
	}
	if !x.Date.IsZero() {
		b = append(b, "#EXT-X-PROGRAM-DATE-TIME:"...)
		b = appendDate(b, x.Date)
		b = append(b, '\n')
	}
	return b, x.init
}

func appendParts(b []byte, parts []Part) []byte {
	for i := range parts {
		p := &parts[i]
		b = append(b, "#EXT-X-PART:DURATION="...)
		b = appendSeconds(b, p.Duration, 5)
		b = append(b, `,URI="`...)
		b = append(b, p.Name...)
		b = append(b, '"')
		if p.Independent {
			b = append(b, ",INDEPENDENT=YES"...)
		}
		b = append(b, '\n')
	}
	return b
}
