package timeline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func serve(t *testing.T, s *Store, cfg HandlerConfig) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	NewHandler(s, cfg).Register(mux)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// The bytes below are what Python 3.11 writes:
// json.dumps(json.dumps({"markers": [...]})).
func TestCompatibleIsWhatPythonWrites(t *testing.T) {
	for _, c := range []struct {
		in   []Marker
		want string
	}{
		{nil, `"{\"markers\": []}"`},
		{
			[]Marker{{Time: 1, Text: "Marker 1"}, {Time: 2.033333333333333, Text: "a\"\\é🚁\n\x7f"}},
			`"{\"markers\": [{\"time\": 1.0, \"text\": \"Marker 1\"}, {\"time\": 2.033333333333333, \"text\": ` +
				`\"a\\\"\\\\\\u00e9\\ud83d\\ude81\\n` + "\x7f" + `\"}]}"`,
		},
		{
			[]Marker{{Time: 1e-5}, {Time: 1e16}, {Time: 123456789012345.6}},
			`"{\"markers\": [{\"time\": 1e-05, \"text\": \"\"}, {\"time\": 1e+16, \"text\": \"\"}, ` +
				`{\"time\": 123456789012345.6, \"text\": \"\"}]}"`,
		},
	} {
		if got := string(Compatible(c.in)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	if n := len(Compatible(nil)); n != 19 {
		t.Errorf("an empty answer has %d bytes, not 19", n)
	}
}

func TestMarkersRoute(t *testing.T) {
	s := open(t, Config{})
	add(t, s, 1.5, "one")
	add(t, s, 0, "zero")
	srv := serve(t, s, HandlerConfig{})
	for _, c := range []struct{ query, want string }{
		{"", "zero one"},
		{"?ts_start=-1.0", "zero one"},
		{"?ts_start=0", "one"},
		{"?ts_start=1.5", ""},
		{"?ts_start=inf", ""},
		{"?ts_start=-inf", "zero one"},
		{"?ts_start=nan", ""},
		{"?ts_start=1e400", ""},
	} {
		code, body := get(t, srv.URL+"/markers"+c.query)
		var once string
		var twice struct{ Markers []struct{ Text string } }
		if code != 200 || json.Unmarshal([]byte(body), &once) != nil || json.Unmarshal([]byte(once), &twice) != nil {
			t.Fatalf("%s: %d %s", c.query, code, body)
		}
		got := make([]string, 0, len(twice.Markers))
		for _, m := range twice.Markers {
			got = append(got, m.Text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v", c.query, got)
		}
	}
	for _, q := range []string{"x", "", "1,5", "0x10"} {
		code, body := get(t, srv.URL+"/markers?ts_start="+q)
		var in struct{ Detail []map[string]any }
		if code != 422 || json.Unmarshal([]byte(body), &in) != nil || len(in.Detail) != 1 {
			t.Errorf("%q: %d %s", q, code, body)
		}
	}
}

func TestPostingMarkers(t *testing.T) {
	s := open(t, Config{})
	edge := 12.5
	srv := serve(t, s, HandlerConfig{Edge: func() (float64, bool) { return edge, true }})
	code, body := post(t, srv.URL+"/markers", `{"time": 3, "text": "hello", "data": {"k": [1]}}`)
	var m Marker
	if code != 201 || json.Unmarshal([]byte(body), &m) != nil || m.Time != 3 || m.Text != "hello" || string(m.Data) != `{"k":[1]}` || m.ID == 0 {
		t.Fatal(code, body)
	}
	if code, body = post(t, srv.URL+"/timeline", `{"text": "now"}`); code != 201 || !strings.Contains(body, `"time":12.5`) {
		t.Fatal(code, body)
	}
	if got := texts(t, s, Query{}); got != "hello now" {
		t.Fatal(got)
	}
	for body, want := range map[string]int{
		"":                           422,
		"[]":                         422,
		`{"time": 1}`:                422,
		`{"time": "x", "text":""}`:   422,
		`{"time": 1e999, "text":""}`: 422,
		`{"time": 1, "text": "` + strings.Repeat("x", MaxText+1) + `"}`: 413,
		`{"time": 1, "text": "` + strings.Repeat("x", maxBody) + `"}`:   413,
	} {
		if code, answer := post(t, srv.URL+"/markers", body); code != want {
			t.Errorf("%.60s: %d %s, want %d", body, code, answer, want)
		}
	}
	read := serve(t, s, HandlerConfig{ReadOnly: true})
	if code, _ := post(t, read.URL+"/markers", `{"time": 1, "text": "x"}`); code != 403 {
		t.Error(code)
	}
}

func TestTimelinePages(t *testing.T) {
	s := open(t, Config{})
	for i := range 5 {
		add(t, s, float64(10-i), strconv.Itoa(i))
	}
	srv := serve(t, s, HandlerConfig{})
	var page struct {
		Stream  string
		Epoch   int64
		Next    int64
		Markers []Marker
	}
	read := func(q string) {
		t.Helper()
		code, body := get(t, srv.URL+"/timeline"+q)
		if code != 200 || json.Unmarshal([]byte(body), &page) != nil {
			t.Fatal(code, body)
		}
	}
	read("")
	if page.Stream != "live" || page.Epoch != s.Epoch() || len(page.Markers) != 5 || page.Markers[0].Text != "4" {
		t.Fatalf("%+v", page)
	}
	read("?from=7&until=8")
	if len(page.Markers) != 2 {
		t.Fatalf("%+v", page)
	}
	read("?after=1&limit=2")
	if len(page.Markers) != 2 || page.Next != 3 {
		t.Fatalf("%+v", page)
	}
	for _, q := range []string{"?epoch=x", "?after=x", "?from=nan", "?until=x", "?limit=0", "?limit=100001"} {
		if code, _ := get(t, srv.URL+"/timeline"+q); code != 422 {
			t.Errorf("%s: %d", q, code)
		}
	}
}

type sse struct {
	r    *http.Response
	scan *bufio.Scanner
}

func listen(t *testing.T, url string, last string) *sse {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/timeline/events", nil)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Body.Close() })
	return &sse{r, bufio.NewScanner(r.Body)}
}

// next gives the text of the next marker.
func (s *sse) next(t *testing.T) string {
	t.Helper()
	kind := ""
	for s.scan.Scan() {
		line := s.scan.Text()
		if k, ok := strings.CutPrefix(line, "event: "); ok {
			kind = k
		}
		if d, ok := strings.CutPrefix(line, "data: "); ok && kind == "marker" {
			var m Marker
			if err := json.Unmarshal([]byte(d), &m); err != nil {
				t.Fatal(err)
			}
			return m.Text
		}
	}
	t.Fatal("the feed ended: ", s.scan.Err())
	return ""
}

func TestFeedMissesNothing(t *testing.T) {
	s := open(t, Config{})
	first := add(t, s, 1, "a")
	srv := serve(t, s, HandlerConfig{Heartbeat: 20 * time.Millisecond})
	from := listen(t, srv.URL, "0")
	if got := from.next(t); got != "a" {
		t.Fatal(got)
	}
	live := listen(t, srv.URL, "")
	for !live.scan.Scan() || live.scan.Text() != ":" && live.scan.Text() != ": " {
	} // it listens: a heartbeat came
	for _, x := range []string{"b", "c"} {
		add(t, s, 1, x)
	}
	for _, f := range []*sse{from, live} {
		if got := f.next(t) + f.next(t); got != "bc" {
			t.Fatal(got)
		}
	}
	again := listen(t, srv.URL, strconv.FormatInt(first.ID, 10))
	if got := again.next(t) + again.next(t); got != "bc" {
		t.Fatal(got)
	}
}

func TestFeedsAreBounded(t *testing.T) {
	s := open(t, Config{})
	srv := serve(t, s, HandlerConfig{MaxFeeds: 2})
	listen(t, srv.URL, "")
	listen(t, srv.URL, "")
	r := listen(t, srv.URL, "").r
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Fatal(r.StatusCode)
	}
	b := listen(t, srv.URL, "x").r
	if b.StatusCode != http.StatusServiceUnavailable && b.StatusCode != http.StatusUnprocessableEntity {
		t.Fatal(b.StatusCode)
	}
}

func FuzzPostedMarker(f *testing.F) {
	f.Add([]byte(`{"time": 1.5, "text": "x", "data": {"a": 1}}`))
	f.Add([]byte(`{"time": 1e308, "text": "\ud800"}`))
	f.Add([]byte(`[[[[`))
	s, err := Open(context.Background(), Config{})
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	mux := http.NewServeMux()
	NewHandler(s, HandlerConfig{}).Register(mux)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/markers", bytes.NewReader(body)))
		if w.Code >= 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w.Code != 201 {
			return
		}
		var m Marker
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		got, err := s.Markers(context.Background(), Query{AfterID: m.ID - 1, ByID: true, Limit: 1})
		if err != nil || len(got) != 1 || got[0].Text != m.Text || got[0].Time != m.Time {
			t.Fatalf("%+v %+v %v", m, got, err)
		}
		if b := Compatible(got); !json.Valid(b) {
			t.Fatalf("%q", b)
		}
	})
}
