package main

/*
#include "detail.h"

_Static_assert(sizeof(tst_rtc_event) == 64, "the event layout is pinned");
*/
import "C"

import (
	"math"
	"strings"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/tsterr"
	"github.com/tstrans/tstrans/core/webrtc"
)

// rtcHub is what a tst_rtc_hub handle stands for.
type rtcHub struct{ h *webrtc.Hub }

// Close ends every connection.
func (x *rtcHub) Close() error {
	x.h.Close()
	return nil
}

// rtcPeer is what a tst_rtc_peer handle stands for.
type rtcPeer struct{ p *webrtc.Peer }

// Close ends the connection; the caller need not wait for it.
func (x *rtcPeer) Close() error {
	go x.p.Close(0)
	return nil
}

//export tst_rtc_hub_open
func tst_rtc_hub_open(out *C.tst_rtc_hub) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	h, err := webrtc.NewHub()
	if err != nil {
		return status(err)
	}
	id, err := handles.add(&rtcHub{h})
	if err != nil {
		h.Close()
		return status(err)
	}
	*out = C.tst_rtc_hub(id)
	return C.TST_OK
}

//export tst_rtc_hub_fd
func tst_rtc_hub_fd(out *C.int32_t, id C.tst_rtc_hub) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	x, err := share[*rtcHub](id)
	if err != nil {
		return status(err)
	}
	*out = C.int32_t(x.h.FD())
	return C.TST_OK
}

//export tst_rtc_hub_read
func tst_rtc_hub_read(events *C.tst_rtc_event, capacity C.size_t, n *C.size_t, arena *C.uint8_t, arenaCap C.size_t, id C.tst_rtc_hub) (st C.tst_status) {
	defer guard(&st)
	if err := need(n, "n"); err != nil {
		return status(err)
	}
	*n = 0
	if capacity == 0 || capacity > 1<<20 || events == nil {
		return fail(tsterr.InvalidArg, "room for %d events", uint64(capacity))
	}
	mem, err := output(arena, arenaCap)
	if err != nil {
		return status(err)
	}
	x, e, err := enter[*rtcHub](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	out := unsafe.Slice(events, int(capacity))
	count, at, needed, over := 0, 0, 0, false
	x.h.Read(func(v *webrtc.Event) bool {
		if over || count == len(out) {
			return false
		}
		if len(v.Data) > len(mem)-at {
			needed = len(v.Data)
			return false
		}
		copy(mem[at:], v.Data)
		out[count] = C.tst_rtc_event{
			kind: C.uint32_t(v.Kind), code: C.uint32_t(v.Code), peer: C.uint64_t(v.Peer), object: C.uint64_t(v.Object),
			value: C.int64_t(v.Value), flags: C.uint32_t(v.Flags), clock: C.uint32_t(v.Clock), offset: C.uint32_t(at), len: C.uint32_t(len(v.Data)),
		}
		at += len(v.Data)
		count++
		over = v.Kind == webrtc.EventDone // what waits for it comes before what follows
		return true
	})
	*n = C.size_t(count)
	if count == 0 && needed > 0 {
		return status(tsterr.New(tsterr.BufferTooSmall, "the next event has %d bytes", needed).With("needed", int64(needed)))
	}
	return C.TST_OK
}

//export tst_rtc_hub_close
func tst_rtc_hub_close(id C.tst_rtc_hub) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*rtcHub](id))
}

//export tst_rtc_peer_open
func tst_rtc_peer_open(out *C.tst_rtc_peer, hub C.tst_rtc_hub, config C.tst_config, number C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	x, err := share[*rtcHub](hub)
	if err != nil {
		return status(err)
	}
	var cfg webrtc.Config
	var servers string
	var ms int64
	r := readConfig(config, tsterr.InvalidArg)
	r.text("ice_servers", &servers)
	r.boolean("relay_only", &cfg.RelayOnly)
	r.boolean("always_data", &cfg.AlwaysData)
	r.boolean("loopback", &cfg.Loopback)
	integer(r, "failed_after_ms", &ms, 100, math.MaxInt32, "ms")
	cfg.FailedAfter = time.Duration(ms) * time.Millisecond
	if err = r.done(); err != nil {
		return status(err)
	}
	for _, line := range strings.Split(servers, "\n") {
		f := append(strings.Split(line, "\t"), "", "")
		if f[0] != "" {
			cfg.Servers = append(cfg.Servers, webrtc.Server{URL: f[0], User: f[1], Password: f[2]})
		}
	}
	p, err := webrtc.NewPeer(x.h, uint64(number), cfg)
	if err != nil {
		return status(err)
	}
	id, err := handles.add(&rtcPeer{p})
	if err != nil {
		go p.Close(0)
		return status(err)
	}
	*out = C.tst_rtc_peer(id)
	return C.TST_OK
}

//export tst_rtc_peer_end
func tst_rtc_peer_end(id C.tst_rtc_peer, operation C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	go x.p.Close(uint64(operation))
	return C.TST_OK
}

//export tst_rtc_peer_close
func tst_rtc_peer_close(id C.tst_rtc_peer) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*rtcPeer](id))
}

func mediaKind(k C.uint32_t) (webrtc.Kind, error) {
	if k > C.TST_RTC_VIDEO {
		return 0, tsterr.New(tsterr.WebRTCInternal, "kind %d is neither audio nor video", uint32(k))
	}
	return webrtc.Kind(k), nil
}

//export tst_rtc_add_track
func tst_rtc_add_track(out *C.uint64_t, id C.tst_rtc_peer, kind C.uint32_t, trackID *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	k, err := mediaKind(kind)
	if err != nil {
		return status(err)
	}
	s, err := text(trackID, n)
	if err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	number, err := x.p.AddTrack(k, s)
	*out = C.uint64_t(number)
	return status(err)
}

//export tst_rtc_add_transceiver
func tst_rtc_add_transceiver(out *C.uint64_t, id C.tst_rtc_peer, kind, direction C.uint32_t, trackID *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	k, err := mediaKind(kind)
	if err != nil {
		return status(err)
	}
	if direction > C.TST_RTC_SENDRECV {
		return fail(tsterr.WebRTCInternal, "direction %d", uint32(direction))
	}
	s, err := text(trackID, n)
	if err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	number, err := x.p.AddTransceiver(k, webrtc.Direction(direction), s)
	*out = C.uint64_t(number)
	return status(err)
}

//export tst_rtc_transceiver_set
func tst_rtc_transceiver_set(id C.tst_rtc_peer, n C.uint64_t, what, value C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	number := uint64(n)
	switch what {
	case C.TST_RTC_SET_DIRECTION:
		if value > C.TST_RTC_SENDRECV {
			return fail(tsterr.WebRTCInternal, "direction %d", uint32(value))
		}
		err = x.p.SetDirection(number, webrtc.Direction(value))
	case C.TST_RTC_SET_HAS_TRACK:
		err = x.p.SetHasTrack(number, value != 0)
	case C.TST_RTC_SET_STOP_SEND:
		err = x.p.StopSending(number)
	case C.TST_RTC_SET_STOP_RECEIVE:
		err = x.p.StopReceiving(number)
	case C.TST_RTC_SET_STOP:
		err = x.p.StopTransceiver(number)
	case C.TST_RTC_SET_KEY_FRAME:
		err = x.p.RequestKeyFrame(number)
	case C.TST_RTC_SET_SHARED_CLOCK:
		err = x.p.SetSharedClock(number, value != 0)
	default:
		err = tsterr.New(tsterr.InvalidArg, "setting %d", uint32(what))
	}
	return status(err)
}

//export tst_rtc_set_preferences
func tst_rtc_set_preferences(id C.tst_rtc_peer, n C.uint64_t, lines *C.tst_cchar, length C.size_t) (st C.tst_status) {
	defer guard(&st)
	s, err := text(lines, length)
	if err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	var list []string
	for _, l := range strings.Split(s, "\n") {
		if l != "" {
			list = append(list, l)
		}
	}
	return status(x.p.SetPreferences(uint64(n), list))
}

//export tst_rtc_create
func tst_rtc_create(id C.tst_rtc_peer, kind C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	switch kind {
	case C.TST_RTC_OFFER:
		_, err = x.p.CreateOffer()
	case C.TST_RTC_ANSWER:
		_, err = x.p.CreateAnswer()
	default:
		err = tsterr.New(tsterr.InvalidArg, "description type %d", uint32(kind))
	}
	return status(err)
}

func descriptionType(t C.uint32_t) (webrtc.DescriptionType, error) {
	if t > C.TST_RTC_ROLLBACK {
		return 0, tsterr.New(tsterr.InvalidArg, "description type %d", uint32(t))
	}
	return webrtc.DescriptionType(t), nil
}

// describe hands a description to one side of a connection.
func describe(id C.tst_rtc_peer, kind C.uint32_t, sdp *C.tst_cchar, n C.size_t, take func(*webrtc.Peer, webrtc.DescriptionType, string) error) C.tst_status {
	s, err := text(sdp, n)
	if err != nil {
		return status(err)
	}
	t, err := descriptionType(kind)
	if err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	return status(take(x.p, t, s))
}

//export tst_rtc_set_local
func tst_rtc_set_local(id C.tst_rtc_peer, kind C.uint32_t, sdp *C.tst_cchar, n C.size_t, operation C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	return describe(id, kind, sdp, n, func(p *webrtc.Peer, t webrtc.DescriptionType, s string) error {
		return p.SetLocal(t, s, uint64(operation))
	})
}

//export tst_rtc_set_remote
func tst_rtc_set_remote(id C.tst_rtc_peer, kind C.uint32_t, sdp *C.tst_cchar, n C.size_t, operation C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	return describe(id, kind, sdp, n, func(p *webrtc.Peer, t webrtc.DescriptionType, s string) error {
		return p.SetRemote(t, s, uint64(operation))
	})
}

//export tst_rtc_add_candidate
func tst_rtc_add_candidate(id C.tst_rtc_peer, candidate *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	s, err := text(candidate, n)
	if err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	return status(x.p.AddCandidate(s))
}

//export tst_rtc_restart_ice
func tst_rtc_restart_ice(id C.tst_rtc_peer) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	x.p.RestartICE()
	return C.TST_OK
}

//export tst_rtc_peer_text
func tst_rtc_peer_text(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_rtc_peer, what C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	var s string
	ufrag, pwd, candidates, prints := x.p.LocalTransport()
	switch what {
	case C.TST_RTC_TEXT_CREATED:
		s = x.p.Created()
	case C.TST_RTC_TEXT_LOCAL:
		s, _, _ = x.p.Local()
	case C.TST_RTC_TEXT_REMOTE:
		s, _, _ = x.p.Remote()
	case C.TST_RTC_TEXT_UFRAG:
		s = ufrag
	case C.TST_RTC_TEXT_PASSWORD:
		s = pwd
	case C.TST_RTC_TEXT_CANDIDATES:
		s = strings.Join(candidates, "\n")
	case C.TST_RTC_TEXT_FINGERPRINTS:
		s = strings.Join(prints, "\n")
	default:
		return fail(tsterr.InvalidArg, "text %d", uint32(what))
	}
	return giveText(out, capacity, n, s)
}

func bit32(b bool) C.uint32_t {
	if b {
		return 1
	}
	return 0
}

//export tst_rtc_peer_get_info
func tst_rtc_peer_get_info(out *C.tst_rtc_peer_info, id C.tst_rtc_peer) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	s := x.p.TransportStats()
	kindOf := func(_ string, t webrtc.DescriptionType, ok bool) C.uint32_t {
		if !ok {
			return 255
		}
		return C.uint32_t(t)
	}
	*out = C.tst_rtc_peer_info{
		struct_size: out.struct_size, transceivers: C.uint32_t(x.p.Transceivers()), local_type: kindOf(x.p.Local()),
		remote_type: kindOf(x.p.Remote()), data: bit32(x.p.HasData()), controlling: bit32(s.Controlling), client: bit32(s.Client),
		state: C.uint32_t(s.State), ice: C.uint32_t(s.ICE), gathering: C.uint32_t(s.Gathering),
		packets_sent: C.uint64_t(s.PacketsSent), packets_received: C.uint64_t(s.PacketsReceived),
		bytes_sent: C.uint64_t(s.BytesSent), bytes_received: C.uint64_t(s.BytesReceived), packets_dropped: C.uint64_t(s.PacketsDropped),
	}
	return C.TST_OK
}

//export tst_rtc_transceiver_get_info
func tst_rtc_transceiver_get_info(out *C.tst_rtc_transceiver_info, id C.tst_rtc_peer, n C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	i, err := x.p.Transceiver(uint64(n))
	if err != nil {
		return status(err)
	}
	*out = C.tst_rtc_transceiver_info{
		struct_size: out.struct_size, kind: C.uint32_t(i.Kind), direction: C.uint32_t(i.Direction), current: C.uint32_t(i.Current),
		stopped: bit32(i.Stopped), has_mid: bit32(i.HasMid), codec: C.uint32_t(i.Codec),
	}
	return C.TST_OK
}

//export tst_rtc_transceiver_mid
func tst_rtc_transceiver_mid(out *C.uint8_t, capacity C.size_t, length *C.size_t, id C.tst_rtc_peer, n C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	i, err := x.p.Transceiver(uint64(n))
	if err != nil {
		return status(err)
	}
	return giveText(out, capacity, length, i.Mid)
}

//export tst_rtc_capabilities
func tst_rtc_capabilities(out *C.uint8_t, capacity C.size_t, length *C.size_t, kind C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	k, err := mediaKind(kind)
	if err != nil {
		return status(err)
	}
	return giveText(out, capacity, length, webrtc.Capabilities(k))
}
