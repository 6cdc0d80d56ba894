/* tstrans/srt.h: links over SRT, with libsrt. */
#ifndef TSTRANS_SRT_H
#define TSTRANS_SRT_H

#include "tstrans/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters of every SRT link:
 *   url        srt://host:port?key=value (text, required)
 *   option.KEY any key of a URL (text); the URL's own value wins
 * Keys, times in ms, sizes in bytes: mode (caller, listener, rendezvous with
 * localport), passphrase, pbkeylen, latency, rcvlatency, peerlatency, mss,
 * payloadsize, maxbw, inputbw, mininputbw, oheadbw, streamid, lossmaxttl,
 * tlpktdrop, snddropdelay, fc, packetfilter, congestion, conntimeo, linger (s),
 * udprcvbuf, udpsndbuf, sndbuf, rcvbuf, peeridletimeo, enforcedencryption,
 * kmrefreshrate, kmpreannounce, nakreport, drifttracer, retransmitalgo, iptos,
 * ipttl, ipv6only, bindtodevice, minversion, x-recvtimeout, x-sendtimeout.
 * Every fault of an address or option is TST_E_SRT_CONFIG_INVALID, before
 * anything is sent. A handshake that is refused is TST_E_SRT_CONNECT_FAILED
 * (attribute "reject_reason", libsrt's number), one without answer
 * TST_E_SRT_TIMEOUT. A link seen lost is TST_E_SRT_BROKEN once, then
 * TST_E_SRT_CLOSED. */

/* tst_srt_option_check tells whether an option is well formed. Any thread, any
 * time. QUICK. Since 1. */
tst_status tst_srt_option_check(tst_cchar *key, tst_cchar *value, size_t value_len);

/* What a URL says beyond the address. */
typedef struct tst_srt_timeouts {
  uint32_t struct_size;
  int32_t recv_ms; /* x-recvtimeout, -1 without */
  int32_t send_ms; /* x-sendtimeout, -1 without */
  uint32_t mode;   /* 0 caller, 1 listener, 2 rendezvous */
} tst_srt_timeouts;

/* tst_srt_config_check parses a configuration without using it. Any thread, any
 * time. Since 1. */
tst_status tst_srt_config_check(tst_srt_timeouts *out, tst_config config);

/* tst_srt_dial makes a connecting link. Owned: tst_link_close. Any thread, any
 * time. Since 1. */
tst_status tst_srt_dial(tst_link *out, tst_config config);

/* tst_srt_listen binds a listener; tst_link_accept gives its connections, which
 * outlive it. Owned: tst_link_close. Any thread, any time. Since 1. */
tst_status tst_srt_listen(tst_link *out, tst_config config);

/* tst_srt_receive binds, waits for one caller in the background, and stops
 * listening. Owned: tst_link_close. Any thread, any time. Since 1. */
tst_status tst_srt_receive(tst_link *out, tst_config config);

/* tst_srt_managed_send and tst_srt_managed_receive make reconnecting links; the
 * first connection is tried once. Parameters of the policy: see transport.h.
 * A sender's connect timeout is 15 s and its linger 5 s where nothing else is said.
 * Owned: tst_link_close. Any thread, any time. Since 1. */
tst_status tst_srt_managed_send(tst_link *out, tst_config config);
tst_status tst_srt_managed_receive(tst_link *out, tst_config config);

/* Counters of libsrt. Bytes include the 44 bytes of IP, UDP and SRT headers a
 * packet has. All zero once the link is lost; a reconnecting link shows its
 * present connection. */
typedef struct tst_srt_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t rtt_us;
  uint64_t send_rate_bps;      /* bits a second, since the connection was made */
  uint64_t recv_rate_bps;
  double link_bandwidth_mbps;  /* Mbit/s, estimated */
  uint64_t bytes_sent;
  uint64_t packets_sent;
  uint64_t bytes_received;
  uint64_t packets_received;
  uint64_t bytes_lost_recv;
  uint64_t packets_lost_recv;
  uint64_t packets_lost_send;
  uint64_t packets_retransmitted;
  uint64_t packets_dropped_send; /* too late to send */
  uint64_t packets_dropped_recv; /* too late to deliver */
  uint64_t bytes_dropped_recv;
  uint64_t packets_undecryptable;
  uint64_t send_buffer_packets;
  uint64_t recv_buffer_packets;
} tst_srt_stats;

/* tst_srt_get_stats fills the counters; struct_size is set by the caller. Waits
 * for nothing. Any thread, any time. Since 1. */
tst_status tst_srt_get_stats(tst_srt_stats *out, tst_link link);

/* tst_srt_version gives libsrt's version, such as "1.5.1". Borrowed, for the life
 * of the process. Any thread, any time. Since 1. */
tst_cchar *tst_srt_version(void);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_SRT_H */
