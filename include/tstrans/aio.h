/* tstrans/aio.h: RTP sessions of voice and video beside an event loop.
 *
 * One engine a process serves the sockets of all sessions. What is sent is posted
 * to shared memory; what arrives comes in batches of records through a hub, one a
 * loop, whose descriptor becomes readable. Neither enters the library's runtime
 * from the caller's thread.
 */
#ifndef TSTRANS_AIO_H
#define TSTRANS_AIO_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Brings the records of its sessions to one loop. */
typedef uint64_t tst_aio_hub;

/* A session. */
typedef uint64_t tst_aio_session;

/* Kinds of records: what ts, a, b and the payload are. */
#define TST_AIO_AUDIO (1)    /* PCM, or the payload of a session without codec */
#define TST_AIO_RAW (2)      /* a payload for the caller's codec */
#define TST_AIO_CONCEAL (3)  /* a: frames that the caller's codec conceals */
#define TST_AIO_DTMF (4)     /* a: key in ASCII; b: duration in timestamp units */
#define TST_AIO_REPORT (5)   /* payload: a report block about the session, as on the wire */
#define TST_AIO_NOISE (6)    /* a: level of comfort noise in -dBov */
#define TST_AIO_FRAME (7)    /* a NAL unit or frame; a: 1 for a key frame */
#define TST_AIO_KEYFRAME (8) /* the peer asks for a key frame */
#define TST_AIO_DRAINED (9)  /* nothing waits in the paced queue any more */
#define TST_AIO_SILENCE (10) /* a frame of noise for the caller's codec to stand in; a: level */

/* Flags of records. */
#define TST_AIO_MORE (1)  /* the payload goes on in the next record */
#define TST_AIO_CLOCK (2) /* from the playout clock */

/* 32 bytes. session and generation are the halves of the session's lane. */
typedef struct tst_aio_record {
  uint32_t session;
  uint16_t kind;
  uint16_t flags;
  uint32_t timestamp;
  uint32_t off; /* of the payload in the batch's arena */
  uint32_t len;
  uint32_t a;
  uint32_t b;
  uint32_t generation;
} tst_aio_record;

/* A batch, borrowed until tst_aio_done. */
typedef struct tst_aio_batch {
  uint64_t records; /* address of count records */
  uint64_t arena;   /* address of arena_len bytes */
  uint32_t count;
  uint32_t arena_len;
} tst_aio_batch;

/* tst_aio_hub_open makes a hub. *fd is its descriptor, *memory what tst_aio_take
 * wants. Owned: tst_aio_hub_close. Any thread, any time. Since 1. */
tst_status tst_aio_hub_open(tst_aio_hub *out, int32_t *fd, uint64_t *memory);

/* tst_aio_take gives the next batch of a hub: *batch with count 0 where there is
 * none. Read the descriptor first (8 bytes), then take until there is none, or until
 * tst_aio_done says so. One thread at a time per hub. QUICK. Since 1. */
tst_status tst_aio_take(tst_aio_batch *batch, uint64_t memory);

/* tst_aio_done gives the batch back. TST_E_AGAIN: no other is there yet, and the
 * descriptor will tell of it. One thread at a time per hub. QUICK. Since 1. */
tst_status tst_aio_done(uint64_t memory);

/* tst_aio_hub_close frees a hub; its sessions go on without one. Accepts 0 and
 * repeated calls, but nobody may be in tst_aio_take. Any thread. Since 1. */
tst_status tst_aio_hub_close(tst_aio_hub hub);

/* tst_aio_open binds a session. Parameters:
 *   video          1: video
 *   local_ip, remote_ip      text; IPv6 with a numeric zone
 *   local_port, remote_port  0 to 65535
 *   rtcp_port      of the local end, default local_port + 1, or any for port 0
 *   payload_type   0 to 127
 *   ssrc           default arbitrary
 *   clock_rate     Hz, default 8000
 *   cname          default "aiortp"
 *   rtcp_interval_ms  default 5000; reports go out after half to one and a half of it; 0: none
 *   nack           1: answer NACKs from the last 128 packets
 *   duplicate      1: every packet goes out again behind the next one
 *   symmetric      1: send to where media comes from (RFC 4961)
 *   capacity       of the jitter buffer in packets, a power of two, default 16
 *   prefetch       frames held back, default 4
 *   as_reference   1: keep what the documentation of tstrans.aio lists as faults of aiortp
 * Audio:
 *   codec          one of TST_AUDIO_..., -1 (default): none; with sample_rate,
 *                  channels, frame_ms and dtx of Opus
 *   foreign        1: the caller has the codec
 *   rate, frame_samples  of the codec: Hz, samples of a channel
 *   dtmf_type      default 101
 *   skip_gaps, conceal, playout, paced  0 or 1
 *   max_delay_ms   of the playout, default 200
 *   noise          1: comfort noise in the pauses of a paced session
 *   noise_type     default 13
 * Video:
 *   video_codec    one of TST_RTPVIDEO_...
 *   frame_step     timestamp units a frame, default 3000
 * *lane is what tst_aio_post wants. TST_E_IO with attribute "errno" where an
 * address cannot be bound. hub may be 0. Owned: tst_aio_close. Any thread, any
 * time. Since 1. */
tst_status tst_aio_open(tst_aio_session *out, uint64_t *lane, tst_config config, tst_aio_hub hub);

/* What is posted. */
#define TST_AIO_PAYLOAD (0)     /* a payload with a timestamp */
#define TST_AIO_PCM (1)         /* PCM with a timestamp, for the session's codec */
#define TST_AIO_PACED (2)       /* a payload for the paced queue */
#define TST_AIO_PACED_PCM (3)   /* PCM for the paced queue */
#define TST_AIO_AUTO (4)        /* added to 0 or 1: the next timestamp, which is given in *timestamp */

/* tst_aio_post queues a payload or PCM of at most 65,000 bytes; it goes out within
 * a tick (2 ms). TST_E_AGAIN: the queue (8 MiB, of the process) is full, call
 * tst_aio_flush and repeat. TST_E_CLOSED: no open session has this lane. Any
 * thread, any time. QUICK. Since 1. */
tst_status tst_aio_post(uint32_t *timestamp, uint64_t lane, uint32_t kind, tst_cu8 *data, size_t n);

/* tst_aio_send is tst_aio_post that takes and gives the timestamp as a value: the one
 * it goes out with, or a negative status. Any thread, any time. QUICK. Since 1. */
int64_t tst_aio_send(uint64_t lane, uint32_t kind, uint32_t timestamp, tst_cu8 *data, size_t n);

/* tst_aio_flush sends what was posted. Any thread, any time. Since 1. */
tst_status tst_aio_flush(tst_aio_session session);

/* tst_aio_press sends a digit (RFC 4733): one of 0-9 * # A-D in UTF-8. Any thread,
 * any time. Since 1. */
tst_status tst_aio_press(tst_aio_session session, tst_cchar *digit, size_t digit_len, uint32_t duration_ms, uint32_t timestamp);

/* tst_aio_queued tells how many frames wait in the paced queue; where some do,
 * TST_AIO_DRAINED comes when none does any more. Any thread, any time. Since 1. */
tst_status tst_aio_queued(size_t *out, tst_aio_session session);

/* tst_aio_send_frame sends one picture: count units of the sizes given, one after
 * the other in data. auto_stamp: *timestamp is given rather than taken. Any thread,
 * any time. Since 1. */
tst_status tst_aio_send_frame(uint32_t *timestamp, tst_aio_session session, tst_cu8 *data, size_t n, tst_cu32 *sizes, size_t count,
                              uint32_t auto_stamp, uint32_t key);

/* tst_aio_request_keyframe sends a PLI once a source is known; passthrough keeps
 * pictures coming after a loss. Any thread, any time. Since 1. */
tst_status tst_aio_request_keyframe(tst_aio_session session);
tst_status tst_aio_set_passthrough(tst_aio_session session, uint32_t on);

/* tst_aio_update_remote takes another address of the peer. Any thread, any time. Since 1. */
tst_status tst_aio_update_remote(tst_aio_session session, tst_cchar *ip, size_t ip_len, uint32_t port);

/* tst_aio_local gives the bound addresses as text: "ip port ip port" of RTP and
 * RTCP. Any thread, any time. Since 1. */
tst_status tst_aio_local(uint8_t *out, size_t cap, size_t *len, tst_aio_session session);

typedef struct tst_aio_stats {
  uint32_t struct_size;
  uint32_t ssrc;
  uint64_t packets_sent;
  uint64_t octets_sent;
  uint32_t heard;    /* 1: what follows counts */
  uint32_t jitter;   /* timestamp units */
  uint64_t packets_received;
  int32_t packets_lost;
  uint32_t reported; /* 1: a report about the session came */
  uint32_t remote_fraction_lost; /* of 256 */
  int32_t remote_packets_lost;
  uint32_t remote_jitter;
  uint32_t reserved;
  uint64_t concealed_frames;
  uint64_t queue_depth;
  uint64_t paced_sent;
  uint64_t empty_ticks;
  uint64_t cn_sent;
  uint64_t late_dropped;
  uint64_t expansions;
  uint64_t accelerations;
  uint64_t underrun_suspensions;
  uint64_t cn_frames;
  double playout_delay_ms;
  double playout_target_ms;
  uint64_t malformed;      /* datagrams that are neither RTP nor RTCP */
  uint64_t oversize;       /* payloads too large to send */
  uint64_t unsent;         /* packets the system did not take, frames that could not be encoded */
  uint64_t records_dropped; /* the loop did not take its records in time */
  uint64_t decode_errors;
  uint64_t queue_dropped;  /* beyond 30000 in the paced queue */
  uint64_t source_changes; /* of the SSRC heard */
} tst_aio_stats;

/* struct_size is set by the caller; what was posted before is counted. Also after
 * tst_aio_end. Any thread, any time. Since 1. */
tst_status tst_aio_get_stats(tst_aio_stats *out, tst_aio_session session);

/* tst_aio_end says goodbye and closes the sockets; statistics stay. Any thread,
 * any time. Since 1. */
tst_status tst_aio_end(tst_aio_session session);

/* tst_aio_close frees a session. Accepts 0 and repeated calls. Any thread, any
 * time. Since 1. */
tst_status tst_aio_close(tst_aio_session session);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_AIO_H */
