package timeline

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/mpegts"
)

func newTrack(t *testing.T, cfg TrackConfig) *Track {
	t.Helper()
	x, err := NewTrack(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// demoRecords are the records of testdata/demo.ts, which carry no times, and a
// stream that has one of them in AU cells beside each picture.
func demoRecords(t testing.TB) (ts []byte, out []Reading) {
	t.Helper()
	demo, err := os.ReadFile("../../testdata/demo.ts")
	if err != nil {
		t.Fatal(err)
	}
	d, err := mpegts.NewDemuxer(mpegts.DemuxerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err = d.Feed(demo); err != nil {
		t.Fatal(err)
	}
	d.Flush()
	recs, arena := make([]mpegts.Record, 64), make([]byte, 1<<20)
	for {
		n, _, chunk, _ := d.Read(recs, arena)
		if n == 0 {
			break
		}
		for _, r := range recs[:n] {
			if r.Type == mpegts.EventKLV && r.Flags&mpegts.FlagLazy == 0 {
				out = append(out, Reading{Raw: append([]byte(nil), arena[r.Payload:r.Payload+r.PayloadLen]...)})
			}
		}
		if chunk != nil {
			chunk.Release()
		}
	}
	m, err := mpegts.NewMuxer(mpegts.NewMuxConfig(mpegts.MuxProgram{Number: 1, PMTPID: 0x1000, Streams: []mpegts.MuxStream{
		{PID: 0x100, Class: mpegts.MuxVideo, Codec: mpegts.CodecH264},
		{PID: 0x101, Class: mpegts.MuxKLV, KLVSync: true, CarriesPTS: true},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range out {
		out[i].PTS = 90_000 + int64(i)*3000
		if err := m.PushVideo([]byte{0, 0, 0, 1, 0x65, 1, 2, 3}, mpegts.VideoPush{PTS: out[i].PTS, KeyFrame: true}); err != nil {
			t.Fatal(err)
		}
		if err := m.PushKLV(out[i].Raw, out[i].PTS, 0); err != nil {
			t.Fatal(err)
		}
	}
	return append([]byte(nil), m.Pending()...), out
}

func TestTrackTakesTheTimeOfThePictureWhereThereIsNone(t *testing.T) {
	demo, err := os.ReadFile("../../testdata/demo.ts")
	if err != nil {
		t.Fatal(err)
	}
	x := newTrack(t, TrackConfig{})
	if err := x.PushTS(demo); err != nil {
		t.Fatal(err)
	}
	x.Flush()
	got := x.Sample(5)
	if len(got) == 0 || !got[0].Async {
		t.Fatalf("%d readings", len(got))
	}
}

func TestTrackFindsEachRecordByItsTime(t *testing.T) {
	ts, want := demoRecords(t)
	if len(want) < 2 {
		t.Fatalf("the demo holds %d records", len(want))
	}
	x := newTrack(t, TrackConfig{})
	for at := 0; at < len(ts); at += 1000 { // packets are cut anywhere
		if err := x.PushTS(ts[at:min(at+1000, len(ts))]); err != nil {
			t.Fatal(err)
		}
	}
	x.Flush()
	mux := http.NewServeMux()
	x.Register(mux)
	for _, r := range want {
		got := x.Range(r.PTS, 1, 10)
		if len(got) != 1 || got[0].PTS != r.PTS || string(got[0].Raw) != string(r.Raw) {
			t.Fatalf("at %d: %d records", r.PTS, len(got))
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/telemetry?ticks=1&pts="+strconv.FormatInt(r.PTS, 10), nil))
		var in struct{ Records []Decoded }
		if err := json.Unmarshal(w.Body.Bytes(), &in); err != nil || len(in.Records) != 1 || in.Records[0].PTS != r.PTS {
			t.Fatal(w.Code, w.Body)
		}
	}
	if got := x.Range(want[0].PTS, 3600*clock.TicksPerSecond, 1000); len(got) != len(want) {
		t.Fatal(len(got), len(want))
	}
	if got := x.Sample(3); len(got) > 3 || got[len(got)-1].PTS != want[len(want)-1].PTS {
		t.Fatalf("%d samples", len(got))
	}
	if s := x.Stats(); s.Records != int64(len(want)) || s.Faults != 0 {
		t.Fatalf("%+v", s)
	}
	for _, q := range []string{"", "?pts=-1", "?pts=8589934592", "?pts=0&ticks=0", "/track?points=0"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/telemetry"+q, nil))
		if w.Code != 422 {
			t.Errorf("%q: %d", q, w.Code)
		}
	}
}

func put(x *Track, pts int64, raw []byte) {
	x.record(&mpegts.Record{PTS: pts, Flags: mpegts.FlagHasPTS}, raw)
}

func TestTrackGoesOnAcrossTheWrap(t *testing.T) {
	_, recs := demoRecords(t)
	x := newTrack(t, TrackConfig{})
	start := clock.PTSModulus - 5*3000
	for i := range 10 {
		put(x, (start+int64(i)*3000)%clock.PTSModulus, recs[0].Raw)
	}
	got := x.Range(start, 10*3000, 100)
	if len(got) != 10 || got[9].PTS != 4*3000 {
		t.Fatalf("%d records", len(got))
	}
	if got := x.Range(0, 3000, 100); len(got) != 1 || got[0].PTS != 0 {
		t.Fatalf("%d records", len(got))
	}
}

func TestTrackKeepsSpansApart(t *testing.T) {
	_, recs := demoRecords(t)
	x := newTrack(t, TrackConfig{})
	for i := range 5 {
		put(x, 900_000+int64(i)*3000, recs[0].Raw)
	}
	for i := range 5 { // the source began anew
		put(x, int64(i)*3000, recs[1].Raw)
	}
	if got := x.Range(900_000, 3000, 10); len(got) != 1 || string(got[0].Raw) != string(recs[0].Raw) {
		t.Fatal(len(got))
	}
	if got := x.Range(0, 3000, 10); len(got) != 1 || string(got[0].Raw) != string(recs[1].Raw) {
		t.Fatal(len(got))
	}
}

func TestTrackIsBounded(t *testing.T) {
	_, recs := demoRecords(t)
	x := newTrack(t, TrackConfig{MaxBytes: 10 * len(recs[0].Raw)})
	for i := range 1000 {
		put(x, int64(i)*3000, recs[0].Raw)
	}
	put(x, 5, make([]byte, 20)) // no record of this kind
	x.record(&mpegts.Record{PayloadLen: maxRecord + 1}, nil)
	s := x.Stats()
	if s.Kept != 10 || s.Dropped != 990 || s.Refused != 1 {
		t.Fatalf("%+v", s)
	}
	if got := x.Range(999*3000, 1, 10); len(got) != 1 {
		t.Fatal("the newest is not there")
	}
}

func TestFootprintOfOffsetsAndOfCorners(t *testing.T) {
	// Items 23, 24 (frame centre) and 26 to 33 (offsets), then 82 to 89, coded by
	// the formulas of MISB ST 0601.19.
	angle := func(v, full float64, n int) []byte {
		m := math.Pow(2, float64(8*n-1)) - 1
		u := uint64(int64(math.Round(v / full * m)))
		out := make([]byte, n)
		for i := range n {
			out[n-1-i] = byte(u >> (8 * i))
		}
		return out
	}
	tlv := func(b []byte, tag byte, v []byte) []byte { return append(append(b, tag, byte(len(v))), v...) }
	record := func(body []byte) []byte {
		body = append(body, 1, 2)
		raw := append([]byte{}, klv.UASDatalinkUL[:]...)
		raw = klv.AppendLength(raw, len(body)+2)
		raw = append(raw, body...)
		sum := klv.RunningSum(raw)
		return append(raw, byte(sum>>8), byte(sum))
	}
	var body []byte
	body = tlv(body, 23, angle(48, 90, 4))
	body = tlv(body, 24, angle(11, 180, 4))
	want := []Point{{0.01, -0.02}, {0.01, 0.02}, {-0.01, 0.02}, {-0.01, -0.02}}
	for i, p := range want {
		body = tlv(body, byte(26+2*i), angle(p[0], 0.075, 2))
		body = tlv(body, byte(27+2*i), angle(p[1], 0.075, 2))
	}
	check := func(raw []byte, want []Point) {
		t.Helper()
		d := (&Reading{Raw: raw}).Decode()
		if d.Error != "" || len(d.Footprint) != 4 {
			t.Fatalf("%+v", d)
		}
		for i, p := range d.Footprint {
			if math.Abs(p[0]-want[i][0]) > 3e-6 || math.Abs(p[1]-want[i][1]) > 3e-6 {
				t.Errorf("corner %d: %v, want %v", i+1, p, want[i])
			}
		}
	}
	check(record(body), []Point{{48.01, 10.98}, {48.01, 11.02}, {47.99, 11.02}, {47.99, 10.98}})
	full := []Point{{1, 2}, {3, 4}, {-5, 6}, {7, -8}}
	for i, p := range full {
		body = tlv(body, byte(82+2*i), angle(p[0], 90, 4))
		body = tlv(body, byte(83+2*i), angle(p[1], 180, 4))
	}
	check(record(body), full)
	if d := (&Reading{Raw: klv.UASDatalinkUL[:]}).Decode(); d.Error == "" {
		t.Error("half a record gives no error")
	}
}
