package hls

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// headerTimeout is how long a client may take for its request.
	headerTimeout = 10 * time.Second
	// idleTimeout is how long a connection may wait for its next request.
	idleTimeout = 60 * time.Second
	// maxHeader bounds a request without body, in bytes.
	maxHeader = 16 << 10
	// slowest is the rate in bytes a second below which a client is cut off:
	// far under any that could play.
	slowest = 8 << 10
	// patience is added to what a transfer may take at the slowest rate.
	patience = 10 * time.Second
	// drain is how long Close waits for answers under way.
	drain = 500 * time.Millisecond
	realm = `Basic realm="tst-hls"`
)

// Server serves one Stream over HTTP, and whatever else is mounted on it. Any
// thread may call it.
type Server struct {
	cfg    *Config
	stream *Stream
	http   *http.Server
	addr   string
	auth   [2][sha256.Size]byte
	stop   chan struct{}  // closed by Close: held requests end
	served chan struct{}  // closed when the accept loop ended
	beside sync.WaitGroup // what Run started
	once   sync.Once
	closed atomic.Bool

	muxMu    sync.RWMutex
	handlers *http.ServeMux // nil without any

	open     atomic.Int64
	clients  atomic.Uint64
	refused  atomic.Uint64
	requests atomic.Uint64
	sent     atomic.Uint64
}

// serve binds and starts.
func serve(cfg *Config, st *Stream) (*Server, error) {
	s := &Server{cfg: cfg, stream: st, stop: make(chan struct{}), served: make(chan struct{})}
	s.auth = [2][sha256.Size]byte{sha256.Sum256([]byte(cfg.User)), sha256.Sum256([]byte(cfg.Password))}
	var conf *tls.Config
	if cfg.TLS {
		var err error
		if conf, err = loadTLS(cfg.CertFile, cfg.KeyFile); err != nil {
			return nil, err
		}
	}
	for pattern, h := range cfg.Handlers {
		if err := s.Handle(pattern, h); err != nil {
			return nil, err
		}
	}
	network := "tcp4"
	if strings.HasPrefix(cfg.Addr, "[") {
		network = "tcp6"
	}
	l, err := net.Listen(network, cfg.Addr)
	if err != nil {
		e := tsterr.IOError(err, "HTTP server bind failed")
		e.Kind = tsterr.HLSBindFailed
		return nil, e
	}
	s.addr = l.Addr().String()
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: cfg.headerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ConnState: s.track, TLSConfig: conf,
		ErrorLog: log.New(io.Discard, "", 0), // a library writes to nobody's terminal
	}
	go func() {
		defer close(s.served)
		if conf != nil {
			_ = s.http.ServeTLS(l, "", "")
		} else {
			_ = s.http.Serve(l)
		}
	}()
	return s, nil
}

func loadTLS(cert, key string) (*tls.Config, error) {
	pem := [2][]byte{}
	for i, path := range []string{cert, key} {
		b, err := readFile(path)
		if err != nil {
			return nil, ioError(err, "TLS file")
		}
		pem[i] = b
	}
	pair, err := tls.X509KeyPair(pem[0], pem[1])
	if err != nil {
		return nil, tsterr.Wrap(tsterr.HLSTLS, err, "certificate and key")
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// track counts connections and turns away those above the bound.
func (s *Server) track(c net.Conn, st http.ConnState) {
	switch st {
	case http.StateNew:
		s.clients.Add(1)
		if s.open.Add(1) > int64(s.cfg.MaxClients) {
			s.refused.Add(1)
			_ = c.Close() // the server notices at its first read, and counts it closed
		}
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	default:
	}
}

// Handle serves h under a pattern of http.ServeMux, beside the presentation,
// whose own names win. Authentication covers it; a body must arrive within ten
// seconds; further deadlines a handler sets with http.ResponseController. Handlers may be added while the
// server runs.
func (s *Server) Handle(pattern string, h http.Handler) (err error) {
	s.muxMu.Lock()
	defer s.muxMu.Unlock()
	if s.handlers == nil {
		s.handlers = http.NewServeMux()
	}
	defer func() { // ServeMux panics for patterns that are wrong or taken
		if r := recover(); r != nil {
			err = configError("pattern", "%v", r)
		}
	}()
	s.handlers.Handle(pattern, h)
	return nil
}

// Run runs f beside the server, until Close, which closes stop and waits for it.
// A server that is closed runs nothing.
func (s *Server) Run(f func(stop <-chan struct{})) {
	s.muxMu.Lock()
	defer s.muxMu.Unlock()
	if s.closed.Load() {
		return
	}
	s.beside.Add(1)
	go func() {
		defer s.beside.Done()
		f(s.stop)
	}()
}

// Done is closed when the server is to stop: handlers that hold a request end.
func (s *Server) Done() <-chan struct{} { return s.stop }

// Stream is what the server serves.
func (s *Server) Stream() *Stream { return s.stream }

// Addr is the bound "ip:port".
func (s *Server) Addr() (string, error) {
	if s.closed.Load() {
		return "", fail(tsterr.HLSFinished, "HlsServerHandle shut down")
	}
	return s.addr, nil
}

// Close stops serving: held requests end, answers under way get half a second.
// Repeating it does nothing.
func (s *Server) Close() {
	s.once.Do(func() {
		s.muxMu.Lock()
		s.closed.Store(true)
		s.muxMu.Unlock()
		close(s.stop)
		ctx, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		if err := s.http.Shutdown(ctx); err != nil {
			_ = s.http.Close()
		}
	})
	<-s.served
	s.beside.Wait()
}

func (s *Server) count(st *Stats) {
	st.Clients, st.Refused = s.clients.Load(), s.refused.Load()
	st.Requests, st.Sent = s.requests.Load(), s.sent.Load()
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.cfg.headerTimeout))
	}
	if s.cfg.Auth && !s.allowed(r) {
		if !s.preflight(w, r) {
			w.Header()["Www-Authenticate"] = []string{realm}
			refuse(w, http.StatusUnauthorized)
		}
		return
	}
	if s.own(w, r) {
		return
	}
	s.muxMu.RLock()
	mux := s.handlers
	s.muxMu.RUnlock()
	if mux != nil {
		if _, pattern := mux.Handler(r); pattern != "" {
			// The deadline of an answer before on this connection is over.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
			mux.ServeHTTP(w, r)
			return
		}
	}
	refuse(w, http.StatusNotFound)
}

// own answers for what the presentation has.
func (s *Server) own(w http.ResponseWriter, r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.EscapedPath(), "/")
	if !ok || strings.IndexByte(name, '/') >= 0 {
		return false
	}
	known := name == PlaylistName || strings.HasPrefix(name, "segment_") || strings.HasPrefix(name, "part_") ||
		strings.HasPrefix(name, "init_")
	if !known {
		return false
	}
	if s.preflight(w, r) {
		return true
	}
	if r.Method != http.MethodGet && (!s.cfg.Ranges || r.Method != http.MethodHead) {
		return false
	}
	if name == PlaylistName {
		s.playlist(w, r)
		return true
	}
	return s.media(w, r, name)
}

// preflight answers OPTIONS of browsers, where a page of another origin may ask.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) bool {
	if s.cfg.Origin == "" || r.Method != http.MethodOptions {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", s.cfg.Origin)
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Range, Authorization")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func (s *Server) allowed(r *http.Request) bool {
	// More than one space may follow the scheme (RFC 9110 §11.4), which net/http does not take.
	if scheme, rest, found := strings.Cut(r.Header.Get("Authorization"), " "); found {
		r.Header.Set("Authorization", scheme+" "+strings.TrimLeft(rest, " "))
	}
	user, password, ok := r.BasicAuth()
	u, p := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password))
	// Both are compared, and by sums: time tells nothing.
	same := subtle.ConstantTimeCompare(u[:], s.auth[0][:]) & subtle.ConstantTimeCompare(p[:], s.auth[1][:])
	return ok && same == 1
}

func refuse(w http.ResponseWriter, status int) {
	h := w.Header()
	h["Content-Type"] = nil
	text := http.StatusText(status)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// limit gives a transfer the time that the slowest client may take.
func (s *Server) limit(w http.ResponseWriter, bytes int64) {
	seconds := float64(bytes) / float64(s.cfg.slowest)
	d := s.cfg.patience + time.Duration(seconds*float64(time.Second))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

func (s *Server) headers(h http.Header, contentType string, n int64) {
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.FormatInt(n, 10)}
	if s.cfg.Origin != "" {
		h["Access-Control-Allow-Origin"] = []string{s.cfg.Origin}
		h["Access-Control-Expose-Headers"] = []string{"Content-Length, Content-Range, Age, Date"}
	}
}

func (s *Server) playlist(w http.ResponseWriter, r *http.Request) {
	st := s.stream.State()
	blocked, skip := false, whole
	if st.PartTarget > 0 && r.URL.RawQuery != "" {
		d, err := parseDirectives(r.URL.RawQuery)
		if err != nil {
			refuse(w, http.StatusBadRequest)
			return
		}
		skip, blocked = d.skip, d.hasMSN
		if d.hasMSN {
			var status int
			if st, status = s.hold(r.Context(), d); status != 0 {
				if status > 0 {
					refuse(w, status)
				}
				return
			}
		}
	}
	body := st.Playlist()
	gz := s.cfg.Gzip && acceptsGzip(r.Header)
	switch {
	case skip != whole:
		if body = st.Delta(skip); gz {
			body = compress(body)
		}
	case gz:
		body = st.gzipped()
	}
	h := w.Header()
	s.headers(h, typePlaylist, int64(len(body)))
	if s.cfg.Gzip {
		h["Vary"] = []string{"Accept-Encoding"}
		if gz {
			h["Content-Encoding"] = []string{"gzip"}
		}
	}
	if s.cfg.CacheControl {
		h["Cache-Control"] = []string{playlistCache(st, blocked)}
	}
	s.body(w, r, body)
}

// playlistCache is what RFC 8216bis §B.1 advises, in whole seconds.
func playlistCache(st *State, blocked bool) string {
	switch {
	case st.ends():
		return "max-age=3600"
	case blocked:
		return "max-age=" + strconv.FormatInt(int64(6*st.Target/time.Second), 10)
	case st.PartTarget > 0 || st.Target < 2*time.Second:
		return "no-cache"
	}
	return "max-age=" + strconv.FormatInt(int64(st.Target/2/time.Second), 10)
}

func (s *Server) body(w http.ResponseWriter, r *http.Request, b []byte) {
	s.limit(w, int64(len(b)))
	if r.Method == http.MethodHead {
		return
	}
	n, _ := w.Write(b)
	s.sent.Add(uint64(n)) //nolint:gosec // not negative
}

func acceptsGzip(h http.Header) bool {
	for _, v := range h["Accept-Encoding"] {
		for _, f := range strings.Split(v, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(f), ";")
			if (name == "gzip" || name == "*") && !strings.HasPrefix(strings.ReplaceAll(q, " ", ""), "q=0") {
				return true
			}
		}
	}
	return false
}
