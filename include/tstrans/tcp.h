/* tstrans/tcp.h: links over TCP and TLS: plain byte streams, without framing. */
#ifndef TSTRANS_TCP_H
#define TSTRANS_TCP_H

#include "tstrans/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tst_tcp_dial makes a connecting link. Parameters, which win over the URL's:
 *   url                tcp://host:port or tcps://host:port (text, required), with nodelay,
 *                      keepalive (s), connect_timeout (s), idle_timeout (ms), rcvbuf, sndbuf, ca, cert, key
 *   nodelay            0 or 1; default 1
 *   keepalive_ms       time between probes, from 1000; default off
 *   connect_timeout_ms for connecting and the TLS handshake; default 10000
 *   idle_timeout_ms    a peer that sends, or takes, nothing for so long is lost; default 0, never
 *   rcvbuf, sndbuf     socket buffers in bytes; default the system's
 *   pkt_size           longest single write in bytes; default 65536
 *   ca_pem             roots that replace the system's (bytes)
 *   cert_pem, key_pem  the certificate shown to the peer (bytes)
 *   verify_hostname    0: the certificate need not name the host; default 1
 * Faults: TST_E_TCP_URL, _IO, _CONNECT_TIMEOUT, _TLS, through tst_link_wait. Owned:
 * tst_link_close. Any thread, any time. Since 1. */
tst_status tst_tcp_dial(tst_link *out, tst_config config);

/* tst_tcp_listen binds a listener; tst_link_accept gives its connections.
 * Parameters: bind, "ip:port" (text, required), and of the above nodelay,
 * idle_timeout_ms, rcvbuf, sndbuf, pkt_size for what is accepted; for TLS
 *   cert_path, key_path, or cert_pem, key_pem
 *   client_ca_pem      clients must show a certificate signed by one of these (bytes)
 * A TLS handshake goes on in the background. Owned: tst_link_close. Any thread,
 * any time. Since 1. */
tst_status tst_tcp_listen(tst_link *out, tst_config config);

/* tst_tcp_managed_send and tst_tcp_managed_receive make reconnecting links; the first
 * connection is tried once. Parameters are those of tst_tcp_dial, those of the policy
 * (see transport.h), and
 *   listen             1: url names an address to bind, and each connection is accepted there; default 0
 * A sender's link_bytes_lost are the bytes that the peer's host had not acknowledged
 * when a connection broke, exactly; what its user had not read yet nobody can tell.
 * Owned: tst_link_close. Any thread, any time. Since 1. */
tst_status tst_tcp_managed_send(tst_link *out, tst_config config);
tst_status tst_tcp_managed_receive(tst_link *out, tst_config config);

/* tst_tcp_send sends up to len bytes of data (caller's, copied): *taken were taken
 * over, also on TST_E_TIMEOUT. Any thread, any time. Since 1. */
tst_status tst_tcp_send(size_t *taken, tst_link link, tst_cu8 *data, size_t len, int32_t timeout_ms);

/* tst_tcp_receive fills out (caller's) with what arrived: *len bytes, at least
 * one. The end of the peer is TST_E_TCP_BROKEN. Any thread, any time. Since 1. */
tst_status tst_tcp_receive(size_t *len, uint8_t *out, size_t cap, tst_link link, int32_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_TCP_H */
