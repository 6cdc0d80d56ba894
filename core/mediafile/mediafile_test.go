package mediafile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/internal/mediatest"
)

// read gives all access units of a file.
func read(tb testing.TB, path string, cfg Config) (*Reader, [][]byte, []Unit) {
	tb.Helper()
	r, err := Open(path, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var data [][]byte
	var units []Unit
	for {
		b, u, err := r.Next(nil)
		if errors.Is(err, io.EOF) {
			return r, data, units
		}
		if err != nil {
			tb.Fatal(err)
		}
		data, units = append(data, b), append(units, u)
	}
}

func TestFilesOfFFmpeg(t *testing.T) {
	mediatest.Need(t, "ffmpeg", "ffprobe")
	for _, c := range []struct {
		name, codec string
		encoder     []string
		file        []string // how ffmpeg writes the file
		ext         string
		moved       bool // times start elsewhere
	}{
		{"plain mp4", "h264", []string{"-bf", "2"}, nil, "mp4", false},
		{"fast start", "h264", []string{"-bf", "3", "-x264-params", "b-adapt=0"}, []string{"-movflags", "faststart"}, "mp4", false},
		{"fragmented", "h264", []string{"-bf", "2"}, []string{"-movflags", "frag_keyframe+empty_moov"}, "mp4", true},
		{"default base", "hevc", []string{"-bf", "2"}, []string{"-movflags", "frag_keyframe+empty_moov+default_base_moof"}, "mp4", true},
		{"hevc", "hevc", []string{"-bf", "3"}, nil, "mp4", false},
		{"mov", "h264", []string{"-bf", "0"}, nil, "mov", false},
		{"raw h264", "h264", []string{"-bf", "2"}, nil, "h264", true},
		{"raw h264, pyramid", "h264", []string{"-bf", "3", "-x264-params", "b-adapt=0:b-pyramid=2:keyint=20"}, nil, "h264", true},
		{"raw h264, no B-frames", "h264", []string{"-bf", "0"}, nil, "h264", true},
		{"raw hevc", "hevc", []string{"-bf", "3"}, nil, "hevc", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			src, path := filepath.Join(dir, "src.mp4"), filepath.Join(dir, "x."+c.ext)
			enc := map[string][]string{"h264": {"libx264"}, "hevc": {"libx265", "-x265-params", "log-level=none"}}[c.codec]
			args := append([]string{"-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=128x96:rate=30"}, "-frames:v", "75",
				"-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:v")
			args = append(append(args, enc...), c.encoder...)
			mediatest.Run(t, "ffmpeg", append(args, "-video_track_timescale", "90000", src)...)
			mediatest.Run(t, "ffmpeg", append(append([]string{"-nostdin", "-v", "error", "-i", src, "-c", "copy"}, c.file...), path)...)
			want := mediatest.Probe(t, src)
			r, data, got := read(t, path, Config{})
			if len(got) != len(want) {
				t.Fatalf("%d access units, want %d", len(got), len(want))
			}
			if r.Codec() != map[string]codec.Video{"h264": codec.H264, "hevc": codec.H265}[c.codec] {
				t.Errorf("codec %v", r.Codec())
			}
			for i, u := range got {
				pts, dts := want[i].PTS, want[i].DTS
				if c.moved { // where decode times begin is the writer's choice
					pts, dts = pts-want[0].PTS+got[0].PTS, dts-want[0].DTS+got[0].DTS
				}
				if u.PTS != pts || u.DTS != dts {
					t.Fatalf("access unit %d: pts %d dts %d, want %d %d", i, u.PTS, u.DTS, pts, dts)
				}
				if u.Key != (want[i].Flags[0] == 'K') {
					t.Errorf("access unit %d: key %v", i, u.Key)
				}
			}
			// What was read decodes to the same pictures.
			es := filepath.Join(dir, "out."+c.codec)
			if err := os.WriteFile(es, bytes.Join(data, nil), 0o600); err != nil {
				t.Fatal(err)
			}
			a, b := mediatest.Decode(t, src), mediatest.Decode(t, es)
			if len(a) != len(b) || len(a) == 0 || a[0] != b[0] || a[len(a)-1] != b[len(b)-1] {
				t.Errorf("%d pictures, want %d", len(b), len(a))
			}
			for i, au := range data {
				if !r.isDelimiter(au[4]) {
					t.Fatalf("access unit %d begins % x", i, au[:8])
				}
			}
		})
	}
}

// TestWindows moves every access unit across the border of a scan window.
func TestWindows(t *testing.T) {
	sps := []byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0, 0, 3, 0, 4, 0, 0, 3, 0, 0xf0, 0x3c, 0x60, 0xc9, 0x20}
	pps := []byte{0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80}
	for shift := scanWindow - headBytes - 12; shift < scanWindow-headBytes+8; shift++ {
		first := append(append(bytes.Clone(sps), pps...), 0, 0, 0, 1, 0x65, 0x88)
		first = append(first, bytes.Repeat([]byte{0xAA}, shift-len(first))...)
		stream := append(bytes.Clone(first), 0, 0, 0, 1, 0x41, 0x9a, 0xBB, 0xBB)
		path := filepath.Join(t.TempDir(), "x.h264")
		if err := os.WriteFile(path, stream, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, got := read(t, path, Config{FPSNum: 25})
		if len(got) != 2 || got[0].Size != len(first) || got[1].Size != 8 || got[1].DTS-got[0].DTS != 3600 {
			t.Fatalf("shift %d: %+v", shift, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("never was video at all"), "ftyp alone": box4("ftyp", []byte("isom\x00\x00\x00\x00")),
		"no track":                 append(box4("ftyp", nil), box4("moov", box4("mvhd", make([]byte, 100)))...),
		"slices without a picture": {0, 0, 0, 1, 0x06, 0x05, 0x01, 0x00},
	} {
		path := filepath.Join(dir, "x")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(path, Config{}); err == nil {
			t.Errorf("%s: opened with %d units", name, r.Len())
		}
	}
	if _, err := Open(filepath.Join(dir, "none"), Config{}); err == nil {
		t.Error("a missing file opens")
	}
}

func box4(name string, body []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), name...), body...)
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\x84\x00\x00\x03\x00\x04\x00\x00\x00\x01\x68\xce\x3c\x80\x00\x00\x00\x01\x65\x88\x84"))
	f.Add([]byte("\x00\x00\x00\x01\x40\x01\x0c\x00\x00\x01\x42\x01\x01\x00\x00\x01\x44\x01\xc0\x00\x00\x01\x26\x01\xaf\x00"))
	avcC := "\x01\x42\xc0\x28\xff\xe1\x00\x04\x67\x42\xc0\x28\x01\x00\x04\x68\xce\x3c\x80"
	entry := box4("avc1", append(make([]byte, 78), box4("avcC", []byte(avcC))...))
	table := func(name string, v ...uint32) []byte {
		var b []byte
		for _, x := range v {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return box4(name, b)
	}
	stbl := box4("stbl", bytes.Join([][]byte{
		box4("stsd", append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, entry...)), table("stts", 0, 1, 2, 100), table("stsc", 0, 1, 1, 2, 1),
		table("stsz", 0, 0, 2, 6, 6), table("stco", 0, 1, 8),
	}, nil))
	mdia := bytes.Join([][]byte{table("mdhd", 0, 0, 0, 3000, 200, 0), box4("hdlr", []byte("\x00\x00\x00\x00\x00\x00\x00\x00vide\x00")), box4("minf", stbl)}, nil)
	trak := box4("trak", append(table("tkhd", 7, 0, 0, 1, 0, 0, 0), box4("mdia", mdia)...))
	f.Add(append(box4("mdat", []byte("\x00\x00\x00\x02\x65\x88\x00\x00\x00\x02\x41\x9a")), box4("moov", trak)...))
	moof := box4("moof", box4("traf", append(table("tfhd", 0x20000, 1), table("trun", 0x301, 1, 8, 100, 6)...)))
	f.Add(append(append(box4("moov", append(trak, box4("mvex", table("trex", 0, 1, 1, 0, 0, 0))...)), moof...), box4("mdat", []byte("\x00\x00\x00\x02\x65\x88"))...))
	path := filepath.Join(f.TempDir(), "x")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, Config{})
		if err != nil {
			return
		}
		defer func() { _ = r.Close() }()
		if r.Len() == 0 && r.Codec() == 0 {
			t.Fatal("opened without a codec")
		}
		for i := range min(r.Len(), 100) {
			if _, _, err := r.Next(nil); errors.Is(err, io.EOF) {
				t.Fatalf("end at %d of %d", i, r.Len())
			}
		}
		_ = codec.H264
	})
}
