package page

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/hls"
	"github.com/tstrans/tstrans/core/timeline"
	"github.com/tstrans/tstrans/core/tsterr"
)

func site(t *testing.T, cfg Config) *Site {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(s http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://host"+target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestPageIsSmallAndAsksNobodyElse(t *testing.T) {
	list, err := dist.ReadDir("dist")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	names := map[string]bool{}
	for _, e := range list {
		gz, err := dist.ReadFile("dist/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		total += len(gz)
		b, err := inflate(gz)
		if err != nil {
			t.Fatal(e.Name(), err)
		}
		name := strings.TrimSuffix(e.Name(), ".gz")
		names[name] = true
		if name == "page.js" {
			continue // the player's source names standards and its project in comments and messages
		}
		for _, host := range []string{"http://", "https://", `"//`} {
			if at := bytes.Index(b, []byte(host)); at >= 0 && !bytes.Contains(b[at:at+40], []byte("www.w3.org/2000/svg")) {
				t.Errorf("%s names another host: %.60s", name, b[at:])
			}
		}
	}
	if !names["index.html"] || !names["page.js"] || !names["index.css"] {
		t.Errorf("files: %v", names)
	}
	if total > 300<<10 {
		t.Errorf("the page has %d bytes", total)
	}
	s := site(t, Config{})
	w := ask(s, "GET", "/")
	if !strings.Contains(w.Header().Get("Content-Security-Policy"), "connect-src 'self'") {
		t.Error(w.Header())
	}
	for _, q := range []struct {
		accept string
		gzip   bool
	}{{"gzip", true}, {"br, gzip;q=0.5", true}, {"*", true}, {"gzip;q=0", false}, {"gzip;q=0.000", false}, {"br", false}, {"", false}} {
		got := ask(s, "GET", "/page.js", "Accept-Encoding", q.accept).Header().Get("Content-Encoding") == "gzip"
		if got != q.gzip {
			t.Errorf("%q: gzip %v", q.accept, got)
		}
	}
	if w := ask(s, "POST", "/"); w.Code != http.StatusMethodNotAllowed {
		t.Error(w.Code)
	}
	if w := ask(s, "HEAD", "/index.html"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Error(w.Code, w.Body.Len())
	}
}

func TestNothingOutsideOfTheFolderIsServed(t *testing.T) {
	root := t.TempDir()
	video, static := filepath.Join(root, "video"), filepath.Join(root, "static")
	for _, d := range []string{video, static, filepath.Join(static, "sub")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range map[string]string{
		filepath.Join(root, "secret.ts"): "secret", filepath.Join(video, "a.ts"): "segment", filepath.Join(static, "sub", "x.css"): "mine",
		filepath.Join(static, "index.html"): "own page",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range []string{filepath.Join(video, "link.ts"), filepath.Join(static, "link.ts")} {
		if err := os.Symlink(filepath.Join(root, "secret.ts"), l); err != nil {
			t.Fatal(err)
		}
	}
	s := site(t, Config{Video: video, Static: static})
	for target, want := range map[string]string{"/video/a.ts": "segment", "/": "own page", "/sub/x.css": "mine"} {
		if w := ask(s, "GET", target); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %q", target, w.Code, w.Body)
		}
	}
	for _, target := range []string{
		"/video/link.ts", "/link.ts", "/video/..%2fsecret.ts", "/video/%2e%2e%2fsecret.ts", "/video/..%5csecret.ts",
		"/video//etc/passwd", "/../secret.ts", "/%2e%2e/secret.ts", "/sub/..%2f..%2fsecret.ts", "/video/%00", "/video/.", "/video/..",
		"/sub", "/video/" + strings.Repeat("x", 5000),
	} {
		if w := ask(s, "GET", target); w.Code == 200 || strings.Contains(w.Body.String(), "secret") && w.Code < 300 {
			t.Errorf("%s: %d %q", target, w.Code, w.Body)
		}
	}
}

// push feeds whole packets of a recording with key frames.
func push(t *testing.T, p *hls.Publisher) {
	t.Helper()
	b, err := os.ReadFile("../../../testdata/demo.ts")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.PushTS(b[:len(b)/188*188]); err != nil {
		t.Fatal(err)
	}
}

func TestAttachedSiteHasThePublishersClock(t *testing.T) {
	p, err := hls.Open(hls.Config{Addr: "127.0.0.1:0", Memory: true, KeyFrameCuts: true, SegmentDuration: 2 * time.Second, Mode: hls.Event})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Abort()
	store, err := timeline.Open(context.Background(), timeline.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s := site(t, Config{Markers: store})
	if _, ok := s.Edge(); ok {
		t.Error("an edge before anything was attached")
	}
	if err = s.Attach(p); err != nil {
		t.Fatal(err)
	}
	if err = s.Attach(p); tsterr.KindOf(err) != tsterr.HLSInvalidConfig {
		t.Error("attached twice: ", err)
	}
	push(t, p)
	st := p.Stream().State()
	anchors := Anchors(st)
	if len(anchors) != 1 || anchors[0].Start != 0 || anchors[0].PTS != st.Segments[0].PTS {
		t.Fatalf("%+v", anchors)
	}
	edge, ok := s.Edge()
	last := st.Segments[len(st.Segments)-1]
	if !ok || edge != (last.Start+last.Duration).Seconds() {
		t.Fatal(edge, ok)
	}
	addr, err := p.Server().Addr()
	if err != nil {
		t.Fatal(err)
	}
	var cfg struct {
		Anchors []Anchor
		Post    bool
	}
	r, err := http.Get("http://" + addr + "/page.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if err = json.NewDecoder(r.Body).Decode(&cfg); err != nil || len(cfg.Anchors) != 1 || !cfg.Post {
		t.Fatalf("%+v %v", cfg, err)
	}
	// "Now" is the newest time of the stream.
	q, err := http.Post("http://"+addr+"/markers", "application/json", strings.NewReader(`{"text": "now"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Body.Close() }()
	var m timeline.Marker
	if err := json.NewDecoder(q.Body).Decode(&m); err != nil || m.Time != edge {
		t.Fatalf("%+v %v", m, err)
	}
}

func TestAnchorsBeginAnewWhereTimesDo(t *testing.T) {
	seg := func(n uint64, start float64, pts int64) *hls.Segment {
		return &hls.Segment{Sequence: n, Start: time.Duration(start * float64(time.Second)), PTS: pts, HasPTS: true}
	}
	st := &hls.State{Segments: []*hls.Segment{
		seg(5, 10, 1<<33-90_000), seg(6, 12, 90_000), // across the wrap
		seg(7, 14, 5_000_000), // another clock
		seg(8, 16, 5_180_000),
		{Sequence: 9},
	}}
	got := Anchors(st)
	if len(got) != 2 || got[0].Sequence != 5 || got[1].Sequence != 7 || got[1].PTS != 5_000_000 {
		t.Fatalf("%+v", got)
	}
}

func TestAClientThatReadsNothingHoldsNobodyUp(t *testing.T) {
	store, err := timeline.Open(context.Background(), timeline.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	srv, err := Listen("127.0.0.1:0", site(t, Config{Markers: store}))
	if err != nil {
		t.Fatal(err)
	}
	slow := make([]net.Conn, 0, 20)
	for range 20 {
		c, dialErr := net.Dial("tcp", srv.Addr())
		if dialErr != nil {
			t.Fatal(dialErr)
		}
		defer func() { _ = c.Close() }()
		if _, err = io.WriteString(c, "GET /timeline/events?after=0 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	text := strings.Repeat("x", timeline.MaxText)
	for range 200 { // 16 MB for all of them: more than sockets hold
		if err = store.Add(context.Background(), &timeline.Marker{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	r, err := http.Get("http://" + srv.Addr() + "/timeline?limit=1")
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if d := time.Since(begun); r.StatusCode != http.StatusOK || d > 5*time.Second {
		t.Fatal(r.StatusCode, d)
	}
	// The server ends although they still do not read.
	done := make(chan error, 1)
	go func() { done <- srv.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the server does not end")
	}
	if _, err := net.Dial("tcp", srv.Addr()); err == nil {
		t.Fatal("it still listens")
	}
	_ = slow
}

func TestAPortInUseIsATypedError(t *testing.T) {
	a, err := Listen("127.0.0.1:0", site(t, Config{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if _, err := Listen(a.Addr(), site(t, Config{})); tsterr.KindOf(err) != tsterr.HLSBindFailed {
		t.Fatal(err)
	}
	if _, err := New(Config{Target: -1}); tsterr.KindOf(err) != tsterr.InvalidArg {
		t.Fatal(err)
	}
}

func FuzzTarget(f *testing.F) {
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "..", "outside"), []byte("outside"), 0o644); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.ts"), []byte("inside"), 0o644); err != nil {
		f.Fatal(err)
	}
	s, err := New(Config{Video: dir, Static: dir})
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range []string{"/video/a.ts", "/video/../outside", "/..%2foutside", "/video/%2e%2e/outside", "/page.js?x=%zz", "/\x00"} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.NewRequest(http.MethodGet, target, nil)
		if err != nil || r.URL.Path == "" {
			return
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), "outside") && w.Code == 200 || w.Code >= 500 {
			t.Fatalf("%q: %d %s", target, w.Code, w.Body)
		}
	})
}
