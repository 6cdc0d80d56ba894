package main

/*
#include "detail.h"
*/
import "C"

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtph264"
	"github.com/tstrans/tstrans/core/rtsp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// rtpReceiver gives a receiver the texts and the end of a link.
type rtpReceiver struct{ *rtp.Receiver }

func (r rtpReceiver) text(what uint32) string {
	if what != C.TST_LINK_LOCAL {
		return ""
	}
	return r.LocalAddr().String()
}

func (r rtpReceiver) Inbound() rtp.InboundStats { return r.InboundStats() }

// End tells that the stream was cancelled or closed; nothing else ends plain RTP.
func (r rtpReceiver) End() (rtsp.EndReason, string) {
	if r.Cancelled() {
		return rtsp.EndCancelled, ""
	}
	return rtsp.EndNone, ""
}

// inboundLink is a link whose RTP packets are counted.
type inboundLink interface {
	Inbound() rtp.InboundStats
	End() (rtsp.EndReason, string)
	DefaultTimeout() time.Duration
	Stats() transport.Stats
}

// urlOf reads the URL; the room says what is wrong with an empty one.
func urlOf(r *configReader) (s string) {
	r.text("url", &s)
	return s
}

//export tst_rtp_send
func tst_rtp_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.InvalidArg)
	cfg, err := rtp.ParseSenderURL(urlOf(r))
	integer(r, "pkt_size", &cfg.PacketSize, math.MinInt32, math.MaxInt32, "bytes")
	ssrc := int64(-1)
	integer(r, "ssrc", &ssrc, -1, math.MaxUint32, "")
	if derr := r.done(); derr != nil {
		return status(derr)
	}
	if err != nil {
		return status(err)
	}
	if ssrc >= 0 {
		v := uint32(ssrc)
		cfg.SSRC = &v
	}
	s, err := rtp.Dial(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	return openedLink(out, s)
}

//export tst_rtp_receive
func tst_rtp_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.InvalidArg)
	cfg, err := rtp.ParseReceiverURL(urlOf(r))
	if derr := r.done(); derr != nil {
		return status(derr)
	}
	if err != nil {
		return status(err)
	}
	u, err := rtp.Listen(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	return openedLink(out, rtpReceiver{u})
}

// tsti_rtp_count counts the packets that C handed out and noted.
//
//export tsti_rtp_count
func tsti_rtp_count(id C.tst_link) {
	var st C.tst_status
	defer guard(&st)
	if r, err := peekAs[rtpReceiver](id); err == nil {
		r.Count()
	}
}

// fillRTP fills the counters of a link's packets.
func fillRTP(out *C.tst_rtp_stats, in inboundLink, clock rtp.ClockMap) C.tst_status {
	if err := needSized(out); err != nil {
		return status(err)
	}
	s := in.Inbound()
	reason, _ := in.End()
	all := C.tst_rtp_stats{
		struct_size: out.struct_size, end_reason: C.uint32_t(reason), recv_timeout_ms: -1,
		packets_received: C.uint64_t(s.Packets), bytes_received: C.uint64_t(s.Bytes), packets_lost: C.uint64_t(s.Lost),
		packets_duplicate: C.uint64_t(s.Duplicates), packets_reordered: C.uint64_t(s.Reordered),
		packets_late: C.uint64_t(s.TooLate), packets_malformed: C.uint64_t(s.Malformed),
		packets_rejected: C.uint64_t(s.Rejected), messages_dropped: C.uint64_t(in.Stats().MessagesDropped),
		ssrc_changes: C.uint64_t(s.SSRCChanges), jitter_us: C.uint64_t(s.JitterTicks) * 1000 / 90,
		sr_received: C.uint64_t(s.SRReceived), rr_received: C.uint64_t(s.RRReceived), rr_sent: C.uint64_t(s.RRSent),
		fraction_lost_q8: C.uint32_t(s.FractionLost),
	}
	if d := in.DefaultTimeout(); d >= 0 {
		all.recv_timeout_ms = C.int64_t(d.Milliseconds())
	}
	if s.Bye {
		all.bye = 1
	}
	if clock.Valid {
		all.ntp, all.ntp_rtp, all.ntp_rate = C.uint64_t(clock.NTP), C.uint32_t(clock.Timestamp), C.uint32_t(clock.Rate)
	}
	*out = all
	return C.TST_OK
}

//export tst_rtp_get_stats
func tst_rtp_get_stats(out *C.tst_rtp_stats, id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	l, err := share[*link](id)
	if err != nil {
		return status(err)
	}
	in, ok := l.obj.(inboundLink)
	if !ok {
		return fail(tsterr.NotSupported, "this link receives no RTP")
	}
	var clock rtp.ClockMap
	if c, ok := l.obj.(interface{ Clock() rtp.ClockMap }); ok {
		clock = c.Clock()
	}
	return fillRTP(out, in, clock)
}

// h264Receiver is what a tst_h264 handle stands for.
type h264Receiver struct {
	r     *rtph264.Receiver
	in    inboundLink
	obj   transport.Object
	local netip.AddrPort

	mu      sync.Mutex // guards what follows: a picture that did not fit the caller's buffer
	pending rtph264.AccessUnit
	has     bool
}

// Interrupt wakes a parked read: the handle is being closed.
func (h *h264Receiver) Interrupt() { h.obj.Cancel() }

// Close frees the receiver.
func (h *h264Receiver) Close() error { return h.obj.Close() }

//export tst_h264_listen
func tst_h264_listen(out *C.tst_h264, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.InvalidArg)
	cfg, err := rtp.ParseElementaryURL(urlOf(r))
	h := rtph264.Config{Injection: rtph264.InjectBeforeIDR}
	integer(r, "injection", &h.Injection, 0, 1, "")
	integer(r, "max_au_bytes", &h.MaxUnit, 1, math.MaxInt32, "bytes")
	h.ParameterSets = descriptorList(r, "parameter_sets")
	if derr := r.done(); derr != nil {
		return status(derr)
	}
	if err != nil {
		return status(err)
	}
	u, err := rtp.Listen(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	return status(hand(out, &h264Receiver{r: rtph264.NewReceiver(u, h), in: rtpReceiver{u}, obj: u, local: u.LocalAddr()}))
}

//export tst_h264_read
func tst_h264_read(au *C.tst_h264_au, buf *C.uint8_t, n C.size_t, id C.tst_h264, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(au, "au"); err != nil {
		return status(err)
	}
	if au.struct_size < C.uint32_t(unsafe.Sizeof(*au)) {
		return fail(tsterr.InvalidArg, "struct_size %d, needs %d", uint32(au.struct_size), unsafe.Sizeof(*au))
	}
	room, err := output(buf, n)
	if err != nil {
		return status(err)
	}
	h, e, err := enter[*h264Receiver](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.has {
		if h.pending, err = h.r.Read(millis(ms)); err != nil {
			return outcome(err)
		}
		h.has = true
	}
	p := &h.pending
	au.len = C.uint32_t(len(p.AnnexB))
	if len(p.AnnexB) > len(room) {
		return fail(tsterr.BufferTooSmall, "the picture has %d bytes", len(p.AnnexB))
	}
	copy(room, p.AnnexB)
	au.pts_90k, au.rtp_timestamp, au.key_frame = C.int64_t(p.PTS), C.uint32_t(p.Timestamp), 0
	if p.Key {
		au.key_frame = 1
	}
	h.has = false
	return C.TST_OK
}

//export tst_h264_get_stats
func tst_h264_get_stats(out *C.tst_h264_stats, id C.tst_h264) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	h, err := share[*h264Receiver](id)
	if err != nil {
		return status(err)
	}
	s := h.r.Stats()
	*out = C.tst_h264_stats{
		struct_size: out.struct_size, aus_emitted: C.uint64_t(s.Units), aus_dropped: C.uint64_t(s.Dropped),
		aus_dropped_oversize: C.uint64_t(s.Oversize), packets_discarded: C.uint64_t(s.PacketsDiscarded),
		nalus_discarded: C.uint64_t(s.NALsDiscarded), seq_gaps: C.uint64_t(s.Gaps),
		duplicate_packets: C.uint64_t(s.Duplicates), parameter_set_updates: C.uint64_t(s.ParameterSets),
		ssrc_changes: C.uint64_t(s.SSRCChanges),
	}
	return C.TST_OK
}

//export tst_h264_get_rtp_stats
func tst_h264_get_rtp_stats(out *C.tst_rtp_stats, id C.tst_h264) (st C.tst_status) {
	defer guard(&st)
	h, err := share[*h264Receiver](id)
	if err != nil {
		return status(err)
	}
	return fillRTP(out, h.in, rtp.ClockMap{})
}

//export tst_h264_text
func tst_h264_text(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_h264, what C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	h, err := share[*h264Receiver](id)
	if err != nil {
		return status(err)
	}
	s := ""
	switch what {
	case C.TST_LINK_LOCAL:
		if h.local.IsValid() {
			s = h.local.String()
		}
	case C.TST_LINK_END_DETAIL:
		_, s = h.in.End()
	}
	return giveText(out, capacity, n, s)
}

// giveText copies a text into the caller's buffer.
func giveText(out *C.uint8_t, capacity C.size_t, n *C.size_t, s string) C.tst_status {
	if err := need(n, "len"); err != nil {
		return status(err)
	}
	room, err := output(out, capacity)
	if err != nil {
		return status(err)
	}
	copy(room, s)
	*n = C.size_t(len(s))
	return C.TST_OK
}

//export tst_h264_cancel
func tst_h264_cancel(id C.tst_h264) (st C.tst_status) {
	defer guard(&st)
	h, err := share[*h264Receiver](id)
	if err != nil {
		return status(err)
	}
	h.obj.Cancel()
	return C.TST_OK
}

//export tst_h264_close
func tst_h264_close(id C.tst_h264) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*h264Receiver](id))
}
