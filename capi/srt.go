package main

/*
#include "detail.h"
*/
import "C"

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/srt"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// srtConn and srtListener give their objects the texts of a link.
type srtConn struct{ *srt.Conn }

func (c srtConn) text(what uint32) string {
	switch what {
	case C.TST_LINK_LOCAL:
		return c.LocalAddr().String()
	case C.TST_LINK_PEER:
		return c.PeerAddr().String()
	case C.TST_LINK_STREAM_ID:
		return c.StreamID()
	}
	return ""
}

type srtListener struct{ *srt.Listener }

func (l srtListener) text(what uint32) string {
	if what != C.TST_LINK_LOCAL {
		return ""
	}
	return l.LocalAddr().String()
}

func (l srtListener) Stats() transport.Stats { return transport.Stats{} }

func (l srtListener) accept(timeout time.Duration) (transport.Object, error) {
	return asSRT(l.Accept(timeout))
}

func asSRT(c *srt.Conn, err error) (transport.Object, error) {
	if err != nil {
		return nil, err
	}
	return srtConn{c}, nil
}

// readSRT reads url and option.KEY, the URL over the options.
func readSRT(r *configReader) (srt.Config, error) {
	base := srt.NewConfig()
	const prefix = "option."
	for key := range r.values {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		var v string
		r.text(key, &v)
		if err := base.Set(strings.TrimPrefix(key, prefix), v); err != nil {
			return base, err
		}
	}
	url := address(r, "url")
	if r.err != nil {
		return base, r.err
	}
	return srt.ParseURL(url, base)
}

//export tst_srt_option_check
func tst_srt_option_check(key, value *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	k, err := name(key)
	if err != nil {
		return status(err)
	}
	v, err := text(value, n)
	if err != nil {
		return status(err)
	}
	c := srt.NewConfig()
	return status(c.Set(k, v))
}

//export tst_srt_config_check
func tst_srt_config_check(out *C.tst_srt_timeouts, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.SRTConfigInvalid)
	cfg, err := readSRT(r)
	readPolicy(r)
	if err == nil {
		err = r.done()
	}
	if err != nil {
		return status(err)
	}
	ms := func(d time.Duration) C.int32_t { return C.int32_t(max(-1, d.Milliseconds())) }
	if cfg.RecvTimeout < 0 {
		out.recv_ms = -1
	} else {
		out.recv_ms = ms(cfg.RecvTimeout)
	}
	if cfg.SendTimeout < 0 {
		out.send_ms = -1
	} else {
		out.send_ms = ms(cfg.SendTimeout)
	}
	out.mode = C.uint32_t(cfg.Mode)
	return C.TST_OK
}

// openSRT reads a configuration and opens the link it is for in the background.
func openSRT(out *C.tst_link, config C.tst_config, managed bool, mode func(srt.Config) error,
	open func(context.Context, srt.Config, transport.Policy) (transport.Object, error),
) C.tst_status {
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.SRTConfigInvalid)
	cfg, err := readSRT(r)
	var pol transport.Policy
	if managed {
		pol = readPolicy(r)
	}
	if err == nil {
		err = r.done()
	}
	if err == nil {
		err = mode(cfg)
	}
	if err == nil && managed {
		err = pol.Validate()
	}
	if err != nil {
		return status(err)
	}
	return openLink(out, func(ctx context.Context) (transport.Object, error) { return open(ctx, cfg, pol) })
}

func wantCaller(c srt.Config) error {
	if c.Mode == srt.Listening {
		return tsterr.New(tsterr.SRTConfigInvalid, "a listener's URL cannot be dialled")
	}
	return nil
}

func wantListener(c srt.Config) error {
	if c.Mode != srt.Listening {
		return tsterr.New(tsterr.SRTConfigInvalid, "listening needs mode=listener in the URL")
	}
	return nil
}

func anyMode(srt.Config) error { return nil }

//export tst_srt_dial
func tst_srt_dial(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openSRT(out, config, false, wantCaller, func(ctx context.Context, c srt.Config, _ transport.Policy) (transport.Object, error) {
		return asSRT(srt.Dial(ctx, c))
	})
}

//export tst_srt_receive
func tst_srt_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openSRT(out, config, false, wantListener, func(ctx context.Context, c srt.Config, _ transport.Policy) (transport.Object, error) {
		return asSRT(srt.Receive(ctx, c))
	})
}

//export tst_srt_managed_send
func tst_srt_managed_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openSRT(out, config, true, wantCaller, func(ctx context.Context, c srt.Config, p transport.Policy) (transport.Object, error) {
		w, err := srt.NewManagedSender(ctx, c, p)
		if err != nil {
			return nil, err
		}
		return w, nil
	})
}

//export tst_srt_managed_receive
func tst_srt_managed_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openSRT(out, config, true, anyMode, func(ctx context.Context, c srt.Config, p transport.Policy) (transport.Object, error) {
		r, err := srt.NewManagedReceiver(ctx, c, p)
		if err != nil {
			return nil, err
		}
		return managedSRT{r}, nil
	})
}

type managedSRT struct{ *srt.ManagedReceiver }

func (m managedSRT) text(what uint32) string {
	if what != C.TST_LINK_LOCAL {
		return ""
	}
	return m.LocalAddr()
}

//export tst_srt_listen
func tst_srt_listen(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.SRTConfigInvalid)
	cfg, err := readSRT(r)
	if err == nil {
		err = r.done()
	}
	if err != nil {
		return status(err)
	}
	l, err := srt.Listen(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	return openedLink(out, srtListener{l})
}

// srtDetails finds libsrt's counters behind whatever kind of SRT link.
func srtDetails(obj transport.Object) (srt.Stats, bool) {
	switch o := obj.(type) {
	case srtConn:
		return o.Details(), true
	case managedSRT:
		return o.Details(), true
	case *transport.ManagedWriter:
		return srt.CurrentDetails(o.Current()), true
	}
	return srt.Stats{}, false
}

//export tst_srt_get_stats
func tst_srt_get_stats(out *C.tst_srt_stats, id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	l, err := share[*link](id)
	if err != nil {
		return status(err)
	}
	var s srt.Stats
	if obj, ok := l.settled(); ok {
		if s, ok = srtDetails(obj); !ok {
			return fail(tsterr.NotSupported, "this link is not SRT")
		}
	}
	const mega = 1e6
	out.rtt_us = C.uint64_t(s.RTTMillis * 1000)
	out.send_rate_bps, out.recv_rate_bps = C.uint64_t(s.SendMbps*mega), C.uint64_t(s.RecvMbps*mega)
	out.link_bandwidth_mbps = C.double(s.LinkMbps)
	out.bytes_sent, out.packets_sent = C.uint64_t(s.BytesSent), C.uint64_t(s.PacketsSent)
	out.bytes_received, out.packets_received = C.uint64_t(s.BytesReceived), C.uint64_t(s.PacketsReceived)
	out.bytes_lost_recv, out.packets_lost_recv = C.uint64_t(s.BytesLostRecv), C.uint64_t(s.PacketsLostRecv)
	out.packets_lost_send, out.packets_retransmitted = C.uint64_t(s.PacketsLostSend), C.uint64_t(s.PacketsRetransmitted)
	out.packets_dropped_send, out.packets_dropped_recv = C.uint64_t(s.PacketsDroppedSend), C.uint64_t(s.PacketsDroppedRecv)
	out.bytes_dropped_recv, out.packets_undecryptable = C.uint64_t(s.BytesDroppedRecv), C.uint64_t(s.PacketsUndecryptable)
	out.send_buffer_packets, out.recv_buffer_packets = C.uint64_t(s.SendBufferPackets), C.uint64_t(s.RecvBufferPackets)
	return C.TST_OK
}

var srtVersion = sync.OnceValue(func() *C.tst_cchar {
	v := srt.LibraryVersion()
	return C.tsti_keep(strPtr(v), C.size_t(len(v)))
})

//export tst_srt_version
func tst_srt_version() *C.tst_cchar { return srtVersion() }
