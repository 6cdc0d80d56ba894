/* tstrans/transport.h: live byte transports. One handle type, tst_link, stands
 * for every object that sends, receives or accepts: the rooms (udp.h, tcp.h,
 * srt.h, rist.h) make links, the functions here use them.
 *
 * MODEL    A link that takes time to come up (a connection, the wait for a first
 *          caller) is returned at once and comes up in the background:
 *          tst_link_wait tells when, or why not. Reads and writes wait for it too.
 * BATCHES  A read fills one arena with messages, one tst_span each; a write takes
 *          the same. A message of UDP, SRT and RIST is a datagram; TCP has no
 *          messages, one is what arrived.
 * TIMEOUT  timeout_ms: -1 waits, 0 does not. Running out of time is TST_E_TIMEOUT,
 *          an ordinary outcome without detail. A caller that has to stay
 *          interruptible waits in slices.
 * CANCEL   tst_link_cancel ends parked and later calls with TST_E_CANCELLED within
 *          50 ms. tst_link_close also frees everything; parked calls end with
 *          TST_E_CLOSED, later ones with TST_E_INVALID_HANDLE.
 * THREADS  Reading, writing, statistics, cancelling and closing may go on at the
 *          same time. Two reads of one link take turns, so do two writes.
 * BOUNDS   Nothing is queued here beyond one batch, a gap buffer of 6 MiB at most
 *          in reconnecting links, and the kernel's and libraries' own buffers.
 */
#ifndef TSTRANS_TRANSPORT_H
#define TSTRANS_TRANSPORT_H

#include "tstrans/mpegts.h"
#include "tstrans/mux.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A sender, receiver, connection or listener. */
typedef uint64_t tst_link;

/* One message in an arena. In Python's struct: "II". */
typedef struct tst_span {
  uint32_t offset;
  uint32_t len;
} tst_span;
typedef const tst_span tst_cspan;

/* Messages one call moves at most. */
#define TST_LINK_BATCH_MAX (1024)

/* An arena for tst_link_read_ts holds at least this many bytes. */
#define TST_LINK_TS_ARENA (66304)

/* Counters every link keeps. Bytes are payload bytes. */
typedef struct tst_link_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t messages_sent;
  uint64_t bytes_sent;
  uint64_t messages_received;
  uint64_t bytes_received;
  uint64_t send_calls;
  uint64_t recv_calls;
  uint64_t send_errors;
  uint64_t recv_errors;      /* running out of time is none */
  uint64_t messages_dropped; /* what a full queue cost, the kernel's included */
} tst_link_stats;

/* tst_reconnect_stats.end_reason */
#define TST_END_NONE (0)
#define TST_END_OF_STREAM (1)
#define TST_END_EXHAUSTED (2) /* no attempt is left */
#define TST_END_CANCELLED (3)

/* Counters of a reconnecting link. */
typedef struct tst_reconnect_stats {
  uint32_t struct_size;
  uint32_t reconnecting;           /* 1 while there is no link */
  uint64_t attempts;               /* links tried after the first */
  uint64_t successes;              /* links won back */
  uint64_t gap_len;                /* messages waiting in the gap buffer */
  uint64_t gap_messages_dropped;   /* what a full gap buffer cost */
  uint64_t gap_bytes_dropped;
  uint64_t link_messages_lost;     /* taken over by links that broke, not delivered, not kept: an estimate */
  uint64_t link_bytes_lost;
  uint64_t messages_resent;        /* sent again: the broken link had not acknowledged them */
  uint32_t end_reason;             /* TST_END_ */
  uint32_t reserved;
} tst_reconnect_stats;

/* Parameters of a reconnecting link (tst_config_set_int), all optional:
 *   policy.max_attempts   attempts an outage has, -1 no limit; default 10
 *   policy.backoff        0 constant, 1 doubling; default 1
 *   policy.backoff_ms     wait before the first attempt, ms; default 100
 *   policy.backoff_max_ms most a doubling wait grows to, ms; default 10000
 *   policy.gap_capacity   messages the gap buffer holds, from 1; default 256
 *   policy.overflow       0 drops the oldest, 1 refuses with TST_E_NO_MEMORY; default 0
 *   policy.background     1: sends queue while there is no link; default 0 */

/* tst_link_wait waits until the link is up: TST_OK, TST_E_TIMEOUT, or what kept
 * it from coming up. Any thread, any time. Since 1. */
tst_status tst_link_wait(tst_link link, int32_t timeout_ms);

/* tst_link_read waits for a first message and takes what else is ready: *n
 * messages, at most cap, in arena (caller's). TST_E_DISCONTINUITY comes with
 * messages too: they are the first of a new link. TST_E_BUFFER_TOO_SMALL: the
 * next message needs a larger arena (attribute "needed") and stays.
 * TST_E_EOS: a reconnecting link gave up. Any thread, any time. Since 1. */
tst_status tst_link_read(tst_span *spans, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap, tst_link link,
                         int32_t timeout_ms);

/* tst_link_write sends count messages of data (caller's, copied) and tells in
 * *taken how many were taken over; on an error the others may be sent again.
 * Any thread, any time. Since 1. */
tst_status tst_link_write(size_t *taken, tst_link link, tst_cu8 *data, size_t len, tst_cspan *spans, size_t count,
                          int32_t timeout_ms);

/* tst_link_send is tst_link_write of one message. In a burst (8 sends within 200 us or so) UDP, RTP and TCP
 * messages may be held back for up to a millisecond to leave together; what fails then is told by the next
 * send. Any thread, any time. Since 1. */
tst_status tst_link_send(tst_link link, tst_cu8 *data, size_t len, int32_t timeout_ms);

/* tst_link_read_ts reads whole TS packets: *len bytes, a multiple of 188, in arena
 * of at least TST_LINK_TS_ARENA bytes. Nothing is delivered before four packets
 * in a row were seen; bytes between packets are dropped. Any thread, any time.
 * Since 1. */
tst_status tst_link_read_ts(size_t *len, uint8_t *arena, size_t arena_cap, tst_link link, int32_t timeout_ms);

/* tst_link_write_ts takes a transport stream in pieces of any length and sends it
 * in messages of seven packets; *taken bytes were taken over. What does not fill
 * a message waits for more or for tst_link_flush_ts. More than 18800 bytes in a
 * row without packets: TST_E_SRT_INPUT_MALFORMED. Any thread, any time. Since 1. */
tst_status tst_link_write_ts(size_t *taken, tst_link link, tst_cu8 *data, size_t len, int32_t timeout_ms);

/* tst_link_flush_ts sends the whole packets that wait, as one shorter message.
 * Any thread, any time. Since 1. */
tst_status tst_link_flush_ts(tst_link link, int32_t timeout_ms);

/* tst_link_demux moves what the link has into a demuxer that is fed, whole packets
 * only, and gives in *pending the events that wait in it. TST_E_DISCONTINUITY:
 * the link was replaced and nothing was fed yet; the next call feeds the data of
 * the new link, into whatever demuxer it is given. Errors of tst_demuxer_feed
 * come through: call again to go on. One thread at a time per demuxer. Since 1. */
tst_status tst_link_demux(uint64_t *pending, tst_link link, tst_demuxer demuxer, int32_t timeout_ms);

/* tst_link_mux sends every packet that waits in a muxer, in messages of up to
 * seven. On TST_E_TIMEOUT the rest waits in the muxer. One thread at a time per
 * muxer. Since 1. */
tst_status tst_link_mux(tst_link link, tst_muxer muxer, int32_t timeout_ms);

/* tst_link_accept waits for a connection of a listener. Owned: tst_link_close.
 * Any thread, any time. Since 1. */
tst_status tst_link_accept(tst_link *out, tst_link listener, int32_t timeout_ms);

/* tst_link_fd gives a descriptor that is readable when a read, an accept or the
 * end of the link waits; it belongs to the link. Read until TST_E_TIMEOUT before
 * waiting on it. TST_E_NOT_SUPPORTED where a link has none. Any thread, any time.
 * Since 1. */
tst_status tst_link_fd(int32_t *out, tst_link link);

/* Text of an end of the link: TST_LINK_LOCAL, TST_LINK_PEER as "ip:port" (IPv6 in
 * brackets), TST_LINK_STREAM_ID of SRT. */
#define TST_LINK_LOCAL (0)
#define TST_LINK_PEER (1)
#define TST_LINK_STREAM_ID (2)

/* tst_link_text writes at most cap bytes into out (caller's), without NUL; *len is
 * the whole length. Any thread, any time. QUICK. Since 1. */
tst_status tst_link_text(uint8_t *out, size_t cap, size_t *len, tst_link link, uint32_t what);

/* tst_link_alive is 1 while the link has not been seen lost, given up, or closed.
 * Any thread, any time. QUICK. Since 1. */
int32_t tst_link_alive(tst_link link);

/* tst_link_get_stats fills the counters; struct_size is set by the caller. Waits
 * for nothing. Any thread, any time. Since 1. */
tst_status tst_link_get_stats(tst_link_stats *out, tst_link link);

/* tst_link_get_reconnect_stats fills the counters of a reconnecting link, else
 * TST_E_NOT_SUPPORTED. Any thread, any time. Since 1. */
tst_status tst_link_get_reconnect_stats(tst_reconnect_stats *out, tst_link link);

/* tst_link_cancel ends parked and later calls. It frees nothing and may be
 * repeated. Any thread, any time. Since 1. */
tst_status tst_link_cancel(tst_link link);

/* tst_link_close frees a link. What was sent before still goes out, within the
 * transport's own limits. Accepts 0 and repeated calls. Any thread, any time.
 * Since 1. */
tst_status tst_link_close(tst_link link);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_TRANSPORT_H */
