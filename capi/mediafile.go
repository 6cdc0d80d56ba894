package main

/*
#include "detail.h"
*/
import "C"

import (
	"errors"
	"io"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/mediafile"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// mediaFile is what a handle of a file holds. unit is the access unit that was
// read and not yet given away.
type mediaFile struct {
	r    *mediafile.Reader
	unit []byte
	info mediafile.Unit
	has  bool
}

// Close closes the file.
func (f *mediaFile) Close() error { return f.r.Close() }

// load reads the next access unit once.
func (f *mediaFile) load() error {
	if f.has {
		return nil
	}
	var err error
	f.unit, f.info, err = f.r.Next(f.unit[:0])
	f.has = err == nil
	return err
}

//export tst_mediafile_open
func tst_mediafile_open(out *C.tst_mediafile, id C.tst_config, path *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	var cfg mediafile.Config
	r := readConfig(id, tsterr.InvalidArg)
	integer(r, "fps_num", &cfg.FPSNum, 1, 1<<31-1, "")
	integer(r, "fps_den", &cfg.FPSDen, 1, 1<<31-1, "")
	if err := r.done(); err != nil {
		return status(err)
	}
	name, err := text(path, n)
	if err != nil {
		return status(err)
	}
	f, err := mediafile.Open(name, cfg)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &mediaFile{r: f}))
}

//export tst_mediafile_get_info
func tst_mediafile_get_info(out *C.tst_mediafile_info, id C.tst_mediafile) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	f, e, err := enter[*mediaFile](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	out.codec = C.TST_CODEC_H264
	if f.r.Codec() == codec.H265 {
		out.codec = C.TST_CODEC_H265
	}
	out.units_total = C.uint64_t(f.r.Len())
	rate, _ := f.r.FrameRate()
	out.fps_num, out.fps_den = C.uint32_t(rate.Num), C.uint32_t(rate.Den)
	return C.TST_OK
}

//export tst_mediafile_peek
func tst_mediafile_peek(out *C.tst_mediafile_unit, id C.tst_mediafile) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	f, e, err := enter[*mediaFile](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	u, ok := f.info, f.has
	if !ok {
		if u, ok = f.r.Peek(); !ok {
			return C.TST_E_EOS
		}
	}
	out.key_frame = 0
	if u.Key {
		out.key_frame = 1
	}
	out.pts_90k, out.dts_90k, out.len = C.int64_t(u.PTS), C.int64_t(u.DTS), C.uint64_t(u.Size)
	return C.TST_OK
}

//export tst_mediafile_read
func tst_mediafile_read(n *C.size_t, id C.tst_mediafile, out *C.uint8_t, size C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	*n = 0
	b, err := output(out, size)
	if err != nil {
		return status(err)
	}
	f, e, err := enter[*mediaFile](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if err := f.load(); err != nil {
		return endOr(err)
	}
	*n = C.size_t(len(f.unit))
	if len(b) < len(f.unit) {
		return fail(tsterr.BufferTooSmall, "the access unit has %d bytes", len(f.unit))
	}
	copy(b, f.unit)
	f.has = false
	return C.TST_OK
}

func endOr(err error) C.tst_status {
	if errors.Is(err, io.EOF) {
		return C.TST_E_EOS
	}
	return status(err)
}

//export tst_mediafile_push
func tst_mediafile_push(id C.tst_mediafile, mux C.tst_muxer, stream C.uint32_t, shift C.int64_t) (st C.tst_status) {
	defer guard(&st)
	f, e, err := enter[*mediaFile](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if err = f.load(); err != nil {
		return endOr(err)
	}
	x, err := enterMuxer(mux)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	v := mpegts.VideoPush{
		PTS: f.info.PTS + int64(shift), DTS: f.info.DTS + int64(shift),
		HasDTS: f.info.PTS != f.info.DTS, KeyFrame: f.info.Key,
	}
	if stream == only {
		err = x.m.PushVideo(f.unit, v)
	} else {
		err = x.m.PushVideoTo(mpegts.Handle(stream), f.unit, v)
	}
	f.has = f.has && err != nil
	return status(err)
}

//export tst_mediafile_close
func tst_mediafile_close(id C.tst_mediafile) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*mediaFile](id))
}
