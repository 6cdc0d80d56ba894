package main

/*
#include "detail.h"

_Static_assert(sizeof(tst_rtcp_entry) == 64, "the entry layout is pinned");
_Static_assert(sizeof(tst_rtp_packet) == 96, "the packet layout is pinned");
*/
import "C"

import (
	"net/netip"
	"unsafe"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/flow"
	"github.com/tstrans/tstrans/core/rtp/rtcp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// offsetIn tells where a part of b begins.
func offsetIn(b, part []byte) C.uint32_t {
	if len(part) == 0 {
		return 0
	}
	return C.uint32_t(uintptr(unsafe.Pointer(&part[0])) - uintptr(unsafe.Pointer(&b[0]))) //nolint:gosec // part is of b
}

//export tst_rtp_parse
func tst_rtp_parse(out *C.tst_rtp_packet, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	var room [15]uint32
	w := rtp.Wire{CSRC: room[:0]}
	if err := w.Unmarshal(b); err != nil {
		return status(err)
	}
	out.marker = 0
	if w.Marker {
		out.marker = 1
	}
	out.payload_type, out.csrc_count, out.padding_len = C.uint8_t(w.PayloadType), C.uint8_t(len(w.CSRC)), C.uint8_t(w.Padding)
	out.sequence, out.extension_profile = C.uint16_t(w.Sequence), C.uint16_t(w.ExtensionProfile)
	out.timestamp, out.ssrc = C.uint32_t(w.Timestamp), C.uint32_t(w.SSRC)
	out.payload_off, out.payload_len = C.uint32_t(n)-C.uint32_t(w.Padding)-C.uint32_t(len(w.Payload)), C.uint32_t(len(w.Payload))
	out.extension_off, out.extension_len = offsetIn(b, w.Extension), C.uint32_t(len(w.Extension))
	out.has_extension = 0
	if w.Extension != nil {
		out.has_extension = 1
	}
	for i, c := range w.CSRC {
		out.csrc[i] = C.uint32_t(c)
	}
	return C.TST_OK
}

//export tst_rtp_build
func tst_rtp_build(out *C.uint8_t, capacity C.size_t, size *C.size_t, p *C.tst_crtp_packet, payload *C.tst_cu8, n C.size_t,
	ext *C.tst_cu8, extLen C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	if p == nil || size == nil {
		return fail(tsterr.InvalidArg, "packet or len is NULL")
	}
	body, err := input(payload, n)
	if err != nil {
		return status(err)
	}
	x, err := input(ext, extLen)
	if err != nil {
		return status(err)
	}
	room, err := output(out, capacity)
	if err != nil {
		return status(err)
	}
	if p.csrc_count > 15 {
		return fail(tsterr.InvalidArg, "%d contributing sources: at most 15", p.csrc_count)
	}
	var sources [15]uint32
	for i := range p.csrc {
		sources[i] = uint32(p.csrc[i])
	}
	w := rtp.Wire{
		Packet: rtp.Packet{
			Marker: p.marker != 0, PayloadType: uint8(p.payload_type), Sequence: uint16(p.sequence),
			Timestamp: uint32(p.timestamp), SSRC: uint32(p.ssrc), Payload: body,
		},
		CSRC: sources[:p.csrc_count], ExtensionProfile: uint16(p.extension_profile), Padding: int(p.padding_len),
	}
	if p.has_extension != 0 {
		if w.Extension = x; x == nil {
			w.Extension = []byte{}
		}
	}
	k, err := w.MarshalTo(room)
	*size = C.size_t(k)
	return status(err)
}

//export tst_rtp_elements
func tst_rtp_elements(out *C.tst_rtp_element, capacity C.size_t, count *C.size_t, profile C.uint32_t, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if err = need(count, "count"); err != nil {
		return status(err)
	}
	var room [32]rtp.Element
	list, err := rtp.Elements(room[:0], uint16(profile), b)
	if err != nil {
		return status(err)
	}
	*count = C.size_t(len(list))
	if capacity > maxInput || out == nil || int(capacity) < len(list) {
		if len(list) == 0 {
			return C.TST_OK
		}
		return fail(tsterr.BufferTooSmall, "%d elements", len(list))
	}
	for i, e := range list {
		o := &unsafe.Slice(out, int(capacity))[i]
		o.id, o.off, o.len, o.number = C.uint32_t(e.ID), offsetIn(b, e.Value), C.uint32_t(len(e.Value)), 0
		for _, c := range e.Value[:min(4, len(e.Value))] {
			o.number = o.number<<8 | C.uint32_t(c)
		}
	}
	return C.TST_OK
}

//export tst_rtp_build_elements
func tst_rtp_build_elements(out *C.uint8_t, capacity C.size_t, size *C.size_t, profile *C.uint32_t, elements *C.tst_crtp_element,
	count C.size_t, data *C.tst_cu8, n C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if profile == nil || count > 1<<16 || count > 0 && elements == nil {
		return fail(tsterr.InvalidArg, "profile or elements are missing")
	}
	list := make([]rtp.Element, count)
	for i, e := range unsafe.Slice(elements, int(count)) {
		if e.id > 255 || uint64(e.off)+uint64(e.len) > uint64(len(b)) {
			return fail(tsterr.InvalidArg, "element %d of %d bytes at %d", e.id, e.len, e.off)
		}
		list[i] = rtp.Element{ID: uint8(e.id), Value: b[e.off : e.off+e.len]}
	}
	p, x, err := rtp.AppendElements(nil, list)
	if err != nil {
		return status(err)
	}
	*profile = C.uint32_t(p)
	return status(give(out, capacity, size, x))
}

// rtcpEntries spreads packets over entries.
func rtcpEntries(b []byte, packets []rtcp.Packet) (out []C.tst_rtcp_entry) {
	for i := range packets {
		p := &packets[i]
		out = append(out, C.tst_rtcp_entry{
			kind: C.TST_RTCP_PACKET, _type: C.uint8_t(p.Type), format: C.uint8_t(p.Format), ssrc: C.uint32_t(p.SSRC),
			ntp: C.uint64_t(p.NTP), media: C.uint32_t(p.Media), rtp: C.uint32_t(p.RTP), packets: C.uint32_t(p.Packets),
			octets: C.uint32_t(p.Octets), off: offsetIn(b, p.FCI), len: C.uint32_t(len(p.FCI)),
		})
		for _, r := range p.Reports {
			out = append(out, C.tst_rtcp_entry{
				kind: C.TST_RTCP_REPORT, ssrc: C.uint32_t(r.SSRC), fraction_lost: C.uint8_t(r.FractionLost),
				lost: C.int32_t(r.Lost), highest: C.uint32_t(r.Highest), jitter: C.uint32_t(r.Jitter), lsr: C.uint32_t(r.LSR),
				dlsr: C.uint32_t(r.DLSR),
			})
		}
		for _, c := range p.Chunks {
			out = append(out, C.tst_rtcp_entry{kind: C.TST_RTCP_CHUNK, ssrc: C.uint32_t(c.SSRC)})
			for _, it := range c.Items {
				out = append(out, C.tst_rtcp_entry{
					kind: C.TST_RTCP_ITEM, _type: C.uint8_t(it.Type), off: offsetIn(b, it.Text), len: C.uint32_t(len(it.Text)),
				})
			}
		}
		for _, s := range p.Sources {
			out = append(out, C.tst_rtcp_entry{kind: C.TST_RTCP_SOURCE, ssrc: C.uint32_t(s)})
		}
		for _, l := range p.Lost {
			out = append(out, C.tst_rtcp_entry{kind: C.TST_RTCP_LOST, highest: C.uint32_t(l)})
		}
	}
	return out
}

//export tst_rtcp_parse
func tst_rtcp_parse(out *C.tst_rtcp_entry, capacity C.size_t, count *C.size_t, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if err = need(count, "count"); err != nil {
		return status(err)
	}
	packets, err := rtcp.Unmarshal(nil, b)
	if err != nil {
		return status(err)
	}
	list := rtcpEntries(b, packets)
	*count = C.size_t(len(list))
	if len(list) == 0 {
		return C.TST_OK
	}
	if out == nil || int(min(capacity, maxInput)) < len(list) {
		return fail(tsterr.BufferTooSmall, "%d entries", len(list))
	}
	copy(unsafe.Slice(out, int(capacity)), list)
	return C.TST_OK
}

// rtcpPackets gathers packets from entries.
func rtcpPackets(b []byte, entries []C.tst_rtcp_entry) ([]rtcp.Packet, error) {
	var out []rtcp.Packet
	for i := range entries {
		e := &entries[i]
		if uint64(e.off)+uint64(e.len) > uint64(len(b)) {
			return nil, tsterr.New(tsterr.InvalidArg, "entry %d: %d bytes at %d of %d", i, e.len, e.off, len(b))
		}
		text := b[e.off : e.off+e.len]
		if e.kind == C.TST_RTCP_PACKET {
			out = append(out, rtcp.Packet{
				Type: uint8(e._type), Format: uint8(e.format), SSRC: uint32(e.ssrc), Media: uint32(e.media), NTP: uint64(e.ntp),
				RTP: uint32(e.rtp), Packets: uint32(e.packets), Octets: uint32(e.octets), FCI: text,
			})
			continue
		}
		if len(out) == 0 {
			return nil, tsterr.New(tsterr.InvalidArg, "entry %d belongs to no packet", i)
		}
		p := &out[len(out)-1]
		switch e.kind {
		case C.TST_RTCP_REPORT:
			p.Reports = append(p.Reports, rtcp.Report{
				SSRC: uint32(e.ssrc), FractionLost: uint8(e.fraction_lost), Lost: int32(e.lost), Highest: uint32(e.highest),
				Jitter: uint32(e.jitter), LSR: uint32(e.lsr), DLSR: uint32(e.dlsr),
			})
		case C.TST_RTCP_CHUNK:
			p.Chunks = append(p.Chunks, rtcp.Chunk{SSRC: uint32(e.ssrc)})
		case C.TST_RTCP_ITEM:
			if len(p.Chunks) == 0 {
				return nil, tsterr.New(tsterr.InvalidArg, "entry %d belongs to no chunk", i)
			}
			c := &p.Chunks[len(p.Chunks)-1]
			c.Items = append(c.Items, rtcp.Item{Type: uint8(e._type), Text: text})
		case C.TST_RTCP_SOURCE:
			p.Sources = append(p.Sources, uint32(e.ssrc))
		case C.TST_RTCP_LOST:
			p.Lost = append(p.Lost, uint16(e.highest)) //nolint:gosec // a sequence number
		default:
			return nil, tsterr.New(tsterr.InvalidArg, "entry %d: kind %d", i, e.kind)
		}
	}
	return out, nil
}

//export tst_rtcp_build
func tst_rtcp_build(out *C.uint8_t, capacity C.size_t, size *C.size_t, entries *C.tst_crtcp_entry, count C.size_t, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if count > 1<<16 || count > 0 && entries == nil {
		return fail(tsterr.InvalidArg, "%d entries", uint64(count))
	}
	packets, err := rtcpPackets(b, unsafe.Slice(entries, int(count)))
	if err != nil {
		return status(err)
	}
	var x []byte
	for i := range packets {
		if x, err = packets[i].Marshal(x); err != nil {
			return status(err)
		}
	}
	return status(give(out, capacity, size, x))
}

// jitter is what a handle of a jitter buffer holds.
type jitter struct {
	j    *flow.JitterBuffer
	last *flow.Frame
	key  bool
}

//export tst_jitter_open
func tst_jitter_open(out *C.tst_jitter, id C.tst_config) (st C.tst_status) {
	defer guard(&st)
	var cfg flow.JitterConfig
	r := readConfig(id, tsterr.InvalidArg)
	integer(r, "capacity", &cfg.Capacity, 0, flow.MaxCapacity, "packets")
	integer(r, "prefetch", &cfg.Prefetch, -1<<31, 1<<31-1, "frames")
	r.boolean("video", &cfg.Video)
	r.boolean("skip_gaps", &cfg.SkipGaps)
	r.boolean("keep_held", &cfg.KeepHeld)
	r.boolean("wait_lost", &cfg.WaitForLost)
	if err := r.done(); err != nil {
		return status(err)
	}
	j, err := flow.NewJitterBuffer(cfg)
	if err != nil {
		return status(err)
	}
	return add(out, &jitter{j: j})
}

// jittered runs one operation on a jitter buffer and gives its frame.
func jittered(frame *C.tst_jitter_frame, data *C.uint8_t, capacity C.size_t, id C.tst_jitter, op func(*jitter) (bool, *flow.Frame)) C.tst_status {
	if err := need(frame, "frame"); err != nil {
		return status(err)
	}
	j, e, err := enter[*jitter](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	j.key, j.last = op(j)
	*frame = C.tst_jitter_frame{}
	if j.key {
		frame.want_key = 1
	}
	if j.last == nil {
		return C.TST_OK
	}
	frame.present, frame.timestamp, frame.lost = 1, C.uint32_t(j.last.Timestamp), C.uint32_t(j.last.Lost)
	frame.len = C.uint32_t(len(j.last.Data))
	var n C.size_t
	return status(give(data, capacity, &n, j.last.Data))
}

//export tst_jitter_add
func tst_jitter_add(frame *C.tst_jitter_frame, data *C.uint8_t, capacity C.size_t, id C.tst_jitter, seq, ts, marker C.uint32_t, payload *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(payload, n)
	if err != nil {
		return status(err)
	}
	if len(b) > 1<<16 {
		return fail(tsterr.InvalidArg, "a payload of %d bytes: at most 65536", len(b))
	}
	return jittered(frame, data, capacity, id, func(j *jitter) (bool, *flow.Frame) {
		return j.j.Add(uint16(seq), uint32(ts), marker != 0, b)
	})
}

//export tst_jitter_other
func tst_jitter_other(frame *C.tst_jitter_frame, data *C.uint8_t, capacity C.size_t, id C.tst_jitter, seq C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	return jittered(frame, data, capacity, id, func(j *jitter) (bool, *flow.Frame) { return false, j.j.MarkOther(uint16(seq)) })
}

//export tst_jitter_next
func tst_jitter_next(frame *C.tst_jitter_frame, data *C.uint8_t, capacity C.size_t, id C.tst_jitter) (st C.tst_status) {
	defer guard(&st)
	return jittered(frame, data, capacity, id, func(j *jitter) (bool, *flow.Frame) { return false, j.j.Next() })
}

//export tst_jitter_expire
func tst_jitter_expire(frame *C.tst_jitter_frame, data *C.uint8_t, capacity C.size_t, id C.tst_jitter) (st C.tst_status) {
	defer guard(&st)
	return jittered(frame, data, capacity, id, func(j *jitter) (bool, *flow.Frame) { return j.j.Expire() })
}

//export tst_jitter_drain
func tst_jitter_drain(frame *C.tst_jitter_frame, data *C.uint8_t, capacity C.size_t, id C.tst_jitter) (st C.tst_status) {
	defer guard(&st)
	return jittered(frame, data, capacity, id, func(j *jitter) (bool, *flow.Frame) { return false, j.j.Drain() })
}

//export tst_jitter_again
func tst_jitter_again(frame *C.tst_jitter_frame, data *C.uint8_t, capacity C.size_t, id C.tst_jitter) (st C.tst_status) {
	defer guard(&st)
	return jittered(frame, data, capacity, id, func(j *jitter) (bool, *flow.Frame) { return j.key, j.last })
}

//export tst_jitter_remove
func tst_jitter_remove(all *C.uint32_t, id C.tst_jitter, count C.size_t, smart C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	j, e, err := enter[*jitter](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	k := int(min(count, flow.MaxCapacity))
	gone := false
	if smart != 0 {
		gone = j.j.SmartRemove(k)
	} else {
		j.j.Remove(k)
	}
	if all != nil {
		*all = 0
		if gone {
			*all = 1
		}
	}
	return C.TST_OK
}

//export tst_jitter_reset
func tst_jitter_reset(id C.tst_jitter) (st C.tst_status) {
	defer guard(&st)
	j, e, err := enter[*jitter](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	j.j.Reset()
	return C.TST_OK
}

//export tst_jitter_close
func tst_jitter_close(id C.tst_jitter) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*jitter](id))
}

//export tst_datagram_kind
func tst_datagram_kind(data *C.tst_cu8, n C.size_t) C.int32_t {
	b, err := input(data, n)
	switch {
	case err != nil:
		return C.TST_DATAGRAM_RTP
	case rtp.IsSTUN(b):
		return C.TST_DATAGRAM_STUN
	case rtcp.Is(b):
		return C.TST_DATAGRAM_RTCP
	}
	return C.TST_DATAGRAM_RTP
}

//export tst_stun_answer
func tst_stun_answer(out *C.uint8_t, capacity C.size_t, size *C.size_t, data *C.tst_cu8, n C.size_t, ip *C.tst_cchar, ipLen C.size_t, port C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	s, err := text(ip, ipLen)
	if err != nil {
		return status(err)
	}
	a, err := netip.ParseAddr(s)
	if err != nil || port > 0xFFFF {
		return fail(tsterr.InvalidArg, "%q port %d is no address", s, uint32(port))
	}
	return status(give(out, capacity, size, rtp.AppendSTUNAnswer(nil, b, netip.AddrPortFrom(a, uint16(port)))))
}
