//go:build unix

package mpegts_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// A FIFO: opening does not wait for a writer, reading waits as long as told, a
// cancellation ends it, and what came in pieces is one stream.
func TestReaderFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	r := open(t, path, mpegts.DemuxerConfig{})
	recs, arena := make([]mpegts.Record, 8), make([]byte, 4096)
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		if _, _, _, _, err := r.Read(recs, arena, wait); tsterr.KindOf(err) != tsterr.Timeout {
			t.Fatal(err)
		}
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	data := join(tables(0, h264()), picture(0, 1, 2), picture(1, 2, 3))
	go func() {
		for len(data) > 0 {
			n := min(len(data), 100)
			if _, fault := w.Write(data[:n]); fault != nil {
				return
			}
			data = data[n:]
		}
		_ = w.Close() // the reader sees the end of the input
	}()
	got, err := readAll(t, r)
	if tsterr.KindOf(err) != tsterr.EOS {
		t.Fatal(err)
	}
	expect(t, got, "map", "video 1 1", "video 2 1")

	r = open(t, path, mpegts.DemuxerConfig{})
	done := make(chan error)
	go func() {
		_, _, _, _, err := r.Read(recs, arena, -1)
		done <- err
	}()
	r.Cancel()
	if err := <-done; tsterr.KindOf(err) != tsterr.Cancelled {
		t.Error(err)
	}
	if _, _, _, _, err := r.Read(recs, arena, 0); tsterr.KindOf(err) != tsterr.Cancelled {
		t.Error(err)
	}
}
