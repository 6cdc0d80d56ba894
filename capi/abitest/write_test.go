package abitest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/asticode/go-astits"

	"github.com/tstrans/tstrans/core/mpegts"
)

// TestWritingFromC runs the C program that writes, and reads what it wrote.
func TestWritingFromC(t *testing.T) {
	dir := t.TempDir()
	raw, ts, film := filepath.Join(dir, "x.h264"), filepath.Join(dir, "x.ts"), filepath.Join(dir, "x.mp4")
	if err := os.WriteFile(raw, pictures(t), 0o600); err != nil {
		t.Fatal(err)
	}
	sanitized(t, compile(t, "write.c", "-std=gnu99"), ts, film, raw)
	data, err := os.ReadFile(ts)
	if err != nil {
		t.Fatal(err)
	}
	// A hundred rounds of a picture, a frame of sound and two KLV packets, and tables every 100 ms.
	next, starts := map[uint16]uint8{}, map[uint16]int{}
	for at := 0; at < len(data); at += mpegts.PacketSize {
		var h mpegts.Header
		if _, err = h.Unmarshal(data[at:]); err != nil {
			t.Fatal(err)
		}
		if n, seen := next[h.PID]; seen && h.HasPayload && h.ContinuityCounter != n {
			t.Fatalf("packet %d, PID %#x: counter %d, want %d", at/mpegts.PacketSize, h.PID, h.ContinuityCounter, n)
		}
		if h.HasPayload {
			next[h.PID] = (h.ContinuityCounter + 1) & 15
		}
		if h.PayloadUnitStartIndicator {
			starts[h.PID]++
		}
	}
	want := map[uint16]int{0x101: 100, 0x102: 100, 0x103: 200, 0: 34, 0x100: 34}
	for pid, n := range want {
		if starts[pid] != n {
			t.Errorf("PID %#x begins %d units, want %d", pid, starts[pid], n)
		}
	}
	if data, err = os.ReadFile(film); err != nil || !bytes.Contains(data[:64], []byte("ftyp")) {
		t.Errorf("no MP4 file: %v", err)
	}
}

// pictures takes the H.264 stream out of the capture that the project has.
func pictures(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(root(), "testdata/demo.ts"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	const pid = 0x100
	var out []byte
	d := astits.NewDemuxer(context.Background(), f, astits.DemuxerOptPacketSize(mpegts.PacketSize))
	for {
		data, err := d.NextData()
		if errors.Is(err, astits.ErrNoMorePackets) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if data.PES != nil && data.PID == pid {
			out = append(out, data.PES.Data...)
		}
	}
}
