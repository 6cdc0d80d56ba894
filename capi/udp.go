package main

/*
#include "detail.h"
*/
import "C"

import (
	"context"
	"math"
	"net"
	"strconv"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
	"github.com/tstrans/tstrans/core/udp"
)

// udpReceiver gives a receiver the texts of a link.
type udpReceiver struct{ *udp.Receiver }

func (r udpReceiver) text(what uint32) string {
	if what != C.TST_LINK_LOCAL {
		return ""
	}
	return net.JoinHostPort("", strconv.Itoa(int(r.Port())))
}

// address reads the parameter that names the address.
func address(r *configReader, key string) string {
	var s string
	if r.text(key, &s); s == "" && r.err == nil {
		r.err = tsterr.At(tsterr.InvalidArg, key, tsterr.NoOffset, "%s is required", key)
	}
	return s
}

// optional reads an integer into a pointer that stays nil where the key is absent.
func optional[T ~int | ~uint8](r *configReader, key string, to **T, lo, hi int64, unit string) {
	if _, given := r.values[key]; !given {
		r.asked[key] = true
		return
	}
	var v T
	integer(r, key, &v, lo, hi, unit)
	*to = &v
}

//export tst_udp_send
func tst_udp_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.UDPInvalidConfig)
	url := address(r, "url")
	cfg, err := udp.ParseSenderURL(url)
	optional(r, "ttl", &cfg.TTL, 0, math.MaxUint8, "")
	optional(r, "tos", &cfg.TOS, 0, math.MaxUint8, "")
	integer(r, "sndbuf", &cfg.SendBuffer, 0, udp.MaxSocketBuffer, "bytes")
	optional(r, "pkt_size", &cfg.PacketSize, 0, math.MaxInt32, "bytes")
	r.text("iface", &cfg.Interface)
	if derr := r.done(); derr != nil {
		return status(derr)
	}
	if err != nil {
		return status(err)
	}
	s, err := udp.Dial(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	return openedLink(out, s)
}

//export tst_udp_receive
func tst_udp_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.UDPInvalidConfig)
	url := address(r, "url")
	cfg, err := udp.ParseReceiverURL(url)
	integer(r, "rcvbuf", &cfg.ReceiveBuffer, 0, udp.MaxSocketBuffer, "bytes")
	r.text("iface", &cfg.Interface)
	integer(r, "idle_timeout_ms", &cfg.IdleTimeout, 0, math.MaxInt32, "ms")
	if derr := r.done(); derr != nil {
		return status(derr)
	}
	if err != nil {
		return status(err)
	}
	u, err := udp.Listen(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	return openedLink(out, udpReceiver{u})
}

var _ transport.Reader = udpReceiver{}
