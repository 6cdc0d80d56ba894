package main

/*
#include "detail.h"
*/
import "C"

import (
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/hls"
	"github.com/tstrans/tstrans/core/tsterr"
)

// hlsPublisher is what a handle of a publisher holds. p is nil once it moved
// behind a muxer.
type hlsPublisher struct {
	mu sync.Mutex
	p  *hls.Publisher
}

// Close stops where the publisher stands.
func (h *hlsPublisher) Close() error {
	if p := h.take(); p != nil {
		p.Abort()
	}
	return nil
}

func (h *hlsPublisher) take() *hls.Publisher {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.p
	h.p = nil
	return p
}

// hlsOf finds a publisher.
func hlsOf(id C.tst_hls) (*hls.Publisher, error) {
	h, err := share[*hlsPublisher](id)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.p == nil {
		return nil, errHandle
	}
	return h.p, nil
}

// hlsServer is what a handle of a server holds.
type hlsServer struct{ s *hls.Server }

// Close stops serving.
func (h *hlsServer) Close() error {
	if h.s != nil {
		h.s.Close()
	}
	return nil
}

// readHLSConfig reads the parameters of a publisher.
func readHLSConfig(r *configReader) (hls.Config, error) {
	var cfg hls.Config
	var url string
	if r.text("url", &url); url != "" {
		var err error
		if cfg, err = cfg.ParseURL(url); err != nil {
			return cfg, err
		}
	}
	millis := func(key string, to *time.Duration, zero time.Duration) {
		ms := int64(-1)
		integer(r, key, &ms, 0, 1<<42, "ms")
		switch {
		case ms > 0:
			*to = time.Duration(ms) * time.Millisecond
		case ms == 0:
			*to = zero
		}
	}
	server := true
	r.text("bind", &cfg.Addr)
	r.boolean("server", &server)
	cfg.NoServer = !server
	r.text("output_dir", &cfg.Dir)
	r.boolean("memory", &cfg.Memory)
	millis("segment_duration_ms", &cfg.SegmentDuration, -1)
	millis("max_segment_duration_ms", &cfg.MaxSegmentDuration, 0)
	window := int64(-1)
	integer(r, "playlist_window", &window, 0, 1<<62, "segments")
	switch {
	case window > 0:
		cfg.Window = int(window)
	case window == 0:
		cfg.Window = -1
	}
	integer(r, "mode", &cfg.Mode, 0, 1<<8-1, "")
	var user, password string
	r.text("auth_user", &user)
	r.text("auth_pass", &password)
	if r.has("auth_user") || r.has("auth_pass") {
		cfg.Auth, cfg.User, cfg.Password = true, user, password
	}
	r.text("cert", &cfg.CertFile)
	r.text("key", &cfg.KeyFile)
	cfg.TLS = cfg.TLS || r.has("cert") || r.has("key") // with empty paths, too: never plain HTTP by mistake
	integer(r, "container", &cfg.Container, 0, 1<<8-1, "")
	millis("part_duration_ms", &cfg.PartDuration, 0)
	r.boolean("key_frame_cuts", &cfg.KeyFrameCuts)
	integer(r, "clock", &cfg.Clock, 0, 1<<8-1, "")
	r.boolean("end_live", &cfg.EndLive)
	r.boolean("flush_klv", &cfg.FlushKLV)
	r.text("cors", &cfg.Origin)
	r.boolean("gzip", &cfg.Gzip)
	r.boolean("ranges", &cfg.Ranges)
	r.boolean("cache_control", &cfg.CacheControl)
	integer(r, "max_clients", &cfg.MaxClients, 0, 1<<31-1, "connections")
	return cfg, r.done()
}

//export tst_hls_url_check
func tst_hls_url_check(url *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	raw, err := text(url, n)
	if err != nil {
		return status(err)
	}
	_, err = hls.Config{}.ParseURL(raw)
	return status(err)
}

//export tst_hls_open
func tst_hls_open(out *C.tst_hls, id C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	cfg, err := readHLSConfig(readConfig(id, tsterr.HLSInvalidConfig))
	if err != nil {
		return status(err)
	}
	p, err := hls.Open(cfg)
	if err != nil {
		return status(err)
	}
	return status(addHLS(out, p))
}

func addHLS(out *C.tst_hls, p *hls.Publisher) error { return hand(out, &hlsPublisher{p: p}) }

//export tst_hls_push_ts
func tst_hls_push_ts(id C.tst_hls, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	return status(p.PushTS(b))
}

//export tst_hls_play_ts
func tst_hls_play_ts(taken *C.size_t, id C.tst_hls, data *C.tst_cu8, n C.size_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := taking(taken, data, n)
	if err != nil {
		return status(err)
	}
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	until := time.Now().Add(millis(ms))
	if ms < 0 {
		until = time.Now().Add(100 * 365 * 24 * time.Hour)
	}
	k, err := p.PlayTS(b, until)
	*taken = C.size_t(k)
	if err == nil && k < len(b) {
		return C.TST_E_TIMEOUT
	}
	return status(err)
}

//export tst_hls_cut
func tst_hls_cut(id C.tst_hls, mediaUs C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	const most = 1 << 53 // microseconds of a duration that still fits
	return status(p.CutSegmentWithDuration(time.Duration(min(uint64(mediaUs), most)) * time.Microsecond))
}

// fillHLSStats copies the counters of core to a struct of the caller.
func fillHLSStats(out *C.tst_hls_stats, p *hls.Publisher) C.tst_status {
	if err := needSized(out); err != nil {
		return status(err)
	}
	s, err := p.Stats()
	if err != nil {
		return status(err)
	}
	out.is_open = 0
	if s.Open {
		out.is_open = 1
	}
	out.segments_total = C.uint64_t(s.Segments)
	out.bytes_pushed_total = C.uint64_t(s.Bytes)
	out.open_segment_bytes = C.uint64_t(s.OpenBytes)
	out.open_segment_age_us = C.uint64_t(s.OpenAge.Microseconds())
	out.last_segment_duration_us = -1
	if s.HasLast {
		out.last_segment_duration_us = C.int64_t(s.Last.Microseconds())
	}
	out.forced_cuts_total = C.uint64_t(s.ForcedCuts)
	out.bytes_skipped_total = C.uint64_t(s.Skipped)
	out.clients_total = C.uint64_t(s.Clients)
	out.clients_refused_total = C.uint64_t(s.Refused)
	out.requests_total = C.uint64_t(s.Requests)
	out.bytes_sent_total = C.uint64_t(s.Sent)
	return C.TST_OK
}

//export tst_hls_get_stats
func tst_hls_get_stats(out *C.tst_hls_stats, id C.tst_hls) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	return fillHLSStats(out, p)
}

// giveString copies a text to the caller's buffer, or tells the error that came instead.
func giveString(out *C.char, room C.size_t, n *C.size_t, s string, err error) C.tst_status {
	if err != nil {
		return status(err)
	}
	if err = need(n, "len"); err != nil {
		return status(err)
	}
	*n = C.size_t(len(s))
	if C.size_t(len(s)) > room {
		return fail(tsterr.BufferTooSmall, "%d bytes are needed", len(s))
	}
	b, err := output((*C.uint8_t)(unsafe.Pointer(out)), room)
	if err != nil {
		return status(err)
	}
	copy(b, s)
	return C.TST_OK
}

//export tst_hls_playlist
func tst_hls_playlist(out *C.char, room C.size_t, n *C.size_t, id C.tst_hls, ending C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	s, err := p.Playlist(ending != 0)
	return giveString(out, room, n, s, err)
}

//export tst_hls_addr
func tst_hls_addr(out *C.char, room C.size_t, n *C.size_t, id C.tst_hls) (st C.tst_status) {
	defer guard(&st)
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	s, err := p.Addr()
	return giveString(out, room, n, s, err)
}

// dateRange reads the arguments of a marker.
func dateRange(id *C.tst_cchar, idLen C.size_t, cls *C.tst_cchar, clsLen C.size_t, startUs, durationUs C.int64_t,
	attributes *C.tst_cchar, attributesLen C.size_t,
) (hls.DateRange, error) {
	var r hls.DateRange
	var err error
	if r.ID, err = text(id, idLen); err != nil {
		return r, err
	}
	if r.Class, err = text(cls, clsLen); err != nil {
		return r, err
	}
	r.Start = time.UnixMicro(int64(startUs))
	if durationUs != C.TST_HLS_NO_DURATION {
		r.HasDuration, r.Duration = true, time.Duration(durationUs)*time.Microsecond
	}
	lines, err := text(attributes, attributesLen)
	if err != nil {
		return r, err
	}
	for line := range strings.SplitSeq(lines, "\n") {
		if line == "" {
			continue
		}
		k, v, _ := strings.Cut(line, "=")
		if r.Attributes == nil {
			r.Attributes = map[string]string{}
		}
		r.Attributes[k] = v
	}
	return r, nil
}

//export tst_hls_add_date_range
func tst_hls_add_date_range(id C.tst_hls, rid *C.tst_cchar, ridLen C.size_t, cls *C.tst_cchar, clsLen C.size_t,
	startUs, durationUs C.int64_t, attributes *C.tst_cchar, attributesLen C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	r, err := dateRange(rid, ridLen, cls, clsLen, startUs, durationUs, attributes, attributesLen)
	if err != nil {
		return status(err)
	}
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	return status(p.AddDateRange(r))
}

//export tst_hls_finish
func tst_hls_finish(id C.tst_hls) (st C.tst_status) {
	defer guard(&st)
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	return status(p.Finish())
}

//export tst_hls_finish_serving
func tst_hls_finish_serving(out *C.tst_hls_server, id C.tst_hls) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	p, err := hlsOf(id)
	if err != nil {
		return status(err)
	}
	s, err := p.FinishServing()
	if err != nil {
		if s != nil {
			s.Close()
		}
		return status(err)
	}
	return status(hand(out, &hlsServer{s: s}))
}

//export tst_hls_close
func tst_hls_close(id C.tst_hls) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*hlsPublisher](id))
}

//export tst_hls_server_addr
func tst_hls_server_addr(out *C.char, room C.size_t, n *C.size_t, id C.tst_hls_server) (st C.tst_status) {
	defer guard(&st)
	h, err := share[*hlsServer](id)
	if err != nil {
		return status(err)
	}
	var s string
	if h.s != nil {
		s, err = h.s.Addr()
	}
	return giveString(out, room, n, s, err)
}

//export tst_hls_server_shutdown
func tst_hls_server_shutdown(id C.tst_hls_server) (st C.tst_status) {
	defer guard(&st)
	h, err := share[*hlsServer](id)
	if err != nil {
		return status(err)
	}
	return status(h.Close())
}

//export tst_hls_server_close
func tst_hls_server_close(id C.tst_hls_server) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*hlsServer](id))
}

// hlsServerOf finds the server of a publisher, of a publisher behind a muxer,
// or of one that has finished: other rooms mount their handlers on it.
func hlsServerOf(id uint64) (*hls.Server, error) {
	e := handles.find(id)
	if e == nil {
		return nil, errHandle
	}
	var s *hls.Server
	switch h := e.obj.(type) {
	case *hlsPublisher:
		h.mu.Lock()
		if h.p != nil {
			s = h.p.Server()
		}
		h.mu.Unlock()
	case *hlsMux:
		if p := h.m.Publisher(); p != nil {
			s = p.Server()
		}
	case *hlsServer:
		s = h.s
	default:
		return nil, errHandle
	}
	if s == nil {
		return nil, tsterr.New(tsterr.HLSFinished, "the publisher has no server, or has finished")
	}
	return s, nil
}
