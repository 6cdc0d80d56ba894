package main

/*
#include "detail.h"
*/
import "C"

import (
	"unsafe"

	"github.com/tstrans/tstrans/core/rtp/flow"
	"github.com/tstrans/tstrans/core/rtp/rtpvideo"
	"github.com/tstrans/tstrans/core/tsterr"
)

// playoutConfig reads the parameters of a playout.
func playoutConfig(r *configReader) (cfg flow.PlayoutConfig) {
	integer(r, "sample_rate", &cfg.SampleRate, 1, 1<<20, "Hz")
	integer(r, "frame_samples", &cfg.FrameSamples, 1, 1<<20, "samples")
	integer(r, "clock_rate", &cfg.ClockRate, 0, 1<<20, "Hz")
	integer(r, "max_delay_ms", &cfg.MaxDelayMS, 0, 60000, "ms")
	conceal := 120
	integer(r, "max_conceal_ms", &conceal, 0, 60000, "ms")
	if cfg.MaxConcealMS = conceal; conceal == 0 {
		cfg.MaxConcealMS = -1
	}
	r.boolean("wait_late", &cfg.WaitLate)
	return cfg
}

//export tst_playout_open
func tst_playout_open(out *C.tst_playout, id C.tst_config, now C.double) (st C.tst_status) {
	defer guard(&st)
	r := readConfig(id, tsterr.InvalidArg)
	cfg := playoutConfig(r)
	if err := r.done(); err != nil {
		return status(err)
	}
	p, err := flow.NewPlayout(cfg, float64(now))
	if err != nil {
		return status(err)
	}
	return add(out, p)
}

//export tst_playout_put
func tst_playout_put(id C.tst_playout, now C.double, ts C.uint32_t, payload *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(payload, n)
	if err != nil {
		return status(err)
	}
	if len(b) > 1<<16 {
		return fail(tsterr.InvalidArg, "a payload of %d bytes: at most 65536", len(b))
	}
	p, e, err := enter[*flow.Playout](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	p.Put(float64(now), uint32(ts), b)
	return C.TST_OK
}

//export tst_playout_next
func tst_playout_next(out *C.tst_playout_tick, data *C.uint8_t, capacity C.size_t, id C.tst_playout, now C.double) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	p, e, err := enter[*flow.Playout](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	t := p.Tick(float64(now))
	out.action, out.timestamp, out.level = C.uint32_t(t.Action), C.uint32_t(t.Timestamp), C.int32_t(t.Level)
	out.len = C.uint32_t(len(t.Payload))
	var k C.size_t
	return status(give(data, capacity, &k, t.Payload))
}

// onPlayout runs one operation.
func onPlayout(id C.tst_playout, op func(*flow.Playout)) C.tst_status {
	p, e, err := enter[*flow.Playout](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	op(p)
	return C.TST_OK
}

//export tst_playout_reset
func tst_playout_reset(id C.tst_playout) (st C.tst_status) {
	defer guard(&st)
	return onPlayout(id, (*flow.Playout).Reset)
}

//export tst_playout_suppress
func tst_playout_suppress(id C.tst_playout) (st C.tst_status) {
	defer guard(&st)
	return onPlayout(id, (*flow.Playout).Suppress)
}

//export tst_playout_noise
func tst_playout_noise(id C.tst_playout, level C.int32_t, ts C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	return onPlayout(id, func(p *flow.Playout) { p.SetNoise(int(level), uint32(ts)) })
}

//export tst_playout_get_stats
func tst_playout_get_stats(out *C.tst_playout_stats, id C.tst_playout) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	return onPlayout(id, func(p *flow.Playout) {
		out.target_frames, out.depth_frames = C.uint32_t(p.TargetFrames()), C.uint32_t(p.Depth())
		out.increment, out.ptime_ms = C.uint32_t(p.Increment()), C.double(p.PtimeMS())
		out.concealed_frames, out.late_dropped = C.uint64_t(p.Concealed), C.uint64_t(p.LateDropped)
		out.expansions, out.accelerations = C.uint64_t(p.Expansions), C.uint64_t(p.Accelerations)
		out.underrun_suspensions, out.cn_frames = C.uint64_t(p.Suspensions), C.uint64_t(p.Noise)
	})
}

//export tst_playout_close
func tst_playout_close(id C.tst_playout) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*flow.Playout](id))
}

//export tst_reception_open
func tst_reception_open(out *C.tst_reception, rate C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	return add(out, flow.NewStatistics(int(rate)))
}

//export tst_reception_add
func tst_reception_add(id C.tst_reception, now C.double, seq, ts C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	s, e, err := enter[*flow.Statistics](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	s.Add(float64(now), uint16(seq), uint32(ts))
	return C.TST_OK
}

//export tst_reception_get
func tst_reception_get(out *C.tst_reception_stats, id C.tst_reception) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	s, e, err := enter[*flow.Statistics](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	out.begun = 0
	if s.Begun {
		out.begun = 1
	}
	out.base_sequence, out.max_sequence, out.cycles = C.uint32_t(s.Base), C.uint32_t(s.Max), C.uint32_t(s.Cycles)
	out.jitter, out.packets_lost = C.uint32_t(s.Jitter()), C.int32_t(s.Lost())
	out.packets_received, out.packets_expected = C.uint64_t(s.Received), C.int64_t(s.Expected())
	return C.TST_OK
}

//export tst_reception_fraction
func tst_reception_fraction(out *C.uint32_t, id C.tst_reception) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	s, e, err := enter[*flow.Statistics](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	*out = C.uint32_t(s.FractionLost())
	return C.TST_OK
}

//export tst_reception_set
func tst_reception_set(id C.tst_reception, base, highest, cycles C.uint32_t, received C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	s, e, err := enter[*flow.Statistics](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	s.Begun, s.Base, s.Max, s.Cycles, s.Received = true, uint16(base), uint16(highest), uint32(cycles), uint64(received)
	return C.TST_OK
}

//export tst_reception_close
func tst_reception_close(id C.tst_reception) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*flow.Statistics](id))
}

//export tst_missing_open
func tst_missing_open(out *C.tst_missing) (st C.tst_status) {
	defer guard(&st)
	return add(out, &flow.Missing{})
}

//export tst_missing_add
func tst_missing_add(gap *C.uint32_t, id C.tst_missing, seq C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	m, e, err := enter[*flow.Missing](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	g := m.Add(uint16(seq))
	if gap != nil {
		*gap = 0
		if g {
			*gap = 1
		}
	}
	return C.TST_OK
}

//export tst_missing_list
func tst_missing_list(out *C.uint16_t, count *C.size_t, highest *C.int32_t, id C.tst_missing) (st C.tst_status) {
	defer guard(&st)
	if out == nil || count == nil || highest == nil {
		return fail(tsterr.InvalidArg, "out, count or max is NULL")
	}
	m, e, err := enter[*flow.Missing](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	m.Truncate()
	*highest = -1
	if s, ok := m.Max(); ok {
		*highest = C.int32_t(s)
	}
	list := m.List()
	*count = C.size_t(min(len(list), flow.History))
	for i, s := range list[:*count] {
		unsafe.Slice(out, flow.History)[i] = C.uint16_t(s)
	}
	return C.TST_OK
}

//export tst_missing_set
func tst_missing_set(id C.tst_missing, newest C.uint32_t, list *C.tst_cu32, count C.size_t) (st C.tst_status) {
	defer guard(&st)
	if list == nil && count > 0 || count > flow.History {
		return fail(tsterr.InvalidArg, "list is NULL, or over %d numbers", flow.History)
	}
	m, e, err := enter[*flow.Missing](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	m.Set(uint16(newest), unsafe.Slice((*uint32)(list), count))
	return C.TST_OK
}

//export tst_missing_close
func tst_missing_close(id C.tst_missing) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*flow.Missing](id))
}

//export tst_rtp_sender_open
func tst_rtp_sender_open(out *C.tst_rtp_sender, ssrc, payloadType, increment, keep C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	return add(out, flow.NewSender(uint32(ssrc), uint8(payloadType&0x7F), uint32(increment), keep != 0))
}

//export tst_rtp_sender_packet
func tst_rtp_sender_packet(out *C.uint8_t, capacity C.size_t, id C.tst_rtp_sender, payloadType, flags, ts C.uint32_t, payload *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(payload, n)
	if err != nil {
		return status(err)
	}
	if len(b) > 1<<20 {
		return fail(tsterr.InvalidArg, "a payload of %d bytes: at most 1 MiB", len(b))
	}
	s, e, err := enter[*flow.Sender](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	t := uint32(ts)
	if flags&2 != 0 {
		t = s.Step()
	}
	var k C.size_t
	return status(give(out, capacity, &k, s.Packet(uint8(payloadType), flags&1 != 0, t, b)))
}

//export tst_rtp_sender_sent
func tst_rtp_sender_sent(out *C.uint8_t, capacity C.size_t, size *C.size_t, id C.tst_rtp_sender, seq C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	s, e, err := enter[*flow.Sender](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	return status(give(out, capacity, size, s.Sent(uint16(seq))))
}

//export tst_rtp_sender_step
func tst_rtp_sender_step(id C.tst_rtp_sender, frames, set C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	s, e, err := enter[*flow.Sender](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if set != 0 {
		s.Increment = uint32(set)
	}
	s.Timestamp += uint32(frames) * s.Increment
	return C.TST_OK
}

//export tst_rtp_sender_seek
func tst_rtp_sender_seek(id C.tst_rtp_sender, seq, ts C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	s, e, err := enter[*flow.Sender](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	s.Sequence, s.Timestamp = uint16(seq), uint32(ts)
	return C.TST_OK
}

//export tst_rtp_sender_state
func tst_rtp_sender_state(out *C.tst_sender_state, id C.tst_rtp_sender) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	s, e, err := enter[*flow.Sender](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	*out = C.tst_sender_state{
		ssrc: C.uint32_t(s.SSRC), sequence: C.uint32_t(s.Sequence), timestamp: C.uint32_t(s.Timestamp),
		increment: C.uint32_t(s.Increment), last_timestamp: C.uint32_t(s.Last), packets: C.uint64_t(s.Packets),
		octets: C.uint64_t(s.Octets),
	}
	return C.TST_OK
}

//export tst_rtp_sender_close
func tst_rtp_sender_close(id C.tst_rtp_sender) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*flow.Sender](id))
}

func dtmfOut(out *C.tst_dtmf_event, e flow.Event) {
	*out = C.tst_dtmf_event{code: C.uint8_t(e.Code), volume: C.uint8_t(e.Volume), key: C.uint8_t(e.Digit()[0]), duration: C.uint32_t(e.Duration)}
	if e.End {
		out.end = 1
	}
}

//export tst_dtmf_parse
func tst_dtmf_parse(out *C.tst_dtmf_event, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if err = need(out, "out"); err != nil {
		return status(err)
	}
	e, err := flow.ParseEvent(b)
	if err != nil {
		return status(err)
	}
	dtmfOut(out, e)
	return C.TST_OK
}

//export tst_dtmf_build
func tst_dtmf_build(out *C.uint8_t, capacity C.size_t, event *C.tst_cdtmf_event) (st C.tst_status) {
	defer guard(&st)
	if err := need(event, "event"); err != nil {
		return status(err)
	}
	e := flow.Event{Code: uint8(event.code), End: event.end != 0, Volume: uint8(event.volume), Duration: uint16(event.duration)} //nolint:gosec // 16 bits on the wire
	var k C.size_t
	return status(give(out, capacity, &k, e.Append(nil)))
}

//export tst_dtmf_press
func tst_dtmf_press(out *C.tst_dtmf_event, capacity C.size_t, count *C.size_t, digit *C.tst_cchar, n C.size_t, ms, volume, rate C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(count, "count"); err != nil {
		return status(err)
	}
	d, err := text(digit, n)
	if err != nil {
		return status(err)
	}
	if ms > 1<<24 || rate > 1<<20 {
		return fail(tsterr.InvalidArg, "a digit of %d ms at %d Hz", uint32(ms), uint32(rate))
	}
	list, err := flow.Events(d, int(ms), int(min(volume, 63)), int(rate))
	if err != nil {
		return status(err)
	}
	*count = C.size_t(len(list))
	if out == nil || int(min(capacity, maxInput)) < len(list) {
		return fail(tsterr.BufferTooSmall, "%d events", len(list))
	}
	for i, e := range list {
		dtmfOut(&unsafe.Slice(out, len(list))[i], e)
	}
	return C.TST_OK
}

//export tst_dtmf_receiver_open
func tst_dtmf_receiver_open(out *C.tst_dtmf_receiver) (st C.tst_status) {
	defer guard(&st)
	return add(out, &flow.EventReceiver{})
}

//export tst_dtmf_receiver_add
func tst_dtmf_receiver_add(event *C.tst_dtmf_event, ended *C.uint32_t, id C.tst_dtmf_receiver, ts C.uint32_t, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if event == nil || ended == nil {
		return fail(tsterr.InvalidArg, "event or ended is NULL")
	}
	r, e, err := enter[*flow.EventReceiver](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	*ended = 0
	if ev, ok := r.Add(uint32(ts), b); ok {
		*ended = 1
		dtmfOut(event, ev)
	}
	return C.TST_OK
}

//export tst_dtmf_receiver_close
func tst_dtmf_receiver_close(id C.tst_dtmf_receiver) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*flow.EventReceiver](id))
}

func videoCodec(codec C.uint32_t) (rtpvideo.Codec, error) {
	if codec > C.TST_RTPVIDEO_VP9 {
		return 0, tsterr.New(tsterr.InvalidArg, "no video codec %d", uint32(codec))
	}
	return rtpvideo.Codec(codec), nil
}

//export tst_rtpvideo_packetize
func tst_rtpvideo_packetize(out *C.uint8_t, capacity C.size_t, size *C.size_t, pieces *C.tst_piece, piecesCap C.size_t, count *C.size_t,
	codec C.uint32_t, unit *C.tst_cu8, n, mtu C.size_t, key C.uint32_t,
) (st C.tst_status) {
	defer guard(&st)
	b, err := input(unit, n)
	if err != nil {
		return status(err)
	}
	c, err := videoCodec(codec)
	if err != nil {
		return status(err)
	}
	if mtu < rtpvideo.MinMTU || mtu > 1<<16 || len(b) > rtpvideo.MaxFrame {
		return fail(tsterr.InvalidArg, "a unit of %d bytes, payloads of %d: at least %d", len(b), uint64(mtu), rtpvideo.MinMTU)
	}
	data, ends := rtpvideo.Packetize(c, nil, nil, b, int(mtu), key != 0)
	at := 0
	list := make([]C.tst_piece, len(ends))
	for i, end := range ends {
		list[i] = C.tst_piece{off: C.uint32_t(at), len: C.uint32_t(end - at)} //nolint:gosec // bounded above
		at = end
	}
	return givePieces(out, capacity, size, pieces, piecesCap, count, data, list)
}

// givePieces hands over a buffer and where its parts lie.
func givePieces(out *C.uint8_t, capacity C.size_t, size *C.size_t, pieces *C.tst_piece, piecesCap C.size_t, count *C.size_t,
	data []byte, list []C.tst_piece,
) C.tst_status {
	if err := need(count, "count"); err != nil {
		return status(err)
	}
	*count = C.size_t(len(list))
	if err := give(out, capacity, size, data); err != nil {
		return status(err)
	}
	if len(list) == 0 {
		return C.TST_OK
	}
	if pieces == nil || int(min(piecesCap, maxInput)) < len(list) {
		return fail(tsterr.BufferTooSmall, "%d pieces", len(list))
	}
	copy(unsafe.Slice(pieces, len(list)), list)
	return C.TST_OK
}

//export tst_rtpvideo_is_key
func tst_rtpvideo_is_key(codec C.uint32_t, data *C.tst_cu8, n C.size_t) C.int32_t {
	b, err := input(data, n)
	if err != nil {
		return 0
	}
	is := false
	switch codec {
	case C.TST_RTPVIDEO_H264:
		is = rtpvideo.IsKeyNAL(b)
	case C.TST_RTPVIDEO_VP8:
		is = rtpvideo.IsKeyVP8(b)
	case C.TST_RTPVIDEO_VP9:
		is = rtpvideo.IsKeyVP9(b)
	}
	if is {
		return 1
	}
	return 0
}

// depacketizer is what a handle of one holds: the last units are kept for a caller whose room was too small.
type depacketizer struct {
	d     rtpvideo.Depacketizer
	data  []byte
	units []C.tst_piece
}

//export tst_depacketizer_open
func tst_depacketizer_open(out *C.tst_depacketizer, codec C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	c, err := videoCodec(codec)
	if err != nil {
		return status(err)
	}
	return add(out, &depacketizer{d: rtpvideo.NewDepacketizer(c)})
}

//export tst_depacketizer_feed
func tst_depacketizer_feed(out *C.uint8_t, capacity C.size_t, size *C.size_t, pieces *C.tst_piece, piecesCap C.size_t, count *C.size_t,
	id C.tst_depacketizer, payload *C.tst_cu8, n C.size_t, marker C.uint32_t,
) (st C.tst_status) {
	defer guard(&st)
	b, err := input(payload, n)
	if err != nil {
		return status(err)
	}
	d, e, err := enter[*depacketizer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	d.data, d.units = d.data[:0], d.units[:0]
	for _, u := range d.d.Feed(b, marker != 0) {
		p := C.tst_piece{off: C.uint32_t(len(d.data)), len: C.uint32_t(len(u.Data))} //nolint:gosec // bounded by MaxFrame
		if u.Key {
			p.key = 1
		}
		d.data, d.units = append(d.data, u.Data...), append(d.units, p)
	}
	return givePieces(out, capacity, size, pieces, piecesCap, count, d.data, d.units)
}

//export tst_depacketizer_again
func tst_depacketizer_again(out *C.uint8_t, capacity C.size_t, size *C.size_t, pieces *C.tst_piece, piecesCap C.size_t, count *C.size_t,
	id C.tst_depacketizer,
) (st C.tst_status) {
	defer guard(&st)
	d, e, err := enter[*depacketizer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	return givePieces(out, capacity, size, pieces, piecesCap, count, d.data, d.units)
}

//export tst_depacketizer_reset
func tst_depacketizer_reset(id C.tst_depacketizer) (st C.tst_status) {
	defer guard(&st)
	d, e, err := enter[*depacketizer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	d.d.Reset()
	return C.TST_OK
}

//export tst_depacketizer_close
func tst_depacketizer_close(id C.tst_depacketizer) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*depacketizer](id))
}
