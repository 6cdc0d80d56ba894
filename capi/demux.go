package main

/*
#include "detail.h"

_Static_assert(sizeof(tst_record) == 64, "the record layout is pinned");
*/
import "C"

import (
	"bytes"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// demuxer is what a tst_demuxer handle stands for: one that is fed, or one that
// reads by itself.
type demuxer struct {
	d *mpegts.Demuxer
	r *mpegts.Reader // nil for one that is fed
}

// Interrupt wakes a read that waits.
func (d *demuxer) Interrupt() {
	if d.r != nil {
		d.r.Cancel()
	}
}

// Close gives everything back.
func (d *demuxer) Close() error {
	if d.r != nil {
		return d.r.Close()
	}
	return d.d.Close()
}

// chunkHandle is what a tst_chunk handle stands for. Its own count lets a gather
// that is under way outlive the close of the handle.
type chunkHandle struct {
	chunk *mpegts.Chunk
	users atomic.Int32 // the handle, and gathers under way
}

func newChunkHandle(c *mpegts.Chunk) *chunkHandle {
	h := &chunkHandle{chunk: c}
	h.users.Store(1)
	return h
}

// use takes part in the chunk; false when the handle was closed.
func (h *chunkHandle) use() bool {
	for {
		n := h.users.Load()
		if n == 0 {
			return false
		}
		if h.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (h *chunkHandle) done() {
	if h.users.Add(-1) == 0 {
		h.chunk.Release()
	}
}

// Close gives the handle's share back.
func (h *chunkHandle) Close() error {
	h.done()
	return nil
}

// chunkMemory is shared by the demuxers of the process: opening many small files
// finds warm pages.
var chunkMemory = mpegts.NewMemory()

// demuxerConfig reads the parameters listed in tstrans/mpegts.h.
func demuxerConfig(id C.tst_config, reads bool) (cfg mpegts.DemuxerConfig, err error) {
	const most = 1 << 62
	r := readConfig(id, tsterr.InvalidArg)
	integer(r, "strict_mode", &cfg.StrictMode, 0, 3, "")
	integer(r, "pes_cap_per_pid", &cfg.PESCapPerPID, 1, most, "bytes")
	integer(r, "pes_cap_total", &cfg.PESCapTotal, 1, most, "bytes")
	tolerant := true
	r.boolean("cfi_tolerance", &tolerant)
	cfg.NoCFITolerance = !tolerant
	integer(r, "av1_carriage", &cfg.AV1Carriage, 0, 1, "")
	integer(r, "au_cell_cap_per_pid", &cfg.AUCellCapPerPID, 1, most, "bytes")
	r.boolean("lenient_psi_reassembly", &cfg.LenientPSIReassembly)
	integer(r, "sync_buf_cap", &cfg.SyncBufCap, 1, most, "bytes")
	r.boolean("unwrap_timestamps", &cfg.UnwrapTimestamps)
	var hold int64
	integer(r, "hold_before_pmt_bytes", &hold, 0, 1<<30, "bytes")
	cfg.HoldBeforePMT = int(hold)
	r.boolean("deliver_unmapped", &cfg.DeliverUnmapped)
	if reads {
		integer(r, "read_limit", &cfg.ReadLimit, 0, most, "bytes")
	}
	cfg.Memory = chunkMemory
	return cfg, r.done()
}

//export tst_demuxer_new
func tst_demuxer_new(out *C.tst_demuxer, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	cfg, err := demuxerConfig(config, false)
	if err != nil {
		return status(err)
	}
	d, err := mpegts.NewDemuxer(cfg)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &demuxer{d: d}))
}

//export tst_demuxer_open_path
func tst_demuxer_open_path(out *C.tst_demuxer, path *C.tst_cchar, n C.size_t, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	p, err := text(path, n)
	if err != nil {
		return status(err)
	}
	if len(p) == 0 || bytes.IndexByte([]byte(p), 0) >= 0 {
		return fail(tsterr.InvalidArg, "path is empty or has a NUL")
	}
	cfg, err := demuxerConfig(config, true)
	if err != nil {
		return status(err)
	}
	r, err := mpegts.OpenReader(p, cfg)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &demuxer{d: r.Demuxer(), r: r}))
}

//export tst_demuxer_open_fd
func tst_demuxer_open_fd(out *C.tst_demuxer, fd C.int32_t, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	cfg, err := demuxerConfig(config, true)
	if err != nil {
		return status(err)
	}
	r, err := mpegts.NewReader(int(fd), cfg)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &demuxer{d: r.Demuxer(), r: r}))
}

//export tst_demuxer_close
func tst_demuxer_close(id C.tst_demuxer) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*demuxer](id))
}

// fedDemuxer enters a demuxer that is fed.
func fedDemuxer(id C.tst_demuxer) (*demuxer, *entry, error) {
	d, e, err := enter[*demuxer](id)
	if err == nil && d.r != nil {
		e.leave()
		return nil, nil, tsterr.New(tsterr.InvalidArg, "this demuxer reads by itself")
	}
	return d, e, err
}

func setPending(out *C.uint64_t, d *demuxer) {
	if out != nil {
		*out = C.uint64_t(d.d.Pending())
	}
}

//export tst_demuxer_feed
func tst_demuxer_feed(pending *C.uint64_t, id C.tst_demuxer, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	d, e, err := fedDemuxer(id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	err = d.d.Feed(b)
	setPending(pending, d)
	return status(err)
}

//export tst_demuxer_feed_read
func tst_demuxer_feed_read(io *C.tst_read_buffers, id C.tst_demuxer, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(io, "io"); err != nil {
		return status(err)
	}
	if int(io.struct_size) < int(unsafe.Sizeof(*io)) {
		return fail(tsterr.InvalidArg, "struct_size %d", uint32(io.struct_size))
	}
	io.n, io.arena_len, io.chunk, io.pending = 0, 0, 0, 0
	recs, err := recordRoom(io.recs, io.recs_cap)
	if err != nil {
		return status(err)
	}
	arena, err := output(io.arena, io.arena_cap)
	if err != nil {
		return status(err)
	}
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	d, e, err := fedDemuxer(id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	waiting := d.d.Pending() > 0
	if err = d.d.Feed(b); err != nil || waiting {
		io.pending = C.uint64_t(d.d.Pending())
		return status(err)
	}
	k, used, c, _ := d.d.Read(recs, arena)
	if io.chunk, err = ownChunk(c); err != nil {
		return status(err)
	}
	io.n, io.arena_len, io.pending = C.size_t(k), C.size_t(used), C.uint64_t(d.d.Pending())
	return C.TST_OK
}

//export tst_demuxer_flush
func tst_demuxer_flush(pending *C.uint64_t, id C.tst_demuxer) (st C.tst_status) {
	defer guard(&st)
	d, e, err := fedDemuxer(id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	d.d.Flush()
	setPending(pending, d)
	return C.TST_OK
}

// recordRoom is the caller's room for events.
func recordRoom(recs *C.tst_record, n C.size_t) ([]mpegts.Record, error) {
	const most = maxInput / mpegts.RecordSize
	switch {
	case recs == nil || n == 0:
		return nil, tsterr.New(tsterr.InvalidArg, "recs is NULL or has no room")
	case n > most:
		return nil, tsterr.New(tsterr.InvalidArg, "recs_cap %d is impossible", uint64(n))
	}
	return unsafe.Slice((*mpegts.Record)(unsafe.Pointer(recs)), int(n)), nil
}

// ownChunk makes a handle of the chunk that a read holds, if any.
func ownChunk(c *mpegts.Chunk) (C.tst_chunk, error) {
	if c == nil {
		return 0, nil
	}
	h, err := handles.add(newChunkHandle(c))
	if err != nil {
		c.Release()
		return 0, err
	}
	return C.tst_chunk(h), nil
}

//export tst_demuxer_read
func tst_demuxer_read(
	recs *C.tst_record, recsCap C.size_t, n *C.size_t, arena *C.uint8_t, arenaCap C.size_t, arenaLen *C.size_t,
	chunk *C.tst_chunk, id C.tst_demuxer, timeoutMS C.int32_t,
) (st C.tst_status) {
	defer guard(&st)
	for _, p := range []struct {
		null bool
		name string
	}{{n == nil, "n"}, {arenaLen == nil, "arena_len"}, {chunk == nil, "chunk"}} {
		if p.null {
			return fail(tsterr.InvalidArg, "%s is NULL", p.name)
		}
	}
	*n, *arenaLen, *chunk = 0, 0, 0
	room, err := output(arena, arenaCap)
	if err != nil {
		return status(err)
	}
	out, err := recordRoom(recs, recsCap)
	if err != nil {
		return status(err)
	}
	d, e, err := enter[*demuxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	var k, used, want int
	var c *mpegts.Chunk
	if d.r != nil {
		timeout := time.Duration(timeoutMS) * time.Millisecond
		k, used, c, want, err = d.r.Read(out, room, timeout)
	} else {
		k, used, c, want = d.d.Read(out, room)
	}
	switch {
	case k > 0:
		if *chunk, err = ownChunk(c); err != nil {
			return status(err)
		}
		*n, *arenaLen = C.size_t(k), C.size_t(used)
		return C.TST_OK
	case want > 0:
		*arenaLen = C.size_t(want)
		return fail(tsterr.BufferTooSmall, "the next event needs an arena of %d bytes", want)
	case err == nil:
		return C.TST_E_AGAIN
	}
	switch k := tsterr.KindOf(err); k {
	case tsterr.EOS, tsterr.Timeout, tsterr.Cancelled:
		return C.tst_status(k) // expected outcomes carry no detail
	}
	return status(err)
}

//export tst_demuxer_cancel
func tst_demuxer_cancel(id C.tst_demuxer) (st C.tst_status) {
	defer guard(&st)
	d, err := share[*demuxer](id)
	if err != nil {
		return status(err)
	}
	d.Interrupt()
	return C.TST_OK
}

//export tst_demuxer_get_stats
func tst_demuxer_get_stats(out *C.tst_demuxer_stats, id C.tst_demuxer) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	size := int(out.struct_size)
	if size < int(unsafe.Offsetof(out.program_maps_seen)) {
		return fail(tsterr.InvalidArg, "struct_size %d", size)
	}
	size = min(size, int(unsafe.Sizeof(*out)))
	d, e, err := enter[*demuxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	s := d.d.Stats()
	all := C.tst_demuxer_stats{
		struct_size: out.struct_size, program_maps_seen: C.uint64_t(s.ProgramMapsSeen),
		pmt_versions_seen: C.uint64_t(s.PMTVersionsSeen), discontinuities: C.uint64_t(s.Discontinuities),
		nonconformant: C.uint64_t(s.NonConformant), programs_seen: C.uint64_t(s.ProgramsSeen),
		subtitle_streams_seen: C.uint64_t(s.SubtitleStreamsSeen), bytes_total: C.uint64_t(s.BytesTotal),
		packets_total: C.uint64_t(s.PacketsTotal),
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(out)), size), unsafe.Slice((*byte)(unsafe.Pointer(&all)), size))
	return C.TST_OK
}

//export tst_demuxer_reset_stats
func tst_demuxer_reset_stats(id C.tst_demuxer) (st C.tst_status) {
	defer guard(&st)
	d, e, err := enter[*demuxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	d.d.ResetStats()
	return C.TST_OK
}

//export tst_chunk_gather
func tst_chunk_gather(out *C.uint8_t, outCap C.size_t, n *C.size_t, id C.tst_chunk, payload C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	*n = 0
	b, err := output(out, outCap)
	if err != nil {
		return status(err)
	}
	c, err := share[*chunkHandle](id)
	if err != nil {
		return status(err)
	}
	if !c.use() {
		return status(errHandle)
	}
	defer c.done()
	k, err := c.chunk.Gather(b, uint32(payload))
	*n = C.size_t(k)
	return status(err)
}

//export tst_chunk_close
func tst_chunk_close(id C.tst_chunk) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*chunkHandle](id))
}
