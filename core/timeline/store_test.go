package timeline

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/smalldisk"
	"github.com/tstrans/tstrans/core/tsterr"
)

func open(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func add(t *testing.T, s *Store, at float64, text string) *Marker {
	t.Helper()
	m := &Marker{Time: at, Text: text}
	if err := s.Add(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	return m
}

func texts(t *testing.T, s *Store, q Query) string {
	t.Helper()
	ms, err := s.Markers(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(ms))
	for i := range ms {
		out[i] = ms[i].Text
	}
	return strings.Join(out, " ")
}

// stores runs a test on each kind of database that is there.
func stores(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("memory", func(t *testing.T) { test(t, "") })
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "a b?%.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresURL(t)) })
}

func TestMarkersComeInOrderOfTime(t *testing.T) {
	stores(t, func(t *testing.T, url string) {
		s := open(t, Config{URL: url, Stream: t.Name()})
		a := add(t, s, 2.5, "b")
		add(t, s, 1, "a")
		b := add(t, s, 2.5, "c")
		if a.ID == 0 || b.ID <= a.ID || a.Epoch != s.Epoch() || a.Created == 0 {
			t.Fatalf("%+v %+v", a, b)
		}
		if got := texts(t, s, Query{}); got != "a b c" {
			t.Fatal(got)
		}
		after, until := 1.0, 2.0
		if got := texts(t, s, Query{After: &after}); got != "b c" {
			t.Fatal(got) // strictly later
		}
		if got := texts(t, s, Query{Until: &until}); got != "a" {
			t.Fatal(got)
		}
		if got := texts(t, s, Query{AfterID: a.ID, ByID: true}); got != "a c" {
			t.Fatal(got)
		}
		if got := texts(t, s, Query{Limit: 2}); got != "a b" {
			t.Fatal(got)
		}
	})
}

func TestAnEpochStartsAnew(t *testing.T) {
	stores(t, func(t *testing.T, url string) {
		s := open(t, Config{URL: url, Stream: t.Name()})
		first := s.Epoch()
		add(t, s, 100, "old")
		second, err := s.Begin(context.Background(), &Marker{Time: 1, Text: "new"})
		if err != nil || second <= first {
			t.Fatal(second, err)
		}
		if got := texts(t, s, Query{}); got != "new" {
			t.Fatal(got)
		}
		if got := texts(t, s, Query{Epoch: first}); got != "old" {
			t.Fatal(got)
		}
		if got := texts(t, s, Query{Epoch: -1}); got != "new old" {
			t.Fatal(got)
		}
	})
}

func TestStreamsAreApart(t *testing.T) {
	stores(t, func(t *testing.T, url string) {
		if url == "" {
			t.Skip("memory is not shared")
		}
		a := open(t, Config{URL: url, Stream: t.Name() + "a"})
		b := open(t, Config{URL: url, Stream: t.Name() + "b"})
		add(t, a, 1, "a")
		add(t, b, 1, "b")
		if got := texts(t, a, Query{}) + texts(t, b, Query{Epoch: -1}) + texts(t, b, Query{Epoch: a.Epoch()}); got != "ab" {
			t.Fatal(got)
		}
	})
}

func TestMarkersSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	s := open(t, Config{URL: path})
	m := &Marker{Time: 3.25, Text: "grüße 🚁", Data: []byte(`{"a":[1,2]}`)}
	if err := s.Add(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	// Not closed: as after a crash, the log is still there.
	for _, u := range []string{path, "sqlite:///" + path, "file://" + path} {
		again := open(t, Config{URL: u})
		got, err := again.Markers(context.Background(), Query{})
		if err != nil || len(got) != 1 || got[0].Text != m.Text || got[0].Time != 3.25 || string(got[0].Data) != `{"a":[1,2]}` ||
			got[0].ID != m.ID || got[0].Created != m.Created {
			t.Fatalf("%s: %+v %v", u, got, err)
		}
		if again.Epoch() != s.Epoch() {
			t.Fatal("the epoch did not go on")
		}
	}
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	stores(t, func(t *testing.T, url string) {
		var all []*Store
		for range 3 {
			all = append(all, open(t, Config{URL: url, Stream: t.Name(), Timeout: time.Minute}))
			if url == "" {
				break
			}
		}
		const writers, each = 6, 15
		var wg sync.WaitGroup
		errs := make(chan error, writers)
		for w := range writers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range each {
					if err := all[w%len(all)].Add(context.Background(), &Marker{Time: float64(i), Text: "x"}); err != nil {
						errs <- err
						return
					}
				}
			}()
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			t.Fatal(err)
		}
		ms, err := all[0].Markers(context.Background(), Query{})
		if err != nil || len(ms) != writers*each {
			t.Fatal(len(ms), err)
		}
	})
}

func TestWaitSeesOtherProcesses(t *testing.T) {
	stores(t, func(t *testing.T, url string) {
		a := open(t, Config{URL: url, Stream: t.Name(), Poll: 10 * time.Millisecond})
		b := a
		if url != "" {
			b = open(t, Config{URL: url, Stream: t.Name()})
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		seen := a.State()
		got := make(chan State, 1)
		go func() {
			st, _ := a.Wait(ctx, seen)
			got <- st
		}()
		m := add(t, b, 1, "x")
		if st := <-got; st.Last != m.ID {
			t.Fatalf("%+v, want id %d", st, m.ID)
		}
		go func() {
			st, _ := a.Wait(ctx, State{seen.Epoch, m.ID})
			got <- st
		}()
		id, err := b.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if st := <-got; st.Epoch != id {
			t.Fatalf("%+v, want epoch %d", st, id)
		}
	})
}

func TestCloseEndsWaits(t *testing.T) {
	s := open(t, Config{})
	ended := make(chan error, 1)
	go func() {
		_, err := s.Wait(context.Background(), s.State())
		ended <- err
	}()
	_ = s.Close()
	select {
	case err := <-ended:
		if tsterr.KindOf(err) != tsterr.Closed {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still waiting")
	}
	if err := s.Add(context.Background(), &Marker{Text: "x"}); tsterr.KindOf(err) != tsterr.Closed {
		t.Fatal(err)
	}
}

func TestWhatIsNoMarkerIsRefused(t *testing.T) {
	s := open(t, Config{})
	for _, c := range []struct {
		m     Marker
		kind  tsterr.Kind
		field string
	}{
		{Marker{Time: math.NaN()}, tsterr.TimelineInvalid, "time"},
		{Marker{Time: math.Inf(-1)}, tsterr.TimelineInvalid, "time"},
		{Marker{Time: 1e300}, tsterr.TimelineInvalid, "time"},
		{Marker{Text: strings.Repeat("x", MaxText+1)}, tsterr.TimelineTooLarge, "text"},
		{Marker{Text: "\xff"}, tsterr.TimelineInvalid, "text"},
		{Marker{Text: "a\x00b"}, tsterr.TimelineInvalid, "text"},
		{Marker{Data: []byte("{")}, tsterr.TimelineInvalid, "data"},
		{Marker{Data: []byte(`"` + strings.Repeat("x", MaxData) + `"`)}, tsterr.TimelineTooLarge, "data"},
	} {
		err := s.Add(context.Background(), &Marker{Text: "fine"}, &c.m)
		var e *tsterr.Error
		if !errors.As(err, &e) || e.Kind != c.kind || e.Field != c.field {
			t.Errorf("%.40v: %v", c.m, err)
		}
	}
	if got := texts(t, s, Query{}); got != "" {
		t.Fatal("all or none: ", got)
	}
}

func TestAFullDatabaseIsReportedAndKeepsWhatItTook(t *testing.T) {
	s := open(t, Config{})
	add(t, s, 1, "kept")
	if _, err := s.db.Exec("PRAGMA max_page_count = 12"); err != nil {
		t.Fatal(err)
	}
	var err error
	n := 1
	for range 1000 {
		if err = s.Add(context.Background(), &Marker{Time: 2, Text: strings.Repeat("x", 1000)}); err != nil {
			break
		}
		n++
	}
	if tsterr.KindOf(err) != tsterr.TimelineFull {
		t.Fatal(err)
	}
	ms, err := s.Markers(context.Background(), Query{})
	if err != nil || len(ms) != n || ms[0].Text != "kept" {
		t.Fatal(len(ms), n, err)
	}
}

func TestFullDisk(t *testing.T) {
	smalldisk.Run(t, 700<<10, func(dir string) {
		s := open(t, Config{URL: filepath.Join(dir, "m.db")})
		n := 0
		var err error
		for err == nil && n < 10_000 {
			if err = s.Add(context.Background(), &Marker{Time: float64(n), Text: strings.Repeat("x", 4000)}); err == nil {
				n++
			}
		}
		if tsterr.KindOf(err) != tsterr.TimelineFull {
			t.Fatal(n, err)
		}
		again := open(t, Config{URL: filepath.Join(dir, "m.db")})
		if ms, err := again.Markers(context.Background(), Query{}); err != nil || len(ms) != n || n == 0 {
			t.Fatal(len(ms), n, err)
		}
	})
}

func TestURLsThatNameNoDatabase(t *testing.T) {
	for u, kind := range map[string]tsterr.Kind{
		"mysql://x/y":                        tsterr.TimelineURL,
		"sqlite:///":                         tsterr.TimelineURL,
		"postgres://":                        tsterr.TimelineURL,
		"/no/such/folder/m.db":               tsterr.TimelineStore,
		"postgres://u:secret@127.0.0.1:1/db": tsterr.TimelineStore,
		filepath.Join(t.TempDir(), "x\x00y"): tsterr.TimelineURL,
		t.TempDir():                          tsterr.TimelineStore,
	} {
		_, err := Open(context.Background(), Config{URL: u, Timeout: 5 * time.Second})
		if tsterr.KindOf(err) != kind {
			t.Errorf("%q: %v", u, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the message holds the password", u)
		}
	}
}
