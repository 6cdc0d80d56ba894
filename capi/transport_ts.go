package main

/*
#include "detail.h"
*/
import "C"

import (
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/pipeline"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// feeding is what tst_link_demux keeps between calls.
type feeding struct {
	arena   []byte
	held    []byte // read, and not given to a demuxer yet
	pending bool   // a demuxer was stopped in the middle of its input
}

// reader is the framed reader of a link; rmu is held.
func (l *link) reader(r transport.Reader) *pipeline.TSReader {
	if l.in == nil {
		l.in = pipeline.NewTSReader(r)
	}
	return l.in
}

// turn takes the lock of one direction within the time given.
func turn(mu *sync.Mutex, timeout time.Duration, life *transport.Life) error {
	if mu.TryLock() {
		return nil
	}
	begun := time.Now()
	for {
		if err := life.Err("link"); err != nil {
			return err
		}
		if timeout >= 0 && time.Since(begun) >= timeout {
			return transport.Timeout("link")
		}
		time.Sleep(time.Millisecond)
		if mu.TryLock() {
			return nil
		}
	}
}

//export tsti_link_read_ts
func tsti_link_read_ts(n *C.size_t, arena *C.uint8_t, arenaCap C.size_t, id C.tst_link, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "len"); err != nil {
		return status(err)
	}
	*n = 0
	room, err := output(arena, arenaCap)
	if err != nil {
		return status(err)
	}
	l, r, timeout, err := linkAs[transport.Reader](id, ms)
	if err != nil {
		return outcome(err)
	}
	if err = turn(&l.rmu, timeout, l.life); err != nil {
		return outcome(err)
	}
	defer l.rmu.Unlock()
	k, err := l.reader(r).Read(room, timeout)
	*n = C.size_t(k)
	return outcome(err)
}

// framed makes a step of the framed writer of a link, whose turn it takes.
func framed(id C.tst_link, ms C.int32_t, step func(out *pipeline.TSWriter, timeout time.Duration) error) C.tst_status {
	l, w, timeout, err := writerOf(id, ms)
	if err != nil {
		return outcome(err)
	}
	if err = turn(&l.wmu, timeout, l.life); err != nil {
		return outcome(err)
	}
	defer l.wmu.Unlock()
	if l.out == nil {
		l.out = pipeline.NewTSWriter(w)
	}
	err = step(l.out, timeout)
	l.shared.Load().SetWhole(l.out.Whole())
	return outcome(err)
}

//export tsti_link_write_ts
func tsti_link_write_ts(taken *C.size_t, id C.tst_link, data *C.tst_cu8, n C.size_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := taking(taken, data, n)
	if err != nil {
		return status(err)
	}
	return framed(id, ms, func(out *pipeline.TSWriter, timeout time.Duration) error {
		k, err := out.Write(b, timeout)
		*taken = C.size_t(k)
		return err //nolint:wrapcheck // the link's own
	})
}

//export tst_link_flush_ts
func tst_link_flush_ts(id C.tst_link, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	return framed(id, ms, (*pipeline.TSWriter).Flush)
}

//export tsti_link_demux
func tsti_link_demux(pending *C.uint64_t, id C.tst_link, demuxerID C.tst_demuxer, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	l, r, timeout, err := linkAs[transport.Reader](id, ms)
	if err != nil {
		return outcome(err)
	}
	d, e, err := fedDemuxer(demuxerID)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	defer setPending(pending, d)
	if err := turn(&l.rmu, timeout, l.life); err != nil {
		return outcome(err)
	}
	defer l.rmu.Unlock()
	return outcome(l.demux(r, d.d, timeout))
}

// demux makes one step: what a demuxer was stopped in, what is held, or a read.
func (l *link) demux(r transport.Reader, d *mpegts.Demuxer, timeout time.Duration) error {
	f := &l.feed
	defer func() { l.shared.Load().SetFed(f.pending || len(f.held) > 0) }()
	if f.pending || len(f.held) > 0 {
		held := f.held
		f.held, f.pending = nil, false
		err := d.Feed(held)
		f.pending = err != nil
		return err
	}
	if f.arena == nil {
		f.arena = make([]byte, 2*pipeline.ReadArena)
	}
	n, err := l.reader(r).Read(f.arena, timeout)
	if tsterr.KindOf(err) == tsterr.Discontinuity {
		f.held = f.arena[:n] // nothing reads into the arena before it is fed
		return err
	}
	if err != nil {
		return err
	}
	err = d.Feed(f.arena[:n])
	f.pending = err != nil
	return err
}

//export tst_link_mux
func tst_link_mux(id C.tst_link, muxerID C.tst_muxer, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	_, w, timeout, err := writerOf(id, ms)
	if err != nil {
		return outcome(err)
	}
	x, e, err := enter[*muxer](muxerID)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	return outcome(pipeline.SendPending(w, x.m, timeout))
}
