package page

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/hls"
	"github.com/tstrans/tstrans/core/internal/hlscheck"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/timeline"
)

var began = time.Date(2024, 2, 29, 23, 59, 58, 250e6, time.UTC)

// attached is a site on a publisher of muxed pictures, one a tenth of a second and
// a key frame a second.
func attached(t *testing.T, cfg hls.Config, track *timeline.Track) (*timeline.Store, *hls.Publisher, func(n int)) {
	t.Helper()
	cfg.Addr, cfg.Memory, cfg.SegmentDuration, cfg.KeyFrameCuts = "127.0.0.1:0", true, time.Second, true
	cfg.Now = func() time.Time { return began }
	p, err := hls.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Abort)
	store, err := timeline.Open(context.Background(), timeline.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err = site(t, Config{Markers: store, Telemetry: track}).Attach(p); err != nil {
		t.Fatal(err)
	}
	muxer := mpegts.NewMuxConfig()
	muxer.Programs = []mpegts.MuxProgram{{
		Number: 1, PMTPID: 0x1000, PCRPID: 0x100,
		Streams: []mpegts.MuxStream{
			{PID: 0x100, Class: mpegts.MuxVideo, Codec: mpegts.CodecH264},
			{PID: 0x102, Class: mpegts.MuxKLV, CarriesPTS: true},
		},
	}}
	m, err := hls.NewMuxPublisher(p, muxer)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	return store, p, func(n int) {
		for range n {
			au := []byte{0, 0, 0, 1, 0x41, 1, 2, 3}
			if i%10 == 0 {
				au[4] = 0x65
			}
			pts := int64(1<<33-45000+i*9000) & (1<<33 - 1) // it wraps after half a second
			if err := m.SendVideo(au, hls.Video{PTS: pts, KeyFrame: i%10 == 0}); err != nil {
				t.Fatal(err)
			}
			if err := m.SendKLV(record(i), pts, 0); err != nil {
				t.Fatal(err)
			}
			i++
		}
	}
}

// record is a UAS Datalink record with a mission number.
func record(i int) []byte {
	value := []byte{3, 1, byte('0' + i%10)}
	return append([]byte{
		0x06, 0x0E, 0x2B, 0x34, 0x02, 0x0B, 0x01, 0x01, 0x0E, 0x01, 0x03, 0x01, 0x01, 0, 0, 0, byte(len(value)),
	}, value...)
}

// ranges waits for so many date ranges and reads them as a client does.
func ranges(t *testing.T, p *hls.Publisher, n int) []hlscheck.Range {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		st := p.Stream().State()
		if len(st.Ranges) == n {
			l, problems := hlscheck.Check(string(st.Playlist()))
			if len(problems) > 0 {
				t.Fatalf("%v\n%s", problems, st.Playlist())
			}
			return l.Ranges
		}
		select {
		case <-st.Changed():
		case <-late:
			t.Fatalf("%d ranges, want %d\n%s", len(st.Ranges), n, st.Playlist())
		}
	}
}

func TestMarkersAreDateRangesOfThePlaylist(t *testing.T) {
	store, p, push := attached(t, hls.Config{Clock: hls.WallClock, Window: 4}, nil)
	ctx := context.Background()
	add := func(at float64, text, data string) *timeline.Marker {
		m := &timeline.Marker{Time: at, Text: text, Data: []byte(data)}
		if err := store.Add(ctx, m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	odd := "50 % \"sure\"\nof it\u0085 Grüße"
	add(3.5, odd, `{"duration": 0.75, "who": "me"}`) // before there is anything
	push(61)
	got := ranges(t, p, 1)[0].Attributes
	text, err := url.PathUnescape(strings.Trim(got["X-TSTRANS-TEXT"], `"`))
	if err != nil || text != odd {
		t.Fatalf("%q %v", text, err)
	}
	data, _ := url.PathUnescape(strings.Trim(got["X-TSTRANS-DATA"], `"`))
	if got["DURATION"] != "0.75" || got["CLASS"] != `"tstrans.marker"` || data != `{"duration": 0.75, "who": "me"}` ||
		got["START-DATE"] != `"2024-03-01T00:00:01.750Z"` || got["X-TSTRANS-TIME"] != `"3.5"` {
		t.Fatalf("%v", got)
	}
	// The window is 2 to 6 s: one before it, one in it, one that is still to come.
	add(1.5, "gone", "")
	in := add(5.25, strings.Repeat("ä", 2000), `"`+strings.Repeat("x", 2000)+`"`)
	ahead := add(6.4, "ahead", "")
	got = ranges(t, p, 2)[1].Attributes
	if got["ID"] != `"marker-`+itoa(in.ID)+`"` || got["DURATION"] != "0" || got["X-TSTRANS-DATA"] != "" ||
		len(got["X-TSTRANS-TEXT"]) > maxRangeText+2 || !strings.HasSuffix(got["X-TSTRANS-TEXT"], `ä…"`) {
		t.Fatalf("%v", got)
	}
	push(10)
	if got = ranges(t, p, 3)[2].Attributes; got["ID"] != `"marker-`+itoa(ahead.ID)+`"` {
		t.Fatalf("%v", got)
	}
	push(40) // the first two leave with their segments
	if left := ranges(t, p, 0); len(left) > 0 {
		t.Fatal(left)
	}
	// Markers of another epoch are none of this one.
	if _, err := store.Begin(ctx); err != nil {
		t.Fatal(err)
	}
	add(10.5, "new", "")
	if got = ranges(t, p, 1)[0].Attributes; got["X-TSTRANS-TEXT"] != `"new"` {
		t.Fatal(got)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestMoreMarkersThanAPlaylistHolds(t *testing.T) {
	store, p, push := attached(t, hls.Config{Clock: hls.WallClock, Window: 3}, nil)
	push(41)
	all := make([]*timeline.Marker, 0, 2500)
	for i := range 2500 {
		all = append(all, &timeline.Marker{Time: 1 + float64(i)/1000, Text: "x"})
	}
	if err := store.Add(context.Background(), all...); err != nil {
		t.Fatal(err)
	}
	ranges(t, p, hls.MaxRanges)
	push(10) // a third of them leaves, others take their places
	late := time.After(20 * time.Second)
	for {
		st := p.Stream().State()
		n := len(st.Ranges)
		if n == hls.MaxRanges && st.Ranges[n-1].Attributes["X-TSTRANS-TIME"] > "2.9" {
			return
		}
		select {
		case <-st.Changed():
		case <-late:
			t.Fatalf("%d ranges, the last %v", n, st.Ranges[n-1])
		}
	}
}

func TestWithoutDatesThereAreNoRanges(t *testing.T) {
	store, p, push := attached(t, hls.Config{}, nil)
	push(31)
	if err := store.Add(context.Background(), &timeline.Marker{Time: 1, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	push(10)
	if text, _ := p.Playlist(false); strings.Contains(text, "DATERANGE") {
		t.Fatal(text)
	}
}

func TestRecordsSentToTheMuxerAreTelemetry(t *testing.T) {
	track, err := timeline.NewTrack(timeline.TrackConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = track.Close() }()
	_, _, push := attached(t, hls.Config{}, track)
	push(25)
	newest, ok := track.Newest()
	if want := int64(1<<33-45000+24*9000) & (1<<33 - 1); !ok || newest != want {
		t.Fatal(newest, want, ok)
	}
	got := track.Range(newest, 1, 10)
	if s := track.Stats(); s.Records != 25 || len(got) != 1 || string(got[0].Raw) != string(record(24)) || got[0].Async {
		t.Fatalf("%+v %+v", s, got)
	}
	// A program that hands over the same record itself does not double it.
	track.KLV(record(24), newest)
	track.KLV(record(24), newest+1)
	track.KLV([]byte("no record"), newest)
	track.KLV(make([]byte, 1<<17), newest)
	if s := track.Stats(); s.Records != 26 || s.Refused != 1 {
		t.Fatalf("%+v", s)
	}
	if err := track.Close(); err != nil {
		t.Fatal(err)
	}
	push(1) // the publisher outlives the track
}

// FuzzMarker: every marker a store takes gives a line that a strict reader takes,
// and whose text is the marker's.
func FuzzMarker(f *testing.F) {
	for _, s := range []string{"", "a \"b\"\r\n%25", "\u0085\u009f\x7f", strings.Repeat("ä", 400), "\t,=\\"} {
		f.Add(1.25, s, `{"duration": 3.5, "a": "\""}`)
	}
	f.Add(0.0, "x", `{"duration": -1}`)
	f.Add(1e9, "x", `[1e400]`)
	f.Fuzz(func(t *testing.T, at float64, text, data string) {
		m := timeline.Marker{ID: 7, Time: at, Text: text, Data: []byte(data)}
		if m.Validate() != nil {
			return
		}
		p, err := hls.Open(hls.Config{NoServer: true, Memory: true, Clock: hls.WallClock, KeyFrameCuts: true, SegmentDuration: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Abort()
		r := dateRange(&m, began)
		if err := p.AddDateRange(r); err != nil {
			t.Fatal(err)
		}
		if got, err := url.PathUnescape(r.Attributes["X-TSTRANS-TEXT"]); err != nil || got != shorten(text, maxRangeText) {
			t.Fatalf("%q %v", got, err)
		}
		if got, ok := r.Attributes["X-TSTRANS-DATA"]; ok {
			if back, err := url.PathUnescape(got); err != nil || back != data {
				t.Fatalf("%q %v", back, err)
			}
		}
	})
}
