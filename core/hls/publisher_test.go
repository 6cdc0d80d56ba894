package hls

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// fakeClock is moved by hand.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *fakeClock {
	return &fakeClock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// packets makes n null packets.
func packets(n int) []byte {
	p := append([]byte{0x47, 0x1F, 0xFF, 0x10}, bytes.Repeat([]byte{0xFF}, 184)...)
	return bytes.Repeat(p, n)
}

func open(t testing.TB, cfg Config) *Publisher {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.Dir == "" && !cfg.Memory {
		cfg.Dir = t.TempDir()
	}
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, k tsterr.Kind) {
	t.Helper()
	if tsterr.KindOf(err) != k {
		t.Fatalf("error %v is %v, wanted %v", err, tsterr.KindOf(err), k)
	}
}

func fetch(t testing.TB, p *Publisher, path string, header ...string) (int, http.Header, string) {
	t.Helper()
	return request(t, p, http.MethodGet, path, header...)
}

func request(t testing.TB, p *Publisher, method, path string, header ...string) (int, http.Header, string) {
	t.Helper()
	addr, err := p.Addr()
	must(t, err)
	req, err := http.NewRequest(method, "http://"+addr, nil)
	must(t, err)
	req.URL.Opaque = path
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	tr := &http.Transport{DisableCompression: true}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr, Timeout: 20 * time.Second}).Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, resp.Header, string(body)
}

func text(t testing.TB, p *Publisher) string {
	t.Helper()
	s, err := p.Playlist(false)
	must(t, err)
	return s
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	must(t, err)
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

func TestPlaylistText(t *testing.T) {
	p := open(t, Config{SegmentDuration: 1500 * time.Millisecond, Mode: Event})
	head := "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
	if got := text(t, p); got != head {
		t.Fatalf("before the first segment: %q", got)
	}
	must(t, p.PushTS(packets(3)))
	if got := text(t, p); got != head {
		t.Fatalf("the open segment is listed: %q", got)
	}
	must(t, p.CutSegmentWithDuration(1234567*time.Microsecond))
	want := head + "#EXTINF:1.235,\nsegment_00000.ts\n"
	if got := text(t, p); got != want {
		t.Fatalf("got %q, wanted %q", got, want)
	}
	ending, err := p.Playlist(true)
	must(t, err)
	if ending != want+"#EXT-X-ENDLIST\n" {
		t.Fatalf("ending: %q", ending)
	}
	must(t, p.Finish())
	b, err := os.ReadFile(filepath.Join(p.cfg.Dir, PlaylistName))
	must(t, err)
	if string(b) != want+"#EXT-X-ENDLIST\n" {
		t.Fatalf("file: %q", b)
	}
	wantKind(t, p.Finish(), tsterr.HLSFinished)
	wantKind(t, p.PushTS(nil), tsterr.HLSFinished)
	must(t, p.Close())
}

// A live list drops its oldest only while what is left has Window entries and
// three target durations; files stay until clients that saw them can be done.
func TestLiveWindow(t *testing.T) {
	c := newClock()
	p := open(t, Config{SegmentDuration: time.Second, Window: 3, Now: c.now})
	for range 14 {
		must(t, p.PushTS(packets(1)))
		must(t, p.CutSegmentWithDuration(time.Second/3))
	}
	st := p.Stream().State()
	if st.MediaSequence != 4 || len(st.Segments) != 10 {
		t.Fatalf("sequence %d, %d segments", st.MediaSequence, len(st.Segments))
	}
	if st.Segments[0].Start != 4*(time.Second/3) {
		t.Fatalf("start %v", st.Segments[0].Start)
	}
	if x := st.At(5 * time.Second / 3); x == nil || x.Sequence != 5 {
		t.Fatalf("at 1.667 s: %+v", x)
	}
	for range 7 {
		must(t, p.PushTS(packets(1)))
		must(t, p.CutSegmentWithDuration(time.Second))
	}
	st = p.Stream().State()
	if st.MediaSequence != 18 || len(st.Segments) != 3 {
		t.Fatalf("sequence %d, %d segments", st.MediaSequence, len(st.Segments))
	}
	if status, _, _ := fetch(t, p, "/segment_00000.ts"); status != http.StatusOK {
		t.Fatalf("a segment that left a moment ago: %d", status)
	}
	c.add(10 * time.Second)
	must(t, p.PushTS(packets(1)))
	must(t, p.CutSegmentWithDuration(time.Second))
	if got := names(t, p.cfg.Dir); len(got) != 5 || got[1] != "segment_00018.ts" {
		t.Fatalf("files: %v", got)
	}
	if status, _, _ := fetch(t, p, "/segment_00000.ts"); status != http.StatusNotFound {
		t.Fatalf("a segment that was removed: %d", status)
	}
}

func TestWallClockCuts(t *testing.T) {
	c := newClock()
	p := open(t, Config{SegmentDuration: 500 * time.Millisecond, Now: c.now})
	for range 13 {
		must(t, p.PushTS(packets(1)))
		c.add(100 * time.Millisecond)
	}
	s, err := p.Stats()
	must(t, err)
	if s.Segments != 3 || s.ForcedCuts != 0 {
		t.Fatalf("%+v", s)
	}
	must(t, p.CutSegment())
	for range 23 {
		must(t, p.PushTS(packets(1)))
		c.add(100 * time.Millisecond)
	}
	if s, err = p.Stats(); err != nil || s.ForcedCuts != 2 || s.Segments != 6 {
		t.Fatalf("%+v %v", s, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for field, cfg := range map[string]Config{
		"segment_duration":     {SegmentDuration: -1},
		"playlist_window":      {Window: -1},
		"max_segment_duration": {MaxSegmentDuration: 3 * time.Second},
		"mode":                 {Mode: 3},
		"addr":                 {Addr: "localhost:0"},
		"cert":                 {TLS: true},
		"key":                  {CertFile: "x"},
		"part_duration":        {PartDuration: time.Millisecond},
		"container":            {Container: 2},
		"clock":                {Clock: 3},
	} {
		_, err := Open(cfg)
		wantKind(t, err, tsterr.HLSInvalidConfig)
		if e := err.(*tsterr.Error); e.Field != field { //nolint:errorlint,forcetypeassert // made so
			t.Errorf("field %q, wanted %q", e.Field, field)
		}
	}
	for _, c := range []struct {
		window int
		d      time.Duration
		ok     bool
	}{{2, 4 * time.Second, false}, {3, 1500 * time.Millisecond, false}, {3, 4 * time.Second, true}, {4, 1500 * time.Millisecond, true}} {
		err := Config{Window: c.window, SegmentDuration: c.d}.Validate()
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
	_, err := Open(Config{Addr: "127.0.0.1:0", Dir: "/dev/null/x"})
	wantKind(t, err, tsterr.HLSIO)
	p := open(t, Config{})
	addr, _ := p.Addr()
	_, err = Open(Config{Addr: addr, Dir: t.TempDir()})
	wantKind(t, err, tsterr.HLSBindFailed)
}

func TestHandlersBesideThePresentation(t *testing.T) {
	p := open(t, Config{Handlers: map[string]http.Handler{
		"GET /hello/{name}": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "hello %s", r.PathValue("name"))
		}),
	}})
	if status, _, body := fetch(t, p, "/hello/you"); status != 200 || body != "hello you" {
		t.Fatalf("%d %q", status, body)
	}
	must(t, p.Handle("/later", http.NotFoundHandler()))
	wantKind(t, p.Handle("/later", http.NotFoundHandler()), tsterr.HLSInvalidConfig)
	if status, _, body := fetch(t, p, "/other"); status != 404 || body != "Not Found" {
		t.Fatalf("%d %q", status, body)
	}
	if _, _, body := fetch(t, p, "/playlist.m3u8"); !strings.HasPrefix(body, "#EXTM3U\n") {
		t.Fatalf("%q", body)
	}
}

// program is video with KLV.
func program(sync bool) mpegts.MuxConfig {
	return mpegts.NewMuxConfig(mpegts.MuxProgram{Number: 1, PMTPID: 0x1000, Streams: []mpegts.MuxStream{
		{PID: 0x100, Class: mpegts.MuxVideo, Codec: mpegts.CodecH264},
		{PID: 0x102, Class: mpegts.MuxKLV, KLVSync: sync, CarriesPTS: true},
	}})
}

var (
	idr   = append([]byte{0, 0, 0, 1, 0x65}, bytes.Repeat([]byte{0xAB}, 900)...)
	inter = append([]byte{0, 0, 0, 1, 0x41}, bytes.Repeat([]byte{0xCD}, 300)...)
)

func TestMuxCutsAtKeyFrames(t *testing.T) {
	p := open(t, Config{SegmentDuration: time.Second, Window: 3})
	m, err := NewMuxPublisher(p, program(false))
	must(t, err)
	for i := range 12 {
		v := Video{PTS: 1<<33 - 9000 + int64(i)*7500, KeyFrame: i%4 == 0}
		if v.KeyFrame {
			must(t, m.SendVideo(idr, v))
		} else {
			must(t, m.SendVideo(inter, v))
		}
	}
	s, err := m.Stats()
	must(t, err)
	if s.Cuts != 2 || s.Drains != 12 {
		t.Fatalf("%+v", s)
	}
	wantKind(t, m.SendVideo([]byte("xx"), Video{}), tsterr.MuxInvalidNAL)
	wantKind(t, m.SendAudio(nil, 0), tsterr.MuxInvalidUsage)
	q, err := m.Release()
	must(t, err)
	_, err = m.Release()
	wantKind(t, err, tsterr.HLSClosed)
	must(t, q.Finish())
	b, err := os.ReadFile(filepath.Join(q.cfg.Dir, PlaylistName))
	must(t, err)
	if !strings.Contains(string(b), "#EXTINF:0.333,\nsegment_00000.ts\n#EXTINF:0.333,\nsegment_00001.ts\n") {
		t.Fatalf("%s", b)
	}
	for _, n := range names(t, q.cfg.Dir)[1:] {
		b, err := os.ReadFile(filepath.Join(q.cfg.Dir, n))
		must(t, err)
		pid := func(i int) int { return (int(b[188*i+1])<<8 | int(b[188*i+2])) & 0x1FFF }
		if pid(0) != 0 || pid(1) != 0x1000 || pid(2) != 0x100 {
			t.Fatalf("%s begins with PIDs %x %x %x", n, pid(0), pid(1), pid(2))
		}
	}
}
