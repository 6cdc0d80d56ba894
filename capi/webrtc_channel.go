package main

/*
#include "detail.h"
*/
import "C"

import (
	"math"

	"github.com/tstrans/tstrans/core/tsterr"
	"github.com/tstrans/tstrans/core/webrtc"
)

//export tst_rtc_channel_open
func tst_rtc_channel_open(out *C.uint64_t, id C.tst_rtc_peer, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	cfg := webrtc.ChannelConfig{MaxRetransmits: -1, MaxLifetime: -1, ID: -1}
	ordered := true
	r := readConfig(config, tsterr.InvalidArg)
	r.text("label", &cfg.Label)
	r.text("protocol", &cfg.Protocol)
	r.boolean("ordered", &ordered)
	integer(r, "max_retransmits", &cfg.MaxRetransmits, 0, math.MaxUint32, "")
	integer(r, "max_lifetime_ms", &cfg.MaxLifetime, 0, math.MaxUint32, "ms")
	r.boolean("negotiated", &cfg.Negotiated)
	integer(r, "id", &cfg.ID, 0, 65534, "")
	if err = r.done(); err != nil {
		return status(err)
	}
	if len(cfg.Label) > math.MaxUint16 || len(cfg.Protocol) > math.MaxUint16 {
		return fail(tsterr.InvalidArg, "a label or protocol of more than 65535 bytes")
	}
	cfg.Unordered = !ordered
	number, err := x.p.OpenChannel(cfg)
	*out = C.uint64_t(number)
	return status(err)
}

//export tst_rtc_channel_get_info
func tst_rtc_channel_get_info(out *C.tst_rtc_channel_info, id C.tst_rtc_peer, n C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	cfg, buffered, err := x.p.Channel(uint64(n))
	if err != nil {
		return status(err)
	}
	*out = C.tst_rtc_channel_info{
		struct_size: out.struct_size, ordered: bit32(!cfg.Unordered), negotiated: bit32(cfg.Negotiated), id: C.int32_t(cfg.ID),
		max_retransmits: C.int64_t(cfg.MaxRetransmits), max_lifetime_ms: C.int64_t(cfg.MaxLifetime), buffered_bytes: C.uint64_t(buffered),
	}
	return C.TST_OK
}

//export tst_rtc_channel_text
func tst_rtc_channel_text(out *C.uint8_t, capacity C.size_t, length *C.size_t, id C.tst_rtc_peer, n C.uint64_t, what C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	cfg, _, err := x.p.Channel(uint64(n))
	if err != nil {
		return status(err)
	}
	if what == C.TST_RTC_CHANNEL_PROTOCOL {
		return giveText(out, capacity, length, cfg.Protocol)
	}
	return giveText(out, capacity, length, cfg.Label)
}

//export tst_rtc_channel_send
func tst_rtc_channel_send(id C.tst_rtc_peer, n C.uint64_t, data *C.tst_cu8, length C.size_t, isText C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	x, b, err := shareWith[*rtcPeer](id, data, length)
	if err != nil {
		return status(err)
	}
	return status(x.p.SendMessage(uint64(n), b, isText != 0))
}

//export tst_rtc_channel_set_low
func tst_rtc_channel_set_low(id C.tst_rtc_peer, n, bytes C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	return status(x.p.SetLowThreshold(uint64(n), uint64(bytes)))
}

//export tst_rtc_channel_close
func tst_rtc_channel_close(id C.tst_rtc_peer, n C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	return status(x.p.CloseChannel(uint64(n)))
}
