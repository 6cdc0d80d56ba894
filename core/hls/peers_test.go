package hls

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/mediatest"
)

// serveLive publishes pictures at their own pace until the test ends.
func serveLive(t *testing.T, cfg Config, aus []mediatest.AccessUnit) string {
	t.Helper()
	p := open(t, cfg)
	m, err := NewMuxPublisher(p, program(false))
	must(t, err)
	addr, err := p.Addr()
	must(t, err)
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-done })
	go func() {
		defer close(done)
		start := time.Now()
		for i := 0; ; i++ {
			au := aus[i%len(aus)]
			if m.SendVideo(au.Data, Video{PTS: int64(i) * 3600, KeyFrame: au.Key}) != nil ||
				m.SendKLV(st0601(sensorStart), int64(i)*3600, 0) != nil {
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Until(start.Add(time.Duration(i-100) * 40 * time.Millisecond))): // four seconds ahead at first
			}
		}
	}()
	for deadline := time.Now().Add(20 * time.Second); len(p.Stream().State().Segments) < 3; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no segments come")
		}
	}
	return "http://" + addr + "/" + PlaylistName
}

var liveForms = []Config{
	{Container: TS, SegmentDuration: time.Second, Window: 4},
	{Container: TS, SegmentDuration: time.Second, Window: 4, PartDuration: 200 * time.Millisecond, Gzip: true},
	{Container: FMP4, SegmentDuration: time.Second, Window: 4},
	{Container: FMP4, SegmentDuration: time.Second, Window: 4, PartDuration: 200 * time.Millisecond, Ranges: true},
}

// TestGohlslib plays with another implementation's client, low latency among it.
func TestGohlslib(t *testing.T) {
	aus := pictures(t, 100)
	client := filepath.Join(t.TempDir(), "gohlslib")
	build := exec.Command("go", "build", "-C", "../../build/interop/gohlslib", "-o", client, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("the client cannot be had: %v\n%s", err, out)
	}
	for _, cfg := range liveForms {
		t.Run(fmt.Sprint(cfg.Container, cfg.PartDuration), func(t *testing.T) {
			// It complains about the empty KLV packets that hls.js needs, which have no PTS.
			out, err := exec.Command(client, serveLive(t, cfg, aus), "60").Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var pictures, parts int
			if _, err := fmt.Sscan(string(out), &pictures, &parts); err != nil || pictures < 60 {
				t.Fatalf("%v\n%s", err, out)
			}
			if cfg.PartDuration > 0 && cfg.Container == FMP4 && parts == 0 {
				t.Fatal("no part was loaded")
			}
		})
	}
}

// TestGStreamer plays with hlsdemux to the end of a presentation.
func TestGStreamer(t *testing.T) {
	mediatest.Need(t, "gst-launch-1.0")
	aus := pictures(t, 100)
	for _, cfg := range []Config{
		{Container: TS, Mode: VOD, SegmentDuration: time.Second, KeyFrameCuts: true},
		{Container: FMP4, Mode: VOD, SegmentDuration: time.Second},
		{Container: FMP4, Mode: Event, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(cfg.Container, cfg.PartDuration), func(t *testing.T) {
			m := publish(t, cfg, aus, 900_000, nil)
			p, err := m.Release()
			must(t, err)
			s, err := p.FinishServing()
			must(t, err)
			defer s.Close()
			addr, err := s.Addr()
			must(t, err)
			ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
			defer cancel()
			demux := "tsdemux"
			if cfg.Container == FMP4 {
				demux = "qtdemux"
			}
			out, err := exec.CommandContext(ctx, "gst-launch-1.0", "-v", "souphttpsrc", "location=http://"+addr+"/"+PlaylistName,
				"!", "hlsdemux", "!", demux, "!", "h264parse", "!", "video/x-h264,alignment=au", "!", "identity", "silent=false", "!",
				"fakesink").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if n := strings.Count(string(out), "last-message = chain"); n < len(aus)-2 {
				t.Fatalf("%d pictures of %d", n, len(aus))
			}
		})
	}
}

// TestFFmpegFollowsLive decodes a live list while it slides.
func TestFFmpegFollowsLive(t *testing.T) {
	mediatest.Need(t, "ffmpeg")
	aus := pictures(t, 100)
	for _, cfg := range liveForms {
		t.Run(fmt.Sprint(cfg.Container, cfg.PartDuration), func(t *testing.T) {
			url := serveLive(t, cfg, aus)
			ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", url, "-map", "0:v",
				"-frames:v", "150", "-f", "null", "-").CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
