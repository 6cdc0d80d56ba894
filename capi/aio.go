package main

/*
#include "detail.h"
#include "aio_shared.h"
*/
import "C"

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/aio"
	"github.com/tstrans/tstrans/core/rtp/rtpvideo"
	"github.com/tstrans/tstrans/core/tsterr"
)

// aioEngine is the process's one engine: its ring of posts is, too.
var aioEngine = sync.OnceValues(func() (*aio.Engine, error) {
	e, err := aio.NewEngine()
	if err == nil {
		C.tsti_aio_ring(e.Shared())
	}
	return e, err
})

type aioHub struct {
	e *aio.Engine
	h *aio.Hub
}

// Close frees the hub.
func (h *aioHub) Close() error { h.e.CloseHub(h.h); return nil }

//export tst_aio_hub_open
func tst_aio_hub_open(out *C.tst_aio_hub, fd *C.int32_t, memory *C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	if fd == nil || memory == nil {
		return fail(tsterr.InvalidArg, "fd or memory is NULL")
	}
	e, err := aioEngine()
	if err != nil {
		return status(err)
	}
	h, err := e.NewHub()
	if err != nil {
		return status(err)
	}
	*fd, *memory = C.int32_t(h.FD()), C.uint64_t(uintptr(h.Memory())) //nolint:gosec // a descriptor
	return add(out, &aioHub{e, h})
}

//export tst_aio_hub_close
func tst_aio_hub_close(id C.tst_aio_hub) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*aioHub](id))
}

// addressOf reads a pair of parameters.
func addressOf(r *configReader, ipKey, portKey string) (a netip.AddrPort) {
	var ip string
	var port uint16
	r.text(ipKey, &ip)
	integer(r, portKey, &port, 0, 65535, "")
	if ip == "" || r.err != nil {
		return a
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		r.fault(ipKey, "%q is no IP address", ip)
		return a
	}
	return netip.AddrPortFrom(addr, port)
}

func aioConfig(r *configReader) (cfg aio.Config, err error) {
	cfg = aio.Config{
		SSRC: rand.Uint32(), ClockRate: 8000, CNAME: "aiortp", Capacity: 16, Prefetch: 4, DTMFType: 101, NoiseType: 13, //nolint:gosec // no secret
		MaxDelayMS: 200, FrameStep: 3000,
	}
	r.boolean("video", &cfg.Video)
	cfg.Local = addressOf(r, "local_ip", "local_port")
	cfg.Remote = addressOf(r, "remote_ip", "remote_port")
	var control *int
	optional(r, "rtcp_port", &control, 0, 65535, "")
	if control != nil {
		cfg.LocalRTCP = netip.AddrPortFrom(cfg.Local.Addr(), uint16(*control)) //nolint:gosec // bounded
	}
	integer(r, "payload_type", &cfg.PayloadType, 0, 127, "")
	integer(r, "ssrc", &cfg.SSRC, 0, 1<<32-1, "")
	integer(r, "clock_rate", &cfg.ClockRate, 1, 1<<20, "Hz")
	r.text("cname", &cfg.CNAME)
	ms := int64(5000)
	integer(r, "rtcp_interval_ms", &ms, 0, 1<<31-1, "ms")
	cfg.RTCPInterval = time.Duration(ms) * time.Millisecond
	r.boolean("nack", &cfg.NACK)
	r.boolean("duplicate", &cfg.Duplicate)
	r.boolean("symmetric", &cfg.Symmetric)
	integer(r, "capacity", &cfg.Capacity, 1, 1<<14, "packets")
	integer(r, "prefetch", &cfg.Prefetch, -1<<31, 1<<31-1, "frames")
	r.boolean("as_reference", &cfg.AsReference)
	r.boolean("foreign", &cfg.Foreign)
	integer(r, "rate", &cfg.SampleRate, 1, 1<<20, "Hz")
	integer(r, "frame_samples", &cfg.FrameSamples, 1, 1<<16, "samples")
	integer(r, "dtmf_type", &cfg.DTMFType, -1, 127, "")
	r.boolean("skip_gaps", &cfg.SkipGaps)
	r.boolean("conceal", &cfg.Conceal)
	r.boolean("playout", &cfg.Playout)
	r.boolean("paced", &cfg.Paced)
	integer(r, "max_delay_ms", &cfg.MaxDelayMS, 1, 60000, "ms")
	r.boolean("noise", &cfg.NoiseSend)
	integer(r, "noise_type", &cfg.NoiseType, -1, 127, "")
	var vc int
	integer(r, "video_codec", &vc, 0, 2, "")
	cfg.VideoCodec = rtpvideo.Codec(vc) //nolint:gosec // bounded
	integer(r, "frame_step", &cfg.FrameStep, 0, 1<<31-1, "")
	codec := -1
	integer(r, "codec", &codec, -1, 4, "")
	if (cfg.Playout || cfg.Paced) && cfg.FrameSamples == 0 {
		r.fault("frame_samples", "playout and pacing need the codec's rate and frame")
	}
	if codec < 0 {
		return cfg, r.done()
	}
	cfg.Codec, err = openCodec(C.uint32_t(codec), r)
	return cfg, err
}

//export tst_aio_open
func tst_aio_open(out *C.tst_aio_session, lane *C.uint64_t, id C.tst_config, hubID C.tst_aio_hub) (st C.tst_status) {
	defer guard(&st)
	if err := need(lane, "lane"); err != nil {
		return status(err)
	}
	var hub *aio.Hub
	if hubID != 0 {
		h, err := share[*aioHub](hubID)
		if err != nil {
			return status(err)
		}
		hub = h.h
	}
	cfg, err := aioConfig(readConfig(id, tsterr.InvalidArg))
	if err != nil {
		return status(err)
	}
	e, err := aioEngine()
	if err != nil {
		return status(err)
	}
	s, err := e.Open(cfg, hub)
	if err != nil {
		return status(err)
	}
	*lane = C.uint64_t(s.Lane())
	return add(out, s)
}

//export tst_aio_flush
func tst_aio_flush(id C.tst_aio_session) (st C.tst_status) {
	defer guard(&st)
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	return status(s.Flush())
}

//export tst_aio_press
func tst_aio_press(id C.tst_aio_session, digit *C.tst_cchar, n C.size_t, ms, ts C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	d, err := text(digit, n)
	if err != nil {
		return status(err)
	}
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	return status(s.Press(d, int(min(ms, 1<<24)), uint32(ts)))
}

//export tst_aio_queued
func tst_aio_queued(out *C.size_t, id C.tst_aio_session) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	n, err := s.Queued()
	*out = C.size_t(n) //nolint:gosec // not negative
	return status(err)
}

//export tst_aio_send_frame
func tst_aio_send_frame(ts *C.uint32_t, id C.tst_aio_session, data *C.tst_cu8, n C.size_t, sizes *C.tst_cu32, count C.size_t,
	stamp, key C.uint32_t,
) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	if ts == nil || count > 1<<16 || count > 0 && sizes == nil {
		return fail(tsterr.InvalidArg, "timestamp or sizes are missing, or there are too many")
	}
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	got, err := s.SendFrame(b, unsafe.Slice((*uint32)(unsafe.Pointer(sizes)), int(count)), uint32(*ts), stamp != 0, key != 0)
	*ts = C.uint32_t(got)
	return status(err)
}

//export tst_aio_request_keyframe
func tst_aio_request_keyframe(id C.tst_aio_session) (st C.tst_status) {
	defer guard(&st)
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	return status(s.RequestKeyframe())
}

//export tst_aio_set_passthrough
func tst_aio_set_passthrough(id C.tst_aio_session, on C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	return status(s.SetPassthrough(on != 0))
}

//export tst_aio_update_remote
func tst_aio_update_remote(id C.tst_aio_session, ip *C.tst_cchar, n C.size_t, port C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	t, err := text(ip, n)
	if err != nil {
		return status(err)
	}
	a, err := netip.ParseAddr(t)
	if err != nil || port > 65535 {
		return fail(tsterr.InvalidArg, "%q port %d is no address", t, uint32(port))
	}
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	return status(s.UpdateRemote(netip.AddrPortFrom(a, uint16(port))))
}

//export tst_aio_local
func tst_aio_local(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_aio_session) (st C.tst_status) {
	defer guard(&st)
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	media, control := s.Local()
	t := fmt.Sprintf("%s %d %s %d", media.Addr(), media.Port(), control.Addr(), control.Port())
	return status(give(out, capacity, n, []byte(t)))
}

//export tst_aio_get_stats
func tst_aio_get_stats(out *C.tst_aio_stats, id C.tst_aio_session) (st C.tst_status) {
	defer guard(&st)
	if out == nil || out.struct_size < C.uint32_t(unsafe.Sizeof(*out)) {
		return fail(tsterr.InvalidArg, "out is NULL or its struct_size too small")
	}
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	g, err := s.Stats()
	if err != nil {
		return status(err)
	}
	flag := func(b bool) C.uint32_t {
		if b {
			return 1
		}
		return 0
	}
	out.ssrc, out.packets_sent, out.octets_sent = C.uint32_t(g.SSRC), C.uint64_t(g.Sent), C.uint64_t(g.Octets)
	out.heard, out.jitter, out.packets_received = flag(g.Heard), C.uint32_t(g.Jitter), C.uint64_t(g.Received)
	out.packets_lost, out.reported = C.int32_t(g.Lost), flag(g.Reported)
	out.remote_fraction_lost, out.remote_packets_lost = C.uint32_t(g.RemoteFraction), C.int32_t(g.RemoteLost)
	out.remote_jitter = C.uint32_t(g.RemoteJitter)
	out.concealed_frames, out.queue_depth = C.uint64_t(g.Concealed), C.uint64_t(g.QueueDepth)
	out.paced_sent, out.empty_ticks, out.cn_sent = C.uint64_t(g.Paced), C.uint64_t(g.EmptyTicks), C.uint64_t(g.NoiseSent)
	out.late_dropped, out.expansions = C.uint64_t(g.Playout.LateDropped), C.uint64_t(g.Playout.Expansions)
	out.accelerations, out.underrun_suspensions = C.uint64_t(g.Playout.Accelerations), C.uint64_t(g.Playout.Suspensions)
	out.cn_frames = C.uint64_t(g.Playout.Noise)
	out.playout_delay_ms, out.playout_target_ms = C.double(g.DelayMS), C.double(g.TargetMS)
	out.malformed, out.oversize, out.unsent = C.uint64_t(g.Malformed), C.uint64_t(g.Oversize), C.uint64_t(g.Unsent)
	out.records_dropped, out.decode_errors = C.uint64_t(g.Dropped), C.uint64_t(g.DecodeErrors)
	out.queue_dropped, out.source_changes = C.uint64_t(g.QueueDropped), C.uint64_t(g.SourceChanges)
	return C.TST_OK
}

//export tst_aio_end
func tst_aio_end(id C.tst_aio_session) (st C.tst_status) {
	defer guard(&st)
	s, err := share[*aio.Session](id)
	if err != nil {
		return status(err)
	}
	return status(s.Close())
}

//export tst_aio_close
func tst_aio_close(id C.tst_aio_session) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*aio.Session](id))
}
