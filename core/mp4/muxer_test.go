package mp4

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ff "github.com/Eyevinn/mp4ff/mp4"

	"github.com/tstrans/tstrans/core/internal/mediatest"
	"github.com/tstrans/tstrans/core/tsterr"
)

func push(tb testing.TB, m *Muxer, units []mediatest.AccessUnit, dts bool) {
	tb.Helper()
	for i, u := range units {
		t := Times{PTS: uint64(u.PTS), DTS: NoTime, Duration: NoTime}
		if dts {
			t.DTS = uint64(u.DTS)
		}
		if err := m.Push(u.Data, t); err != nil {
			tb.Fatalf("access unit %d: %v", i, err)
		}
	}
}

// topBoxes lists the boxes of a file.
func topBoxes(tb testing.TB, path string) []string {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	file, err := ff.DecodeFile(f, ff.WithDecodeMode(ff.DecModeLazyMdat))
	if err != nil {
		tb.Fatalf("mp4ff: %v", err)
	}
	names := make([]string, 0, len(file.Children))
	for _, b := range file.Children {
		names = append(names, b.Type())
	}
	return names
}

var codecCases = []struct {
	codec  Codec
	name   string
	rate   string
	frames int
	extra  []string
	tag    string
}{
	{H264, "no B-frames", "30/1", 60, []string{"-bf", "0"}, "avc1"},
	{H264, "two B-frames", "25/1", 75, []string{"-bf", "2", "-x264-params", "b-adapt=0"}, "avc1"},
	{H264, "60000/1001 with pyramid", "60000/1001", 90, []string{"-bf", "3", "-x264-params", "b-adapt=0:b-pyramid=2"}, "avc1"},
	{H264, "baseline", "15/1", 20, []string{"-profile:v", "baseline"}, "avc1"},
	{HEVC, "no B-frames", "30/1", 40, []string{"-bf", "0"}, "hvc1"},
	{HEVC, "B-frames", "25/1", 60, []string{"-bf", "3"}, "hvc1"},
	{AV1, "realtime", "30/1", 40, nil, "av01"},
	{JPEG, "images", "10/1", 12, nil, "jpeg"},
	{PNG, "images", "25/1", 12, nil, "png "},
}

func config(c Codec, rate string) Config {
	cfg := Config{Codec: c}
	_, _ = fmt.Sscanf(rate, "%d/%d", &cfg.FPSNum, &cfg.FPSDen)
	return cfg
}

// TestOthersReadIt lets ffprobe, ffmpeg and mp4ff read what was written, and
// compares every packet with what was pushed.
func TestOthersReadIt(t *testing.T) {
	mediatest.Need(t, "ffmpeg", "ffprobe")
	for _, c := range codecCases {
		for _, dts := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v/%s/dts=%v", c.codec, c.name, dts), func(t *testing.T) {
				t.Parallel()
				units := mediatest.Encode(t, c.codec.String(), "128x96", c.rate, c.frames, c.extra...)
				path := filepath.Join(t.TempDir(), "out.mp4")
				cfg := config(c.codec, c.rate)
				m, err := Create(path, cfg)
				if err != nil {
					t.Fatal(err)
				}
				push(t, m, units, dts)
				if err := m.Finish(); err != nil {
					t.Fatal(err)
				}
				checkFile(t, path, cfg, units)
				if got := topBoxes(t, path); !slices.Equal(got, []string{"ftyp", "moov", "mdat"}) {
					t.Errorf("boxes %v", got)
				}
				tag := mediatest.Run(t, "ffprobe", "-v", "error", "-show_entries", "stream=codec_tag_string,width,height,nb_frames",
					"-of", "csv=p=0", path)
				if want := fmt.Sprintf("%s,128,96,%d", c.tag, len(units)); strings.TrimSpace(tag) != want {
					t.Errorf("ffprobe says %q, want %q", tag, want)
				}
			})
		}
	}
}

// checkFile compares the packets ffprobe lists with the access units.
func checkFile(t *testing.T, path string, cfg Config, units []mediatest.AccessUnit) {
	t.Helper()
	scale, frame := cfg.timescale()
	packets := mediatest.Probe(t, path)
	if len(packets) != len(units) {
		t.Fatalf("%d packets, pushed %d", len(packets), len(units))
	}
	firstPTS := units[0].PTS
	for _, u := range units {
		firstPTS = min(firstPTS, u.PTS)
	}
	for i, p := range packets {
		pts := int64(mulDiv(uint64(units[i].PTS-firstPTS), uint64(scale), 1e9))
		if p.PTS != pts {
			t.Fatalf("packet %d: pts %d, want %d", i, p.PTS, pts)
		}
		dts := (units[i].DTS - firstPTS) * int64(scale)
		if d := dts - p.DTS*1e9; d > 1e9/2 || d < -1e9/2 {
			t.Fatalf("packet %d: dts %d, want %d", i, p.DTS, dts/1e9)
		}
		if p.Duration != int64(frame) {
			t.Errorf("packet %d: duration %d, want %d", i, p.Duration, frame)
		}
		if units[i].Key && !strings.HasPrefix(p.Flags, "K") {
			t.Errorf("packet %d is no key frame", i)
		}
	}
	if sums := mediatest.Decode(t, path); len(sums) != len(units) {
		t.Errorf("%d frames decoded of %d", len(sums), len(units))
	}
}

// TestCrash reads the file as a process that died would leave it: at every
// point of the way, whatever fragments are complete must play.
func TestCrash(t *testing.T) {
	mediatest.Need(t, "ffmpeg", "ffprobe")
	units := mediatest.Encode(t, "h264", "128x96", "30/1", 300, "-bf", "2", "-x264-params", "b-adapt=0")
	dir := t.TempDir()
	path := filepath.Join(dir, "out.mp4")
	m, err := Create(path, config(H264, "30/1"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(units); i += 37 {
		push(t, m, units[i:min(i+37, len(units))], true)
		snapshot, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := int(m.Stats().SamplesWritten)
		if n == 0 {
			continue
		}
		if pushed := min(i+37, len(units)); pushed-n > 32 {
			t.Errorf("%d of %d pictures are on disk: more than a second is lost", n, pushed)
		}
		// A torn fragment behind the complete ones.
		for _, tail := range [][]byte{nil, snapshot[len(snapshot)-50:], []byte("\x00\x00\x10\x00moof\x00\x00")} {
			cut := filepath.Join(dir, "cut.mp4")
			if err := os.WriteFile(cut, append(slices.Clone(snapshot), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			if tail == nil {
				if got := len(mediatest.Decode(t, cut)); got != n {
					t.Fatalf("after %d pushes: %d frames play, %d were written", i+37, got, n)
				}
				continue
			}
			out := mediatest.Run(t, "ffprobe", "-v", "fatal", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", cut)
			if strings.TrimSpace(out) != fmt.Sprint(n) {
				t.Fatalf("torn file: %s packets of %d", strings.TrimSpace(out), n)
			}
		}
	}
	if err := m.Finish(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, config(H264, "30/1"), units)
}

// TestFlipInPlace drives the way of long files: the movie box goes into the
// reserve. Between its two writes the file still is the fragmented one.
func TestFlipInPlace(t *testing.T) {
	mediatest.Need(t, "ffmpeg", "ffprobe")
	units := mediatest.Encode(t, "h264", "128x96", "30/1", 90, "-bf", "2")
	path := filepath.Join(t.TempDir(), "out.mp4")
	cfg := config(H264, "30/1")
	m, err := Create(path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	push(t, m, units, true)
	if err = m.flush(len(m.frag)); err != nil {
		t.Fatal(err)
	}
	moov := encodeBox(m.movie(&m.table, 0))
	if err = m.out.flip(moov); err != nil {
		t.Fatal(err)
	}
	if got := topBoxes(t, path); !slices.Equal(got, []string{"ftyp", "moov", "mdat"}) {
		t.Errorf("boxes %v", got)
	}
	checkFile(t, path, cfg, units)
	// Undo the eight bytes that flip wrote last.
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt([]byte{0, moovReserve >> 16, 0, 0, 'f', 'r', 'e', 'e'}, m.out.ftyp); err != nil {
		t.Fatal(err)
	}
	if got := len(mediatest.Decode(t, path)); got != len(units) {
		t.Errorf("%d frames before the last write, want %d", got, len(units))
	}
}

func TestTimes(t *testing.T) {
	mediatest.Need(t, "ffmpeg", "ffprobe")
	units := mediatest.Encode(t, "h264", "64x64", "30/1", 8, "-bf", "0")
	steps := []int64{0, 100, 300, 600, 700, 900, 1200, 1300} // ticks at scale 3000
	for _, c := range []struct {
		name     string
		cfg      Config
		start    int64
		last     uint64
		want     []int64
		durWant  []int64
		tickNs   int64
		withDTS  bool
		duration uint64
	}{
		{
			"irregular from ten seconds on",
			Config{Codec: H264, FPSNum: 30, FPSDen: 1},
			10_000_000_000, 0,
			steps,
			[]int64{100, 200, 300, 100, 200, 300, 100, 100},
			333333, true, NoTime,
		},
		{
			"duration of the last",
			Config{Codec: H264, FPSNum: 30, FPSDen: 1},
			0, 0,
			steps,
			[]int64{100, 200, 300, 100, 200, 300, 100, 250},
			333333, true, 83_333_333,
		},
		{
			"unknown rate",
			Config{Codec: H264, FPSNum: 0, FPSDen: 1},
			0, 0,
			steps,
			[]int64{100, 200, 300, 100, 200, 300, 100, 333},
			100000, false, NoTime,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.mp4")
			m, err := Create(path, c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			for i, u := range units {
				at := uint64(c.start + steps[i]*c.tickNs)
				tm := Times{PTS: at, DTS: NoTime, Duration: c.duration}
				if c.withDTS {
					tm.DTS = at
				}
				if err := m.Push(u.Data, tm); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Finish(); err != nil {
				t.Fatal(err)
			}
			for i, p := range mediatest.Probe(t, path) {
				if p.PTS != c.want[i] || p.DTS != c.want[i] || p.Duration != c.durWant[i] {
					t.Errorf("packet %d: %+v, want time %d duration %d", i, p, c.want[i], c.durWant[i])
				}
			}
		})
	}
}

func TestHalves(t *testing.T) {
	mediatest.Need(t, "ffmpeg", "ffprobe")
	units := mediatest.Encode(t, "h264", "128x96", "30/1", 20, "-x264-params", "slices=2")
	whole, halves := filepath.Join(t.TempDir(), "a.mp4"), filepath.Join(t.TempDir(), "b.mp4")
	a, err := Create(whole, config(H264, "30/1"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Create(halves, config(H264, "30/1"))
	if err != nil {
		t.Fatal(err)
	}
	push(t, a, units, true)
	for _, u := range units {
		cut := len(u.Data) * 2 / 3
		for u.Data[cut-1] == 0 || u.Data[cut] == 0 {
			cut++ // not inside a start code
		}
		tm := Times{PTS: uint64(u.PTS), DTS: uint64(u.DTS), Duration: NoTime}
		for _, part := range [][]byte{u.Data[:cut], u.Data[cut:]} {
			if err := b.Push(part, tm); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, m := range []*Muxer{a, b} {
		if err := m.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	x, _ := os.ReadFile(whole)
	y, _ := os.ReadFile(halves)
	if !bytes.Equal(x, y) {
		t.Error("the two files differ")
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	idr := []byte("\x00\x00\x00\x01\x65\x88\x84\x00\x10")
	for _, c := range []struct {
		name  string
		codec Codec
		data  []byte
		kind  tsterr.Kind
	}{
		{"zeros", H264, make([]byte, 64), tsterr.MP4InputMalformed},
		{"empty", H264, nil, tsterr.MP4InputMalformed},
		{"text", HEVC, []byte("never was video"), tsterr.MP4InputMalformed},
		{"start code alone", H264, []byte{0, 0, 1}, tsterr.MP4InputMalformed},
		{"bytes before", H264, append([]byte{7}, idr...), tsterr.MP4InputMalformed},
		{"SPS cut off", H264, []byte{0, 0, 1, 0x67, 0x42}, tsterr.MP4InputMalformed},
		{"no OBU", AV1, []byte{0xff, 0xff}, tsterr.MP4InputMalformed},
		{"OBU too long", AV1, []byte{0x0a, 0x7f, 0}, tsterr.MP4InputMalformed},
		{"OBU size endless", AV1, bytes.Repeat([]byte{0x0a, 0xff}, 9), tsterr.MP4InputMalformed},
		{"AV1 empty", AV1, nil, tsterr.MP4InputMalformed},
		{"no JPEG", JPEG, []byte("GIF89a"), tsterr.MP4InputMalformed},
		{"JPEG without frame", JPEG, []byte{0xff, 0xd8, 0xff, 0xd9}, tsterr.MP4InputMalformed},
		{"no PNG", PNG, []byte{0xff, 0xd8, 0xff, 0xd9}, tsterr.MP4InputMalformed},
		{"picture before SPS", H264, idr, tsterr.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "x.mp4")
			m, err := Create(path, Config{Codec: c.codec})
			if err != nil {
				t.Fatal(err)
			}
			err = m.Push(c.data, Times{DTS: NoTime, Duration: NoTime})
			if tsterr.KindOf(err) != c.kind {
				t.Errorf("push: %v (%v), want %v", err, tsterr.KindOf(err), c.kind)
			}
			err = m.Finish()
			if want := c.kind == tsterr.OK; (tsterr.KindOf(err) == tsterr.MP4NothingUsable) != want {
				t.Errorf("finish: %v", err)
			}
			if err := m.Finish(); err != nil {
				t.Errorf("second finish: %v", err)
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Error("an unplayable file was left")
			}
			if err := m.Push(idr, Times{}); tsterr.KindOf(err) != tsterr.MP4Finished || !strings.Contains(err.Error(), "finished") {
				t.Errorf("push after finish: %v", err)
			}
		})
	}
}

func TestBadTimes(t *testing.T) {
	m, err := Create(filepath.Join(t.TempDir(), "x.mp4"), Config{Codec: JPEG})
	if err != nil {
		t.Fatal(err)
	}
	img := []byte("\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9")
	if err := m.Push(img, Times{PTS: 5e9, DTS: 5e9, Duration: NoTime}); err != nil {
		t.Fatal(err)
	}
	for name, tm := range map[string]Times{
		"back":          {PTS: 6e9, DTS: 4e9, Duration: NoTime},
		"apart":         {PTS: 1 << 62, DTS: 5e9, Duration: NoTime},
		"jump":          {PTS: 1 << 61, DTS: NoTime, Duration: NoTime},
		"duration":      {PTS: 6e9, DTS: NoTime, Duration: 1 << 62},
		"wrap of int64": {PTS: 5e9 + 1<<63, DTS: NoTime, Duration: NoTime},
	} {
		if err := m.Push(img, tm); tsterr.KindOf(err) != tsterr.MP4TimeRange {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := m.Push(img, Times{PTS: 6e9, DTS: 6e9, Duration: NoTime}); err != nil {
		t.Errorf("a good push after bad ones: %v", err)
	}
	if err := m.Finish(); err != nil {
		t.Error(err)
	}
}

func TestUnwritable(t *testing.T) {
	if _, err := Create(filepath.Join(t.TempDir(), "none", "x.mp4"), Config{}); tsterr.KindOf(err) != tsterr.IO {
		t.Errorf("missing directory: %v", err)
	}
	m, err := Create("/dev/full", Config{Codec: JPEG})
	if err != nil {
		t.Skip("no /dev/full here")
	}
	img := append([]byte("\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"), make([]byte, 1<<20)...)
	var got error
	for i := range 40 {
		if got = m.Push(img, Times{PTS: uint64(i) * 4e7, DTS: uint64(i) * 4e7, Duration: NoTime}); got != nil {
			break
		}
	}
	if tsterr.KindOf(got) != tsterr.IO {
		t.Errorf("full disk: %v", got)
	}
	if err := m.Finish(); err == nil {
		t.Error("finish on a full disk says nothing")
	}
}

func FuzzPush(f *testing.F) {
	f.Add(uint8(0), []byte("\x00\x00\x01\x67\x42\x00\x0a\x8c\x8d\x40\x00\x00\x01\x68\xce\x3c\x80\x00\x00\x01\x65\x88"), uint64(0), uint64(0))
	f.Add(uint8(3), []byte("\x12\x00\x0a\x0b\x00\x00\x00\x04\x3c\xff\xbd\xff\xf9\x80\x40\x32\x01\x10"), uint64(1), NoTime)
	f.Add(uint8(2), []byte("\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9"), uint64(9), uint64(3))
	f.Add(uint8(4), []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x02\x00\x00\x00abcd"), uint64(9), NoTime)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, codec uint8, data []byte, pts, dts uint64) {
		path := filepath.Join(dir, "x.mp4")
		m, err := Create(path, Config{Codec: Codec(codec % 5), FPSNum: 30})
		if err != nil {
			t.Fatal(err)
		}
		cut := len(data) / 2
		for i := range uint64(3) {
			_ = m.Push(data, Times{PTS: pts + i*1e9, DTS: dts, Duration: NoTime})
			_ = m.Push(data[cut:], Times{PTS: pts + i*1e9, DTS: dts, Duration: NoTime})
			_ = m.Push(data[:cut], Times{PTS: pts + i*1e9, DTS: NoTime, Duration: pts})
		}
		n := m.table.samples() + len(m.frag)
		err = m.Finish()
		st, statErr := os.Stat(path)
		if (n > 0 && err == nil) != (statErr == nil) {
			t.Fatalf("%d samples, finish %v, file %v", n, err, statErr)
		}
		if statErr == nil {
			if st.Size() == 0 {
				t.Fatal("empty file")
			}
			got := topBoxes(t, path)
			if !slices.Equal(got, []string{"ftyp", "moov", "mdat"}) {
				t.Fatalf("boxes %v", got)
			}
		}
	})
}

func BenchmarkPush(b *testing.B) {
	au := append([]byte("\x00\x00\x00\x01\x65"), bytes.Repeat([]byte("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"), 8300)...)
	for i := range au[5:] {
		au[5+i] = byte(1 + i%250)
	}
	head := []byte("\x00\x00\x00\x01\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xf0\x3c\x60\xc9\x20\x00\x00\x00\x01\x68\xce\x3c\x80")
	m, err := Create(filepath.Join(b.TempDir(), "x.mp4"), Config{Codec: H264, FPSNum: 30})
	if err != nil {
		b.Fatal(err)
	}
	if err := m.Push(append(head, au...), Times{Duration: NoTime}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(au)))
	b.ReportAllocs()
	i := uint64(1)
	for b.Loop() {
		if err := m.Push(au, Times{PTS: i * 33_333_333, DTS: i * 33_333_333, Duration: NoTime}); err != nil {
			b.Fatal(err)
		}
		i++
		if i%3000 == 0 {
			b.StopTimer()
			if m.out.pos > 1<<30 {
				m.out.pos = moovReserve + 4096 // stay within a gigabyte
			}
			b.StartTimer()
		}
	}
}
