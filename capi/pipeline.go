package main

/*
#include "detail.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/pipeline"
	"github.com/tstrans/tstrans/core/tsterr"
)

// pairer is a pipeline.Pairer with the outputs of the last call, kept for their memory.
type pairer struct {
	*pipeline.Pairer
	out []pipeline.Output
}

//export tst_pairer_new
func tst_pairer_new(out *C.tst_pairer, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	c := pipeline.PairerConfig{Tolerance: pipeline.DefaultTolerance}
	r := readConfig(config, tsterr.InvalidArg)
	integer(r, "video_pid", &c.VideoPID, 0, math.MaxUint16, "")
	integer(r, "klv_pid", &c.KLVPID, 0, math.MaxUint16, "")
	integer(r, "mode", &c.Mode, 0, int64(pipeline.Buffered), "")
	integer(r, "tolerance_90k", &c.Tolerance, 0, math.MaxInt64, "ticks of 1/90000 s")
	integer(r, "max_lag_90k", &c.MaxLag, 0, math.MaxInt64, "ticks of 1/90000 s")
	integer(r, "max_buffered_klv", &c.MaxBufferedKLV, 1, pipeline.MaxBuffered, "records")
	integer(r, "max_buffered_video", &c.MaxBufferedVideo, 1, pipeline.MaxBuffered, "pictures")
	if err := r.done(); err != nil {
		return status(err)
	}
	p, err := pipeline.NewPairer(c)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &pairer{Pairer: p}))
}

//export tst_pairer_close
func tst_pairer_close(id C.tst_pairer) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*pairer](id))
}

//export tst_pairer_push
func tst_pairer_push(out *C.tst_pairing, capacity C.size_t, n *C.size_t, id C.tst_pairer,
	records *C.tst_crecord, count C.size_t, first C.uint64_t,
) (st C.tst_status) {
	defer guard(&st)
	p, e, err := enter[*pairer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if count > maxInput/mpegts.RecordSize {
		return fail(tsterr.InvalidArg, "%d records are impossible", uint64(count))
	}
	var recs []mpegts.Record
	if count > 0 {
		if err := need(records, "records"); err != nil {
			return status(err)
		}
		recs = unsafe.Slice((*mpegts.Record)(unsafe.Pointer(records)), int(count))
	}
	if st := room(out, capacity, n, len(recs)+p.Held()); st != C.TST_OK {
		return st
	}
	p.out = p.Records(p.out[:0], recs, uint64(first))
	return p.hand(out, n)
}

//export tst_pairer_flush
func tst_pairer_flush(out *C.tst_pairing, capacity C.size_t, n *C.size_t, id C.tst_pairer) (st C.tst_status) {
	defer guard(&st)
	p, e, err := enter[*pairer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if st := room(out, capacity, n, p.Held()); st != C.TST_OK {
		return st
	}
	p.out = p.Flush(p.out[:0])
	return p.hand(out, n)
}

// room checks the caller's buffer before anything is taken.
func room(out *C.tst_pairing, capacity C.size_t, n *C.size_t, want int) C.tst_status {
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	*n = 0
	if want == 0 {
		return C.TST_OK
	}
	if uint64(capacity) < uint64(want) {
		*n = C.size_t(want)
		return fail(tsterr.BufferTooSmall, "%d verdicts may come, there is room for %d", want, uint64(capacity))
	}
	return status(need(out, "out"))
}

// hand copies the outputs out; room made sure that they fit.
func (p *pairer) hand(out *C.tst_pairing, n *C.size_t) C.tst_status {
	*n = C.size_t(len(p.out))
	if len(p.out) == 0 {
		return C.TST_OK
	}
	to := unsafe.Slice(out, len(p.out))
	for i, o := range p.out {
		to[i] = C.tst_pairing{video: C.uint64_t(o.Video), klv: C.uint64_t(o.KLV), verdict: C.uint32_t(o.Verdict)}
	}
	return C.TST_OK
}

//export tst_pairer_held
func tst_pairer_held(n *C.size_t, id C.tst_pairer) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	p, e, err := enter[*pairer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	*n = C.size_t(p.Held())
	return C.TST_OK
}

//export tst_pairer_get_stats
func tst_pairer_get_stats(out *C.tst_pairer_stats, id C.tst_pairer) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	p, e, err := enter[*pairer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	s := p.Stats()
	full := C.tst_pairer_stats{
		struct_size:    out.struct_size,
		paired:         C.uint64_t(s.Paired),
		unpaired_video: C.uint64_t(s.UnpairedVideo),
		unpaired_klv:   C.uint64_t(s.UnpairedKLV),
		pass_through:   C.uint64_t(s.PassThrough),
	}
	size := min(uintptr(out.struct_size), unsafe.Sizeof(full))
	copy(unsafe.Slice((*byte)(unsafe.Pointer(out)), size), unsafe.Slice((*byte)(unsafe.Pointer(&full)), size))
	return C.TST_OK
}

//export tst_pairer_reset_stats
func tst_pairer_reset_stats(id C.tst_pairer) (st C.tst_status) {
	defer guard(&st)
	p, e, err := enter[*pairer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	p.ResetStats()
	return C.TST_OK
}
