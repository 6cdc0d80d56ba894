/* tstrans/rtpflow.h: what RTP media goes through between a socket and its user,
 * each part drivable by hand: packets and RTCP, jitter buffer, adaptive playout,
 * reception statistics, the packet sender, telephone events, video payloads.
 *
 * Times are seconds of any clock that the caller reads; sequence numbers and
 * timestamps wrap as on the wire. Objects: one thread at a time per handle;
 * _close accepts 0 and repeated calls, any thread, any time.
 */
#ifndef TSTRANS_RTPFLOW_H
#define TSTRANS_RTPFLOW_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An RTP packet (RFC 3550 5.1) with offsets into the parsed bytes. */
typedef struct tst_rtp_packet {
  uint8_t marker;
  uint8_t payload_type;
  uint8_t csrc_count;
  uint8_t padding_len; /* bytes of padding, the count byte included */
  uint16_t sequence;
  uint16_t extension_profile;
  uint32_t timestamp;
  uint32_t ssrc;
  uint32_t payload_off;
  uint32_t payload_len;
  uint32_t extension_off;
  uint32_t extension_len; /* without its 4-byte header */
  uint32_t has_extension;
  uint32_t csrc[15];
} tst_rtp_packet;
typedef const tst_rtp_packet tst_crtp_packet;

/* tst_rtp_parse reads a packet. TST_E_INVALID_ARG with field and offset where it
 * is none. Any thread, any time. QUICK. Since 1. */
tst_status tst_rtp_parse(tst_rtp_packet *out, tst_cu8 *data, size_t n);

/* tst_rtp_build writes a packet: the offsets of packet do not count. out has room
 * for all parts. Padding but its last byte is random. Any thread, any time.
 * QUICK. Since 1. */
tst_status tst_rtp_build(uint8_t *out, size_t cap, size_t *len, tst_crtp_packet *packet, tst_cu8 *payload,
                         size_t payload_len, tst_cu8 *extension, size_t extension_len);

/* One element of a header extension (RFC 8285). */
typedef struct tst_rtp_element {
  uint32_t id;
  uint32_t off;
  uint32_t len;
  uint32_t number; /* the value read as a big-endian number of up to 4 bytes */
} tst_rtp_element;
typedef const tst_rtp_element tst_crtp_element;

/* tst_rtp_elements reads at most cap elements of an extension; other profiles
 * than 0xBEDE and 0x1000 have none. Any thread, any time. QUICK. Since 1. */
tst_status tst_rtp_elements(tst_rtp_element *out, size_t cap, size_t *count, uint32_t profile, tst_cu8 *data, size_t n);

/* tst_rtp_build_elements writes the extension that holds count elements whose
 * values lie in data. Any thread, any time. QUICK. Since 1. */
tst_status tst_rtp_build_elements(uint8_t *out, size_t cap, size_t *len, uint32_t *profile, tst_crtp_element *elements,
                                  size_t count, tst_cu8 *data, size_t n);

/* One entry of a compound RTCP packet; what belongs to a packet follows it. */
#define TST_RTCP_PACKET (0) /* type, format, ssrc, media, ntp, rtp, packets, octets; off, len: FCI of type 206 */
#define TST_RTCP_REPORT (1) /* ssrc, fraction_lost, lost, highest, jitter, lsr, dlsr */
#define TST_RTCP_CHUNK (2)  /* ssrc */
#define TST_RTCP_ITEM (3)   /* type, off, len */
#define TST_RTCP_SOURCE (4) /* ssrc of a goodbye */
#define TST_RTCP_LOST (5)   /* highest: a sequence number of a generic NACK */

typedef struct tst_rtcp_entry {
  uint8_t kind;
  uint8_t type;
  uint8_t format;
  uint8_t fraction_lost; /* of 256 */
  uint32_t ssrc;
  uint64_t ntp;
  uint32_t media;
  uint32_t rtp;
  uint32_t packets;
  uint32_t octets;
  int32_t lost;
  uint32_t highest;
  uint32_t jitter; /* timestamp units */
  uint32_t lsr;
  uint32_t dlsr; /* 1/65536 s */
  uint32_t off;
  uint32_t len;
  uint32_t reserved;
} tst_rtcp_entry;
typedef const tst_rtcp_entry tst_crtcp_entry;

/* tst_rtcp_parse reads a compound packet; packets of other types than 200 to 203,
 * 205 and 206 are left out. *count is what there is: beyond cap,
 * TST_E_BUFFER_TOO_SMALL. Any thread, any time. QUICK. Since 1. */
tst_status tst_rtcp_parse(tst_rtcp_entry *out, size_t cap, size_t *count, tst_cu8 *data, size_t n);

/* tst_rtcp_build writes the packets of count entries; texts and FCI lie in data.
 * Any thread, any time. QUICK. Since 1. */
tst_status tst_rtcp_build(uint8_t *out, size_t cap, size_t *len, tst_crtcp_entry *entries, size_t count,
                          tst_cu8 *data, size_t n);

/* A frame out of a jitter buffer; its bytes are in the caller's buffer. */
typedef struct tst_jitter_frame {
  uint32_t present; /* 0: no frame */
  uint32_t timestamp;
  uint32_t lost; /* packets missing right before it */
  uint32_t len;
  uint32_t want_key; /* the decoder needs a key frame */
  uint32_t reserved;
} tst_jitter_frame;

typedef uint64_t tst_jitter;

/* Parameters of a configuration for tst_jitter_open:
 *   capacity   packets, a power of two up to 16384; required
 *   prefetch   complete frames held back, default 0
 *   video      1: a frame ends at the marker bit
 *   skip_gaps  1: audio goes on over a gap once a later frame is there
 *   keep_held  1: frames that overflow pushes out are given, not dropped
 *   wait_lost  1: video waits for what is missing until tst_jitter_expire */
/* Owned: tst_jitter_close. Any thread, any time. Since 1. */
tst_status tst_jitter_open(tst_jitter *out, tst_config config);
/* tst_jitter_add takes a packet and gives a frame that can be delivered, at most
 * one; TST_E_BUFFER_TOO_SMALL where data_cap does not hold it: frame->len says
 * how much, and tst_jitter_again gives it. QUICK. Since 1. */
tst_status tst_jitter_add(tst_jitter_frame *frame, uint8_t *data, size_t data_cap, tst_jitter jitter, uint32_t sequence,
                          uint32_t timestamp, uint32_t marker, tst_cu8 *payload, size_t n);
/* tst_jitter_other takes the number of a packet that is no media. QUICK. Since 1. */
tst_status tst_jitter_other(tst_jitter_frame *frame, uint8_t *data, size_t data_cap, tst_jitter jitter, uint32_t sequence);
/* tst_jitter_next gives a further frame that is complete. QUICK. Since 1. */
tst_status tst_jitter_next(tst_jitter_frame *frame, uint8_t *data, size_t data_cap, tst_jitter jitter);
/* tst_jitter_expire gives up on what is missing at the front. QUICK. Since 1. */
tst_status tst_jitter_expire(tst_jitter_frame *frame, uint8_t *data, size_t data_cap, tst_jitter jitter);
/* tst_jitter_drain gives what is held, whatever the prefetch. QUICK. Since 1. */
tst_status tst_jitter_drain(tst_jitter_frame *frame, uint8_t *data, size_t data_cap, tst_jitter jitter);
/* tst_jitter_again gives the last frame once more. QUICK. Since 1. */
tst_status tst_jitter_again(tst_jitter_frame *frame, uint8_t *data, size_t data_cap, tst_jitter jitter);
/* tst_jitter_remove drops the first count numbers; smart goes on to the end of the
 * frame it stopped in, and *all tells that nothing is left. QUICK. Since 1. */
tst_status tst_jitter_remove(uint32_t *all, tst_jitter jitter, size_t count, uint32_t smart);
tst_status tst_jitter_reset(tst_jitter jitter);
tst_status tst_jitter_close(tst_jitter jitter);

/* What a tick of playout asks for. */
#define TST_PLAYOUT_NONE (0)
#define TST_PLAYOUT_DECODE (1)  /* the payload in the caller's buffer */
#define TST_PLAYOUT_CONCEAL (2) /* one frame */
#define TST_PLAYOUT_NOISE (3)   /* one frame of comfort noise of level */

typedef struct tst_playout_tick {
  uint32_t action;
  uint32_t timestamp;
  uint32_t len;
  int32_t level;
} tst_playout_tick;

typedef struct tst_playout_stats {
  uint32_t struct_size;
  uint32_t target_frames;
  uint32_t depth_frames;
  uint32_t increment; /* of a frame, in timestamp units */
  double ptime_ms;
  uint64_t concealed_frames;
  uint64_t late_dropped;
  uint64_t expansions;
  uint64_t accelerations;
  uint64_t underrun_suspensions;
  uint64_t cn_frames;
} tst_playout_stats;

typedef uint64_t tst_playout;

/* Parameters of a configuration for tst_playout_open:
 *   sample_rate     Hz; required
 *   frame_samples   of one channel; required
 *   clock_rate      Hz of the timestamps, default sample_rate
 *   max_delay_ms    default 200
 *   max_conceal_ms  in a row, 0: none, default 120
 *   wait_late       1: a frame may come one tick late where nothing behind it is held
 * now in seconds. Owned: tst_playout_close. Any thread, any time. Since 1. */
tst_status tst_playout_open(tst_playout *out, tst_config config, double now);
/* tst_playout_put takes a frame that arrived now. QUICK. Since 1. */
tst_status tst_playout_put(tst_playout playout, double now, uint32_t timestamp, tst_cu8 *payload, size_t n);
/* tst_playout_tick tells what to deliver now. TST_E_BUFFER_TOO_SMALL drops the
 * frame: payloads are at most 64 KiB. QUICK. Since 1. */
tst_status tst_playout_next(tst_playout_tick *out, uint8_t *data, size_t cap, tst_playout playout, double now);
/* tst_playout_reset begins anew; suppress drops what is held and counts nothing;
 * noise tells that the sender fell silent. QUICK. Since 1. */
tst_status tst_playout_reset(tst_playout playout);
tst_status tst_playout_suppress(tst_playout playout);
tst_status tst_playout_noise(tst_playout playout, int32_t level, uint32_t timestamp);
/* struct_size is set by the caller. QUICK. Since 1. */
tst_status tst_playout_get_stats(tst_playout_stats *out, tst_playout playout);
tst_status tst_playout_close(tst_playout playout);

/* Reception statistics of one source (RFC 3550 appendix A.3, A.8). */
typedef struct tst_reception_stats {
  uint32_t struct_size;
  uint32_t begun; /* 0: no packet yet */
  uint32_t base_sequence;
  uint32_t max_sequence;
  uint32_t cycles; /* wraps times 65536 */
  uint32_t jitter; /* timestamp units */
  int32_t packets_lost;
  uint32_t reserved;
  uint64_t packets_received;
  int64_t packets_expected;
} tst_reception_stats;

typedef uint64_t tst_reception;
/* Owned: tst_reception_close. Any thread, any time. Since 1. */
tst_status tst_reception_open(tst_reception *out, uint32_t clock_rate);
/* One thread at a time per handle. QUICK. Since 1. */
tst_status tst_reception_add(tst_reception reception, double now, uint32_t sequence, uint32_t timestamp);
tst_status tst_reception_get(tst_reception_stats *out, tst_reception reception);
/* tst_reception_fraction gives the loss since its last call, of 256. QUICK. Since 1. */
tst_status tst_reception_fraction(uint32_t *out, tst_reception reception);
/* tst_reception_set goes on from other numbers: first and newest sequence
 * number, wraps times 65536, packets received. QUICK. Since 1. */
tst_status tst_reception_set(tst_reception reception, uint32_t base, uint32_t max, uint32_t cycles, uint64_t received);
tst_status tst_reception_close(tst_reception reception);

/* The numbers a receiver misses. */
typedef uint64_t tst_missing;
/* Owned: tst_missing_close. Any thread, any time. Since 1. */
tst_status tst_missing_open(tst_missing *out);
/* *gap: numbers before it are newly missing. QUICK. Since 1. */
tst_status tst_missing_add(uint32_t *gap, tst_missing missing, uint32_t sequence);
/* At most 128 numbers, oldest first; out has that room; *max is -1 before the
 * first. QUICK. Since 1. */
tst_status tst_missing_list(uint16_t *out, size_t *count, int32_t *max, tst_missing missing);
/* tst_missing_set takes another newest number and another list, ascending as
 * seen from max: borrowed during the call, count at most 128. QUICK. Since 1. */
tst_status tst_missing_set(tst_missing missing, uint32_t max, tst_cu32 *list, size_t count);
tst_status tst_missing_close(tst_missing missing);

/* Numbers and stamps packets of one source. */
typedef struct tst_sender_state {
  uint32_t ssrc;
  uint32_t sequence;  /* of the next packet */
  uint32_t timestamp; /* of the next automatic frame */
  uint32_t increment;
  uint32_t last_timestamp;
  uint32_t reserved;
  uint64_t packets;
  uint64_t octets;
} tst_sender_state;

typedef uint64_t tst_rtp_sender;
/* keep: 1 keeps the last 128 packets. Owned: tst_rtp_sender_close. Any thread,
 * any time. Since 1. */
tst_status tst_rtp_sender_open(tst_rtp_sender *out, uint32_t ssrc, uint32_t payload_type, uint32_t increment, uint32_t keep);
/* tst_rtp_sender_packet writes the next packet: 12 + n bytes. flags: 1 marker,
 * 2 the timestamp is the automatic one, which goes on. QUICK. Since 1. */
tst_status tst_rtp_sender_packet(uint8_t *out, size_t cap, tst_rtp_sender sender, uint32_t payload_type, uint32_t flags,
                                 uint32_t timestamp, tst_cu8 *payload, size_t n);
/* tst_rtp_sender_sent gives a kept packet; *len 0: it is gone. QUICK. Since 1. */
tst_status tst_rtp_sender_sent(uint8_t *out, size_t cap, size_t *len, tst_rtp_sender sender, uint32_t sequence);
/* tst_rtp_sender_step goes on by one frame; set: a new increment, 0 keeps it. QUICK. Since 1. */
tst_status tst_rtp_sender_step(tst_rtp_sender sender, uint32_t frames, uint32_t set);
/* tst_rtp_sender_seek takes the sequence number of the next packet and the
 * timestamp of the next automatic frame, which are random at first. QUICK. Since 1. */
tst_status tst_rtp_sender_seek(tst_rtp_sender sender, uint32_t sequence, uint32_t timestamp);
tst_status tst_rtp_sender_state(tst_sender_state *out, tst_rtp_sender sender);
tst_status tst_rtp_sender_close(tst_rtp_sender sender);

/* Telephone events (RFC 4733). */
typedef struct tst_dtmf_event {
  uint8_t code;
  uint8_t end;
  uint8_t volume; /* -dBm0, 0 to 63 */
  uint8_t key;    /* ASCII, '?' where the code has none */
  uint32_t duration; /* timestamp units */
} tst_dtmf_event;
typedef const tst_dtmf_event tst_cdtmf_event;

/* tst_dtmf_parse reads a payload of at least 4 bytes, tst_dtmf_build writes 4. Any
 * thread, any time. QUICK. Since 1. */
tst_status tst_dtmf_parse(tst_dtmf_event *out, tst_cu8 *data, size_t n);
tst_status tst_dtmf_build(uint8_t *out, size_t cap, tst_cdtmf_event *event);
/* tst_dtmf_press gives the packets of one press. digit: one of 0-9 * # A-D in
 * UTF-8. Any thread, any time. Since 1. */
tst_status tst_dtmf_press(tst_dtmf_event *out, size_t cap, size_t *count, tst_cchar *digit, size_t digit_len,
                          uint32_t duration_ms, uint32_t volume, uint32_t clock_rate);

typedef uint64_t tst_dtmf_receiver;
/* Owned: tst_dtmf_receiver_close. Any thread, any time. Since 1. */
tst_status tst_dtmf_receiver_open(tst_dtmf_receiver *out);
/* *ended: the press in *event has just ended; each is told once. QUICK. Since 1. */
tst_status tst_dtmf_receiver_add(tst_dtmf_event *event, uint32_t *ended, tst_dtmf_receiver receiver, uint32_t timestamp,
                                 tst_cu8 *data, size_t n);
tst_status tst_dtmf_receiver_close(tst_dtmf_receiver receiver);

#define TST_RTPVIDEO_H264 (0) /* RFC 6184: single NAL units and FU-A; STAP-A is read */
#define TST_RTPVIDEO_VP8 (1)  /* RFC 7741 */
#define TST_RTPVIDEO_VP9 (2)  /* RFC 9628 */

/* A piece of a buffer. */
typedef struct tst_piece {
  uint32_t off;
  uint32_t len;
  uint32_t key; /* it begins a key frame */
  uint32_t reserved;
} tst_piece;

/* tst_rtpvideo_packetize writes the payloads of a NAL unit (without start code) or
 * frame, each at most mtu (3 or more) bytes. *len and *count say what is needed:
 * beyond the room, TST_E_BUFFER_TOO_SMALL. Any thread, any time. Since 1. */
tst_status tst_rtpvideo_packetize(uint8_t *out, size_t cap, size_t *len, tst_piece *pieces, size_t pieces_cap, size_t *count,
                                  uint32_t codec, tst_cu8 *unit, size_t n, size_t mtu, uint32_t key);
/* tst_rtpvideo_is_key: a NAL unit of H.264, else an RTP payload. Any thread, any
 * time. QUICK. Since 1. */
int32_t tst_rtpvideo_is_key(uint32_t codec, tst_cu8 *data, size_t n);

typedef uint64_t tst_depacketizer;
/* Owned: tst_depacketizer_close. Any thread, any time. Since 1. */
tst_status tst_depacketizer_open(tst_depacketizer *out, uint32_t codec);
/* tst_depacketizer_feed takes a payload and gives the units it completes; with
 * TST_E_BUFFER_TOO_SMALL, *len and *count say what tst_depacketizer_again needs.
 * QUICK. Since 1. */
tst_status tst_depacketizer_feed(uint8_t *out, size_t cap, size_t *len, tst_piece *pieces, size_t pieces_cap, size_t *count,
                                 tst_depacketizer depacketizer, tst_cu8 *payload, size_t n, uint32_t marker);
tst_status tst_depacketizer_again(uint8_t *out, size_t cap, size_t *len, tst_piece *pieces, size_t pieces_cap, size_t *count,
                                  tst_depacketizer depacketizer);
tst_status tst_depacketizer_reset(tst_depacketizer depacketizer);
tst_status tst_depacketizer_close(tst_depacketizer depacketizer);

/* What a datagram is: RTP and RTCP may share a port with STUN (RFC 7983). */
#define TST_DATAGRAM_RTP (0)
#define TST_DATAGRAM_RTCP (1)
#define TST_DATAGRAM_STUN (2)

/* tst_datagram_kind tells by content. Any thread, any time. QUICK. Since 1. */
int32_t tst_datagram_kind(tst_cu8 *data, size_t n);
/* tst_stun_answer writes the success response to a binding request (RFC 8489) that
 * came from an address: ip in text, a zone is left out; *len is 0 for other
 * messages. At most 44 bytes. Any thread, any time. Since 1. */
tst_status tst_stun_answer(uint8_t *out, size_t cap, size_t *len, tst_cu8 *data, size_t n, tst_cchar *ip, size_t ip_len,
                           uint32_t port);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_RTPFLOW_H */
