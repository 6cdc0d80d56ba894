package timeline

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/tstrans/tstrans/core/clock"
)

// FuzzTrack: no stream makes a track fail, grow past its bound or lose the order of
// its records.
func FuzzTrack(f *testing.F) {
	sync, recs := demoRecords(f)
	f.Add(sync[:min(len(sync), 188*12)], uint16(188))
	f.Add(sync[:min(len(sync), 188*12)], uint16(77))
	f.Add(recs[0].Raw, uint16(1))
	f.Add([]byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, ts []byte, piece uint16) {
		const most = 4096
		x, err := NewTrack(TrackConfig{MaxBytes: most})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = x.Close() }()
		step := int(piece)%4096 + 1
		for at := 0; at < len(ts); at += step {
			if err := x.PushTS(ts[at:min(at+step, len(ts))]); err != nil {
				t.Fatal(err)
			}
			x.KLV(ts[at:min(at+64, len(ts))], int64(at)*9000)
		}
		x.Flush()
		s := x.Stats()
		if s.Bytes > most || s.Records-s.Dropped != int64(s.Kept) {
			t.Fatalf("%+v", s)
		}
		for i := 1; i < len(x.entries); i++ {
			a, b := &x.entries[i-1], &x.entries[i]
			if a.span > b.span || a.span == b.span && a.pts > b.pts {
				t.Fatalf("%+v before %+v", a, b)
			}
		}
		newest, _ := x.Newest()
		for _, r := range append(x.Sample(10), x.Range(newest&(clock.PTSModulus-1), 900_000, 10)...) {
			if r.PTS < 0 || r.PTS >= clock.PTSModulus {
				t.Fatal(r.PTS)
			}
			if _, err := json.Marshal(r.Decode()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzQuery: whatever a client asks, every answer is JSON with a status that says
// what it is, and no query reaches the database that it refuses.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"ts_start=-1", "ts_start=NaN", "ts_start=1e999", "ts_start=0x1p4", "epoch=-1&after=1&limit=3", "from=1&until=2", "from=Inf",
		"pts=0&ticks=1", "pts=8589934591&ticks=324000000", "pts=-1", "points=5000", "points=0", "limit=99999999999999999999", "%zz", "after=;",
	} {
		for _, path := range []string{"/markers", "/timeline", "/telemetry", "/telemetry/track"} {
			f.Add(path, q)
		}
	}
	store, err := Open(context.Background(), Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = store.Close() })
	if err = store.Add(context.Background(), &Marker{Time: 1, Text: "a"}, &Marker{Time: 2, Text: "b", Data: []byte(`{"x": 1}`)}); err != nil {
		f.Fatal(err)
	}
	track, err := NewTrack(TrackConfig{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = track.Close() })
	_, recs := demoRecords(f)
	for i, r := range recs {
		track.KLV(r.Raw, int64(i)*3000)
	}
	mux := http.NewServeMux()
	NewHandler(store, HandlerConfig{}).Register(mux)
	track.Register(mux)
	f.Fuzz(func(t *testing.T, path, query string) {
		switch path {
		case "/markers", "/timeline", "/telemetry", "/telemetry/track": // the feed of events never ends
		default:
			return
		}
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.URL = &url.URL{Path: path, RawQuery: query}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusUnprocessableEntity || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
		}
	})
}
