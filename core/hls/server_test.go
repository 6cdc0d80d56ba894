package hls

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/tsterr"
)

func TestTraversal(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600))
	p := open(t, Config{Dir: filepath.Join(dir, "out"), Handlers: map[string]http.Handler{"/page": http.NotFoundHandler()}})
	must(t, p.PushTS(packets(1)))
	must(t, p.CutSegment())
	for _, path := range []string{
		"/../secret", "/%2e%2e/secret", "/..%2fsecret", "/segment_00000.ts/../../secret", "/./segment_00000.ts",
		"//segment_00000.ts", "/segment_00000.ts%00", "/segment_%30%30000.ts", "/segment_00000.ts.", "/segment_+0000.ts",
		"/segment_000000.ts", "/segment_18446744073709551616.ts", "/part_00000_0.ts", "/init_00000.mp4", "/segment_00000.m4s",
		"/.playlist.m3u8.tmp", "/segment_..%2f.ts",
	} {
		if status, _, body := fetch(t, p, path); status == http.StatusOK || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

// Clients that send or read too slowly are cut off, and hold up nobody.
func TestSlowClients(t *testing.T) {
	leak.Check(t)
	p := open(t, Config{Memory: true, headerTimeout: 300 * time.Millisecond, patience: 300 * time.Millisecond, slowest: 1 << 40})
	must(t, p.PushTS(packets(100_000)))
	must(t, p.CutSegment())
	addr, err := p.Addr()
	must(t, err)
	dial := func(text string) net.Conn {
		c, err := net.Dial("tcp", addr)
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		_, err = io.WriteString(c, text)
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(20*time.Second)))
		return c
	}
	half := dial("GET /playlist.m3u8 HTTP/1.1\r\nHost: x\r\n")
	body := dial("POST /playlist.m3u8 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc")
	deaf := dial("GET /segment_00000.ts HTTP/1.1\r\nHost: x\r\n\r\n")
	for range 20 {
		if status, _, _ := fetch(t, p, "/playlist.m3u8"); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	for name, c := range map[string]net.Conn{"half a header": half, "a body that never comes": body} {
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The server gave up on the deaf one: what is buffered comes, the rest does not.
	time.Sleep(time.Second)
	if n, _ := io.Copy(io.Discard, deaf); n > 18_000_000 {
		t.Errorf("a client that did not read got %d bytes", n)
	}
	must(t, p.Close())
}

func TestClientBound(t *testing.T) {
	p := open(t, Config{Memory: true, MaxClients: 4})
	addr, err := p.Addr()
	must(t, err)
	open := make([]net.Conn, 0, 4)
	for range 4 {
		c, getErr := net.Dial("tcp", addr)
		must(t, getErr)
		defer func() { _ = c.Close() }()
		_, getErr = io.WriteString(c, "GET /playlist.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, getErr)
		resp, getErr := http.ReadResponse(bufio.NewReader(c), nil)
		must(t, getErr)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status)
		}
		open = append(open, c)
	}
	c, err := net.Dial("tcp", addr)
	must(t, err)
	defer func() { _ = c.Close() }()
	must(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	_, _ = io.WriteString(c, "GET /playlist.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
	if b, _ := io.ReadAll(c); len(b) > 0 {
		t.Fatalf("served above the bound: %q", b)
	}
	s, err := p.Stats()
	must(t, err)
	if s.Refused != 1 || s.Clients != 5 {
		t.Fatalf("%+v", s)
	}
	// One that leaves makes room.
	_ = open[0].Close()
	for deadline := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("tcp", addr)
		must(t, err)
		_, _ = io.WriteString(c, "GET /playlist.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil {
			_ = resp.Body.Close()
		}
		_ = c.Close()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no room was made")
		}
	}
}

func TestLongRequests(t *testing.T) {
	p := open(t, Config{Memory: true})
	if status, _, _ := fetch(t, p, "/playlist.m3u8?"+strings.Repeat("x", 64<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatal(status)
	}
	if status, _, _ := fetch(t, p, "/playlist.m3u8", "X-Y", strings.Repeat("x", 64<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatal(status)
	}
}

// faultStore fails when told to.
type faultStore struct {
	store
	fail bool
}

type faultBlob struct {
	blob
	s *faultStore
}

func (s *faultStore) create(name string) (blob, error) {
	if s.fail {
		return nil, ioError(os.ErrPermission, "segment")
	}
	b, err := s.store.create(name)
	return &faultBlob{b, s}, err
}

func (s *faultStore) playlist(b []byte) error {
	if s.fail {
		return ioError(os.ErrPermission, "playlist")
	}
	return s.store.playlist(b)
}

func (b *faultBlob) write(p []byte) error {
	if b.s.fail {
		return ioError(os.ErrPermission, "segment")
	}
	return b.blob.write(p)
}

// TestDiskFaults makes every kind of write fail and wants all that was
// acknowledged, and the playlist, to be there in the end.
func TestDiskFaults(t *testing.T) {
	p := open(t, Config{Mode: Event})
	st := &faultStore{store: p.stream.store}
	p.stream.store = st
	var want []byte
	push := func(i int) {
		b := packets(1)
		b[5] = byte(i)
		st.fail = true
		wantKind(t, p.PushTS(b), tsterr.HLSIO)
		st.fail = false
		must(t, p.PushTS(b))
		want = append(want, b...)
	}
	for i := range 30 {
		push(i)
		if i%10 == 9 {
			st.fail = true
			wantKind(t, p.CutSegment(), tsterr.HLSIO) // the playlist's file
			if n := strings.Count(text(t, p), "EXTINF"); n != i/10+1 {
				t.Fatalf("%d segments are listed", n)
			}
			st.fail = false
		}
	}
	must(t, p.Finish())
	var got []byte
	for i := range 3 {
		b, err := os.ReadFile(filepath.Join(p.cfg.Dir, segmentName(uint64(i), TS)))
		must(t, err)
		got = append(got, b...)
	}
	if string(got) != string(want) {
		t.Fatalf("%d bytes, wanted %d", len(got), len(want))
	}
	b, err := os.ReadFile(filepath.Join(p.cfg.Dir, PlaylistName))
	must(t, err)
	if strings.Count(string(b), "EXTINF") != 3 {
		t.Fatalf("%s", b)
	}
}

// The pictures a full disk kept out come with the next ones.
func TestMuxDiskFaults(t *testing.T) {
	for _, c := range []Container{TS, FMP4} {
		aus := pictures(t, 60)
		p := open(t, Config{Mode: VOD, Container: c, SegmentDuration: time.Second, KeyFrameCuts: true})
		st := &faultStore{store: p.stream.store}
		p.stream.store = st
		m, err := NewMuxPublisher(p, program(false))
		must(t, err)
		failed := 0
		for i, au := range aus {
			st.fail = i%7 == 3
			if err = m.SendVideo(au.Data, Video{PTS: int64(i) * 3600, KeyFrame: au.Key}); err != nil {
				wantKind(t, err, tsterr.HLSIO)
				failed++
			}
		}
		st.fail = false
		if _, err = m.Release(); err != nil {
			t.Fatal(err)
		}
		must(t, p.Finish())
		if c == TS && failed == 0 {
			t.Fatal("nothing failed")
		}
		if n := len(decoded(t, p)); n != len(aus) {
			t.Fatalf("container %d: %d pictures of %d, %d calls failed", c, n, len(aus), failed)
		}
	}
}

// Many writers and readers at once: what was acknowledged is there, once.
func TestConcurrentWriters(t *testing.T) {
	p := open(t, Config{Mode: Event, Gzip: true})
	const writers, each = 8, 100
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				b := packets(2)
				copy(b[4:], fmt.Sprintf("%03d/%05d", w, i))
				if err := p.PushTS(b); err != nil {
					t.Error(err)
				}
				if i%10 == w%10 {
					if err := p.CutSegment(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status, _, body := fetch(t, p, "/playlist.m3u8"); status != 200 || !strings.HasPrefix(body, "#EXTM3U") {
					t.Errorf("%d %q", status, body)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	readers.Wait()
	must(t, p.Finish())
	seen := map[string]int{}
	for _, n := range names(t, p.cfg.Dir) {
		if !strings.HasSuffix(n, ".ts") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(p.cfg.Dir, n))
		must(t, err)
		for ; len(b) >= 376; b = b[376:] {
			seen[string(b[4:13])]++
		}
	}
	for w := range writers {
		for i := range each {
			if k := fmt.Sprintf("%03d/%05d", w, i); seen[k] != 1 {
				t.Fatalf("%s is there %d times", k, seen[k])
			}
		}
	}
}
