package main

/*
#include "detail.h"
*/
import "C"

import (
	"context"
	"math"
	"net/netip"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtsp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// rtspServer is what a tst_rtsp_server handle stands for.
type rtspServer struct {
	s     *rtsp.Server
	stops job
}

// Interrupt ends parked calls.
func (x *rtspServer) Interrupt() { go x.s.Cancel() }

// Close ends everything.
func (x *rtspServer) Close() error {
	go x.s.Cancel() // it waits for threads; the caller need not
	return nil
}

// mount is what a tst_rtsp_mount handle stands for.
type mount struct {
	m *rtsp.Mount
	p *rtsp.PublishMount // of a publish mount

	pace *mpegts.Pacer // of a recording; the one thread that plays it
}

//export tst_rtsp_server_start
func tst_rtsp_server_start(out *C.tst_rtsp_server, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.InvalidArg)
	cfg := rtsp.ServerConfig{BindAddr: "0.0.0.0:8554"}
	r.text("bind_addr", &cfg.BindAddr)
	integer(r, "auth", &cfg.Credentials.Scheme, 0, 3, "")
	r.text("user", &cfg.Credentials.User)
	r.text("password", &cfg.Credentials.Password)
	r.text("realm", &cfg.Credentials.Realm)
	integer(r, "max_sessions", &cfg.MaxSessions, 1, math.MaxInt32, "connections")
	var ms int64
	integer(r, "session_timeout_ms", &ms, 1, math.MaxInt32, "ms")
	cfg.SessionTimeout = time.Duration(ms) * time.Millisecond
	integer(r, "fanout_capacity", &cfg.Fanout, 1, 1<<20, "packets")
	r.bytes("tls_cert", &cfg.CertPEM)
	r.bytes("tls_key", &cfg.KeyPEM)
	r.boolean("accept_unregistered", &cfg.AcceptUnregistered)
	if err := r.done(); err != nil {
		return status(err)
	}
	s, err := rtsp.Start(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	id, err := handles.add(&rtspServer{s: s})
	if err != nil {
		s.Cancel()
		return status(err)
	}
	*out = C.tst_rtsp_server(id)
	return C.TST_OK
}

//export tst_rtsp_server_stop
func tst_rtsp_server_stop(id C.tst_rtsp_server, drainMS C.uint32_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtspServer](id)
	if err != nil {
		return status(err)
	}
	return outcome(x.stops.run(0, millis(ms), func() error { return x.s.Stop(time.Duration(drainMS) * time.Millisecond) }))
}

//export tst_rtsp_server_cancel
func tst_rtsp_server_cancel(id C.tst_rtsp_server) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtspServer](id)
	if err != nil {
		return status(err)
	}
	x.s.Cancel()
	return C.TST_OK
}

//export tst_rtsp_server_close
func tst_rtsp_server_close(id C.tst_rtsp_server) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*rtspServer](id))
}

//export tst_rtsp_server_addr
func tst_rtsp_server_addr(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_rtsp_server) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*rtspServer](id)
	if err != nil {
		return status(err)
	}
	return giveText(out, capacity, n, x.s.Addr().String())
}

//export tst_rtsp_server_get_stats
func tst_rtsp_server_get_stats(out *C.tst_rtsp_server_stats, id C.tst_rtsp_server) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, err := share[*rtspServer](id)
	if err != nil {
		return status(err)
	}
	s := x.s.Stats()
	*out = C.tst_rtsp_server_stats{
		struct_size: out.struct_size, active_sessions: C.uint64_t(s.ActiveSessions),
		active_publishers: C.uint64_t(s.ActivePublishers), mounts: C.uint64_t(s.Mounts),
		rtp_packets_sent: C.uint64_t(s.RTPPacketsSent), rtp_bytes_sent: C.uint64_t(s.RTPBytesSent),
		rtp_packets_received: C.uint64_t(s.RTPPacketsRecv), rtp_bytes_received: C.uint64_t(s.RTPBytesRecv),
		sr_sent: C.uint64_t(s.RTCPSent), rr_received: C.uint64_t(s.RTCPReceived),
	}
	if x.s.Stopped() {
		out.stopped = 1
	}
	return C.TST_OK
}

// serverAt reads the path that a call on a server is about.
func serverAt(id C.tst_rtsp_server, path *C.tst_cchar, n C.size_t) (*rtsp.Server, string, error) {
	p, err := text(path, n)
	if err != nil {
		return nil, "", err
	}
	x, err := share[*rtspServer](id)
	if err != nil {
		return nil, "", err
	}
	return x.s, p, nil
}

//export tst_rtsp_mount_add
func tst_rtsp_mount_add(out *C.tst_rtsp_mount, id C.tst_rtsp_server, path *C.tst_cchar, n C.size_t, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	s, p, err := serverAt(id, path, n)
	if err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.MuxConfigInvalid)
	mc := readMuxConfig(r)
	var mcast rtsp.MulticastConfig
	var group string
	r.text("group", &group)
	integer(r, "port", &mcast.Port, 0, math.MaxUint16, "")
	mcast.TTL = 1
	integer(r, "ttl", &mcast.TTL, 0, math.MaxInt32, "hops")
	r.text("iface", &mcast.Interface)
	var cfg rtsp.MountConfig
	r.boolean("elementary", &cfg.Elementary)
	if err = r.done(); err != nil {
		return status(err)
	}
	if len(mc.Programs) != 1 {
		return fail(tsterr.MuxConfigInvalid, "a mount has one program, not %d", len(mc.Programs))
	}
	cfg.Program = mc.Programs[0]
	var m *rtsp.Mount
	if group == "" {
		m, err = s.AddUnicastMount(p, cfg)
	} else {
		mcast.Group, _ = netip.ParseAddr(group) // what is none is refused as such
		m, err = s.AddMulticastMount(p, mcast, cfg)
	}
	if err != nil {
		return status(err)
	}
	return add(out, &mount{m: m})
}

//export tst_rtsp_mount_publish
func tst_rtsp_mount_publish(out *C.tst_rtsp_mount, id C.tst_rtsp_server, path *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	s, at, err := serverAt(id, path, n)
	if err != nil {
		return status(err)
	}
	p, err := s.AddPublishMount(at)
	if err != nil {
		return status(err)
	}
	return add(out, &mount{m: p.Mount(), p: p})
}

//export tst_rtsp_mount_remove
func tst_rtsp_mount_remove(id C.tst_rtsp_server, path *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	s, at, err := serverAt(id, path, n)
	if err != nil {
		return status(err)
	}
	return status(s.RemoveMount(at))
}

//export tst_rtsp_next_publisher
func tst_rtsp_next_publisher(out *C.tst_rtsp_mount, id C.tst_rtsp_server, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	x, err := share[*rtspServer](id)
	if err != nil {
		return status(err)
	}
	p, err := x.s.NextPublisher(context.Background(), millis(ms))
	if err != nil {
		return status(err)
	}
	if p == nil {
		return C.TST_E_TIMEOUT
	}
	return add(out, &mount{m: p.Mount(), p: p})
}

//export tst_rtsp_mount_text
func tst_rtsp_mount_text(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_rtsp_mount, what C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*mount](id)
	if err != nil {
		return status(err)
	}
	s := ""
	switch what {
	case C.TST_MOUNT_PATH:
		s = x.m.Path()
	case C.TST_MOUNT_PUBLISHER:
		if x.p != nil {
			if info, ok := x.p.Publisher(); ok {
				s = info.Peer.String()
			}
		}
	}
	return giveText(out, capacity, n, s)
}

//export tst_rtsp_mount_send_ts
func tst_rtsp_mount_send_ts(id C.tst_rtsp_mount, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	x, b, err := shareWith[*mount](id, data, n)
	if err != nil {
		return status(err)
	}
	if len(b)%mpegts.PacketSize != 0 {
		return fail(tsterr.InvalidArg, "%d bytes are no whole packets", len(b))
	}
	x.m.PushTS(b)
	return C.TST_OK
}

//export tst_rtsp_mount_play_ts
func tst_rtsp_mount_play_ts(taken *C.size_t, id C.tst_rtsp_mount, data *C.tst_cu8, n C.size_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := taking(taken, data, n)
	if err != nil {
		return status(err)
	}
	x, e, err := enter[*mount](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if len(b)%mpegts.PacketSize != 0 {
		return fail(tsterr.InvalidArg, "%d bytes are no whole packets", len(b))
	}
	if x.pace == nil {
		x.pace = mpegts.NewPacer()
	}
	now := time.Now()
	end := now.Add(millis(ms))
	for {
		k, wait := x.pace.Next(b, now)
		if k > 0 {
			x.m.PushTS(b[:k])
			b = b[k:]
			*taken += C.size_t(k)
		}
		if len(b) == 0 {
			return C.TST_OK
		}
		if ms >= 0 && now.Add(wait).After(end) {
			time.Sleep(time.Until(end))
			return C.TST_E_TIMEOUT
		}
		time.Sleep(wait)
		now = time.Now()
	}
}

//export tst_rtsp_mount_get_stats
func tst_rtsp_mount_get_stats(out *C.tst_rtsp_mount_stats, id C.tst_rtsp_mount) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, err := share[*mount](id)
	if err != nil {
		return status(err)
	}
	s := x.m.Stats()
	*out = C.tst_rtsp_mount_stats{
		struct_size: out.struct_size, kind: C.uint32_t(x.m.Kind()), bytes_pushed: C.uint64_t(s.BytesPushed),
		packets_pushed: C.uint64_t(s.PacketsPushed), peers: C.uint64_t(s.PeerCount), packets_dropped: C.uint64_t(s.FramesDropped),
	}
	return C.TST_OK
}

//export tst_rtsp_mount_reset_stats
func tst_rtsp_mount_reset_stats(id C.tst_rtsp_mount) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*mount](id)
	if err != nil {
		return status(err)
	}
	x.m.ResetStats()
	return C.TST_OK
}

func publishOf(id C.tst_rtsp_mount) (*rtsp.PublishMount, error) {
	x, err := share[*mount](id)
	if err != nil {
		return nil, err
	}
	if x.p == nil {
		return nil, tsterr.New(tsterr.InvalidArg, "no publisher can fill this mount")
	}
	return x.p, nil
}

//export tst_rtsp_publish_get_stats
func tst_rtsp_publish_get_stats(out *C.tst_rtsp_publish_stats, id C.tst_rtsp_mount) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	p, err := publishOf(id)
	if err != nil {
		return status(err)
	}
	s := p.Stats()
	*out = C.tst_rtsp_publish_stats{
		struct_size: out.struct_size, alignment: C.uint32_t(s.Alignment), generation: C.uint64_t(s.Generation),
		packets_received: C.uint64_t(s.Inbound.Packets), bytes_received: C.uint64_t(s.Inbound.PayloadBytes),
		packets_malformed: C.uint64_t(s.Inbound.Malformed), packets_rejected: C.uint64_t(s.Inbound.Rejected),
		packets_lost: C.uint64_t(s.Inbound.Lost), packets_reordered: C.uint64_t(s.Inbound.Reordered),
		frames_emitted: C.uint64_t(s.FramesEmitted), frames_dropped_app: C.uint64_t(s.FramesDroppedApp),
		frames_dropped_readers: C.uint64_t(s.FramesDroppedReaders), aus_emitted: C.uint64_t(s.UnitsEmitted),
		aus_dropped: C.uint64_t(s.UnitsDropped), klv_units_emitted: C.uint64_t(s.KLVEmitted),
		klv_units_dropped: C.uint64_t(s.KLVDropped), alignment_steps: C.uint64_t(s.AlignmentSteps),
		ssrc_changes: C.uint64_t(s.SSRCChanges), peers: C.uint64_t(s.PeerCount),
	}
	if info, ok := p.Publisher(); ok {
		out.active, out.since_unix_ms = 1, C.int64_t(info.Since.UnixMilli())
		out.elementary = C.uint32_t(info.Shape)
		if info.KLV {
			out.klv = 1
		}
	}
	return C.TST_OK
}

//export tst_rtsp_publish_take
func tst_rtsp_publish_take(out *C.tst_link, id C.tst_rtsp_mount) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	p, err := publishOf(id)
	if err != nil {
		return status(err)
	}
	stream, err := p.Take()
	if err != nil {
		return status(err)
	}
	return openedLink(out, publishStream{stream})
}

//export tst_rtsp_publish_cancel
func tst_rtsp_publish_cancel(id C.tst_rtsp_mount) (st C.tst_status) {
	defer guard(&st)
	p, err := publishOf(id)
	if err != nil {
		return status(err)
	}
	p.Cancel()
	return C.TST_OK
}

//export tst_rtsp_mount_close
func tst_rtsp_mount_close(id C.tst_rtsp_mount) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*mount](id))
}

// mountOf finds the mount behind a handle that stands for a muxer.
func mountOf(id C.tst_muxer) *rtsp.Mount {
	if x, err := share[*mount](id); err == nil && x.p == nil {
		return x.m
	}
	return nil
}
