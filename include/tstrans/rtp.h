/* tstrans/rtp.h: links of RTP over UDP (RFC 3550): MPEG-TS both ways (RFC 2250),
 * and H.264 pictures in (RFC 6184).
 *
 * A message of a link is the payload of one packet of type 33. Links of RTSP
 * sessions (tstrans/rtsp.h) answer the same questions.
 */
#ifndef TSTRANS_RTP_H
#define TSTRANS_RTP_H

#include "tstrans/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why a stream ended: tst_rtp_stats.end_reason. */
#define TST_STREAM_LIVE (0)
#define TST_STREAM_CLEAN_TEARDOWN (1)
#define TST_STREAM_SESSION_EXPIRED (2)
#define TST_STREAM_KEEPALIVE_FAILED (3)
#define TST_STREAM_TRANSPORT_FAILED (4)
#define TST_STREAM_PROTOCOL_ERROR (5)
#define TST_STREAM_CANCELLED (6)

/* What tst_link_text gives beside TST_LINK_LOCAL and TST_LINK_PEER: details of the
 * end, where its reason has some. */
#define TST_LINK_END_DETAIL (3)

/* Counters of an arriving RTP stream. */
typedef struct tst_rtp_stats {
  uint32_t struct_size;
  uint32_t end_reason;        /* TST_STREAM_ */
  int64_t recv_timeout_ms;    /* what the URL says a read waits; -1: for ever */
  uint64_t packets_received;  /* accepted, repeats included */
  uint64_t bytes_received;    /* of accepted packets, headers included */
  uint64_t packets_lost;      /* missing now: a late packet takes its loss back */
  uint64_t packets_duplicate;
  uint64_t packets_reordered; /* came after a later one */
  uint64_t packets_late;      /* came when the reorder buffer had given them up */
  uint64_t packets_malformed; /* no RTP, or another payload type */
  uint64_t packets_rejected;  /* from an address that is not the pinned one */
  uint64_t messages_dropped;  /* that the application did not take in time */
  uint64_t ssrc_changes;
  uint64_t jitter_us;         /* interarrival jitter */
  uint64_t sr_received;       /* RTCP sender reports */
  uint64_t rr_received;       /* receiver reports */
  uint64_t rr_sent;
  uint64_t sr_sent;
  uint32_t fraction_lost_q8;  /* of the last report sent, in 1/256 */
  uint32_t bye;               /* 1: the sender said goodbye */
  uint64_t ntp;               /* of the last sender report: 64-bit NTP time ... */
  uint32_t ntp_rtp;           /* ... and the RTP time stamp of the same instant */
  uint32_t ntp_rate;          /* RTP ticks a second; 0: no report came yet */
} tst_rtp_stats;

/* tst_rtp_send makes a sending link. A write of a message is one packet; RTP time
 * stamps are the wall clock's, in 1/90000 s. Parameters:
 *   url        rtp://ip:port?ssrc=&ttl=&iface=&pkt_size=&sndbuf=&rtcp= (text, required)
 *   pkt_size   longest datagram, its RTP header of 12 bytes included; default 1316
 *   ssrc       32 bits, before the URL's; default random
 * rtcp=1 sends sender reports to the next port, and BYE at the end. Faults are
 * TST_E_RTP_URL, _HOST_NOT_LITERAL, _IFACE_UNSUPPORTED, _PAYLOAD_TYPE_PARAM, _IO;
 * of a write TST_E_RTP_TOO_LARGE. Owned: tst_link_close. Any thread, any time.
 * Since 1. */
tst_status tst_rtp_send(tst_link *out, tst_config config);

/* tst_rtp_receive binds a receiving link and joins the group when the address is
 * one. Parameters:
 *   url        rtp://ip:port?iface=&source=&rcvbuf=&recv_timeout=&reorder=&rtcp= (text,
 *              required); port 0: a free one. reorder, in ms, puts packets in order
 *              and drops repeats; rtcp=1 takes reports on the next port and answers
 * Owned: tst_link_close. Any thread, any time. Since 1. */
tst_status tst_rtp_receive(tst_link *out, tst_config config);

/* tst_rtp_get_stats fills the counters of a link made by tst_rtp_receive,
 * tst_rtsp_take or tst_rtsp_publish_take; struct_size is set by the caller. Waits
 * for nothing. Any thread, any time. Since 1. */
tst_status tst_rtp_get_stats(tst_rtp_stats *out, tst_link link);

/* ---- H.264 ----------------------------------------------------------- */

/* A receiver of H.264 pictures. */
typedef uint64_t tst_h264;

/* One picture. */
typedef struct tst_h264_au {
  uint32_t struct_size;
  uint32_t len;           /* bytes of the Annex B stream */
  int64_t pts_90k;        /* from the first picture */
  uint32_t rtp_timestamp; /* as it came */
  uint32_t key_frame;     /* 1: with an IDR slice */
} tst_h264_au;

/* Counters of the depacketizing. */
typedef struct tst_h264_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t aus_emitted;
  uint64_t aus_dropped;          /* with a packet missing */
  uint64_t aus_dropped_oversize;
  uint64_t packets_discarded;    /* of dropped pictures, late or not understood */
  uint64_t nalus_discarded;      /* empty, forbidden, or without their start */
  uint64_t seq_gaps;
  uint64_t duplicate_packets;
  uint64_t parameter_set_updates;
  uint64_t ssrc_changes;
} tst_h264_stats;

/* tst_h264_listen binds a receiver. Parameters:
 *   url            as for tst_rtp_receive, with pt=, the payload type, 1 to 127 but 33
 *                  (text, required; TST_E_RTP_MISSING_PAYLOAD_TYPE_PARAM)
 *   injection      0: none, 1: known parameter sets go before IDR pictures that lack
 *                  them; default 1
 *   max_au_bytes   most of one picture; default 8388608
 *   parameter_sets NAL units, each behind its length in two bytes, high byte first
 *                  (bytes); default none
 * Owned: tst_h264_close. Any thread, any time. Since 1. */
tst_status tst_h264_listen(tst_h264 *out, tst_config config);

/* tst_h264_read waits for a picture and copies it into buf (caller's).
 * TST_E_BUFFER_TOO_SMALL: au->len says what it needs, the picture stays.
 * TST_E_EOS: the stream has ended. One thread at a time per handle. Since 1. */
tst_status tst_h264_read(tst_h264_au *au, uint8_t *buf, size_t cap, tst_h264 h264, int32_t timeout_ms);

/* tst_h264_get_stats fills the counters of the depacketizing, tst_h264_get_rtp_stats
 * those of the packets. Any thread, any time. Since 1. */
tst_status tst_h264_get_stats(tst_h264_stats *out, tst_h264 h264);
tst_status tst_h264_get_rtp_stats(tst_rtp_stats *out, tst_h264 h264);

/* tst_h264_text is tst_link_text for a receiver of pictures. Any thread, any time.
 * Since 1. */
tst_status tst_h264_text(uint8_t *out, size_t cap, size_t *len, tst_h264 h264, uint32_t what);

/* tst_h264_cancel ends a parked read and later ones. Any thread, any time. Since 1. */
tst_status tst_h264_cancel(tst_h264 h264);

/* tst_h264_close frees a receiver and ends a parked read. Accepts 0 and repeated
 * calls. Any thread, any time. Since 1. */
tst_status tst_h264_close(tst_h264 h264);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_RTP_H */
