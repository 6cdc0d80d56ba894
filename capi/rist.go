package main

/*
#include "detail.h"
*/
import "C"

import (
	"context"
	"math"
	"time"

	"github.com/tstrans/tstrans/core/rist"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

func readRIST(r *configReader, listen bool) (rist.Config, error) {
	url := address(r, "url")
	cfg, err := rist.ParseURL(url, listen)
	integer(r, "profile", &cfg.Profile, 0, int64(rist.Advanced), "")
	millis := func(key string, to *time.Duration) {
		ms := to.Milliseconds()
		integer(r, key, &ms, 0, math.MaxInt32, "ms")
		*to = time.Duration(ms) * time.Millisecond
	}
	millis("buffer_ms", &cfg.Buffer)
	millis("session_timeout_ms", &cfg.SessionTimeout)
	millis("idle_timeout_ms", &cfg.IdleTimeout)
	integer(r, "bandwidth_kbps", &cfg.Bandwidth, 0, math.MaxUint32, "kbit/s")
	integer(r, "key_size", &cfg.KeySize, 0, 256, "bits")
	var secret []byte
	if r.bytes("secret", &secret); secret != nil {
		cfg.Secret = string(secret)
	}
	r.text("cname", &cfg.Cname)
	r.boolean("compression", &cfg.Compression)
	optional(r, "pkt_size", &cfg.PacketSize, 0, math.MaxInt32, "bytes")
	if derr := r.done(); derr != nil {
		return cfg, derr
	}
	return cfg, err
}

//export tst_rist_send
func tst_rist_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		cfg, err := readRIST(readConfig(config, tsterr.RISTInvalidConfig), false)
		if err != nil {
			return nil, err
		}
		return object(rist.Dial(context.Background(), cfg))
	})
}

//export tst_rist_receive
func tst_rist_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		cfg, err := readRIST(readConfig(config, tsterr.RISTInvalidConfig), true)
		if err != nil {
			return nil, err
		}
		return object(rist.Listen(context.Background(), cfg))
	})
}

//export tst_rist_managed_send
func tst_rist_managed_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		r := readConfig(config, tsterr.RISTInvalidConfig)
		pol := readPolicy(r)
		cfg, err := readRIST(r, false)
		if err != nil {
			return nil, err
		}
		return object(rist.NewManagedSender(context.Background(), cfg, pol))
	})
}

//export tst_rist_managed_receive
func tst_rist_managed_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return openNow(out, func() (transport.Object, error) {
		r := readConfig(config, tsterr.RISTInvalidConfig)
		pol := readPolicy(r)
		cfg, err := readRIST(r, true)
		if err != nil {
			return nil, err
		}
		return object(rist.NewManagedReceiver(context.Background(), cfg, pol))
	})
}

//export tst_rist_get_stats
func tst_rist_get_stats(out *C.tst_rist_stats, id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	d, err := peekAs[interface{ Details() rist.Stats }](id)
	if err != nil {
		return outcome(err)
	}
	s := d.Details()
	out.packets_sent, out.packets_retransmitted = C.uint64_t(s.Sent), C.uint64_t(s.Retransmitted)
	out.packets_received, out.packets_missing = C.uint64_t(s.Received), C.uint64_t(s.Missing)
	out.packets_recovered, out.packets_lost = C.uint64_t(s.Recovered), C.uint64_t(s.Lost)
	out.bandwidth_bps, out.rtt_us = C.uint64_t(s.BandwidthBps), C.uint64_t(s.RTTMicros)
	return C.TST_OK
}
