/* tstrans/rist.h: links over RIST, with librist, which is opened at the first of
 * them: the copy in the folder _libs beside this library, one in the folder that
 * the environment variable TSTRANS_LIBS names, or the system's librist.so.4. */
#ifndef TSTRANS_RIST_H
#define TSTRANS_RIST_H

#include "tstrans/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters of both, which win over the URL's:
 *   url                 rist://ip:port or rist://@ip:port (text, required) with profile (simple, main,
 *                       advanced), buffer (ms), bandwidth or recovery_maxbitrate (kbit/s), aes-type,
 *                       secret, cname, session_timeout (ms), idle_timeout (ms), compression
 *   profile             0 simple, 1 main, 2 advanced; default 0
 *   buffer_ms           recovery buffer; default 1000
 *   bandwidth_kbps      most that recovery may use, kbit/s; default 1000000
 *   key_size            128, 192, 256: encrypt with secret, in the main profile
 *   secret              1 to 127 bytes, no NUL
 *   cname               name of this side (text)
 *   session_timeout_ms  a peer silent for so long is forgotten; default 2000
 *   idle_timeout_ms     silence after which a read is TST_E_RIST_IO, and a reconnecting sender
 *                       gives its receiver up; default 0, never
 *   compression         0 or 1: the sender compresses; default 0
 *   pkt_size            longest message in bytes; default 1316
 * Faults: TST_E_RIST_URL, _INVALID_CONFIG (also "@" where it does not belong),
 * _CONTEXT_CREATE_FAILED, _PEER_CREATE_FAILED (also an address that is taken),
 * _FFI (librist is not there). */

/* tst_rist_send makes a sending link; an absent receiver is no error. What is sent in
 * its first 2 s is held until the two have met, at most 4096 messages and 8 MiB; the
 * oldest of more, and what is sent later to nobody, is lost and counted in the link's
 * messages_dropped. A message of 0 bytes or more than pkt_size is
 * TST_E_RIST_PAYLOAD_TOO_LARGE. Owned: tst_link_close. Any thread, any
 * time. Since 1. */
tst_status tst_rist_send(tst_link *out, tst_config config);

/* tst_rist_receive binds a receiving link. With a secret, what comes in the clear
 * is dropped. Owned: tst_link_close. Any thread, any time. Since 1. */
tst_status tst_rist_receive(tst_link *out, tst_config config);

/* tst_rist_managed_send and tst_rist_managed_receive make reconnecting links, with the
 * parameters of the policy (see transport.h). Owned: tst_link_close. Any thread, any
 * time. Since 1.
 *
 * A sender's receiver may come after it. The receiver is gone when its host says that
 * nobody listens at the port (ICMP), when it was not heard for idle_timeout_ms, or when it was
 * not for 0.5 s and answers a new sender beside the silent one. Then a new link is tried for
 * until a receiver answers; what never arrived goes out again from the gap buffer. What
 * arrived and was not due yet, by the buffer_ms of this side, is counted as lost: RIST acknowledges
 * nothing, so the counts are estimates, of a few milliseconds where the host says that it is gone
 * and of 0.1 s otherwise. A receiver that is replaced within 0.5 s without a word of its
 * host is not noticed.
 *
 * A receiver binds anew when nothing came for idle_timeout_ms. What comes then, or from
 * another sender than before, begins with a discontinuity. */
tst_status tst_rist_managed_send(tst_link *out, tst_config config);
tst_status tst_rist_managed_receive(tst_link *out, tst_config config);

/* Counters of librist, brought up to date several times a second. */
typedef struct tst_rist_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t packets_sent;
  uint64_t packets_retransmitted;
  uint64_t packets_received;
  uint64_t packets_missing;   /* seen missing, late ones too */
  uint64_t packets_recovered;
  uint64_t packets_lost;      /* never came */
  uint64_t bandwidth_bps;
  uint64_t rtt_us;
} tst_rist_stats;

/* tst_rist_get_stats fills the counters; struct_size is set by the caller. Waits
 * for nothing. Any thread, any time. Since 1. */
tst_status tst_rist_get_stats(tst_rist_stats *out, tst_link link);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_RIST_H */
