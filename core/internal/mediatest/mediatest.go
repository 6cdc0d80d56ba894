// Package mediatest makes coded test streams with ffmpeg and reads files back
// with ffprobe, for the tests that let other programs judge what is written
// here. Tests that need a program skip where it is not installed.
package mediatest

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// AccessUnit is one coded picture with its times in nanoseconds.
type AccessUnit struct {
	Data     []byte
	PTS, DTS int64
	Key      bool
}

// Need skips the test where a program is not installed.
func Need(tb testing.TB, programs ...string) {
	tb.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			tb.Skipf("%s is not installed", p)
		}
	}
}

// Run runs a program and fails the test where it fails.
func Run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	cmd := exec.Command(name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// Decode decodes a file with ffmpeg and fails where it prints as much as a
// warning. It returns the MD5 of every decoded frame.
func Decode(tb testing.TB, path string, extra ...string) []string {
	tb.Helper()
	args := append([]string{"-nostdin", "-v", "warning", "-xerror"}, extra...)
	args = append(args, "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-")
	cmd := exec.Command("ffmpeg", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		tb.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var sums []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(strings.TrimSpace(line), ","); len(f) == 6 && line[0] != '#' {
			sums = append(sums, strings.TrimSpace(f[5]))
		}
	}
	return sums
}

// Packet is what ffprobe says of one packet.
type Packet struct {
	PTS, DTS, Duration int64
	Size               int
	Flags              string
	Stream             int
}

// Probe lists the packets of a file, in the time base of the stream.
func Probe(tb testing.TB, path string, extra ...string) []Packet {
	tb.Helper()
	args := append([]string{"-v", "error"}, extra...)
	args = append(args, "-show_packets", "-of", "json", path)
	var v struct {
		Packets []struct {
			PTS      json.Number `json:"pts"`
			DTS      json.Number `json:"dts"`
			Duration json.Number `json:"duration"`
			Size     string      `json:"size"`
			Flags    string      `json:"flags"`
			Stream   int         `json:"stream_index"`
		}
	}
	if err := json.Unmarshal([]byte(Run(tb, "ffprobe", args...)), &v); err != nil {
		tb.Fatal(err)
	}
	out := make([]Packet, 0, len(v.Packets))
	for _, p := range v.Packets {
		q := Packet{Flags: p.Flags, Stream: p.Stream}
		q.PTS, _ = p.PTS.Int64()
		q.DTS, _ = p.DTS.Int64()
		q.Duration, _ = p.Duration.Int64()
		q.Size, _ = strconv.Atoi(p.Size)
		out = append(out, q)
	}
	return out
}

// Encode makes frames pictures of a test pattern and splits them into access
// units. codec is h264, hevc, av1, jpeg or png; extra goes to the encoder.
func Encode(tb testing.TB, codec string, size string, rate string, frames int, extra ...string) []AccessUnit {
	tb.Helper()
	Need(tb, "ffmpeg", "ffprobe")
	dir := tb.TempDir()
	in := []string{
		"-nostdin", "-v", "error", "-threads", "2", "-f", "lavfi",
		"-i", "testsrc=size=" + size + ":rate=" + rate, "-frames:v", strconv.Itoa(frames), "-pix_fmt", "yuv420p",
	}
	encoders := map[string][]string{
		"h264": {"-c:v", "libx264", "-preset", "ultrafast", "-g", "30"},
		"hevc": {"-c:v", "libx265", "-preset", "ultrafast", "-g", "30", "-x265-params", "log-level=none"},
		"av1":  {"-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "30"},
		"jpeg": {"-c:v", "mjpeg", "-pix_fmt", "yuvj420p"},
		"png":  {"-c:v", "png", "-pix_fmt", "rgb24"},
	}
	args := slices.Concat(in, encoders[codec], extra)
	switch codec {
	case "jpeg", "png":
		Run(tb, "ffmpeg", append(args, filepath.Join(dir, "%06d."+codec))...)
		return images(tb, dir, rate)
	case "av1":
		ivf := filepath.Join(dir, "x.ivf")
		Run(tb, "ffmpeg", append(args, ivf)...)
		return splitIVF(tb, ivf)
	}
	mkv := filepath.Join(dir, "x.mp4")
	Run(tb, "ffmpeg", append(args, "-video_track_timescale", "90000", mkv)...)
	es := filepath.Join(dir, "x."+codec)
	Run(tb, "ffmpeg", "-nostdin", "-v", "error", "-i", mkv, "-c", "copy", es)
	raw, err := os.ReadFile(es)
	if err != nil {
		tb.Fatal(err)
	}
	timed, split := Probe(tb, mkv), Probe(tb, es)
	if len(timed) != len(split) {
		tb.Fatalf("%d packets with times, %d without", len(timed), len(split))
	}
	units := make([]AccessUnit, 0, len(split))
	first := timed[0].DTS
	for i, p := range split {
		units = append(units, AccessUnit{
			Data: raw[:p.Size:p.Size], Key: strings.HasPrefix(timed[i].Flags, "K"),
			PTS: (timed[i].PTS - first) * 100_000 / 9, DTS: (timed[i].DTS - first) * 100_000 / 9,
		})
		raw = raw[p.Size:]
	}
	if len(raw) != 0 {
		tb.Fatalf("%d bytes behind the last access unit", len(raw))
	}
	return units
}

func frameNs(rate string) (num, den int64) {
	n, d, ok := strings.Cut(rate, "/")
	num, _ = strconv.ParseInt(n, 10, 64)
	den = 1
	if ok {
		den, _ = strconv.ParseInt(d, 10, 64)
	}
	return num, den
}

func images(tb testing.TB, dir, rate string) []AccessUnit {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		tb.Fatal(err)
	}
	sort.Strings(names)
	num, den := frameNs(rate)
	units := make([]AccessUnit, 0, len(names))
	for i, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			tb.Fatal(err)
		}
		t := int64(i) * 1e9 * den / num
		units = append(units, AccessUnit{Data: b, PTS: t, DTS: t, Key: true})
	}
	return units
}

// splitIVF reads the frames of an IVF file: a header of 32 bytes, then 12
// bytes before each frame.
func splitIVF(tb testing.TB, path string) []AccessUnit {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	den, num := int64(binary.LittleEndian.Uint32(b[16:])), int64(binary.LittleEndian.Uint32(b[20:]))
	var units []AccessUnit
	for b = b[32:]; len(b) >= 12; {
		n := int(binary.LittleEndian.Uint32(b))
		t := int64(binary.LittleEndian.Uint64(b[4:])) * 1e9 * num / den
		units = append(units, AccessUnit{Data: b[12 : 12+n], PTS: t, DTS: t})
		b = b[12+n:]
	}
	return units
}
