package mpegts_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// readAll takes all events of a reader and the error that ended it.
func readAll(t *testing.T, r *mpegts.Reader) ([]event, error) {
	t.Helper()
	recs, arena := make([]mpegts.Record, 64), make([]byte, 1<<16)
	var out []event
	for {
		n, _, chunk, _, err := r.Read(recs, arena, -1)
		if err != nil {
			return out, err
		}
		for _, rec := range recs[:n] {
			e := event{Record: rec}
			switch {
			case rec.Flags&mpegts.FlagLazy != 0:
				e.payload = make([]byte, rec.PayloadLen)
				if _, err := chunk.Gather(e.payload, rec.Payload); err != nil {
					t.Fatal(err)
				}
			case rec.Type == mpegts.EventNonConformant:
				e.text = string(arena[rec.Text : rec.Text+rec.TextLen])
			case rec.Type == mpegts.EventProgramMap:
				e.payload = append([]byte{}, arena[rec.Text:rec.Text+rec.TextLen]...)
			case rec.PayloadLen > 0:
				e.payload = append([]byte{}, arena[rec.Payload:rec.Payload+rec.PayloadLen]...)
			}
			out = append(out, e)
		}
		if chunk != nil {
			chunk.Release()
		}
	}
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.ts")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string, cfg mpegts.DemuxerConfig) *mpegts.Reader {
	t.Helper()
	r, err := mpegts.OpenReader(path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// A file gives the events of its bytes, also one much larger than what is read
// ahead, and one that starts in the middle of a descriptor.
func TestReaderFile(t *testing.T) {
	for name, once := range corpus(t) {
		for _, times := range []int{1, 5} {
			data := bytes.Repeat(once, times)
			want := demux(t, mpegts.DemuxerConfig{SyncBufCap: 1 << 30}, data)
			r := open(t, write(t, data), mpegts.DemuxerConfig{})
			got, err := readAll(t, r)
			if tsterr.KindOf(err) != tsterr.EOS {
				t.Fatal(name, err)
			}
			if diff := same(want, got); diff != "" {
				t.Errorf("%s x%d: %s", name, times, diff)
			}
			if _, err = readAll(t, r); tsterr.KindOf(err) != tsterr.EOS {
				t.Error(err)
			}
			if n := r.Demuxer().Stats().BytesTotal; n != uint64(len(data)) {
				t.Error(n, len(data))
			}
			f, err := os.Open(write(t, append(make([]byte, 1000), data...)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = f.Seek(1000, 0); err != nil {
				t.Fatal(err)
			}
			fr, err := mpegts.NewReader(int(f.Fd()), mpegts.DemuxerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			if got, _ = readAll(t, fr); same(want, got) != "" {
				t.Errorf("%s x%d from a descriptor: %s", name, times, same(want, got))
			}
			if err := errors.Join(fr.Close(), f.Close()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestReaderLimit(t *testing.T) {
	data := bytes.Repeat(corpus(t)["generated"], 3)
	for _, limit := range []int64{1, 65536, 65537, 5 << 18, 1 << 20} {
		r := open(t, write(t, data), mpegts.DemuxerConfig{ReadLimit: limit})
		if _, err := readAll(t, r); tsterr.KindOf(err) != tsterr.EOS {
			t.Fatal(err)
		}
		want := min((uint64(limit)+65535)/65536*65536, uint64(len(data)))
		if n := r.Demuxer().Stats().BytesTotal; n != want {
			t.Errorf("limit %d: %d bytes, want %d", limit, n, want)
		}
	}
}

func TestReaderOpenFaults(t *testing.T) {
	for path, errno := range map[string]int64{filepath.Join(t.TempDir(), "none"): 2, t.TempDir(): 21} {
		_, err := mpegts.OpenReader(path, mpegts.DemuxerConfig{})
		var e *tsterr.Error
		if !errors.As(err, &e) || e.Kind != tsterr.IO || len(e.Attrs) != 1 || e.Attrs[0].Name != "errno" || e.Attrs[0].Value != errno {
			t.Errorf("%s: %+v", path, err)
		}
	}
}

// The events of the 64 KiB that raise an error are dropped, those before are not.
func TestReaderFault(t *testing.T) {
	data := tables(0, h264())
	for i := range int64(500) {
		data = append(data, picture(int(i), i, 1)...)
	}
	late := append(append([]byte{}, data...), carry(videoPID, 500, nil, pesPacket(0xE0, -1, -1, nil))...)
	for name, c := range map[string]struct {
		data   []byte
		events int
	}{
		"first step":  {join(tables(0, h264()), carry(videoPID, 0, nil, pesPacket(0xE0, -1, -1, nil))), 0},
		"second step": {late, 1 + (65536/188 - 3)},
	} {
		got, err := readAll(t, open(t, write(t, c.data), mpegts.DemuxerConfig{StrictMode: mpegts.StrictFull}))
		if tsterr.KindOf(err) != tsterr.DemuxStrictRejection || len(got) != c.events {
			t.Errorf("%s: %d events, want %d, %v", name, len(got), c.events, err)
		}
	}
	got, err := readAll(t, open(t, write(t, append(data, make([]byte, 7000)...)), mpegts.DemuxerConfig{}))
	if tsterr.KindOf(err) != tsterr.DemuxUnrecoverable || len(got) == 0 {
		t.Errorf("%d events, %v", len(got), err)
	}
}
