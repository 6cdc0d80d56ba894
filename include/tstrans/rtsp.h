/* tstrans/rtsp.h: RTSP 1.0 (RFC 2326): playing streams, serving them, taking them
 * from publishers.
 *
 * MEDIA    MPEG-TS (payload type 33) is passed on as it is. Elementary H.264,
 *          H.265, KLV, AAC, AAC in LATM and MPEG audio (RFC 6184, 7798, 6597, 3640,
 *          6416, 2250) become MPEG-TS: video from PID 0x100, KLV from 0x101, audio
 *          from 0x102, in steps of 16. Opus (RFC 7587: stream_type 0x06, registration
 *          "Opus") and G.711 (0x90 A-law, 0x91 mu-law) become private streams from
 *          0x103. Media of other kinds, and sound that the server refuses, are left out;
 *          a stream with nothing else but G.711 has no media (TST_E_RTSP_NOT_FOUND).
 * THREADS  All functions: any thread, any time. Control calls of one session take
 *          turns.
 * WAITS    Calls with timeout_ms start what they are for and wait so long for it;
 *          after TST_E_TIMEOUT, the same call goes on waiting.
 */
#ifndef TSTRANS_RTSP_H
#define TSTRANS_RTSP_H

#include "tstrans/rtp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- playing --------------------------------------------------------- */

/* A session with a server. */
typedef uint64_t tst_rtsp_session;

/* tst_rtsp_connect begins to connect and play. Parameters:
 *   url          rtsp://[user[:password]@]host[:554]/path?transport=&recv_timeout=&udp_timeout=&
 *                reorder= or rtsps:// (text, required). udp_timeout (ms, default 5000,
 *                0 never) is how long transport 0 waits for a first packet by UDP
 *                before it tries TCP. Other keys of the query are the server's
 *   user, password  credentials, for whatever scheme the server asks (text)
 *   transport    0 UDP, else TCP where the server refuses it (default), 1 UDP, 2 TCP
 *   mode         0 MPEG-TS (default), 1 the first H.264 media as pictures
 *   rtcp         0 sends no receiver reports; default 1
 *   keepalive    0 sends no keep-alives; default 1
 *   root_certs   trust anchors in PEM (bytes); default the system's
 *   timeout_ms   for the connection and for each request; default 10000
 * Owned: tst_rtsp_close. Since 1. */
tst_status tst_rtsp_connect(tst_rtsp_session *out, tst_config config);

/* tst_rtsp_wait waits until the stream plays: TST_OK, TST_E_TIMEOUT, or what kept it
 * from playing: TST_E_RTSP_... Since 1. */
tst_status tst_rtsp_wait(tst_rtsp_session session, int32_t timeout_ms);

/* Control calls. */
#define TST_RTSP_PLAY (1)
#define TST_RTSP_PAUSE (2)
#define TST_RTSP_TEARDOWN (3)

/* tst_rtsp_control makes a control call. After a teardown or tst_rtsp_cancel:
 * TST_E_RTSP_PROTOCOL, TST_E_CANCELLED. Since 1. */
tst_status tst_rtsp_control(tst_rtsp_session session, uint32_t call, int32_t timeout_ms);

/* Figures of a session. */
typedef struct tst_rtsp_stats {
  uint32_t struct_size;
  uint32_t torn_down; /* 1 after a teardown */
  uint64_t rr_received;
  uint64_t sr_received;
  uint64_t rr_sent;
  uint64_t sr_sent;
  uint64_t jitter_us;
  uint32_t fraction_lost_q8;
  uint32_t end_reason; /* TST_STREAM_ */
  uint32_t medias;     /* how many are played */
  uint32_t alignment;  /* TST_ALIGN_ */
} tst_rtsp_stats;

/* tst_rtsp_get_stats fills the figures. Since 1. */
tst_status tst_rtsp_get_stats(tst_rtsp_stats *out, tst_rtsp_session session);

/* tst_rtsp_clock maps RTP time stamps of media (from 0) to the server's wall clock
 * as its last sender report says: *ntp is the 64-bit NTP time at *rtp, *rate the
 * ticks a second, 0 while no report came. Since 1. */
tst_status tst_rtsp_clock(uint64_t *ntp, uint32_t *rtp, uint32_t *rate, tst_rtsp_session session, uint32_t media);

/* tst_rtsp_take hands out the stream, once: TST_E_RTSP_CLOSED after the first time,
 * TST_E_RTSP_PROTOCOL for a session in mode 1. Owned: tst_link_close, which leaves
 * the session alone. Since 1. */
tst_status tst_rtsp_take(tst_link *out, tst_rtsp_session session);

/* tst_rtsp_take_h264 is tst_rtsp_take for mode 1. Since 1. */
tst_status tst_rtsp_take_h264(tst_h264 *out, tst_rtsp_session session);

/* tst_rtsp_cancel ends control calls and the stream. Since 1. */
tst_status tst_rtsp_cancel(tst_rtsp_session session);

/* tst_rtsp_close tears the session down, in the background where the server does
 * not answer, and frees it. Links taken from it stay and end. Accepts 0 and
 * repeated calls. Since 1. */
tst_status tst_rtsp_close(tst_rtsp_session session);

/* ---- serving --------------------------------------------------------- */

/* A server, and a path of it. A mount's handle is a view: closing it leaves the
 * mount. In the push functions of tstrans/mux.h, and in tst_muxer_streams, a mount
 * stands for its muxer, for any number of threads. */
typedef uint64_t tst_rtsp_server;
typedef uint64_t tst_rtsp_mount;

/* tst_rtsp_server_start binds and serves. Parameters:
 *   bind_addr          ip, ip:port or [v6]:port, with or without rtsp:// or rtsps://
 *                      (text); default 0.0.0.0:8554; port 0: a free one
 *   auth               0 none (default), 1 Basic, 2 Digest MD5, 3 Digest SHA-256
 *   user, password, realm (text)
 *   max_sessions       connections at a time, from 1; default 100
 *   session_timeout_ms what clients are told, from 1; twice the silence ends a
 *                      session; default 60000
 *   fanout_capacity    packets that wait for a slow client, from 1; default 256
 *   tls_cert, tls_key  PEM (bytes); both turn TLS on
 *   accept_unregistered 1 takes publishers on any path; default 0
 * TST_E_RTSP_IO, _TLS, _PROTOCOL. Owned: tst_rtsp_server_close. Since 1. */
tst_status tst_rtsp_server_start(tst_rtsp_server *out, tst_config config);

/* tst_rtsp_server_stop tells the clients, lets what waits go out for at most
 * drain_ms, and ends everything. Since 1. */
tst_status tst_rtsp_server_stop(tst_rtsp_server server, uint32_t drain_ms, int32_t timeout_ms);

/* tst_rtsp_server_cancel ends everything at once. Since 1. */
tst_status tst_rtsp_server_cancel(tst_rtsp_server server);

/* tst_rtsp_server_close is cancel, and frees the server. Accepts 0 and repeated
 * calls. Since 1. */
tst_status tst_rtsp_server_close(tst_rtsp_server server);

/* tst_rtsp_server_addr writes "ip:port" of the bound socket into out (caller's),
 * without NUL. QUICK. Since 1. */
tst_status tst_rtsp_server_addr(uint8_t *out, size_t cap, size_t *len, tst_rtsp_server server);

/* Counters of a server. */
typedef struct tst_rtsp_server_stats {
  uint32_t struct_size;
  uint32_t stopped;          /* 1 after stop or cancel */
  uint64_t active_sessions;  /* connections */
  uint64_t active_publishers;
  uint64_t mounts;
  uint64_t rtp_packets_sent;
  uint64_t rtp_bytes_sent;   /* RTP headers included */
  uint64_t rtp_packets_received;
  uint64_t rtp_bytes_received;
  uint64_t sr_sent;
  uint64_t rr_received;
} tst_rtsp_server_stats;

/* tst_rtsp_server_get_stats fills the counters. Since 1. */
tst_status tst_rtsp_server_get_stats(tst_rtsp_server_stats *out, tst_rtsp_server server);

/* tst_rtsp_mount_add adds a path with a muxer. Parameters: those of tst_muxer_open,
 * of which the one program counts, and
 *   group, port, ttl, iface  make it a multicast mount: addresses (text), numbers
 *   elementary  1 serves each stream in its own RTP format; default 0
 * TST_E_RTSP_MOUNT for a path that is taken or not one, and for a group that is
 * none; TST_E_RTSP_SERVER once stopped. Owned: tst_rtsp_mount_close. Since 1. */
tst_status tst_rtsp_mount_add(tst_rtsp_mount *out, tst_rtsp_server server, tst_cchar *path, size_t path_len,
                              tst_config config);

/* tst_rtsp_mount_publish adds a path that a publisher may fill (ANNOUNCE, RECORD).
 * Owned: tst_rtsp_mount_close. Since 1. */
tst_status tst_rtsp_mount_publish(tst_rtsp_mount *out, tst_rtsp_server server, tst_cchar *path, size_t path_len);

/* tst_rtsp_mount_remove takes a path away and ends its clients. Since 1. */
tst_status tst_rtsp_mount_remove(tst_rtsp_server server, tst_cchar *path, size_t path_len);

/* tst_rtsp_next_publisher waits for a mount that was made for a publisher on a path
 * nobody added. Owned: tst_rtsp_mount_close. TST_E_RTSP_SERVER once stopped. Since 1. */
tst_status tst_rtsp_next_publisher(tst_rtsp_mount *out, tst_rtsp_server server, int32_t timeout_ms);

/* What tst_rtsp_mount_text gives. */
#define TST_MOUNT_PATH (0)
#define TST_MOUNT_PUBLISHER (1) /* "ip:port" of who publishes now, "" where nobody does */

/* tst_rtsp_mount_text writes a text of a mount into out (caller's), without NUL.
 * QUICK. Since 1. */
tst_status tst_rtsp_mount_text(uint8_t *out, size_t cap, size_t *len, tst_rtsp_mount mount, uint32_t what);

/* tst_rtsp_mount_send_ts sends whole TS packets as they are, such as a file's,
 * instead of pushes. One thread at a time per mount. Since 1. */
tst_status tst_rtsp_mount_send_ts(tst_rtsp_mount mount, tst_cu8 *data, size_t len);

/* tst_rtsp_mount_play_ts is tst_rtsp_mount_send_ts for a recording: packets go out
 * when its clock references say so, as long as that is within timeout_ms. *taken
 * bytes went out; TST_E_TIMEOUT: the rest is not due yet. One thread at a time per
 * handle. Since 1. */
tst_status tst_rtsp_mount_play_ts(size_t *taken, tst_rtsp_mount mount, tst_cu8 *data, size_t len, int32_t timeout_ms);

/* Kinds of mounts. */
#define TST_MOUNT_UNICAST (0)
#define TST_MOUNT_MULTICAST (1)
#define TST_MOUNT_PUBLISHED (2)

/* Counters of a mount. */
typedef struct tst_rtsp_mount_stats {
  uint32_t struct_size;
  uint32_t kind;           /* TST_MOUNT_UNICAST ... */
  uint64_t bytes_pushed;   /* without RTP headers */
  uint64_t packets_pushed; /* RTP packets made */
  uint64_t peers;          /* clients that play */
  uint64_t packets_dropped; /* that clients which read too slowly lost */
} tst_rtsp_mount_stats;

/* tst_rtsp_mount_get_stats fills the counters, _reset_stats zeroes those and the
 * muxer's. Since 1. */
tst_status tst_rtsp_mount_get_stats(tst_rtsp_mount_stats *out, tst_rtsp_mount mount);
tst_status tst_rtsp_mount_reset_stats(tst_rtsp_mount mount);

/* How the clocks of media are related. */
#define TST_ALIGN_NOT_APPLICABLE (0)
#define TST_ALIGN_PENDING (1)
#define TST_ALIGN_PROVISIONAL (2)
#define TST_ALIGN_SENDER_REPORT (3)

/* Counters of a publish mount, and who publishes. */
typedef struct tst_rtsp_publish_stats {
  uint32_t struct_size;
  uint32_t alignment;   /* TST_ALIGN_ */
  uint32_t active;      /* 1: somebody publishes, and the next three hold */
  uint32_t elementary;  /* 1: elementary media, 0: MPEG-TS */
  uint32_t klv;         /* 1: with a KLV media */
  uint32_t reserved;
  int64_t since_unix_ms;
  uint64_t generation;  /* publishers that left */
  uint64_t packets_received;
  uint64_t bytes_received; /* of payload */
  uint64_t packets_malformed;
  uint64_t packets_rejected;
  uint64_t packets_lost;
  uint64_t packets_reordered;
  uint64_t frames_emitted;
  uint64_t frames_dropped_app;
  uint64_t frames_dropped_readers;
  uint64_t aus_emitted;
  uint64_t aus_dropped;
  uint64_t klv_units_emitted;
  uint64_t klv_units_dropped;
  uint64_t alignment_steps;
  uint64_t ssrc_changes;
  uint64_t peers;
} tst_rtsp_publish_stats;

/* tst_rtsp_publish_get_stats fills the counters of a publish mount. Since 1. */
tst_status tst_rtsp_publish_get_stats(tst_rtsp_publish_stats *out, tst_rtsp_mount mount);

/* tst_rtsp_publish_take hands out what publishers send, once (TST_E_RTSP_CLOSED).
 * It goes on over changes of publishers. Owned: tst_link_close. Since 1. */
tst_status tst_rtsp_publish_take(tst_link *out, tst_rtsp_mount mount);

/* tst_rtsp_publish_cancel ends the mount's stream and its publisher. Since 1. */
tst_status tst_rtsp_publish_cancel(tst_rtsp_mount mount);

/* tst_rtsp_mount_close gives the handle back; the mount stays with its server.
 * Accepts 0 and repeated calls. Since 1. */
tst_status tst_rtsp_mount_close(tst_rtsp_mount mount);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_RTSP_H */
