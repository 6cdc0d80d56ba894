package main

/*
#include "detail.h"
*/
import "C"

import (
	"github.com/tstrans/tstrans/core/mp4"
	"github.com/tstrans/tstrans/core/tsterr"
)

// mp4Muxer is what a handle of a writer holds.
type mp4Muxer struct {
	m *mp4.Muxer
}

// Close finishes the file.
func (m *mp4Muxer) Close() error { return m.m.Finish() }

//export tst_mp4_open
func tst_mp4_open(out *C.tst_mp4, id C.tst_config, path *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	var cfg mp4.Config
	r := readConfig(id, tsterr.InvalidArg)
	integer(r, "codec", &cfg.Codec, 0, 4, "")
	integer(r, "fps_num", &cfg.FPSNum, 0, 1<<31-1, "")
	integer(r, "fps_den", &cfg.FPSDen, 1, 1<<31-1, "")
	if err := r.done(); err != nil {
		return status(err)
	}
	name, err := text(path, n)
	if err != nil {
		return status(err)
	}
	m, err := mp4.Create(name, cfg)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &mp4Muxer{m: m}))
}

//export tst_mp4_push
func tst_mp4_push(id C.tst_mp4, data *C.tst_cu8, n C.size_t, pts, dts, duration C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	// The core has a lock of its own.
	m, err := share[*mp4Muxer](id)
	if err != nil {
		return status(err)
	}
	return status(m.m.Push(b, mp4.Times{PTS: uint64(pts), DTS: uint64(dts), Duration: uint64(duration)}))
}

//export tst_mp4_finish
func tst_mp4_finish(id C.tst_mp4) (st C.tst_status) {
	defer guard(&st)
	m, err := share[*mp4Muxer](id)
	if err != nil {
		return status(err)
	}
	return status(m.m.Finish())
}

//export tst_mp4_get_stats
func tst_mp4_get_stats(out *C.tst_mp4_stats, id C.tst_mp4) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	m, err := share[*mp4Muxer](id)
	if err != nil {
		return status(err)
	}
	s := m.m.Stats()
	out.samples_written_total = C.uint64_t(s.SamplesWritten)
	out.bytes_written_total = C.uint64_t(s.BytesWritten)
	out.fragments_written_total = C.uint64_t(s.FragmentsWritten)
	out.access_units_total = C.uint64_t(s.AccessUnitsIn)
	out.access_units_dropped_total = C.uint64_t(s.DroppedBeforeInit)
	return C.TST_OK
}

//export tst_mp4_close
func tst_mp4_close(id C.tst_mp4) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*mp4Muxer](id))
}
