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

func sendConfig(r *configReader) (udp.SenderConfig, error) {
	url := address(r, "url")
	cfg, err := udp.ParseSenderURL(url)
	optional(r, "ttl", &cfg.TTL, 0, math.MaxUint8, "")
	optional(r, "tos", &cfg.TOS, 0, math.MaxUint8, "")
	integer(r, "sndbuf", &cfg.SendBuffer, 0, udp.MaxSocketBuffer, "bytes")
	optional(r, "pkt_size", &cfg.PacketSize, 0, math.MaxInt32, "bytes")
	r.text("iface", &cfg.Interface)
	if derr := r.done(); derr != nil {
		return cfg, derr
	}
	return cfg, err
}

func receiveConfig(r *configReader) (udp.ReceiverConfig, error) {
	url := address(r, "url")
	cfg, err := udp.ParseReceiverURL(url)
	integer(r, "rcvbuf", &cfg.ReceiveBuffer, 0, udp.MaxSocketBuffer, "bytes")
	r.text("iface", &cfg.Interface)
	integer(r, "idle_timeout_ms", &cfg.IdleTimeout, 0, math.MaxInt32, "ms")
	if derr := r.done(); derr != nil {
		return cfg, derr
	}
	return cfg, err
}

//export tst_udp_send
func tst_udp_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		cfg, err := sendConfig(readConfig(config, tsterr.UDPInvalidConfig))
		if err != nil {
			return nil, err
		}
		return object(udp.Dial(context.Background(), cfg))
	})
}

//export tst_udp_receive
func tst_udp_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		cfg, err := receiveConfig(readConfig(config, tsterr.UDPInvalidConfig))
		if err != nil {
			return nil, err
		}
		u, err := udp.Listen(context.Background(), cfg)
		if err != nil {
			return nil, err
		}
		return udpReceiver{u}, nil
	})
}

//export tst_udp_managed_send
func tst_udp_managed_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		r := readConfig(config, tsterr.UDPInvalidConfig)
		pol := readPolicy(r)
		cfg, err := sendConfig(r)
		if err != nil {
			return nil, err
		}
		return object(udp.NewManagedSender(context.Background(), cfg, pol))
	})
}

type managedUDPReceiver struct {
	*transport.ManagedReader
	localText
}

//export tst_udp_managed_receive
func tst_udp_managed_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		r := readConfig(config, tsterr.UDPInvalidConfig)
		pol := readPolicy(r)
		cfg, err := receiveConfig(r)
		if err != nil {
			return nil, err
		}
		m, err := udp.NewManagedReceiver(context.Background(), cfg, pol)
		if err != nil {
			return nil, err
		}
		return managedUDPReceiver{m, localText{func() string {
			if u, ok := m.Current().(*udp.Receiver); ok {
				return net.JoinHostPort("", strconv.Itoa(int(u.Port())))
			}
			return net.JoinHostPort("", strconv.Itoa(int(cfg.Port)))
		}}}, nil
	})
}

var _ transport.Reader = udpReceiver{}
