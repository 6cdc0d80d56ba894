package main

/*
#include "detail.h"
*/
import "C"

import (
	"context"
	"math"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/timeline"
	"github.com/tstrans/tstrans/core/tsterr"
)

// markers is what a tst_timeline handle stands for. Sites share it: it is closed
// when the last one lets go.
type markers struct {
	s *timeline.Store
	shared
}

// Close lets go.
func (m *markers) Close() error { return m.release(m.s.Close) }

// telemetry is what a tst_track handle stands for, shared likewise.
type telemetry struct {
	t *timeline.Track
	shared
}

// Close lets go.
func (x *telemetry) Close() error { return x.release(x.t.Close) }

//export tst_timeline_open
func tst_timeline_open(out *C.tst_timeline, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.TimelineInvalid)
	var cfg timeline.Config
	r.text("url", &cfg.URL)
	r.text("stream", &cfg.Stream)
	var poll, timeout int64
	integer(r, "poll_ms", &poll, 1, math.MaxInt32, "ms")
	integer(r, "timeout_ms", &timeout, 1, math.MaxInt32, "ms")
	cfg.Poll, cfg.Timeout = time.Duration(poll)*time.Millisecond, time.Duration(timeout)*time.Millisecond
	if err := r.done(); err != nil {
		return status(err)
	}
	s, err := timeline.Open(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	m := &markers{s: s, shared: newShared()}
	return status(hand(out, m))
}

//export tst_timeline_close
func tst_timeline_close(id C.tst_timeline) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*markers](id))
}

//export tst_timeline_begin
func tst_timeline_begin(epoch *C.int64_t, id C.tst_timeline) (st C.tst_status) {
	defer guard(&st)
	if err := need(epoch, "epoch"); err != nil {
		return status(err)
	}
	m, err := share[*markers](id)
	if err != nil {
		return status(err)
	}
	n, err := m.s.Begin(context.Background())
	*epoch = C.int64_t(n)
	return status(err)
}

//export tst_timeline_add
func tst_timeline_add(out *C.tst_marker, id C.tst_timeline, at C.double, txt *C.tst_cchar, n C.size_t, data *C.tst_cchar, dn C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	m, err := share[*markers](id)
	if err != nil {
		return status(err)
	}
	// Lengths first: what is refused for its size is not copied.
	if n > timeline.MaxText || dn > timeline.MaxData {
		x := timeline.Marker{Text: string(make([]byte, min(n, timeline.MaxText+1))), Data: make([]byte, min(dn, timeline.MaxData+1))}
		return status(x.Validate())
	}
	t, err := text(txt, n)
	if err != nil {
		return status(err)
	}
	d, err := text(data, dn)
	if err != nil {
		return status(err)
	}
	x := &timeline.Marker{Time: float64(at), Text: t, Data: []byte(d)}
	if err := m.s.Add(context.Background(), x); err != nil {
		return status(err)
	}
	*out = C.tst_marker{
		id: C.int64_t(x.ID), epoch: C.int64_t(x.Epoch), time_s: at, created_us: C.int64_t(x.Created),
		text_len: C.uint32_t(n), data_len: C.uint32_t(dn),
	}
	return C.TST_OK
}

//export tst_timeline_replace
func tst_timeline_replace(epoch *C.int64_t, id C.tst_timeline, in *C.tst_cmarker, n C.size_t, arena *C.tst_cu8, an C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(epoch, "epoch"); err != nil {
		return status(err)
	}
	m, err := share[*markers](id)
	if err != nil {
		return status(err)
	}
	if n > timeline.MaxMarkers {
		return fail(tsterr.TimelineFull, "%d markers, at most %d are taken", uint64(n), timeline.MaxMarkers)
	}
	bytes, err := input(arena, an)
	if err != nil {
		return status(err)
	}
	var recs []C.tst_marker
	if n > 0 {
		if err = need(in, "markers"); err != nil {
			return status(err)
		}
		recs = unsafe.Slice(in, int(n))
	}
	part := func(at, n C.uint32_t) ([]byte, error) {
		if uint64(at)+uint64(n) > uint64(len(bytes)) {
			return nil, tsterr.New(tsterr.InvalidArg, "a marker points outside the arena")
		}
		return bytes[at : at+n], nil
	}
	list := make([]*timeline.Marker, len(recs))
	for i := range recs {
		t, partErr := part(recs[i].text, recs[i].text_len)
		if partErr != nil {
			return status(partErr)
		}
		d, partErr := part(recs[i].data, recs[i].data_len)
		if partErr != nil {
			return status(partErr)
		}
		list[i] = &timeline.Marker{Time: float64(recs[i].time_s), Text: string(t), Data: append([]byte(nil), d...)}
	}
	e, err := m.s.Begin(context.Background(), list...)
	*epoch = C.int64_t(e)
	return status(err)
}

//export tst_timeline_query
func tst_timeline_query(out *C.tst_marker, capacity C.size_t, n *C.size_t, arena *C.uint8_t, acap C.size_t, an *C.size_t,
	id C.tst_timeline, config C.tst_config,
) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	if err := need(an, "arena_n"); err != nil {
		return status(err)
	}
	m, err := share[*markers](id)
	if err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.TimelineInvalid)
	q := timeline.Query{}
	integer(r, "epoch", &q.Epoch, -1, math.MaxInt64, "")
	integer(r, "after_id", &q.AfterID, 0, math.MaxInt64, "")
	q.ByID = r.asked["after_id"] && q.AfterID > 0
	integer(r, "limit", &q.Limit, 1, timeline.MaxAnswer, "markers")
	for _, b := range []struct {
		key string
		to  **float64
	}{{"after_s", &q.After}, {"from_s", &q.From}, {"until_s", &q.Until}} {
		v := math.NaN()
		r.number(b.key, &v, -math.MaxFloat64, math.MaxFloat64, "s")
		if !math.IsNaN(v) {
			*b.to = &v
		}
	}
	if err = r.done(); err != nil {
		return status(err)
	}
	got, err := m.s.Markers(context.Background(), q)
	if err != nil {
		return status(err)
	}
	size := 0
	for i := range got {
		size += len(got[i].Text) + len(got[i].Data)
	}
	*n, *an = C.size_t(len(got)), C.size_t(size)
	if uint64(capacity) < uint64(len(got)) || uint64(acap) < uint64(size) {
		return fail(tsterr.BufferTooSmall, "%d markers with %d bytes", len(got), size)
	}
	if len(got) == 0 {
		return C.TST_OK
	}
	if err = need(out, "out"); err != nil {
		return status(err)
	}
	room, err := output(arena, acap)
	if err != nil {
		return status(err)
	}
	recs := unsafe.Slice(out, len(got))
	at := 0
	for i := range got {
		x := &got[i]
		t := copy(room[at:], x.Text)
		d := copy(room[at+t:], x.Data)
		recs[i] = C.tst_marker{
			id: C.int64_t(x.ID), epoch: C.int64_t(x.Epoch), time_s: C.double(x.Time), created_us: C.int64_t(x.Created),
			text: C.uint32_t(at), text_len: C.uint32_t(t), data: C.uint32_t(at + t), data_len: C.uint32_t(d),
		}
		at += t + d
	}
	return C.TST_OK
}

//export tst_timeline_wait
func tst_timeline_wait(epoch, last *C.int64_t, id C.tst_timeline, seenEpoch, seenLast C.int64_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(epoch, "epoch"); err != nil {
		return status(err)
	}
	if err := need(last, "last_id"); err != nil {
		return status(err)
	}
	m, err := share[*markers](id)
	if err != nil {
		return status(err)
	}
	ctx := context.Background()
	if ms >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, millis(ms))
		defer cancel()
	}
	got, err := m.s.Wait(ctx, timeline.State{Epoch: int64(seenEpoch), Last: int64(seenLast)})
	*epoch, *last = C.int64_t(got.Epoch), C.int64_t(got.Last)
	return outcome(err)
}

//export tst_clock_map_new
func tst_clock_map_new(out *C.tst_clock_map) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	id, err := handles.add(&timeline.Map{})
	if err != nil {
		return status(err)
	}
	*out = C.tst_clock_map(id)
	return C.TST_OK
}

//export tst_clock_map_close
func tst_clock_map_close(id C.tst_clock_map) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*timeline.Map](id))
}

//export tst_clock_map_add
func tst_clock_map_add(id C.tst_clock_map, gen, hls C.double) (st C.tst_status) {
	defer guard(&st)
	m, err := share[*timeline.Map](id)
	if err != nil {
		return status(err)
	}
	return status(m.Add(float64(gen), float64(hls)))
}

func mapped(out *C.double, id C.tst_clock_map, v C.double, f func(*timeline.Map, float64) (float64, bool)) C.tst_status {
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	m, err := share[*timeline.Map](id)
	if err != nil {
		return status(err)
	}
	got, ok := f(m, float64(v))
	if !ok {
		return C.TST_E_AGAIN
	}
	*out = C.double(got)
	return C.TST_OK
}

//export tst_clock_map_hls
func tst_clock_map_hls(out *C.double, id C.tst_clock_map, gen C.double) (st C.tst_status) {
	defer guard(&st)
	return mapped(out, id, gen, (*timeline.Map).HLS)
}

//export tst_clock_map_gen
func tst_clock_map_gen(out *C.double, id C.tst_clock_map, hls C.double) (st C.tst_status) {
	defer guard(&st)
	return mapped(out, id, hls, (*timeline.Map).Gen)
}

//export tst_track_new
func tst_track_new(out *C.tst_track, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.InvalidArg)
	var cfg timeline.TrackConfig
	integer(r, "max_bytes", &cfg.MaxBytes, 1, 1<<40, "bytes")
	if err := r.done(); err != nil {
		return status(err)
	}
	t, err := timeline.NewTrack(cfg)
	if err != nil {
		return status(err)
	}
	x := &telemetry{t: t, shared: newShared()}
	return status(hand(out, x))
}

//export tst_track_close
func tst_track_close(id C.tst_track) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*telemetry](id))
}

//export tst_track_push_ts
func tst_track_push_ts(id C.tst_track, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	x, b, err := shareWith[*telemetry](id, data, n)
	if err != nil {
		return status(err)
	}
	return status(x.t.PushTS(b))
}

//export tst_track_flush
func tst_track_flush(id C.tst_track) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*telemetry](id)
	if err != nil {
		return status(err)
	}
	x.t.Flush()
	return C.TST_OK
}

//export tst_track_range
func tst_track_range(out *C.tst_reading, capacity C.size_t, n *C.size_t, arena *C.uint8_t, acap C.size_t, an *C.size_t,
	id C.tst_track, pts, ticks C.int64_t,
) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	if err := need(an, "arena_n"); err != nil {
		return status(err)
	}
	x, err := share[*telemetry](id)
	if err != nil {
		return status(err)
	}
	if capacity > maxInput {
		return fail(tsterr.InvalidArg, "capacity %d is impossible", uint64(capacity))
	}
	got := x.t.Range(int64(pts), int64(ticks), int(capacity))
	size := 0
	for i := range got {
		size += len(got[i].Raw)
	}
	*n, *an = C.size_t(len(got)), C.size_t(size)
	if uint64(acap) < uint64(size) {
		return fail(tsterr.BufferTooSmall, "%d records with %d bytes", len(got), size)
	}
	if len(got) == 0 {
		return C.TST_OK
	}
	if err = need(out, "out"); err != nil {
		return status(err)
	}
	room, err := output(arena, acap)
	if err != nil {
		return status(err)
	}
	recs := unsafe.Slice(out, len(got))
	at := 0
	for i := range got {
		k := copy(room[at:], got[i].Raw)
		recs[i] = C.tst_reading{pts_90k: C.int64_t(got[i].PTS), data: C.uint32_t(at), data_len: C.uint32_t(k)}
		if got[i].Async {
			recs[i].async = 1
		}
		at += k
	}
	return C.TST_OK
}

//export tst_track_get_stats
func tst_track_get_stats(out *C.tst_track_stats, id C.tst_track) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, err := share[*telemetry](id)
	if err != nil {
		return status(err)
	}
	s := x.t.Stats()
	*out = C.tst_track_stats{
		struct_size: out.struct_size, records_total: C.uint64_t(s.Records), records_kept: C.uint64_t(s.Kept),
		bytes_kept: C.uint64_t(s.Bytes), records_dropped_total: C.uint64_t(s.Dropped),
		records_refused_total: C.uint64_t(s.Refused), faults_total: C.uint64_t(s.Faults),
	}
	return C.TST_OK
}
