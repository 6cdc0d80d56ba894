package hls

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/smalldisk"
	"github.com/tstrans/tstrans/core/tsterr"
)

// numbered is n packets that hold a number.
func numbered(i, n int) []byte {
	b := packets(n)
	for at := 4; at+4 <= len(b); at += 188 {
		binary.BigEndian.PutUint32(b[at:], uint32(i)) //nolint:gosec // a test's
	}
	return b
}

// written is what the segments of a folder hold, in order.
func written(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	for _, n := range names(t, dir) { // sorted
		if filepath.Ext(n) == ".ts" {
			b, err := os.ReadFile(filepath.Join(dir, n))
			must(t, err)
			all = append(all, b...)
		}
	}
	return all
}

// Small pushes are gathered, but not for long: the file has them soon, without a further call.
func TestSmallPushesReachTheFile(t *testing.T) {
	p := open(t, Config{Mode: Event})
	var want []byte
	for i := range 100 {
		b := numbered(i, 7)
		must(t, p.PushTS(b))
		want = append(want, b...)
		if len(want) <= gather && !bytes.Equal(written(t, p.cfg.Dir), want) {
			t.Fatal("the first ones are held back")
		}
	}
	if !p.stream.open.blob.holds() {
		t.Log("nothing is gathered on this file system")
	}
	if s, err := p.Stats(); err != nil || s.OpenBytes != int64(len(want)) {
		t.Fatal(s.OpenBytes, err)
	}
	for end := time.Now().Add(20 * time.Second); !bytes.Equal(written(t, p.cfg.Dir), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d bytes are in the file", len(written(t, p.cfg.Dir)), len(want))
		}
	}
	must(t, p.Finish())
	path := filepath.Join(p.cfg.Dir, segmentName(0, TS))
	if info, err := os.Stat(path); err != nil || info.Size() != int64(len(want)) {
		t.Fatal(info.Size(), err)
	}
}

// Sizes around what is gathered, in one file.
func TestPushesOfAllSizes(t *testing.T) {
	for _, memory := range []bool{false, true} {
		p := open(t, Config{Mode: Event, Memory: memory})
		var want []byte
		for i, n := range []int{1, 7, 87, 88, 348, 349, 1, 5000, 1, 7, 60, 60, 60, 60, 60, 60, 60, 2000, 1} {
			b := numbered(i, n)
			must(t, p.PushTS(b))
			want = append(want, b...)
		}
		must(t, p.CutSegment())
		status, _, body := fetch(t, p, "/"+segmentName(0, TS))
		if status != 200 || body != string(want) {
			t.Fatalf("memory %t: %d, %d of %d bytes", memory, status, len(body), len(want))
		}
	}
}

// A disk that fills up: pushes fail, what was acknowledged before is in the files, also where the stream
// ends like that; with room again the same packets are taken, once.
func TestFullDisk(t *testing.T) {
	smalldisk.Run(t, 700<<10, func(dir string) {
		for _, room := range []bool{true, false} {
			for _, n := range []int{1, 7, 100, 400} {
				fill(t, filepath.Join(dir, "x"), n, room)
			}
		}
	})
}

func fill(t *testing.T, dir string, n int, room bool) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	defer os.RemoveAll(dir) //nolint:errcheck // the next one would tell
	filler := filepath.Join(dir, "filler")
	must(t, os.WriteFile(filler, make([]byte, 150<<10), 0o600))
	p := open(t, Config{Mode: Event, Dir: dir})
	var want []byte
	failed := 0
	for i := 0; failed < 20; i++ {
		if i > 100_000 {
			t.Fatal("the disk is never full")
		}
		b := numbered(i, n)
		if err := p.PushTS(b); err != nil {
			wantKind(t, err, tsterr.HLSIO)
			failed++
			continue
		}
		want = append(want, b...)
		if i%50 == 49 {
			if err := p.CutSegment(); err != nil {
				wantKind(t, err, tsterr.HLSIO)
			}
		}
	}
	if len(want) < 300<<10 {
		t.Fatalf("full after %d bytes", len(want))
	}
	if room {
		must(t, os.Remove(filler))
		b := numbered(1<<20, n)
		must(t, p.PushTS(b))
		want = append(want, b...)
		must(t, p.Finish())
	} else if err := p.Finish(); err != nil {
		wantKind(t, err, tsterr.HLSIO)
	}
	if got := written(t, dir); !bytes.Equal(got, want) {
		t.Fatalf("pushes of %d packets, room %t: %d bytes are there, %d were taken", n, room, len(got), len(want))
	}
}
