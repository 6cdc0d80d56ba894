package hls

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/hlscheck"
	"github.com/tstrans/tstrans/core/internal/mediatest"
	"github.com/tstrans/tstrans/core/mp4"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// pictures is ten seconds of real H.264 at 25 pictures a second, a key frame
// a second.
func pictures(t testing.TB, n int, extra ...string) []mediatest.AccessUnit {
	t.Helper()
	mediatest.Need(t, "ffmpeg", "ffprobe")
	return mediatest.Encode(t, "h264", "160x120", "25", n, append([]string{"-g", "25", "-bf", "0"}, extra...)...)
}

// st0601 is a set with nothing but a time and a checksum item.
func st0601(at time.Time) []byte {
	body := append([]byte{2, 8}, binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))...)
	body = append(body, 1, 2, 0, 0)
	head := []byte{6, 0x0e, 0x2b, 0x34, 2, 0x0b, 1, 1, 0x0e, 1, 3, 1, 1, 0, 0, 0, byte(len(body))}
	return slices.Concat(head, body)
}

// follow checks every playlist that was published, each against the one before.
type follow struct {
	t    testing.TB
	last hlscheck.Playlist
	n    int
}

func (f *follow) check(text string) hlscheck.Playlist {
	f.t.Helper()
	p, problems := hlscheck.Check(text)
	if f.n > 0 {
		problems = append(problems, hlscheck.CheckUpdate(f.last, p)...)
	}
	if len(problems) > 0 {
		f.t.Fatalf("%s\n%s", strings.Join(problems, "\n"), text)
	}
	f.last = p
	f.n++
	return p
}

var sensorStart = time.Date(2020, 5, 6, 7, 8, 9, 0, time.UTC)

// publish sends n pictures with a KLV unit each and checks every playlist.
func publish(t testing.TB, cfg Config, aus []mediatest.AccessUnit, start int64, each func(m *MuxPublisher, i int)) *MuxPublisher {
	t.Helper()
	p := open(t, cfg)
	m, err := NewMuxPublisher(p, program(false))
	must(t, err)
	f := &follow{t: t}
	for i, au := range aus {
		pts := (start + int64(i)*3600) & (1<<33 - 1)
		must(t, m.SendVideo(au.Data, Video{PTS: pts, KeyFrame: au.Key}))
		must(t, m.SendKLV(st0601(sensorStart.Add(time.Duration(i)*40*time.Millisecond)), pts, 0))
		f.check(string(p.Stream().State().Playlist()))
		if each != nil {
			each(m, i)
		}
	}
	return m
}

func TestLowLatencyPlaylists(t *testing.T) {
	aus := pictures(t, 250)
	for _, container := range []Container{TS, FMP4} {
		for _, memory := range []bool{false, true} {
			t.Run(fmt.Sprint(container, memory), func(t *testing.T) {
				m := publish(t, Config{
					Container: container, Memory: memory, SegmentDuration: 2 * time.Second, Window: 3,
					PartDuration: 200 * time.Millisecond, Clock: SensorClock,
				}, aus, 1<<33-90_000, nil)
				p := m.Publisher()
				st := p.Stream().State()
				if n := len(st.Segments); n != 3 || st.MediaSequence != 1 {
					t.Fatalf("%d segments from %d", n, st.MediaSequence)
				}
				for i, s := range st.Segments {
					if s.Duration != 2*time.Second || len(s.Parts) != 10 || !s.Independent || !s.Parts[0].Independent {
						t.Fatalf("%+v", s)
					}
					if want := sensorStart.Add(time.Duration(i+1) * 2 * time.Second); !s.Date.Equal(want) {
						t.Fatalf("date %v, wanted %v", s.Date, want)
					}
					// The parts are the segment.
					status, _, whole := fetch(t, p, "/"+s.Name)
					var parts strings.Builder
					for _, part := range s.Parts {
						st, _, b := fetch(t, p, "/"+part.Name)
						if st != 200 || int64(len(b)) != part.Bytes {
							t.Fatalf("%s: %d, %d bytes", part.Name, st, len(b))
						}
						parts.WriteString(b)
						if container == TS {
							checkUnits(t, []byte(b), 5)
						} else {
							checkBoxes(t, []byte(b), 5, container)
						}
					}
					if status != 200 || parts.String() != whole {
						t.Fatalf("%s: %d, %d bytes, its parts %d", s.Name, status, len(whole), parts.Len())
					}
				}
				_, err := m.Release()
				must(t, err)
				must(t, p.Finish())
				if text := string(p.Stream().State().Playlist()); strings.Contains(text, "PRELOAD-HINT") {
					t.Fatalf("a hint after the end:\n%s", text)
				}
			})
		}
	}
}

// checkUnits wants every KLV PES packet of a part to be whole, and an empty one
// behind the last.
func checkUnits(t *testing.T, b []byte, want int) {
	t.Helper()
	units, empty, left := 0, false, 0
	for ; len(b) >= 188; b = b[188:] {
		if pid := int(b[1])<<8&0x1F00 | int(b[2]); pid != 0x102 {
			continue
		}
		body := b[4:188]
		if b[3]&0x20 != 0 {
			body = body[1+int(body[0]):]
		}
		if b[1]&0x40 != 0 {
			if left != 0 {
				t.Fatal("a KLV PES packet is cut")
			}
			left = int(body[4])<<8 | int(body[5]) + 6
			if empty = left == 9; !empty {
				units++
			}
		}
		left -= len(body)
	}
	if left != 0 || units != want || !empty {
		t.Fatalf("%d units, wanted %d; %d bytes missing, empty one at the end %v", units, want, left, empty)
	}
}

// checkBoxes wants want event messages in front of one fragment.
func checkBoxes(t *testing.T, b []byte, want int, _ Container) {
	t.Helper()
	var order []string
	for len(b) > 0 {
		n := int(binary.BigEndian.Uint32(b))
		name := string(b[4:8])
		order = append(order, name)
		if name == "emsg" {
			var e mp4.EventMessage
			k, err := e.Unmarshal(b)
			must(t, err)
			if k != n || e.Version != 1 || e.SchemeURI != "urn:misb:KLV:bin:1910.1" || e.Value != "KLV0:01BD" || e.Timescale != 90_000 {
				t.Fatalf("%+v", e)
			}
			if !bytes.HasPrefix(e.Data, []byte{6, 0x0e, 0x2b, 0x34}) {
				t.Fatalf("no UL: %x", e.Data)
			}
		}
		b = b[n:]
	}
	if len(order) != want+2 || order[want] != "moof" || order[want+1] != "mdat" || want > 0 && order[0] != "emsg" {
		t.Fatalf("boxes %v", order)
	}
}

// The presentations decode elsewhere, every picture of them.
func TestOthersPlayIt(t *testing.T) {
	aus := pictures(t, 130)
	for _, cfg := range []Config{
		{Container: TS, Mode: VOD, KeyFrameCuts: true, SegmentDuration: 2 * time.Second},
		{Container: FMP4, Mode: VOD, SegmentDuration: 2 * time.Second},
		{Container: FMP4, Mode: Event, SegmentDuration: 2 * time.Second, PartDuration: 300 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(cfg.Container, cfg.Mode, cfg.PartDuration, cfg.KeyFrameCuts), func(t *testing.T) {
			m := publish(t, cfg, aus, 126_000, nil)
			p, err := m.Release()
			must(t, err)
			s, err := p.FinishServing()
			must(t, err)
			defer s.Close()
			addr, err := s.Addr()
			must(t, err)
			url := "http://" + addr + "/" + PlaylistName
			if got := mediatest.Decode(t, url); len(got) != len(aus) {
				t.Fatalf("ffmpeg decodes %d pictures of %d over HTTP", len(got), len(aus))
			}
			if got := mediatest.Decode(t, filepath.Join(p.cfg.Dir, PlaylistName)); len(got) != len(aus) {
				t.Fatalf("ffmpeg decodes %d pictures of %d from the folder", len(got), len(aus))
			}
		})
	}
}

func TestBFrames(t *testing.T) {
	aus := pictures(t, 75, "-bf", "2")
	reordered := false
	for _, hasDTS := range []bool{true, false} {
		p := open(t, Config{Container: FMP4, Mode: VOD, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond})
		m, err := NewMuxPublisher(p, program(false))
		must(t, err)
		f := &follow{t: t}
		for _, au := range aus {
			v := Video{PTS: au.PTS * 9 / 100_000, DTS: au.DTS * 9 / 100_000, HasDTS: hasDTS, KeyFrame: au.Key}
			reordered = reordered || v.PTS != v.DTS
			must(t, m.SendVideo(au.Data, v))
			f.check(string(p.Stream().State().Playlist()))
		}
		_, err = m.Release()
		must(t, err)
		must(t, p.Finish())
		if got := mediatest.Decode(t, filepath.Join(p.cfg.Dir, PlaylistName)); len(got) != len(aus) {
			t.Fatalf("ffmpeg decodes %d pictures of %d (dts %v)", len(got), len(aus), hasDTS)
		}
	}
	if !reordered {
		t.Fatal("the encoder made no B-frames")
	}
}

// Packets as they come are cut at key frames, each segment with its tables.
func TestIngestCutsAtKeyFrames(t *testing.T) {
	aus := pictures(t, 250)
	mux, err := mpegts.NewMuxer(program(true))
	must(t, err)
	p := open(t, Config{
		SegmentDuration: 2 * time.Second, Mode: Event, KeyFrameCuts: true, Clock: SensorClock, PartDuration: 400 * time.Millisecond,
	})
	f := &follow{t: t}
	all := make([]byte, 0, 1<<20)
	for i, au := range aus {
		if i < 3 {
			au.Key = false // joined midway
		}
		must(t, mux.PushVideo(au.Data, mpegts.VideoPush{PTS: 900_000 + int64(i)*3600, KeyFrame: au.Key}))
		must(t, mux.PushKLV(st0601(sensorStart.Add(time.Duration(i)*40*time.Millisecond)), 900_000+int64(i)*3600, 0))
		b := mux.Pending()
		all = append(all, b...)
		must(t, p.PushTS(b))
		mux.Discard(len(b))
		f.check(string(p.Stream().State().Playlist()))
	}
	s, err := p.Stats()
	must(t, err)
	if s.Skipped == 0 || s.Bytes <= uint64(len(all))-s.Skipped {
		t.Fatalf("%+v of %d bytes", s, len(all))
	}
	must(t, p.CutSegment())
	st := p.Stream().State()
	counters := map[int]byte{}
	for k, x := range st.Segments {
		b, err := os.ReadFile(filepath.Join(p.cfg.Dir, x.Name))
		must(t, err)
		pid := func(i int) int { return (int(b[188*i+1])<<8 | int(b[188*i+2])) & 0x1FFF }
		if pid(0) != 0 || pid(1) != 0x1000 || pid(2) != 0x100 {
			t.Fatalf("%s begins with PIDs %x %x %x", x.Name, pid(0), pid(1), pid(2))
		}
		if want := sensorStart.Add(time.Duration(25+50*k) * 40 * time.Millisecond); !x.Date.Equal(want) {
			t.Fatalf("%s: date %v, wanted %v", x.Name, x.Date, want)
		}
		if k < len(st.Segments)-1 && x.Duration != 2*time.Second {
			t.Fatalf("%s lasts %v", x.Name, x.Duration)
		}
		for i := range len(b) / 188 {
			q := b[188*i:]
			if q[3]&0x10 == 0 {
				continue
			}
			if last, ok := counters[pid(i)]; ok && (last+1)&0x0F != q[3]&0x0F {
				t.Fatalf("%s, packet %d: PID %x goes from %d to %d", x.Name, i, pid(i), last, q[3]&0x0F)
			}
			counters[pid(i)] = q[3] & 0x0F
		}
	}
}

// A jump of time begins a new stretch of the presentation.
func TestDiscontinuity(t *testing.T) {
	aus := pictures(t, 100)
	for _, c := range []Container{TS, FMP4} {
		p := open(t, Config{Container: c, Mode: Event, SegmentDuration: time.Second, KeyFrameCuts: true})
		m, err := NewMuxPublisher(p, program(false))
		must(t, err)
		f := &follow{t: t}
		for i, au := range aus {
			pts := int64(i) * 3600
			if i >= 50 {
				pts = 1<<32 - int64(100-i)*3600
			}
			must(t, m.SendVideo(au.Data, Video{PTS: pts, KeyFrame: au.Key}))
			f.check(string(p.Stream().State().Playlist()))
		}
		must(t, m.CutSegment())
		l := f.check(string(p.Stream().State().Playlist()))
		if len(l.Segments) != 4 || !l.Segments[2].Discontinuity || l.Segments[3].Discontinuity {
			t.Fatalf("%+v", l.Segments)
		}
	}
}

func TestBlockingReload(t *testing.T) {
	aus := pictures(t, 60)
	p := open(t, Config{Memory: true, SegmentDuration: time.Second, Window: 3, PartDuration: 200 * time.Millisecond, Gzip: true})
	m, err := NewMuxPublisher(p, program(false))
	must(t, err)
	send := func(i int) { must(t, m.SendVideo(aus[i].Data, Video{PTS: int64(i) * 3600, KeyFrame: aus[i].Key})) }
	for i := range 8 {
		send(i) // one part, and three pictures of the next
	}
	for path, want := range map[string]int{
		"?_HLS_part=1":             400,
		"?_HLS_msn=x":              400,
		"?_HLS_msn=2":              400,
		"?_HLS_msn=0&_HLS_part=0":  200,
		"?_HLS_msn=0&_HLS_part=99": 400,
		"?other=1":                 200,
	} {
		if got, _, _ := fetch(t, p, "/playlist.m3u8"+path); got != want {
			t.Errorf("%s: %d, wanted %d", path, got, want)
		}
	}
	if got, _, _ := fetch(t, p, "/part_00000_7.ts"); got != 404 {
		t.Errorf("a part that nobody hinted: %d", got)
	}
	type answer struct {
		status int
		body   string
	}
	ask := func(path string) <-chan answer {
		c := make(chan answer, 1)
		held := p.Server().requests.Load() + 1
		go func() {
			s, _, b := fetch(t, p, path)
			c <- answer{s, b}
		}()
		for p.Server().requests.Load() < held { // it is being served
			time.Sleep(time.Millisecond)
		}
		return c
	}
	list := ask("/playlist.m3u8?_HLS_msn=0&_HLS_part=1")
	part := ask("/part_00000_1.ts")
	select {
	case a := <-list:
		t.Fatalf("not held: %+v", a)
	case a := <-part:
		t.Fatalf("not held: %+v", a)
	case <-time.After(50 * time.Millisecond):
	}
	for i := 8; i < 11; i++ {
		send(i)
	}
	if a := <-list; a.status != 200 || !strings.Contains(a.body, "part_00000_1.ts\"\n") {
		t.Fatalf("%+v", a)
	}
	if a := <-part; a.status != 200 || len(a.body) == 0 || len(a.body)%188 != 0 {
		t.Fatalf("%d, %d bytes", a.status, len(a.body))
	}
	// A segment that is to come, and the end while a request is held.
	seg := ask("/playlist.m3u8?_HLS_msn=1")
	for i := 11; i < 52; i++ {
		send(i)
	}
	if a := <-seg; a.status != 200 || !strings.Contains(a.body, "segment_00001.ts") {
		t.Fatalf("%+v", a)
	}
	end := ask("/playlist.m3u8?_HLS_msn=3")
	s, err := p.FinishServing()
	must(t, err)
	defer s.Close()
	if a := <-end; a.status != 200 {
		t.Fatalf("%+v", a)
	}
}

func TestHeldRequestsEnd(t *testing.T) {
	aus := pictures(t, 20)
	p := open(t, Config{Memory: true, SegmentDuration: time.Second, Window: 3, PartDuration: 200 * time.Millisecond})
	m, err := NewMuxPublisher(p, program(false))
	must(t, err)
	for i := range aus {
		must(t, m.SendVideo(aus[i].Data, Video{PTS: int64(i) * 3600, KeyFrame: aus[i].Key}))
	}
	addr, err := p.Addr()
	must(t, err)
	// A client that leaves, and one that is there when the server stops.
	ctx, cancel := context.WithCancel(context.Background())
	url := "http://" + addr + "/playlist.m3u8?_HLS_msn=1"
	done := make(chan struct{}, 2)
	for _, c := range []context.Context{ctx, context.Background()} {
		go func() {
			req, _ := http.NewRequestWithContext(c, http.MethodGet, url, nil)
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			done <- struct{}{}
		}()
	}
	for p.Server().requests.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	p.Abort()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("a held request survives its server")
	}
}

func TestDelta(t *testing.T) {
	aus := pictures(t, 250)
	m := publish(t, Config{
		Memory: true, Mode: Event, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond, Gzip: true,
	}, aus, 0, nil)
	p := m.Publisher()
	_, _, body := fetch(t, p, "/playlist.m3u8?_HLS_skip=YES")
	d, problems := hlscheck.Check(body)
	whole, _ := hlscheck.Check(string(p.Stream().State().Playlist()))
	if len(problems) > 0 || d.Skipped < 2 || d.Skipped+len(d.Segments) != len(whole.Segments) || d.Version != 9 {
		t.Fatalf("%v\n%s", problems, body)
	}
	if tail := d.Duration(); tail < 6 || d.Segments[0].URI != whole.Segments[d.Skipped].URI {
		t.Fatalf("%v s are left of %v", tail, whole.Duration())
	}
}

func TestDeltaWithoutOldRanges(t *testing.T) {
	aus := pictures(t, 300)
	var now atomic.Int64
	clock := func() time.Time { return sensorStart.Add(time.Duration(now.Load())) }
	m := publish(t, Config{
		Memory: true, Window: 9, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond, Now: clock,
	}, aus, 0, func(m *MuxPublisher, i int) {
		now.Store(int64(i) * int64(40*time.Millisecond))
		for id, at := range map[string]int{"gone": 30, "old": 110, "new": 270} {
			if i == at {
				must(t, m.AddDateRange(DateRange{ID: id, Start: clock(), HasDuration: true}))
			}
		}
	})
	ids := func(l hlscheck.Playlist) (out []string) {
		for _, r := range l.Ranges {
			out = append(out, r.ID)
		}
		return out
	}
	p := m.Publisher()
	read := func(query string) hlscheck.Playlist {
		_, _, body := fetch(t, p, "/playlist.m3u8"+query)
		l, problems := hlscheck.Check(body)
		if len(problems) > 0 || l.Control["CAN-SKIP-DATERANGES"] != "YES" {
			t.Fatalf("%v\n%s", problems, body)
		}
		return l
	}
	full, one, two := read(""), read("?_HLS_skip=YES"), read("?_HLS_skip=v2")
	if got := ids(full); !slices.Equal(got, []string{"old", "new"}) || !slices.Equal(ids(one), got) || one.RangesSkipped {
		t.Fatal(got, ids(one))
	}
	if got := ids(two); !slices.Equal(got, []string{"new"}) || two.Version != 10 || two.Skipped != one.Skipped ||
		!slices.Equal(two.Removed, []string{"gone"}) {
		t.Fatal(got, two.Version, two.Removed)
	}
	if other := read("?_HLS_skip=NO"); other.Skipped != 0 {
		t.Fatal(other.Skipped)
	}
}

func TestDateRanges(t *testing.T) {
	aus := pictures(t, 150)
	at := sensorStart.Add(1500 * time.Millisecond)
	m := publish(t, Config{Memory: true, SegmentDuration: time.Second, Window: 3, Clock: SensorClock, KeyFrameCuts: true}, aus, 0,
		func(m *MuxPublisher, i int) {
			switch i {
			case 30:
				must(t, m.AddDateRange(DateRange{ID: "a", Class: "marker", Start: at, Attributes: map[string]string{"X-TEXT": "hello, ü"}}))
				must(t, m.AddDateRange(DateRange{ID: "a", Start: at, Duration: time.Second / 2, HasDuration: true}))
				wantKind(t, m.AddDateRange(DateRange{ID: "a", Class: "other", Start: at}), tsterr.HLSInvalidConfig)
				wantKind(t, m.AddDateRange(DateRange{ID: "b\n", Start: at}), tsterr.HLSInvalidConfig)
				wantKind(t, m.AddDateRange(DateRange{ID: "b", Start: at, Attributes: map[string]string{"x": "y"}}), tsterr.HLSInvalidConfig)
				l, _ := hlscheck.Check(string(m.Publisher().Stream().State().Playlist()))
				if len(l.Ranges) != 1 || l.Ranges[0].Attributes["X-TEXT"] != `"hello, ü"` || l.Ranges[0].Attributes["DURATION"] != "0.5" {
					t.Fatalf("%+v", l.Ranges)
				}
			case 149:
				if n := len(m.Publisher().Stream().State().Ranges); n != 0 {
					t.Fatalf("%d ranges of segments that left", n)
				}
			}
		})
	must(t, m.Publisher().Close())
	p := open(t, Config{})
	wantKind(t, p.AddDateRange(DateRange{ID: "a", Start: at}), tsterr.HLSInvalidConfig)
}

// decoded decodes what a publisher left in its folder.
func decoded(t *testing.T, p *Publisher) []string {
	t.Helper()
	return mediatest.Decode(t, filepath.Join(p.cfg.Dir, PlaylistName))
}

// Packets of any program become fragmented MP4, KLV event messages.
func TestRepackedPackets(t *testing.T) {
	aus := pictures(t, 125)
	for _, sync := range []bool{false, true} {
		mux, err := mpegts.NewMuxer(program(sync))
		must(t, err)
		p := open(t, Config{Container: FMP4, Mode: VOD, SegmentDuration: time.Second, PartDuration: 200 * time.Millisecond, Clock: SensorClock})
		f := &follow{t: t}
		for i, au := range aus {
			pts := 1<<33 - 90_000 + int64(i)*3600
			must(t, mux.PushVideo(au.Data, mpegts.VideoPush{PTS: pts, KeyFrame: au.Key}))
			must(t, mux.PushKLV(st0601(sensorStart.Add(time.Duration(i)*40*time.Millisecond)), pts, 0))
			must(t, p.PushTS(mux.Pending()))
			mux.Discard(len(mux.Pending()))
			f.check(string(p.Stream().State().Playlist()))
		}
		must(t, p.Finish())
		st := p.Stream().State()
		if len(st.Segments) != 5 || !st.Segments[2].Date.Equal(sensorStart.Add(2*time.Second)) {
			t.Fatalf("%d segments, %+v", len(st.Segments), st.Segments[2])
		}
		messages := 0
		for _, x := range st.Segments {
			b, err := os.ReadFile(filepath.Join(p.cfg.Dir, x.Name))
			must(t, err)
			messages += strings.Count(string(b), "urn:misb:KLV:bin:1910.1")
		}
		if n := len(decoded(t, p)); n != len(aus) || messages != len(aus) {
			t.Fatalf("%d pictures and %d messages of %d", n, messages, len(aus))
		}
	}
	// MPEG-2 video has no place there, and says so.
	b, err := os.ReadFile("../../../shared/testdata/ts/kitware-mpeg2_klv.ts")
	if err != nil {
		t.Skip(err)
	}
	p := open(t, Config{Container: FMP4})
	wantKind(t, p.PushTS(b[:len(b)/188*188]), tsterr.HLSInvalidConfig)
}

// A camera's own capture goes through all the ways of publishing packets.
func TestRealCapture(t *testing.T) {
	b, err := os.ReadFile("../../../shared/testdata/ts/kitware-h264_klv.ts")
	if err != nil {
		t.Skip(err)
	}
	const want = 30 // pictures, as ffprobe counts them
	mediatest.Need(t, "ffmpeg")
	for _, cfg := range []Config{
		{Container: FMP4, Mode: VOD, PartDuration: 200 * time.Millisecond}, {KeyFrameCuts: true, Mode: VOD}, {Mode: VOD},
	} {
		p := open(t, cfg)
		must(t, p.PushTS(b[:len(b)/188*188]))
		if !cfg.KeyFrameCuts && cfg.Container == TS {
			must(t, p.CutSegmentWithDuration(time.Second))
		}
		must(t, p.Finish())
		out := mediatest.Run(t, "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
			"stream=nb_read_frames", "-of", "csv=p=0", filepath.Join(p.cfg.Dir, PlaylistName))
		if n, _ := strconv.Atoi(strings.Fields(out)[0]); n != want {
			t.Errorf("container %d, key frame cuts %v: %d pictures of %d", cfg.Container, cfg.KeyFrameCuts, n, want)
		}
	}
}

// Half an hour of a sliding list in memory keeps what the list and late clients
// need, and no more.
func TestNoGrowth(t *testing.T) {
	c := newClock()
	p := open(t, Config{Memory: true, SegmentDuration: time.Second, Window: 5, PartDuration: 200 * time.Millisecond, Now: c.now, NoServer: true})
	m, err := NewMuxPublisher(p, program(false))
	must(t, err)
	most := int64(0)
	for i := range 30 * 60 * 25 {
		c.add(40 * time.Millisecond)
		must(t, m.SendVideo(idr, Video{PTS: int64(i) * 3600, KeyFrame: i%25 == 0}))
		must(t, m.SendKLV(st0601(c.now()), int64(i)*3600, 0))
		if i%1000 == 0 {
			st := p.stream.store.(*memStore)
			if i > 3000 && most == 0 {
				most = st.used
			}
			if len(p.Stream().State().kept) > 20 || most > 0 && st.used > 2*most {
				t.Fatalf("after %d pictures %d bytes of %d segments are kept", i, st.used, len(p.Stream().State().kept))
			}
		}
	}
	if n := p.Stream().State().MediaSequence; n < 1700 {
		t.Fatalf("%d segments", n)
	}
}
