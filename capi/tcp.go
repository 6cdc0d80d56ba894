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
	"time"

	"github.com/tstrans/tstrans/core/tcp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// tcpConn and tcpListener give their objects the texts of a link.
type tcpConn struct{ *tcp.Conn }

func (c tcpConn) text(what uint32) string {
	if what == C.TST_LINK_PEER {
		return c.PeerAddr()
	}
	return ""
}

type tcpListener struct{ *tcp.Listener }

func (l tcpListener) text(what uint32) string {
	if what != C.TST_LINK_LOCAL {
		return ""
	}
	return net.JoinHostPort("", strconv.Itoa(int(l.Port())))
}

func (l tcpListener) Stats() transport.Stats { return transport.Stats{} }

func (l tcpListener) accept(timeout time.Duration) (transport.Object, error) {
	c, err := l.Accept(timeout)
	if err != nil {
		return nil, err
	}
	return tcpConn{c}, nil
}

// readTCP reads the parameters that dialling and listening share.
func readTCP(r *configReader, cfg *tcp.Config) {
	nodelay := !cfg.DelaySends
	r.boolean("nodelay", &nodelay)
	cfg.DelaySends = !nodelay
	integer(r, "rcvbuf", &cfg.ReceiveBuffer, 0, tcp.MaxSocketBuffer, "bytes")
	integer(r, "sndbuf", &cfg.SendBuffer, 0, tcp.MaxSocketBuffer, "bytes")
	optional(r, "pkt_size", &cfg.PacketSize, 0, math.MaxInt32, "bytes")
	idle := cfg.IdleTimeout.Milliseconds()
	integer(r, "idle_timeout_ms", &idle, 0, math.MaxInt32, "ms")
	cfg.IdleTimeout = time.Duration(idle) * time.Millisecond
}

// readIdentity reads a certificate and its key, from PEM or from files.
func readIdentity(r *configReader, cfg *tcp.Config) error {
	var cert, key []byte
	var certPath, keyPath string
	r.bytes("cert_pem", &cert)
	r.bytes("key_pem", &key)
	r.text("cert_path", &certPath)
	r.text("key_path", &keyPath)
	var err error
	switch {
	case len(cert) > 0 || len(key) > 0:
		cfg.Identity, err = tcp.Identity(cert, key)
	case certPath != "" || keyPath != "":
		cfg.Identity, err = tcp.LoadIdentity(certPath, keyPath)
	}
	return err
}

// dialConfig reads what a connecting link takes.
func dialConfig(r *configReader) (tcp.Config, error) {
	url := address(r, "url")
	cfg, err := tcp.ParseURL(url)
	readTCP(r, &cfg)
	const none = -1
	keepalive, connect := int64(none), int64(none)
	integer(r, "keepalive_ms", &keepalive, 0, math.MaxUint32, "ms")
	integer(r, "connect_timeout_ms", &connect, 0, math.MaxUint32, "ms")
	var ca []byte
	r.bytes("ca_pem", &ca)
	verify := true
	r.boolean("verify_hostname", &verify)
	cfg.AnyHost = !verify
	ierr := readIdentity(r, &cfg)
	if derr := r.done(); derr != nil {
		return cfg, derr
	}
	for _, e := range []error{err, ierr} {
		if e != nil {
			return cfg, e
		}
	}
	if len(ca) > 0 {
		if cfg.Roots, err = tcp.Roots(ca); err != nil {
			return cfg, err
		}
	}
	if keepalive != none {
		if keepalive < 1000 {
			return cfg, tsterr.New(tsterr.TCPIO, "keepalive_ms=%d: at least one second", keepalive)
		}
		cfg.KeepAlive = time.Duration(keepalive) * time.Millisecond
	}
	if connect != none {
		if connect == 0 {
			return cfg, tsterr.New(tsterr.TCPIO, "connect_timeout_ms=0: a connection takes time")
		}
		cfg.ConnectTimeout = time.Duration(connect) * time.Millisecond
	}
	return cfg, nil
}

//export tst_tcp_dial
func tst_tcp_dial(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	cfg, err := dialConfig(readConfig(config, tsterr.TCPInvalidConfig))
	if err != nil {
		return status(err)
	}
	return openLink(out, func(ctx context.Context) (transport.Object, error) {
		c, err := tcp.Dial(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return tcpConn{c}, nil
	})
}

// localText gives a reconnecting link that listens its address.
type localText struct{ at func() string }

func (l localText) text(what uint32) string {
	if what != C.TST_LINK_LOCAL {
		return ""
	}
	return l.at()
}

type managedTCPSender struct {
	*tcp.ManagedSender
	localText
}

type managedTCPReceiver struct {
	*tcp.ManagedReceiver
	localText
}

// managedTCP reads the parameters of a reconnecting link and makes it in the background.
func managedTCP(out *C.tst_link, config C.tst_config,
	open func(ctx context.Context, cfg tcp.Config, listen bool, pol transport.Policy) (transport.Object, error),
) C.tst_status {
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.TCPInvalidConfig)
	pol := readPolicy(r)
	var listen bool
	r.boolean("listen", &listen)
	cfg, err := dialConfig(r)
	if err == nil {
		err = pol.Validate()
	}
	if err != nil {
		return status(err)
	}
	return openLink(out, func(ctx context.Context) (transport.Object, error) { return open(ctx, cfg, listen, pol) })
}

//export tst_tcp_managed_send
func tst_tcp_managed_send(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return managedTCP(out, config, func(ctx context.Context, c tcp.Config, listen bool, p transport.Policy) (transport.Object, error) {
		s, err := tcp.NewManagedSender(ctx, c, listen, p)
		if err != nil {
			return nil, err
		}
		return managedTCPSender{s, localText{s.LocalAddr}}, nil
	})
}

//export tst_tcp_managed_receive
func tst_tcp_managed_receive(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return managedTCP(out, config, func(ctx context.Context, c tcp.Config, listen bool, p transport.Policy) (transport.Object, error) {
		r, err := tcp.NewManagedReceiver(ctx, c, listen, p)
		if err != nil {
			return nil, err
		}
		return managedTCPReceiver{r, localText{r.LocalAddr}}, nil
	})
}

//export tst_tcp_listen
func tst_tcp_listen(out *C.tst_link, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.TCPInvalidConfig)
	var cfg tcp.Config
	bind := address(r, "bind")
	readTCP(r, &cfg)
	ierr := readIdentity(r, &cfg)
	var ca []byte
	r.bytes("client_ca_pem", &ca)
	if err := r.done(); err != nil {
		return status(err)
	}
	var err error
	if cfg.Host, cfg.Port, err = transport.SplitHostPort(bind, tsterr.TCPURL); err != nil {
		return status(err)
	}
	if ierr != nil {
		return status(ierr)
	}
	if len(ca) > 0 {
		if cfg.ClientRoots, err = tcp.Roots(ca); err != nil {
			return status(err)
		}
	}
	l, err := tcp.Listen(context.Background(), cfg)
	if err != nil {
		return status(err)
	}
	return openedLink(out, tcpListener{l})
}

//export tsti_tcp_send
func tsti_tcp_send(taken *C.size_t, id C.tst_link, data *C.tst_cu8, n C.size_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := taking(taken, data, n)
	if err != nil {
		return status(err)
	}
	_, c, timeout, err := linkAs[tcpConn](id, ms)
	if err != nil {
		return outcome(err)
	}
	k, err := c.Write(b, timeout)
	*taken = C.size_t(k)
	return outcome(err)
}

//export tsti_tcp_receive
func tsti_tcp_receive(got *C.size_t, out *C.uint8_t, capacity C.size_t, id C.tst_link, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(got, "len"); err != nil {
		return status(err)
	}
	*got = 0
	room, err := output(out, capacity)
	if err != nil {
		return status(err)
	}
	_, c, timeout, err := linkAs[tcpConn](id, ms)
	if err != nil {
		return outcome(err)
	}
	k, err := c.Read(room, timeout)
	*got = C.size_t(k)
	return outcome(err)
}
