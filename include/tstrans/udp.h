/* tstrans/udp.h: links over UDP: unicast, multicast, broadcast. */
#ifndef TSTRANS_UDP_H
#define TSTRANS_UDP_H

#include "tstrans/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tst_udp_send makes a sending link. Parameters:
 *   url        udp://host:port?ttl=&tos=&sndbuf=&pkt_size=&iface= (text, required)
 *   ttl        0 to 255; default the system's
 *   tos        0 to 255; default the system's
 *   sndbuf     SO_SNDBUF in bytes; default the system's
 *   pkt_size   longest payload in bytes; default 1316
 *   iface      where multicast leaves: address (IPv4) or name (IPv6) (text)
 * Parameters win over the URL's. Faults are TST_E_UDP_URL, TST_E_UDP_IO. A write
 * of more than pkt_size bytes is TST_E_UDP_PAYLOAD_TOO_LARGE. Owned:
 * tst_link_close. Any thread, any time. Since 1. */
tst_status tst_udp_send(tst_link *out, tst_config config);

/* tst_udp_receive binds a receiving link and joins the group when the address is
 * one. Parameters:
 *   url             udp://[@]addr:port?rcvbuf=&iface=&idle_timeout= (text, required); port 0: a free one
 *   rcvbuf          SO_RCVBUF in bytes; default the system's
 *   iface           where a group is joined: address (IPv4) or name (IPv6) (text)
 *   idle_timeout_ms silence after which a read is TST_E_UDP_BROKEN; default 0, never
 * Owned: tst_link_close. Any thread, any time. Since 1. */
tst_status tst_udp_receive(tst_link *out, tst_config config);

/* tst_udp_managed_send and tst_udp_managed_receive make links whose socket is replaced,
 * with the parameters of the policy (see transport.h): a sender's when the system
 * reports it broken, a receiver's when nothing came for idle_timeout_ms: it binds and
 * joins anew, and what comes then begins with a discontinuity. Owned: tst_link_close.
 * Any thread, any time. Since 1. */
tst_status tst_udp_managed_send(tst_link *out, tst_config config);
tst_status tst_udp_managed_receive(tst_link *out, tst_config config);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_UDP_H */
