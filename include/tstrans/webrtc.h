/* tstrans/webrtc.h: peer connections: descriptions, tracks of encoded media, data
 * channels.
 *
 * MODEL    A hub collects what happens on many connections: events, in their order,
 *          each with the number its connection was opened with. Its descriptor is
 *          readable while events wait. Calls do not wait for the network; what takes
 *          time ends with TST_RTC_EVENT_DONE.
 * MEDIA    Access units of H.264 and H.265 are byte streams (Annex B), VP8 frames and
 *          audio packets are as their encoders made them.
 * BOUNDS   Media and messages that wait in the hub: 16 MiB a connection. Beyond it
 *          pictures are dropped until a key frame, counted, and data channels hold the
 *          other side back.
 * THREADS  All functions: any thread, any time, but for tst_rtc_hub_read, which one
 *          thread at a time calls.
 */
#ifndef TSTRANS_WEBRTC_H
#define TSTRANS_WEBRTC_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t tst_rtc_hub;
typedef uint64_t tst_rtc_peer;

/* Kinds of media. */
#define TST_RTC_AUDIO (0)
#define TST_RTC_VIDEO (1)

/* Directions, from this side. */
#define TST_RTC_INACTIVE (0)
#define TST_RTC_SENDONLY (1)
#define TST_RTC_RECVONLY (2)
#define TST_RTC_SENDRECV (3)
#define TST_RTC_NO_DIRECTION (255) /* nothing was negotiated yet */

/* Types of descriptions. */
#define TST_RTC_OFFER (0)
#define TST_RTC_ANSWER (1)
#define TST_RTC_PRANSWER (2)
#define TST_RTC_ROLLBACK (3)

/* Codecs. */
#define TST_RTC_OPUS (1)
#define TST_RTC_G722 (2)
#define TST_RTC_PCMU (3)
#define TST_RTC_PCMA (4)
#define TST_RTC_VP8 (5)
#define TST_RTC_H264 (6)
#define TST_RTC_H265 (7)
#define TST_RTC_OPUS_TS (9) /* to send: Opus as a PES packet holds it, one or more units */

/* Kinds of events, and what code, object, value and data are. */
#define TST_RTC_EVENT_SIGNALING (1)     /* code: 0 stable, 1 have-local-offer, 2 have-remote-offer, 3 closed */
#define TST_RTC_EVENT_GATHERING (2)     /* code: 0 new, 1 gathering, 2 complete */
#define TST_RTC_EVENT_ICE (3)           /* code: 0 new, 1 checking, 2 completed, 3 failed, 4 closed */
#define TST_RTC_EVENT_CONNECTION (4)    /* code: 0 new, 1 connecting, 2 connected, 3 failed, 4 closed */
#define TST_RTC_EVENT_TRACK (5)         /* object: transceiver, data: the remote track's id */
#define TST_RTC_EVENT_DONE (6)          /* object: the operation */
#define TST_RTC_EVENT_SEND (7)          /* object: transceiver, code: codec to send with, 0 to pause */
#define TST_RTC_EVENT_SEND_STOP (8)     /* object: transceiver; its local track has no more use */
#define TST_RTC_EVENT_KEY_FRAME (9)     /* object: transceiver; the other side needs a key frame */
#define TST_RTC_EVENT_BITRATE (10)      /* object: transceiver, value: bits a second the other side takes */
#define TST_RTC_EVENT_FRAME (11)        /* object: transceiver, code: codec, value: ticks since the first, data */
#define TST_RTC_EVENT_RECEIVE_END (12)  /* object: transceiver; nothing more arrives */
#define TST_RTC_EVENT_CHANNEL (13)      /* object: a channel the other side opened */
#define TST_RTC_EVENT_CHANNEL_OPEN (14) /* object: channel */
#define TST_RTC_EVENT_TEXT (15)         /* object: channel, data: a message */
#define TST_RTC_EVENT_BINARY (16)       /* object: channel, data: a message */
#define TST_RTC_EVENT_CHANNEL_CLOSE (17) /* object: channel */
#define TST_RTC_EVENT_LOW (18)          /* object: channel; what waits has fallen to the threshold */
#define TST_RTC_EVENT_CHANNEL_ID (19)   /* object: channel, value: its stream */

#define TST_RTC_FLAG_KEY (1) /* the frame can be decoded without those before it */

/* One event. In Python's struct: "IIQQqIIII16x". */
typedef struct tst_rtc_event {
  uint32_t kind;
  uint32_t code;
  uint64_t peer;   /* the number the connection was opened with */
  uint64_t object;
  int64_t value;
  uint32_t flags;
  uint32_t clock;  /* ticks a second of value, of frames */
  uint32_t offset; /* of data in the arena */
  uint32_t len;
  uint64_t reserved[2];
} tst_rtc_event;

/* tst_rtc_hub_open makes a hub. Owned: tst_rtc_hub_close. Since 1. */
tst_status tst_rtc_hub_open(tst_rtc_hub *out);

/* tst_rtc_hub_fd gives the descriptor that is readable while events wait; it belongs
 * to the hub. Since 1. */
tst_status tst_rtc_hub_fd(int32_t *out, tst_rtc_hub hub);

/* tst_rtc_hub_read takes up to cap events, their data in arena (caller's). *n may be
 * 0. A read ends with TST_RTC_EVENT_DONE, so that whoever waits for it runs before
 * what follows is handed out. TST_E_BUFFER_TOO_SMALL: the next event needs a larger arena (attribute
 * "needed"), and stays. Since 1. */
tst_status tst_rtc_hub_read(tst_rtc_event *events, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap, tst_rtc_hub hub);

/* tst_rtc_hub_close ends every connection of the hub. Since 1. */
tst_status tst_rtc_hub_close(tst_rtc_hub hub);

/* tst_rtc_peer_open makes a connection, whose events bear number. Parameters:
 *   ice_servers      lines of address, user, password, with tabs between (text)
 *   relay_only       1: no candidates but those of TURN servers
 *   always_data      1: offers begin with a data section
 *   loopback         1: candidates of the loopback interface too
 *   failed_after_ms  silence after which a connection has failed; default 30000
 * Owned: tst_rtc_peer_close. Since 1. */
tst_status tst_rtc_peer_open(tst_rtc_peer *out, tst_rtc_hub hub, tst_config config, uint64_t number);

/* tst_rtc_peer_end closes the connection and tells the other side; events tell each
 * step and TST_RTC_EVENT_DONE with operation the end. Since 1. */
tst_status tst_rtc_peer_end(tst_rtc_peer peer, uint64_t operation);

/* tst_rtc_peer_close frees a connection, and ends it where tst_rtc_peer_end did not.
 * Since 1. */
tst_status tst_rtc_peer_close(tst_rtc_peer peer);

/* tst_rtc_add_track takes a transceiver whose sender has no track, else makes one;
 * *out is its number. track_id is UTF-8 (caller's). Since 1. */
tst_status tst_rtc_add_track(uint64_t *out, tst_rtc_peer peer, uint32_t kind, tst_cchar *track_id, size_t len);

/* tst_rtc_add_transceiver makes a transceiver; without a track where len is 0. Since 1. */
tst_status tst_rtc_add_transceiver(uint64_t *out, tst_rtc_peer peer, uint32_t kind, uint32_t direction, tst_cchar *track_id,
                                   size_t len);

/* What tst_rtc_transceiver_set sets. */
#define TST_RTC_SET_DIRECTION (1)  /* of the next description */
#define TST_RTC_SET_HAS_TRACK (2)
#define TST_RTC_SET_STOP_SEND (3)
#define TST_RTC_SET_STOP_RECEIVE (4)
#define TST_RTC_SET_STOP (5)
#define TST_RTC_SET_KEY_FRAME (6)  /* asks the other side for one */
#define TST_RTC_SET_SHARED_CLOCK (7) /* its timestamps count from the same moment as those of others set so */

/* tst_rtc_transceiver_set. Since 1. */
tst_status tst_rtc_transceiver_set(tst_rtc_peer peer, uint64_t transceiver, uint32_t what, uint32_t value);

/* tst_rtc_set_preferences takes lines as tst_rtc_capabilities gives them, and
 * "video/H265 90000 0 ". Since 1. */
tst_status tst_rtc_set_preferences(tst_rtc_peer peer, uint64_t transceiver, tst_cchar *lines, size_t len);

/* tst_rtc_create makes an offer or an answer: TST_RTC_TEXT_CREATED. Since 1. */
tst_status tst_rtc_create(tst_rtc_peer peer, uint32_t type);

/* tst_rtc_set_local takes a description of this side; operation ends once candidates
 * were gathered. TST_E_WEBRTC_SDP, TST_E_WEBRTC_STATE. Since 1. */
tst_status tst_rtc_set_local(tst_rtc_peer peer, uint32_t type, tst_cchar *sdp, size_t len, uint64_t operation);

/* tst_rtc_set_remote takes a description of the other side; operation ends at once.
 * TST_E_WEBRTC_SDP, TST_E_WEBRTC_STATE, TST_E_WEBRTC_OPERATION without a common codec;
 * then nothing has changed. Since 1. */
tst_status tst_rtc_set_remote(tst_rtc_peer peer, uint32_t type, tst_cchar *sdp, size_t len, uint64_t operation);

/* tst_rtc_add_candidate takes a candidate as the attribute of SDP has it. Since 1. */
tst_status tst_rtc_add_candidate(tst_rtc_peer peer, tst_cchar *candidate, size_t len);

/* tst_rtc_restart_ice makes the next offer restart ICE. Since 1. */
tst_status tst_rtc_restart_ice(tst_rtc_peer peer);

#define TST_RTC_TEXT_CREATED (0)
#define TST_RTC_TEXT_LOCAL (1)
#define TST_RTC_TEXT_REMOTE (2)
#define TST_RTC_TEXT_UFRAG (3)
#define TST_RTC_TEXT_PASSWORD (4)
#define TST_RTC_TEXT_CANDIDATES (5)   /* lines */
#define TST_RTC_TEXT_FINGERPRINTS (6) /* lines of algorithm and value */

/* tst_rtc_peer_text writes at most cap bytes into out (caller's), without NUL; *len is
 * the whole length, 0 where there is none. Since 1. */
tst_status tst_rtc_peer_text(uint8_t *out, size_t cap, size_t *len, tst_rtc_peer peer, uint32_t what);

/* A connection and its transport. */
typedef struct tst_rtc_peer_info {
  uint32_t struct_size;
  uint32_t transceivers;
  uint32_t local_type;  /* of the description, 255 without one */
  uint32_t remote_type;
  uint32_t data;        /* 1: there is a data transport */
  uint32_t controlling; /* of ICE */
  uint32_t client;      /* of DTLS */
  uint32_t state;       /* as TST_RTC_EVENT_CONNECTION */
  uint32_t ice;         /* as TST_RTC_EVENT_ICE */
  uint32_t gathering;
  uint64_t packets_sent;
  uint64_t packets_received;
  uint64_t bytes_sent; /* with all that DTLS and SRTP add */
  uint64_t bytes_received;
  uint64_t packets_dropped; /* that did not decrypt */
} tst_rtc_peer_info;

/* tst_rtc_peer_get_info; struct_size is set by the caller. Since 1. */
tst_status tst_rtc_peer_get_info(tst_rtc_peer_info *out, tst_rtc_peer peer);

/* A transceiver. */
typedef struct tst_rtc_transceiver_info {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t direction;
  uint32_t current;
  uint32_t stopped;
  uint32_t has_mid;
  uint32_t codec; /* to send with, 0 before */
  uint32_t reserved;
} tst_rtc_transceiver_info;

/* tst_rtc_transceiver_get_info; struct_size is set by the caller. Since 1. */
tst_status tst_rtc_transceiver_get_info(tst_rtc_transceiver_info *out, tst_rtc_peer peer, uint64_t transceiver);

/* tst_rtc_transceiver_mid, as tst_rtc_peer_text. Since 1. */
tst_status tst_rtc_transceiver_mid(uint8_t *out, size_t cap, size_t *len, tst_rtc_peer peer, uint64_t transceiver);

/* One stream. */
typedef struct tst_rtc_stream_stats {
  uint32_t struct_size;
  uint32_t ssrc;
  uint64_t packets;
  uint64_t bytes; /* of payload */
  int64_t packets_lost;
  uint32_t jitter; /* ticks of clock_hz */
  uint32_t clock_hz;
  uint64_t frames_dropped;
  uint64_t packets_repaired;
  int64_t last_heard_unix_us; /* 0: never */
  uint32_t has_remote;        /* 1: the other side reported */
  uint32_t remote_fraction_lost_q8;
  uint64_t remote_packets;
  uint64_t remote_bytes;
  int64_t remote_packets_lost;
  uint32_t remote_jitter;
  uint32_t has_round_trip;
  uint64_t round_trip_us;
  int64_t reported_unix_us; /* when the report came */
  int64_t remote_unix_us;   /* its own time */
  uint64_t key_frames_asked; /* by the other side of what is sent, by this one of what arrives */
  uint64_t bitrate_bps;      /* what the receiving side takes, as it said last (REMB); 0: never */
  int32_t audio_level;       /* in -dBov, 0 to 127; -1: unknown */
  uint32_t reserved;
} tst_rtc_stream_stats;

#define TST_RTC_SENT (0)
#define TST_RTC_RECEIVED (1)

/* tst_rtc_stream_get_stats; struct_size is set by the caller. Since 1. */
tst_status tst_rtc_stream_get_stats(tst_rtc_stream_stats *out, tst_rtc_peer peer, uint64_t transceiver, uint32_t side);

/* tst_rtc_send sends an access unit or an audio packet (caller's, copied). timestamp
 * counts the codec's clock from an origin of the caller's. Nothing is sent, and
 * TST_OK is returned, while the direction or the connection does not allow it. Since 1. */
tst_status tst_rtc_send(tst_rtc_peer peer, uint64_t transceiver, uint32_t codec, int64_t timestamp, tst_cu8 *data, size_t len);

/* tst_rtc_set_audio_level measures samples (caller's; native signed 16 bits, any number
 * of channels), and what is sent next says how loud it is (RFC 6464), where that was
 * negotiated. Since 1. */
tst_status tst_rtc_set_audio_level(tst_rtc_peer peer, uint64_t transceiver, tst_cu8 *pcm, size_t len);

/* tst_rtc_channel_open makes a data channel; *out is its number. Parameters:
 *   label, protocol  (text)
 *   ordered          0 delivers as messages come; default 1
 *   max_retransmits  from 0; default no bound
 *   max_lifetime_ms  from 0; default no bound
 *   negotiated       1: both sides open it, without a message
 *   id               its stream, 0 to 65534; default the next free
 * Since 1. */
tst_status tst_rtc_channel_open(uint64_t *out, tst_rtc_peer peer, tst_config config);

/* A data channel. */
typedef struct tst_rtc_channel_info {
  uint32_t struct_size;
  uint32_t ordered;
  uint32_t negotiated;
  int32_t id; /* -1: none yet */
  int64_t max_retransmits; /* -1: no bound */
  int64_t max_lifetime_ms; /* -1: no bound */
  uint64_t buffered_bytes;
} tst_rtc_channel_info;

/* tst_rtc_channel_get_info; struct_size is set by the caller. Since 1. */
tst_status tst_rtc_channel_get_info(tst_rtc_channel_info *out, tst_rtc_peer peer, uint64_t channel);

#define TST_RTC_CHANNEL_LABEL (0)
#define TST_RTC_CHANNEL_PROTOCOL (1)

/* tst_rtc_channel_text, as tst_rtc_peer_text. Since 1. */
tst_status tst_rtc_channel_text(uint8_t *out, size_t cap, size_t *len, tst_rtc_peer peer, uint64_t channel, uint32_t what);

/* tst_rtc_channel_send sends a message (caller's, copied). TST_E_WEBRTC_STATE unless
 * open; TST_E_WEBRTC_OPERATION where more than 64 MiB wait. Since 1. */
tst_status tst_rtc_channel_send(tst_rtc_peer peer, uint64_t channel, tst_cu8 *data, size_t len, uint32_t is_text);

/* tst_rtc_channel_set_low sets when TST_RTC_EVENT_LOW comes. Since 1. */
tst_status tst_rtc_channel_set_low(tst_rtc_peer peer, uint64_t channel, uint64_t bytes);

/* tst_rtc_channel_close ends a channel; TST_RTC_EVENT_CHANNEL_CLOSE tells when. Since 1. */
tst_status tst_rtc_channel_close(tst_rtc_peer peer, uint64_t channel);

/* tst_rtc_capabilities lists what a kind is sent and received with, a line each: mime
 * type, clock rate in Hz, channels (0: none given), parameters. As tst_rtc_peer_text.
 * Since 1. */
tst_status tst_rtc_capabilities(uint8_t *out, size_t cap, size_t *len, uint32_t kind);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_WEBRTC_H */
