// Package page is the web page of a live stream, and the routes it lives on: the
// player, its timeline with markers, telemetry panel and map.
//
// Its sources are TypeScript in the folder src; `make page` builds them into dist,
// which is part of the library, so that nothing else has to be there and nothing
// comes from another host.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/timeline"
	"github.com/tstrans/tstrans/core/tsterr"
)

//go:embed dist
var dist embed.FS

// Anchor ties the time stamps of the media to the stream's clock: what is shown at
// PTS lies at Start. It holds until the next one.
type Anchor struct {
	Sequence uint64  `json:"sequence"` // number of the segment it begins with
	PTS      int64   `json:"pts"`      // 90 kHz ticks modulo 2^33
	Start    float64 `json:"start"`    // HLS clock, in seconds
}

// Config configures a Site. The zero value serves a page without a stream.
type Config struct {
	// Title is shown above the player. It defaults to "Live".
	Title string
	// Playlist is the path of the playlist to play. It defaults to
	// "/playlist.m3u8".
	Playlist string
	// Target is the length of every segment, in seconds, where segments are
	// numbered from 0 and Anchors is not set. It defaults to 2 s.
	Target float64
	// Anchors gives the ties of time stamps and stream time, oldest first.
	Anchors func() []Anchor
	// LowLatency lets the player stay as near to the live edge as parts allow.
	LowLatency bool
	// WHEP is the path of a WebRTC endpoint that has the same stream; "" means none.
	WHEP string
	// Video is the folder behind /video/; it need not exist yet. "" means none.
	Video string
	// Static is a folder whose files take the place of the page's; "" means none.
	Static string
	// CORS lets pages of any origin use every route, with credentials.
	CORS bool
	// Markers keeps the markers; nil means no marker routes.
	Markers *timeline.Store
	// MarkerRoutes configures their routes.
	MarkerRoutes timeline.HandlerConfig
	// Telemetry keeps the telemetry; nil means no telemetry routes.
	Telemetry *timeline.Track
}

// Site answers the routes of a page. Any number of goroutines.
type Site struct {
	cfg  Config
	mux  *http.ServeMux
	root http.Handler

	mu    sync.Mutex
	whep  string
	bind  func() []Anchor
	edge  func() (float64, bool)
	feeds *timeline.Handler
}

// New makes a site.
func New(cfg Config) (*Site, error) {
	if cfg.Title == "" {
		cfg.Title = "Live"
	}
	if cfg.Playlist == "" {
		cfg.Playlist = "/playlist.m3u8"
	}
	if cfg.Target == 0 {
		cfg.Target = 2
	}
	if cfg.Target < 0 || cfg.Target > 3600 || cfg.Target != cfg.Target {
		return nil, tsterr.At(tsterr.InvalidArg, "target", tsterr.NoOffset, "target %v is outside 0 to 3600 s", cfg.Target)
	}
	s := &Site{cfg: cfg, mux: http.NewServeMux(), whep: cfg.WHEP, bind: cfg.Anchors}
	if cfg.Markers != nil {
		routes := cfg.MarkerRoutes
		if routes.Edge == nil {
			routes.Edge = s.now
		}
		s.feeds = timeline.NewHandler(cfg.Markers, routes)
		s.feeds.Register(s.mux)
	}
	if cfg.Telemetry != nil {
		cfg.Telemetry.Register(s.mux)
	}
	if cfg.Video != "" {
		s.mux.HandleFunc("GET /video/{file}", s.video)
		s.mux.HandleFunc("/video/", notFound)
	}
	s.mux.HandleFunc("GET /page.json", s.config)
	s.mux.HandleFunc("GET /openapi.json", s.openapi)
	s.mux.HandleFunc("GET /docs", s.docs)
	s.mux.HandleFunc("GET /redoc", s.docs)
	s.mux.HandleFunc("/", s.static)
	s.root = s.mux
	if cfg.CORS {
		s.root = cors(s.mux)
	}
	return s, nil
}

// now is the newest stream time of an attached publisher.
func (s *Site) now() (float64, bool) {
	s.mu.Lock()
	edge := s.edge
	s.mu.Unlock()
	if edge == nil {
		return 0, false
	}
	return edge()
}

// Tie sets where the ties of time stamps and stream time come from.
func (s *Site) Tie(anchors func() []Anchor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bind = anchors
}

// OfferWHEP tells pages of a WebRTC endpoint with the same stream.
func (s *Site) OfferWHEP(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whep = path
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The deadline of an answer before on this connection is over; handlers that take longer set their own.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)) // not every connection has one
	s.root.ServeHTTP(w, r)
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	detail(w, http.StatusNotFound, "Not Found")
}

func detail(w http.ResponseWriter, code int, text string) {
	send(w, code, map[string]any{"detail": text})
}

func send(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client went away
}

// config is what the page asks for first, and again while it plays: where the
// stream is, and how its clocks lie.
func (s *Site) config(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	whep, bind := s.whep, s.bind
	s.mu.Unlock()
	out := map[string]any{
		"title": s.cfg.Title, "playlist": s.cfg.Playlist, "lowLatency": s.cfg.LowLatency,
		"target": s.cfg.Target, "telemetry": s.cfg.Telemetry != nil, "markers": s.cfg.Markers != nil,
		"post": s.cfg.Markers != nil && !s.cfg.MarkerRoutes.ReadOnly, "whep": whep,
	}
	if bind != nil {
		anchors := bind()
		if anchors == nil {
			anchors = []Anchor{}
		}
		out["anchors"] = anchors
	}
	if s.cfg.Markers != nil {
		out["epoch"] = s.cfg.Markers.Epoch()
	}
	send(w, http.StatusOK, out)
}

var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".json": "application/json", ".ico": "image/x-icon", ".png": "image/png",
	".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}

// policy keeps the page to what it was built with.
const policy = "default-src 'self'; media-src 'self' blob: data:; worker-src 'self' blob:; img-src 'self' data: blob:; " +
	"style-src 'self' 'unsafe-inline'; connect-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

// static serves the page's files, compressed as they were built.
func (s *Site) static(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		detail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" || name == "." {
		name = "index.html"
	}
	if s.cfg.Static != "" && s.folder(w, r, s.cfg.Static, name) {
		return
	}
	gz, err := dist.ReadFile("dist/" + name + ".gz")
	if err != nil || strings.HasSuffix(name, ".gz") {
		notFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Cache-Control", "no-cache") // names stay the same over releases
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	sum := sha256.Sum256(gz)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := gz
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
	} else if body, err = inflate(gz); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client went away
	}
}
