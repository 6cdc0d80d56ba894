package hls

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/hlscheck"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// FuzzURL: what is taken is an address, anything else a typed error.
func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"hls://127.0.0.1:0", "hlss://[::1]:443?cert=a&key=b", "hls://0.0.0.0:80/x?mode=vod&segment_duration=2&playlist_window=0",
		"hls://127.0.0.1:0?output_dir=%2Ftmp&auth_user=a%20b&auth_pass=", "hls://127.0.0.1:0?segment_duration=99999999999",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cfg, err := Config{}.ParseURL(s)
		if err != nil {
			wantKind(t, err, tsterr.HLSURL)
			return
		}
		if err := cfg.Validate(); err != nil {
			wantKind(t, err, tsterr.HLSInvalidConfig)
		}
		if cfg.Addr == "" {
			t.Fatal("no address")
		}
	})
}

// FuzzRequest: no request fails, and nothing but what the presentation has is
// given out.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"/playlist.m3u8?_HLS_msn=0&_HLS_part=1", "/playlist.m3u8?_HLS_skip=v2", "/segment_00000.ts", "/part_00000_0.ts", "/..%2fx",
		"/playlist.m3u8?_HLS_part=9", "/segment_00000.ts?x", "/init_00000.mp4", "//", "/%00", "/playlist.m3u8?_HLS_msn=18446744073709551615",
	} {
		for _, r := range []string{"", "bytes=0-", "bytes=-1", "bytes=5-3", "bytes=99999-", "bytes=0-0,2-3"} {
			f.Add("GET", s, r, "gzip;q=0, *")
		}
	}
	cfg := Config{
		Memory: true, NoServer: true, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond, Ranges: true, Gzip: true,
		Origin: "*", CacheControl: true,
	}
	p, err := Open(cfg)
	if err != nil {
		f.Fatal(err)
	}
	m, err := NewMuxPublisher(p, program(false))
	if err != nil {
		f.Fatal(err)
	}
	for i := range 60 {
		if err := m.SendVideo(idr, Video{PTS: int64(i) * 3600, KeyFrame: i%25 == 0}); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := m.Release(); err != nil {
		f.Fatal(err)
	}
	if err := p.Finish(); err != nil { // so that nothing is held
		f.Fatal(err)
	}
	s := &Server{cfg: &p.cfg, stream: p.stream, stop: make(chan struct{})}
	f.Fuzz(func(t *testing.T, method, target, ranges, encoding string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: method, URL: u, RequestURI: target, Header: http.Header{"Range": {ranges}, "Accept-Encoding": {encoding}}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200, 204, 206, 400, 404, 416, 503:
		default:
			t.Fatalf("%d", w.Code)
		}
		if w.Code == 200 && w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) && method != http.MethodHead {
			t.Fatalf("%s: length %s, %d bytes", target, w.Header().Get("Content-Length"), w.Body.Len())
		}
	})
}

// FuzzIngest: packets of any kind are taken or refused, and every playlist on
// the way is a valid one.
func FuzzIngest(f *testing.F) {
	mux, err := mpegts.NewMuxer(program(true))
	if err != nil {
		f.Fatal(err)
	}
	for i := range 30 {
		if err := mux.PushVideo(idr, mpegts.VideoPush{PTS: int64(i) * 9000, KeyFrame: i%5 == 0}); err != nil {
			f.Fatal(err)
		}
		if err := mux.PushKLV(st0601(sensorStart), int64(i)*9000, 0); err != nil {
			f.Fatal(err)
		}
	}
	seed := bytes.Clone(mux.Pending())
	f.Add(seed, uint16(7))
	f.Add(seed[:188*9], uint16(1))
	f.Add(append(bytes.Clone(seed[188*20:]), seed...), uint16(100))
	if b, err := os.ReadFile("../../testdata/gst_klv.ts"); err == nil {
		f.Add(b[:min(len(b), 188*200)], uint16(50))
	}
	f.Fuzz(func(t *testing.T, b []byte, n uint16) {
		b = b[:min(len(b), 188*2000)/188*188]
		for _, c := range []Container{TS, FMP4} {
			ingestAny(t, c, b, 188*(1+int(n)%64))
		}
	})
}

func ingestAny(t *testing.T, container Container, b []byte, piece int) {
	t.Helper()
	p, err := Open(Config{
		Memory: true, NoServer: true, Container: container, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond,
		Clock: SensorClock,
	})
	must(t, err)
	var last hlscheck.Playlist
	for k := 0; len(b) > 0; k++ {
		c := b[:min(piece, len(b))]
		b = b[len(c):]
		if err := p.PushTS(c); tsterr.KindOf(err) == tsterr.Internal {
			t.Fatal(err)
		}
		l, problems := hlscheck.Check(text(t, p))
		for _, x := range problems {
			// The pictures of a hostile stream may lie farther apart than a part, or a segment, may last.
			if !strings.Contains(x, "part of") && !strings.Contains(x, "rounds past") {
				t.Fatal(x)
			}
		}
		if k > 0 {
			if problems := hlscheck.CheckUpdate(last, l); len(problems) > 0 {
				t.Fatal(problems)
			}
		}
		last = l
	}
	if err := p.Finish(); tsterr.KindOf(err) == tsterr.Internal {
		t.Fatal(err)
	}
}

// FuzzSend: pictures, audio and KLV of any form are taken or refused with a
// typed error, in both containers.
func FuzzSend(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x65abc"), int64(0), uint8(0))
	f.Add([]byte("\x00\x00\x00\x01\x67\x42\x00\x0a\xf8\x41\xa2\x00\x00\x00\x01\x68\xce\x38\x80\x00\x00\x00\x01\x65\x88"), int64(1<<33-1), uint8(1))
	f.Add([]byte{0xff, 0xf1, 0x4c, 0x80, 1, 0x1f, 0xfc, 0}, int64(90_000), uint8(2))
	f.Add([]byte{0x12, 0, 0x0a, 1, 0}, int64(-5), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, pts int64, what uint8) {
		codec := mpegts.CodecH264
		if what&0x10 != 0 {
			codec = mpegts.CodecH265
		}
		prog := mpegts.NewMuxConfig(mpegts.MuxProgram{Number: 1, PMTPID: 0x1000, Streams: []mpegts.MuxStream{
			{PID: 0x100, Class: mpegts.MuxVideo, Codec: codec},
			{PID: 0x101, Class: mpegts.MuxAudio, Codec: mpegts.CodecAAC},
			{PID: 0x102, Class: mpegts.MuxKLV, CarriesPTS: true},
		}})
		for _, c := range []Container{TS, FMP4} {
			p, err := Open(Config{Memory: true, NoServer: true, Container: c, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond})
			must(t, err)
			m, err := NewMuxPublisher(p, prog)
			must(t, err)
			for i := range 8 {
				at := pts + int64(i)*9000
				var err error
				switch what & 3 {
				case 0, 1:
					err = m.SendVideo(b, Video{PTS: at, KeyFrame: what&4 != 0 || i == 0, DTS: at - 3600, HasDTS: what&8 != 0})
				case 2:
					err = m.SendAudio(b, at)
				default:
					err = m.SendKLV(b, at, int(what))
				}
				if k := tsterr.KindOf(err); k == tsterr.Internal {
					t.Fatal(err)
				}
			}
			if q, err := m.Release(); err == nil {
				must(t, q.Finish())
			}
		}
	})
}
