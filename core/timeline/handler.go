package timeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// HandlerConfig configures a Handler.
type HandlerConfig struct {
	// ReadOnly refuses new markers by HTTP. It defaults to false.
	ReadOnly bool
	// MaxFeeds bounds the clients of the event feed; beyond it they get 503. It
	// defaults to 256.
	MaxFeeds int
	// Heartbeat is how often an idle feed sends a comment, so that dead clients are
	// noticed. It defaults to 15 s.
	Heartbeat time.Duration
	// Edge tells the newest stream time, in seconds, for markers that are set
	// "now"; nil or false refuses them.
	Edge func() (float64, bool)
}

// Handler answers the routes of a store:
//
//	GET  /markers?ts_start=     markers later than a time, as one JSON text inside JSON
//	POST /markers               a new one: {"time": s, "text": "", "data": any}
//	GET  /timeline              markers as plain JSON; epoch=, after=, from=, until=, limit=
//	GET  /timeline/events       server-sent events: marker, epoch; Last-Event-ID or after=
type Handler struct {
	s     *Store
	cfg   HandlerConfig
	feeds atomic.Int64
}

// NewHandler makes a handler.
func NewHandler(s *Store, cfg HandlerConfig) *Handler {
	if cfg.MaxFeeds <= 0 {
		cfg.MaxFeeds = 256
	}
	if cfg.Heartbeat <= 0 {
		cfg.Heartbeat = 15 * time.Second
	}
	return &Handler{s: s, cfg: cfg}
}

// Register adds the routes to a mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /markers", h.compatible)
	mux.HandleFunc("POST /markers", h.post)
	mux.HandleFunc("POST /timeline", h.post)
	mux.HandleFunc("GET /timeline", h.list)
	mux.HandleFunc("GET /timeline/events", h.events)
}

// Feeds is the number of clients of the event feed.
func (h *Handler) Feeds() int { return int(h.feeds.Load()) }

const (
	maxBody  = 64 << 10 // of a request: text, data and their JSON escapes
	jsonType = "application/json"
)

func answer(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client went away
}

// refused is the answer to a parameter that cannot be read.
func refused(w http.ResponseWriter, place, field, msg, kind string) {
	answer(w, http.StatusUnprocessableEntity, map[string]any{
		"detail": []any{map[string]any{"loc": []string{place, field}, "msg": msg, "type": kind}},
	})
}

func failedAnswer(w http.ResponseWriter, err error) {
	var e *tsterr.Error
	if !errors.As(err, &e) {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	code := http.StatusInternalServerError
	switch e.Kind {
	case tsterr.TimelineInvalid:
		refused(w, "body", e.Field, e.Error(), "value_error")
		return
	case tsterr.TimelineTooLarge:
		code = http.StatusRequestEntityTooLarge
	case tsterr.TimelineFull:
		code = http.StatusInsufficientStorage
	case tsterr.TimelineStore, tsterr.Timeout, tsterr.Closed:
		code = http.StatusServiceUnavailable
	default:
	}
	answer(w, code, map[string]any{"detail": e.Error(), "kind": e.Kind.String()})
}

// float reads a number as the query strings of the compatible route write them.
func float(s string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	return v, true
}

// compatible answers what pages of the older kind ask for: they parse twice.
func (h *Handler) compatible(w http.ResponseWriter, r *http.Request) {
	after := -1.0
	if q := r.URL.Query(); q.Has("ts_start") {
		v, ok := float(q.Get("ts_start"))
		if !ok {
			refused(w, "query", "ts_start", "value is not a valid float", "type_error.float")
			return
		}
		after = v
	}
	var markers []Marker
	if !math.IsNaN(after) { // nothing is later than no number
		// Infinities order as numbers do, but not every database takes them.
		after = max(-math.MaxFloat64, min(after, math.MaxFloat64))
		var err error
		if markers, err = h.s.Markers(r.Context(), Query{After: &after}); err != nil {
			failedAnswer(w, err)
			return
		}
	}
	body := Compatible(markers)
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client went away
}

// Compatible writes markers as {"markers": [{"time": s, "text": ""}, ...]} inside
// a JSON string, byte for byte as Python's json writes it twice.
func Compatible(markers []Marker) []byte {
	var in bytes.Buffer
	in.WriteString(`{"markers": [`)
	for i := range markers {
		if i > 0 {
			in.WriteString(", ")
		}
		in.WriteString(`{"time": `)
		in.WriteString(pyFloat(markers[i].Time))
		in.WriteString(`, "text": `)
		pyString(&in, markers[i].Text)
		in.WriteByte('}')
	}
	in.WriteString("]}")
	var out bytes.Buffer
	out.Grow(in.Len() + in.Len()/4)
	pyString(&out, in.String())
	return out.Bytes()
}

// pyFloat writes a number as Python's repr does.
func pyFloat(v float64) string {
	if a := math.Abs(v); v != 0 && (a < 1e-4 || a >= 1e16) {
		s := strconv.FormatFloat(v, 'e', -1, 64)
		return s
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.ContainsRune(s, '.') {
		s += ".0"
	}
	return s
}

const hex = "0123456789abcdef"

// pyString writes a JSON string in ASCII, as Python's json does.
func pyString(b *bytes.Buffer, s string) {
	unit := func(u uint16) {
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(hex[u>>shift&15])
		}
	}
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteByte(byte(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r >= 0x20 && r < 0x7f:
			b.WriteByte(byte(r))
		case r == 0x7f:
			b.WriteByte(0x7f)
		case r < 0x10000:
			unit(uint16(r)) //nolint:gosec // below 65,536
		default:
			r -= 0x10000
			unit(uint16(0xd800 + r>>10))   //nolint:gosec // a surrogate
			unit(uint16(0xdc00 + r&0x3ff)) //nolint:gosec // a surrogate
		}
	}
	b.WriteByte('"')
}

// post takes a new marker; the answer comes once it is durable.
func (h *Handler) post(w http.ResponseWriter, r *http.Request) {
	if h.cfg.ReadOnly {
		answer(w, http.StatusForbidden, map[string]any{"detail": "markers are read only here"})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			answer(w, http.StatusRequestEntityTooLarge, map[string]any{"detail": "a body of more than 65536 bytes"})
		}
		return // the client went away
	}
	var in struct {
		Time *float64        `json:"time"`
		Text *string         `json:"text"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		refused(w, "body", "", "the body is no JSON object with time, text, data: "+err.Error(), "value_error.jsondecode")
		return
	}
	if in.Text == nil {
		refused(w, "body", "text", "field required", "value_error.missing")
		return
	}
	if in.Time == nil {
		if h.cfg.Edge != nil {
			if now, ok := h.cfg.Edge(); ok {
				in.Time = &now
			}
		}
		if in.Time == nil {
			refused(w, "body", "time", "field required", "value_error.missing")
			return
		}
	}
	m := &Marker{Time: *in.Time, Text: *in.Text, Data: in.Data}
	if string(m.Data) == "null" {
		m.Data = nil
	}
	if err := h.s.Add(r.Context(), m); err != nil {
		failedAnswer(w, err)
		return
	}
	answer(w, http.StatusCreated, m)
}

func (h *Handler) list(w http.ResponseWriter, r *http.Request) {
	q := Query{}
	v := r.URL.Query()
	for _, p := range []struct {
		key string
		to  *int64
	}{{"epoch", &q.Epoch}, {"after", &q.AfterID}} {
		if !v.Has(p.key) {
			continue
		}
		n, err := strconv.ParseInt(v.Get(p.key), 10, 64)
		if err != nil {
			refused(w, "query", p.key, "value is not a valid integer", "type_error.integer")
			return
		}
		*p.to = n
	}
	for _, p := range []struct {
		key string
		to  **float64
	}{{"from", &q.From}, {"until", &q.Until}} {
		if !v.Has(p.key) {
			continue
		}
		f, ok := float(v.Get(p.key))
		if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
			refused(w, "query", p.key, "value is not a valid float", "type_error.float")
			return
		}
		*p.to = &f
	}
	if v.Has("limit") {
		n, err := strconv.Atoi(v.Get("limit"))
		if err != nil || n < 1 || n > MaxAnswer {
			refused(w, "query", "limit", "value is not 1 to 100000", "value_error")
			return
		}
		q.Limit = n
	}
	q.ByID = q.AfterID > 0 // the next page goes on behind an id
	markers, err := h.s.Markers(r.Context(), q)
	if err != nil {
		failedAnswer(w, err)
		return
	}
	next := q.AfterID
	for i := range markers {
		next = max(next, markers[i].ID)
	}
	answer(w, http.StatusOK, map[string]any{
		"stream": h.s.Stream(), "epoch": h.s.Epoch(), "markers": markers, "next": next,
	})
}

// events streams what is new. Each client is served from the store behind the last
// id it got: there is no queue that could overflow, and a client that comes back
// with Last-Event-ID misses nothing.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	if h.feeds.Add(1) > int64(h.cfg.MaxFeeds) {
		h.feeds.Add(-1)
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, map[string]any{"detail": "too many clients of the event feed"})
		return
	}
	defer h.feeds.Add(-1)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the request is read; the feed lasts
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	seen := State{}
	if after == "" {
		seen.Last = h.s.State().Last // only what comes from now on
	} else {
		n, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			refused(w, "query", "after", "value is not a valid integer", "type_error.integer")
			return
		}
		seen.Last = n
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(b []byte) bool {
		// A client that does not read must not hold the goroutine for ever.
		_ = control.SetWriteDeadline(time.Now().Add(30 * time.Second)) // not every connection has one
		_, err := w.Write(b)
		return err == nil && control.Flush() == nil
	}
	if !send([]byte("retry: 1000\n\n")) {
		return
	}
	sentEpoch, at := int64(0), seen.Last
	for {
		now, err := h.wait(r, State{sentEpoch, at})
		switch {
		case errors.Is(err, errIdle):
			if !send([]byte(": \n\n")) {
				return
			}
			continue
		case err != nil:
			return
		}
		var b bytes.Buffer
		if now.Epoch != sentEpoch {
			b.WriteString("event: epoch\ndata: {\"epoch\":" + strconv.FormatInt(now.Epoch, 10) + "}\n\n")
			sentEpoch = now.Epoch
		}
		if now.Last > at {
			markers, err := h.s.Markers(r.Context(), Query{Epoch: -1, AfterID: at, ByID: true, Limit: 1000})
			if err != nil {
				return
			}
			for i := range markers {
				line, err := json.Marshal(&markers[i])
				if err != nil {
					return
				}
				b.WriteString("event: marker\nid: " + strconv.FormatInt(markers[i].ID, 10) + "\ndata: ")
				b.Write(line)
				b.WriteString("\n\n")
				at = markers[i].ID
			}
			if len(markers) == 0 {
				at = now.Last
			}
		} else {
			at = now.Last // a client that is ahead of us comes from another database
		}
		if b.Len() > 0 && !send(b.Bytes()) {
			return
		}
	}
}

var errIdle = errors.New("nothing new for a while")

// wait is Store.Wait with the heartbeat's bound.
func (h *Handler) wait(r *http.Request, seen State) (State, error) {
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Heartbeat)
	defer cancel()
	now, err := h.s.Wait(ctx, seen)
	if err != nil && r.Context().Err() == nil && ctx.Err() != nil {
		return now, errIdle
	}
	return now, err
}
