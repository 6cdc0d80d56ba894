package main

/*
#include "detail.h"
*/
import "C"

import (
	"github.com/tstrans/tstrans/core/hls"
	"github.com/tstrans/tstrans/core/tsterr"
)

// hlsMux is what a handle of a publisher behind a muxer holds.
type hlsMux struct{ m *hls.MuxPublisher }

// Close stops where the publisher stands.
func (h *hlsMux) Close() error {
	if p := h.m.Publisher(); p != nil {
		p.Abort()
	}
	return nil
}

//export tst_hls_mux_open
func tst_hls_mux_open(out *C.tst_hls_mux, id C.tst_hls, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.HLSInvalidConfig)
	cfg := readMuxConfig(r)
	if err := r.done(); err != nil {
		return status(err)
	}
	h, err := share[*hlsPublisher](id)
	if err != nil {
		return status(err)
	}
	p := h.take()
	if p == nil {
		return status(errHandle)
	}
	m, err := hls.NewMuxPublisher(p, cfg)
	if err == nil {
		var got uint64
		if got, err = handles.add(&hlsMux{m: m}); err == nil {
			*out = C.tst_hls_mux(got)
		}
	}
	if err != nil {
		p.Abort()
	}
	if e := closeHandle[*hlsPublisher](id); err == nil {
		err = e
	}
	return status(err)
}

//export tst_hls_mux_send_video
func tst_hls_mux_send_video(id C.tst_hls_mux, data *C.tst_cu8, n C.size_t, pts, dts C.int64_t, flags C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if flags > C.TST_HLS_KEY_FRAME|C.TST_HLS_DTS {
		return fail(tsterr.InvalidArg, "unknown flags %#x", flags)
	}
	m, b, err := shareWith[*hlsMux](id, data, n)
	if err != nil {
		return status(err)
	}
	return status(m.m.SendVideo(b, hls.Video{
		PTS: int64(pts), DTS: int64(dts), HasDTS: flags&C.TST_HLS_DTS != 0, KeyFrame: flags&C.TST_HLS_KEY_FRAME != 0,
	}))
}

//export tst_hls_mux_send_audio
func tst_hls_mux_send_audio(id C.tst_hls_mux, data *C.tst_cu8, n C.size_t, pts C.int64_t) (st C.tst_status) {
	defer guard(&st)
	return sendHLS(id, data, n, pts, (*hls.MuxPublisher).SendAudio)
}

//export tst_hls_mux_send_subtitle
func tst_hls_mux_send_subtitle(id C.tst_hls_mux, data *C.tst_cu8, n C.size_t, pts C.int64_t) (st C.tst_status) {
	defer guard(&st)
	return sendHLS(id, data, n, pts, (*hls.MuxPublisher).SendSubtitle)
}

//export tst_hls_mux_send_klv
func tst_hls_mux_send_klv(id C.tst_hls_mux, index C.uint32_t, data *C.tst_cu8, n C.size_t, pts C.int64_t) (st C.tst_status) {
	defer guard(&st)
	return sendHLS(id, data, n, pts, func(m *hls.MuxPublisher, b []byte, pts int64) error {
		return m.SendKLV(b, pts, int(index))
	})
}

func sendHLS(id C.tst_hls_mux, data *C.tst_cu8, n C.size_t, pts C.int64_t,
	send func(*hls.MuxPublisher, []byte, int64) error,
) C.tst_status {
	m, b, err := shareWith[*hlsMux](id, data, n)
	if err != nil {
		return status(err)
	}
	return status(send(m.m, b, int64(pts)))
}

//export tst_hls_mux_cut
func tst_hls_mux_cut(id C.tst_hls_mux) (st C.tst_status) {
	defer guard(&st)
	m, err := share[*hlsMux](id)
	if err != nil {
		return status(err)
	}
	return status(m.m.CutSegment())
}

//export tst_hls_mux_get_stats
func tst_hls_mux_get_stats(out *C.tst_hls_mux_stats, id C.tst_hls_mux) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	m, err := share[*hlsMux](id)
	if err != nil {
		return status(err)
	}
	s, err := m.m.Stats()
	if err != nil {
		return status(err)
	}
	out.bytes_pushed_total = C.uint64_t(s.Bytes)
	out.sends_total = C.uint64_t(s.Drains)
	out.cuts_total = C.uint64_t(s.Cuts)
	return C.TST_OK
}

// behind finds the publisher behind a muxer.
func behind(id C.tst_hls_mux) (*hls.Publisher, error) {
	m, err := share[*hlsMux](id)
	if err != nil {
		return nil, err
	}
	p := m.m.Publisher()
	if p == nil {
		return nil, tsterr.New(tsterr.HLSClosed, "MuxPublisher already finished")
	}
	return p, nil
}

//export tst_hls_mux_publisher_stats
func tst_hls_mux_publisher_stats(out *C.tst_hls_stats, id C.tst_hls_mux) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	p, err := behind(id)
	if err != nil {
		return status(err)
	}
	return fillHLSStats(out, p)
}

//export tst_hls_mux_add_date_range
func tst_hls_mux_add_date_range(id C.tst_hls_mux, rid *C.tst_cchar, ridLen C.size_t, cls *C.tst_cchar, clsLen C.size_t,
	startUs, durationUs C.int64_t, attributes *C.tst_cchar, attributesLen C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	r, err := dateRange(rid, ridLen, cls, clsLen, startUs, durationUs, attributes, attributesLen)
	if err != nil {
		return status(err)
	}
	m, err := share[*hlsMux](id)
	if err != nil {
		return status(err)
	}
	return status(m.m.AddDateRange(r))
}

//export tst_hls_mux_addr
func tst_hls_mux_addr(out *C.char, room C.size_t, n *C.size_t, id C.tst_hls_mux) (st C.tst_status) {
	defer guard(&st)
	p, err := behind(id)
	if err != nil {
		return status(err)
	}
	s, err := p.Addr()
	return giveString(out, room, n, s, err)
}

//export tst_hls_mux_playlist
func tst_hls_mux_playlist(out *C.char, room C.size_t, n *C.size_t, id C.tst_hls_mux, ending C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	p, err := behind(id)
	if err != nil {
		return status(err)
	}
	s, err := p.Playlist(ending != 0)
	return giveString(out, room, n, s, err)
}

//export tst_hls_mux_release
func tst_hls_mux_release(out *C.tst_hls, id C.tst_hls_mux) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	m, err := share[*hlsMux](id)
	if err != nil {
		return status(err)
	}
	p, err := m.m.Release()
	if p == nil {
		return status(err)
	}
	// The publisher comes back also where the last bytes could not be written.
	if e := addHLS(out, p); err == nil {
		err = e
	}
	return status(err)
}

//export tst_hls_mux_close
func tst_hls_mux_close(id C.tst_hls_mux) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*hlsMux](id))
}
