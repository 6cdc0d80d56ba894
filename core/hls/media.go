package hls

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func readFile(path string) ([]byte, error) { return os.ReadFile(path) } //nolint:gosec // the user names it

// piece is what a name under the presentation stands for.
type piece struct {
	blob  blob
	off   int64
	bytes int64
}

// parseName reads "segment_00012.ts" or "part_00012_3.m4s" of one container,
// in exactly the form it is written in. part is -1 for a segment.
func parseName(name string, c Container) (seq uint64, part int, ok bool) {
	ext := ".ts"
	if c == FMP4 {
		ext = ".m4s"
	}
	rest, found := strings.CutSuffix(name, ext)
	if !found || len(name) > 64 {
		return 0, 0, false
	}
	if num, isSegment := strings.CutPrefix(rest, "segment_"); isSegment {
		n, err := strconv.ParseUint(num, 10, 64)
		return n, -1, err == nil && segmentName(n, c) == name
	}
	num, found := strings.CutPrefix(rest, "part_")
	if !found {
		return 0, 0, false
	}
	a, b, _ := strings.Cut(num, "_")
	n, err := strconv.ParseUint(a, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	k, err := strconv.ParseUint(b, 10, 31)
	return n, int(k), err == nil && partName(n, int(k), c) == name //nolint:gosec // 31 bits
}

// find looks a name up. wait says that it is the hinted part, which is not
// there yet.
func (s *State) find(name string) (p piece, wait, ok bool) {
	if strings.HasPrefix(name, "init_") {
		for _, i := range s.inits {
			if i.name == name {
				return piece{i.blob, 0, i.bytes}, false, true
			}
		}
		return p, false, false
	}
	seq, part, ok := parseName(name, s.container)
	if !ok {
		return p, false, false
	}
	x := s.segment(seq)
	if part < 0 {
		if x == nil {
			return p, false, false
		}
		return piece{x.blob, 0, x.Bytes}, false, true
	}
	if s.PartTarget == 0 {
		return p, false, false
	}
	if x == nil && s.Open != nil && s.Open.Sequence == seq {
		x = s.Open
	}
	if x != nil && part < len(x.Parts) {
		q := &x.Parts[part]
		return piece{x.blob, q.Offset, q.Bytes}, false, true
	}
	hinted := !s.Ended && (x == nil && seq == s.Next() && part == 0 || x != nil && x == s.Open && part == len(x.Parts))
	return p, hinted, false
}

// media serves segments, parts and initialization sections.
func (s *Server) media(w http.ResponseWriter, r *http.Request, name string) bool {
	st := s.stream.State()
	p, wait, ok := st.find(name)
	if wait {
		// The hint is held until the part is whole (RFC 8216bis §6.2.6).
		if st = s.waitFor(r.Context(), st, 3*st.Target, func(n *State) bool { _, w, _ := n.find(name); return !w }); st == nil {
			return true
		}
		p, _, ok = st.find(name)
	}
	if !ok {
		return false
	}
	contentType := typeTS
	if st.container == FMP4 {
		contentType = typeMP4
	}
	off, n, status := int64(0), p.bytes, http.StatusOK
	h := w.Header()
	if s.cfg.Ranges {
		h["Accept-Ranges"] = []string{"bytes"}
		if v := r.Header.Get("Range"); v != "" && r.Method == http.MethodGet {
			var good bool
			if off, n, good = parseRange(v, p.bytes); !good {
				h["Content-Range"] = []string{"bytes */" + strconv.FormatInt(p.bytes, 10)}
				refuse(w, http.StatusRequestedRangeNotSatisfiable)
				return true
			}
			if n != p.bytes {
				status = http.StatusPartialContent
				h["Content-Range"] = []string{"bytes " + strconv.FormatInt(off, 10) + "-" +
					strconv.FormatInt(off+n-1, 10) + "/" + strconv.FormatInt(p.bytes, 10)}
			}
		}
	}
	s.headers(h, contentType, n)
	if s.cfg.CacheControl {
		h["Cache-Control"] = []string{"max-age=" + strconv.FormatInt(int64(6*st.Target/time.Second), 10)}
	}
	s.limit(w, n)
	if status != http.StatusOK || r.Method == http.MethodHead {
		w.WriteHeader(status)
	}
	if r.Method == http.MethodHead {
		return true
	}
	if err := p.blob.send(w, p.off+off, n); err != nil {
		if os.IsNotExist(err) {
			// It left between the look-up and now; nothing is sent yet.
			for k := range h {
				delete(h, k)
			}
			refuse(w, http.StatusNotFound)
			return true
		}
		// A body cut short ends the connection, so that nobody takes it for whole.
		panic(http.ErrAbortHandler)
	}
	s.sent.Add(uint64(n)) //nolint:gosec // not negative
	return true
}

// parseRange reads one range of bytes (RFC 9110 §14.1.2). Several ranges, and
// units other than bytes, are answered with the whole.
func parseRange(v string, size int64) (off, n int64, ok bool) {
	spec, found := strings.CutPrefix(v, "bytes=")
	if !found || strings.Contains(spec, ",") {
		return 0, size, true
	}
	a, b, found := strings.Cut(strings.TrimSpace(spec), "-")
	if !found {
		return 0, size, true
	}
	if a == "" {
		k, err := strconv.ParseUint(b, 10, 63)
		if err != nil {
			return 0, size, true
		}
		n = min(int64(k), size) //nolint:gosec // 63 bits
		return size - n, n, n > 0
	}
	first, err := strconv.ParseUint(a, 10, 63)
	if err != nil {
		return 0, size, true
	}
	last := uint64(size) - 1 //nolint:gosec // only used where first < size
	if b != "" {
		k, err := strconv.ParseUint(b, 10, 63)
		if err != nil || k < first {
			return 0, size, true
		}
		last = min(last, k)
	}
	if first >= uint64(size) { //nolint:gosec // not negative
		return 0, 0, false
	}
	return int64(first), int64(last - first + 1), true //nolint:gosec // 63 bits
}

// directives are the delivery directives of RFC 8216bis §6.2.5.
type directives struct {
	msn     uint64
	part    uint64
	hasMSN  bool
	hasPart bool
	skip    update
}

// parseDirectives reads them from a query; other keys are left alone.
func parseDirectives(query string) (d directives, err error) {
	for query != "" {
		var kv string
		kv, query, _ = strings.Cut(query, "&")
		k, v, _ := strings.Cut(kv, "=")
		switch k {
		case "_HLS_msn":
			d.hasMSN = true
			if d.msn, err = strconv.ParseUint(v, 10, 63); err != nil {
				return d, err
			}
		case "_HLS_part":
			d.hasPart = true
			if d.part, err = strconv.ParseUint(v, 10, 31); err != nil {
				return d, err
			}
		case "_HLS_skip":
			switch v {
			case "YES":
				d.skip = skipSegments
			case "v2":
				d.skip = skipRanges
			}
		}
	}
	if d.hasPart && !d.hasMSN {
		return d, strconv.ErrSyntax
	}
	return d, nil
}

// advance is how many parts past the last one may be asked for.
func (s *State) advance() uint64 {
	if s.PartTarget < time.Second {
		return uint64(3 * time.Second / s.PartTarget) //nolint:gosec // positive
	}
	return 3
}

// has tells whether the list holds segment msn, or its part or a later one.
func (s *State) has(d directives) bool {
	next := s.Next()
	switch {
	case d.msn < next:
		if !d.hasPart || d.msn+1 < next {
			return true
		}
		// A part past the last of the newest whole segment is the first of the next.
		last := s.Segments[len(s.Segments)-1]
		return d.part < uint64(len(last.Parts)) || s.Open != nil && len(s.Open.Parts) > 0
	case d.msn == next && d.hasPart && s.Open != nil:
		return d.part < uint64(len(s.Open.Parts))
	}
	return false
}

// hold waits until the list has what was asked for. status is -1 where nobody
// waits any more.
func (s *Server) hold(ctx context.Context, d directives) (*State, int) {
	st := s.stream.State()
	if st.Ended || st.has(d) {
		return st, 0
	}
	next := st.Next()
	if d.msn > next+1 {
		return nil, http.StatusBadRequest
	}
	if d.hasPart && d.msn == next {
		var have uint64
		if st.Open != nil {
			have = uint64(len(st.Open.Parts))
		}
		if d.part > have+st.advance() {
			return nil, http.StatusBadRequest
		}
	}
	got := s.waitFor(ctx, st, 3*st.Target, func(n *State) bool { return n.Ended || n.has(d) })
	if got == nil {
		if ctx.Err() != nil {
			return nil, -1
		}
		return nil, http.StatusServiceUnavailable
	}
	return got, 0
}

// waitFor follows the states until one is good, at most for d. nil means that
// none came.
func (s *Server) waitFor(ctx context.Context, st *State, d time.Duration, good func(*State) bool) *State {
	t := time.NewTimer(d)
	defer t.Stop()
	for !good(st) {
		select {
		case <-st.Changed():
			st = s.stream.State()
		case <-t.C:
			return nil
		case <-ctx.Done():
			return nil
		case <-s.stop:
			return nil
		}
	}
	return st
}
