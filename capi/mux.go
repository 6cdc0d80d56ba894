package main

/*
#include "detail.h"
*/
import "C"

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/tstrans/tstrans/core/codec/misp"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtsp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// muxer is what a handle of a muxer holds.
type muxer struct {
	m *mpegts.Muxer
}

// muxSink is what a handle of a sink holds. The muxer's entry guards both.
type muxSink struct {
	owner *entry
	m     *mpegts.Muxer
	sink  *mpegts.FileSink
	file  *os.File
}

// Close gives the descriptor's copy back; it writes nothing.
func (s *muxSink) Close() error {
	s.sink.Close()
	return s.file.Close()
}

// muxing is a muxer that this thread is inside of, through whichever handle.
type muxing struct {
	m     *mpegts.Muxer
	sink  *mpegts.FileSink
	entry *entry // of the sink, or the muxer
	owner *entry // of the muxer, where entry is a sink's
}

// enterMuxer finds the muxer behind a handle of its own or of a sink.
func enterMuxer(id C.tst_muxer) (x muxing, err error) {
	e := handles.find(uint64(id))
	if e == nil {
		return x, errHandle
	}
	switch obj := e.obj.(type) {
	case *muxer:
		x = muxing{m: obj.m, entry: e}
	case *muxSink:
		x = muxing{m: obj.m, sink: obj.sink, entry: e, owner: obj.owner}
	default:
		return x, errHandle
	}
	if !e.busy.CompareAndSwap(false, true) {
		return x, errBusy
	}
	if x.owner != nil && !x.owner.busy.CompareAndSwap(false, true) {
		e.leave()
		return x, errBusy
	}
	if x.sink != nil {
		if err := x.sink.Enter(); err != nil {
			x.leave()
			return x, err
		}
	}
	return x, nil
}

func (x *muxing) leave() {
	if x.sink != nil {
		x.sink.Leave()
	}
	if x.owner != nil {
		x.owner.leave()
	}
	x.entry.leave()
}

// readMuxConfig reads the parameters of a muxer, alone or beside those of a
// transport that has one.
func readMuxConfig(r *configReader) mpegts.MuxConfig {
	const any16, any8 = 1<<16 - 1, 1<<8 - 1
	cfg := mpegts.NewMuxConfig()
	// Ranges are those of the fields; core knows the rules and their errors.
	integer(r, "mux.pcr_interval_ms", &cfg.PCRIntervalMs, 0, 1<<31, "ms")
	integer(r, "mux.psi_interval_ms", &cfg.PSIIntervalMs, 0, 1<<32, "ms")
	integer(r, "mux.buffer_packets", &cfg.BufferPackets, 0, 1<<48, "packets")
	integer(r, "mux.av1_carriage", &cfg.AV1Carriage, 0, any8, "")
	var programs, streams int
	integer(r, "mux.programs", &programs, 0, maxConfigKeys, "programs")
	for i := range programs {
		var p mpegts.MuxProgram
		key := func(name string) string { return fmt.Sprintf("mux.%d.%s", i, name) }
		integer(r, key("number"), &p.Number, 0, any16, "")
		integer(r, key("pmt_pid"), &p.PMTPID, 0, any16, "")
		integer(r, key("pcr_pid"), &p.PCRPID, 1, any16, "")
		p.Descriptors = descriptorList(r, key("descriptors"))
		streams = 0
		integer(r, key("streams"), &streams, 0, maxConfigKeys, "streams")
		for k := range streams {
			p.Streams = append(p.Streams, readMuxStream(r, fmt.Sprintf("mux.%d.%d.", i, k)))
		}
		cfg.Programs = append(cfg.Programs, p)
	}
	return cfg
}

func readMuxStream(r *configReader, prefix string) mpegts.MuxStream {
	const any16, any8 = 1<<16 - 1, 1<<8 - 1
	var s mpegts.MuxStream
	integer(r, prefix+"pid", &s.PID, 0, any16, "")
	integer(r, prefix+"class", &s.Class, 0, any8, "")
	integer(r, prefix+"codec", &s.Codec, 0, any8, "")
	integer(r, prefix+"stream_type", &s.StreamType, 0, any8, "")
	r.boolean(prefix+"klv_sync", &s.KLVSync)
	r.boolean(prefix+"carries_pts", &s.CarriesPTS)
	var language []byte
	r.bytes(prefix+"language", &language)
	if language != nil && len(language) != len(s.Language) {
		r.fault(prefix+"language", "%d bytes where 3 are wanted", len(language))
	}
	s.HasLanguage = copy(s.Language[:], language) > 0
	integer(r, prefix+"subtitling_type", &s.SubtitlingType, 0, any8, "")
	integer(r, prefix+"composition_page", &s.CompositionPage, 0, any16, "")
	integer(r, prefix+"ancillary_page", &s.AncillaryPage, 0, any16, "")
	integer(r, prefix+"teletext_type", &s.TeletextType, 0, any8, "")
	integer(r, prefix+"magazine", &s.Magazine, 0, any8, "")
	integer(r, prefix+"page", &s.Page, 0, any8, "")
	s.Descriptors = descriptorList(r, prefix+"descriptors")
	return s
}

// descriptorList takes a list of byte strings, each behind its length.
func descriptorList(r *configReader, key string) [][]byte {
	var packed []byte
	r.bytes(key, &packed)
	var list [][]byte
	for len(packed) > 0 {
		if len(packed) < 2 || len(packed)-2 < (int(packed[0])<<8|int(packed[1])) {
			r.fault(key, "a length runs past the list")
			return nil
		}
		n := 2 + (int(packed[0])<<8 | int(packed[1]))
		list = append(list, packed[2:n:n])
		packed = packed[n:]
	}
	return list
}

//export tst_mux_config_check
func tst_mux_config_check(id C.tst_config) (st C.tst_status) {
	defer guard(&st)
	r := readConfig(id, tsterr.MuxConfigInvalid)
	cfg := readMuxConfig(r)
	if err := r.done(); err != nil {
		return status(err)
	}
	return status(cfg.Validate())
}

//export tst_muxer_open
func tst_muxer_open(out *C.tst_muxer, id C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(id, tsterr.MuxConfigInvalid)
	cfg := readMuxConfig(r)
	if err := r.done(); err != nil {
		return status(err)
	}
	m, err := mpegts.NewMuxer(cfg)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &muxer{m: m}))
}

//export tst_muxer_close
func tst_muxer_close(id C.tst_muxer) (st C.tst_status) {
	defer guard(&st)
	if e := handles.find(uint64(id)); e != nil {
		if _, ok := e.obj.(*muxSink); ok {
			return status(closeHandle[*muxSink](id))
		}
		if _, ok := e.obj.(*mount); ok {
			return status(closeHandle[*mount](id))
		}
	}
	return status(closeHandle[*muxer](id))
}

// only is the stream number that stands for the one stream of a class.
const only = 0xFFFFFFFF

//export tst_muxer_push_video
func tst_muxer_push_video(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t,
	pts, dts C.int64_t, flags C.uint32_t,
) (st C.tst_status) {
	defer guard(&st)
	return pushVideo(id, stream, data, n, pts, dts, flags, nil)
}

//export tst_muxer_push_video_misp
func tst_muxer_push_video_misp(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t,
	pts, dts C.int64_t, flags, timeStatus C.uint32_t, value C.uint64_t,
) (st C.tst_status) {
	defer guard(&st)
	if timeStatus > 0xFF || (flags&C.TST_PUSH_MISP_MICRO == 0) == (flags&C.TST_PUSH_MISP_NANO == 0) {
		return fail(tsterr.InvalidArg, "time_status %d, flags %#x: one unit and one byte are wanted", timeStatus, flags)
	}
	return pushVideo(id, stream, data, n, pts, dts, flags&^(C.TST_PUSH_MISP_MICRO|C.TST_PUSH_MISP_NANO), &misp.Time{
		Nano: flags&C.TST_PUSH_MISP_NANO != 0, Status: uint8(timeStatus), Value: uint64(value),
	})
}

func pushVideo(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t, pts, dts C.int64_t,
	flags C.uint32_t, misp *misp.Time,
) C.tst_status {
	if flags > C.TST_PUSH_KEY_FRAME|C.TST_PUSH_DTS|C.TST_PUSH_WIRE {
		return fail(tsterr.InvalidArg, "unknown flags %#x", flags)
	}
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	v := mpegts.VideoPush{
		PTS: int64(pts), DTS: int64(dts), HasDTS: flags&C.TST_PUSH_DTS != 0,
		KeyFrame: flags&C.TST_PUSH_KEY_FRAME != 0, Wire: flags&C.TST_PUSH_WIRE != 0, MISP: misp,
	}
	if m := mountOf(id); m != nil {
		return status(m.PushVideo(mpegts.Handle(stream), b, v))
	}
	x, err := enterMuxer(id)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	if stream == only {
		return status(x.m.PushVideo(b, v))
	}
	return status(x.m.PushVideoTo(mpegts.Handle(stream), b, v))
}

//export tst_muxer_push_video_chunk
func tst_muxer_push_video_chunk(id C.tst_muxer, stream C.uint32_t, chunk C.tst_chunk, payload C.uint32_t,
	pts, dts C.int64_t, flags C.uint32_t,
) (st C.tst_status) {
	defer guard(&st)
	if flags > C.TST_PUSH_KEY_FRAME|C.TST_PUSH_DTS|C.TST_PUSH_WIRE {
		return fail(tsterr.InvalidArg, "unknown flags %#x", flags)
	}
	c, err := share[*chunkHandle](chunk)
	if err != nil {
		return status(err)
	}
	if !c.use() {
		return status(errHandle)
	}
	defer c.done()
	x, err := enterMuxer(id)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	return status(x.m.PushVideoChunk(mpegts.Handle(stream), c.chunk, uint32(payload), mpegts.VideoPush{
		PTS: int64(pts), DTS: int64(dts), HasDTS: flags&C.TST_PUSH_DTS != 0, KeyFrame: flags&C.TST_PUSH_KEY_FRAME != 0,
	}))
}

//export tst_muxer_push_audio
func tst_muxer_push_audio(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t, pts C.int64_t) (st C.tst_status) {
	defer guard(&st)
	return push(id, stream, data, n, pts, (*mpegts.Muxer).PushAudio, (*mpegts.Muxer).PushAudioTo, (*rtsp.Mount).PushAudio)
}

//export tst_muxer_push_subtitle
func tst_muxer_push_subtitle(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t, pts C.int64_t) (st C.tst_status) {
	defer guard(&st)
	return push(id, stream, data, n, pts, (*mpegts.Muxer).PushSubtitle, (*mpegts.Muxer).PushSubtitleTo, (*rtsp.Mount).PushSubtitle)
}

//export tst_muxer_push_data
func tst_muxer_push_data(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t, pts C.int64_t) (st C.tst_status) {
	defer guard(&st)
	return push(id, stream, data, n, pts, (*mpegts.Muxer).PushData, (*mpegts.Muxer).PushDataTo, (*rtsp.Mount).PushData)
}

//export tst_muxer_push_data_dts
func tst_muxer_push_data_dts(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t, pts, dts C.int64_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	x, err := enterMuxer(id)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	return status(x.m.PushDataDTSTo(mpegts.Handle(stream), b, int64(pts), int64(dts)))
}

func push(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t, pts C.int64_t,
	one func(*mpegts.Muxer, []byte, int64) error, to func(*mpegts.Muxer, mpegts.Handle, []byte, int64) error,
	mounted func(*rtsp.Mount, mpegts.Handle, []byte, int64) error,
) C.tst_status {
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if m := mountOf(id); m != nil {
		return status(mounted(m, mpegts.Handle(stream), b, int64(pts)))
	}
	x, err := enterMuxer(id)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	if stream == only {
		return status(one(x.m, b, int64(pts)))
	}
	return status(to(x.m, mpegts.Handle(stream), b, int64(pts)))
}

//export tst_muxer_push_klv
func tst_muxer_push_klv(id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t, pts C.int64_t,
	serviceID C.uint32_t,
) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if serviceID > 0xFF {
		return fail(tsterr.Overflow, "metadata_service_id %d is outside 0..255", uint32(serviceID))
	}
	if m := mountOf(id); m != nil {
		return status(m.PushKLV(mpegts.Handle(stream), b, int64(pts), uint8(serviceID)))
	}
	x, err := enterMuxer(id)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	if stream == only {
		return status(x.m.PushKLV(b, int64(pts), uint8(serviceID)))
	}
	return status(x.m.PushKLVTo(mpegts.Handle(stream), b, int64(pts), uint8(serviceID)))
}

//export tst_muxer_push_klv_many
func tst_muxer_push_klv_many(pushed *C.size_t, id C.tst_muxer, stream C.uint32_t, data *C.tst_cu8, n C.size_t,
	lens *C.tst_cu32, pts *C.tst_ci64, count C.size_t, serviceID C.uint32_t,
) (st C.tst_status) {
	defer guard(&st)
	if err := need(pushed, "pushed"); err != nil {
		return status(err)
	}
	*pushed = 0
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if serviceID > 0xFF {
		return fail(tsterr.Overflow, "metadata_service_id %d is outside 0..255", uint32(serviceID))
	}
	if count > 0 && (lens == nil || pts == nil) || count > maxInput {
		return fail(tsterr.InvalidArg, "NULL lens or pts_90k for %d packets", uint64(count))
	}
	x, err := enterMuxer(id)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	sizes := unsafe.Slice((*uint32)(unsafe.Pointer(lens)), int(count))
	times := unsafe.Slice((*int64)(unsafe.Pointer(pts)), int(count))
	for i, size := range sizes {
		if uint64(size) > uint64(len(b)) {
			return fail(tsterr.InvalidArg, "packet %d of %d bytes runs past the data", i, size)
		}
		if stream == only {
			err = x.m.PushKLV(b[:size], times[i], uint8(serviceID))
		} else {
			err = x.m.PushKLVTo(mpegts.Handle(stream), b[:size], times[i], uint8(serviceID))
		}
		if err != nil {
			return status(err)
		}
		b = b[size:]
		*pushed++
	}
	return C.TST_OK
}

//export tst_muxer_pull
func tst_muxer_pull(n *C.size_t, id C.tst_muxer, out *C.uint8_t, size C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	*n = 0
	b, err := output(out, size)
	if err != nil {
		return status(err)
	}
	x, e, err := enter[*muxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	*n = C.size_t(x.m.Pull(b))
	return C.TST_OK
}

//export tst_muxer_get_stats
func tst_muxer_get_stats(out *C.tst_muxer_stats, id C.tst_muxer) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, e, err := enter[*muxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	s := x.m.Stats()
	out.packets_pulled_total = C.uint64_t(s.TSPacketsEmitted)
	out.bytes_pulled_total = C.uint64_t(s.TSBytesEmitted)
	out.packets_pending = C.uint64_t(x.m.PendingPackets())
	out.packets_capacity = C.uint64_t(x.m.CapacityPackets())
	out.programs = C.uint64_t(s.ProgramsConfigured)
	out.subtitle_streams = C.uint64_t(s.SubtitleStreamsConfigured)
	return C.TST_OK
}

//export tst_muxer_stream_stats
func tst_muxer_stream_stats(out *C.tst_mux_stream_stats, id C.tst_muxer, pid C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, e, err := enter[*muxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if pid > 0xFFFF {
		return C.TST_E_AGAIN
	}
	c, class, ok := x.m.CodecStats(uint16(pid))
	if !ok {
		return C.TST_E_AGAIN
	}
	out.stream_class = C.uint32_t(class)
	out.units_total = C.uint64_t(c.Units)
	out.random_access_total = C.uint64_t(c.RandomAccess)
	return C.TST_OK
}

//export tst_muxer_reset_stats
func tst_muxer_reset_stats(id C.tst_muxer) (st C.tst_status) {
	defer guard(&st)
	x, e, err := enter[*muxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	x.m.ResetStats()
	return C.TST_OK
}

//export tst_muxer_streams
func tst_muxer_streams(out *C.uint32_t, size C.size_t, n *C.size_t, id C.tst_muxer, class, program C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	*n = 0
	var mux *mpegts.Muxer
	if m := mountOf(id); m != nil {
		mux = m.Muxer() // its streams never change
	} else {
		x, e, err := enter[*muxer](id)
		if err != nil {
			return status(err)
		}
		defer e.leave()
		mux = x.m
	}
	if class > C.TST_MUX_DATA || program > 0xFFFF {
		return fail(tsterr.InvalidArg, "stream class %d, program %d", uint32(class), uint32(program))
	}
	list := mux.Handles(mpegts.MuxClass(class))
	if program != 0 {
		var err error
		if list, err = mux.ProgramHandles(mpegts.MuxClass(class), uint16(program)); err != nil {
			return status(err)
		}
	}
	*n = C.size_t(len(list))
	if len(list) > 0 && (out == nil || uint64(size) < uint64(len(list))) {
		return fail(tsterr.BufferTooSmall, "%d streams do not fit %d", len(list), uint64(size))
	}
	for i, h := range list {
		*(*C.uint32_t)(unsafe.Add(unsafe.Pointer(out), uintptr(i)*unsafe.Sizeof(*out))) = C.uint32_t(h)
	}
	return C.TST_OK
}

//export tst_muxer_sink_open
func tst_muxer_sink_open(out *C.tst_muxer, id C.tst_muxer, fd C.int32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	x, e, err := enter[*muxer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	// A copy of the descriptor: the runtime closes what it holds.
	own, err := syscall.Dup(int(fd))
	if err != nil {
		return status(tsterr.Wrap(tsterr.IO, err, "descriptor %d", int32(fd)).With("errno", errnoOf(err)))
	}
	syscall.CloseOnExec(own)
	f := os.NewFile(uintptr(own), "sink")
	h, err := handles.add(&muxSink{owner: e, m: x.m, sink: mpegts.NewFileSink(x.m, f), file: f})
	if err != nil {
		_ = f.Close()
		return status(err)
	}
	*out = C.tst_muxer(h)
	return C.TST_OK
}

func errnoOf(err error) int64 {
	if no, ok := err.(syscall.Errno); ok { //nolint:errorlint // the system call returns it bare
		return int64(no)
	}
	return 0
}

//export tst_muxer_sink_flush
func tst_muxer_sink_flush(id C.tst_muxer) (st C.tst_status) {
	defer guard(&st)
	x, err := enterMuxer(id)
	if err != nil {
		return status(err)
	}
	defer x.leave()
	if x.sink == nil {
		return status(errHandle)
	}
	return status(x.sink.Flush())
}

//export tst_muxer_sink_close
func tst_muxer_sink_close(id C.tst_muxer) (st C.tst_status) {
	defer guard(&st)
	if e := handles.find(uint64(id)); e == nil {
		return C.TST_OK
	}
	st = tst_muxer_sink_flush(id)
	if st == C.TST_E_BUSY || st == C.TST_E_INVALID_HANDLE {
		return st
	}
	if err := closeHandle[*muxSink](id); err != nil {
		return status(err)
	}
	return st
}
