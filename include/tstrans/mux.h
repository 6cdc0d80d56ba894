/* tstrans/mux.h: writing transport streams: access units in, packets of 188
 * bytes out, to the caller's buffer or to a file.
 *
 * MODEL   A muxer is made from a configuration and never changes. Each push is
 *         one PES packet; tables and clock references come by themselves when
 *         the pushed time says so. Packets wait in a bounded queue until
 *         tst_muxer_pull, or go to a file through a sink of the muxer.
 * INPUT   Pushed bytes are read during the call only. A push that fails queues
 *         nothing and changes nothing.
 * TIMES   pts_90k and dts_90k count 1/90000 s and are taken modulo 2^33.
 * STREAMS Within its class (TST_MUX_VIDEO ...) a stream has the number
 *         16 * index of its program + index among the program's streams of
 *         that class, in the order of the configuration.
 */
#ifndef TSTRANS_MUX_H
#define TSTRANS_MUX_H

#include "tstrans/base.h"
#include "tstrans/mpegts.h" /* TST_CODEC_, TST_AV1_ */

#ifdef __cplusplus
extern "C" {
#endif

/* A muxer, or in the push functions a sink of one. */
typedef uint64_t tst_muxer;

/* Classes of streams. */
#define TST_MUX_VIDEO (0)
#define TST_MUX_AUDIO (1)
#define TST_MUX_KLV (2)
#define TST_MUX_SUBTITLE (3)
#define TST_MUX_DATA (4)

/* stream: the only one of its class, TST_E_MUX_INVALID_USAGE where there is none
 * or more than one. */
#define TST_MUX_ONLY (0xFFFFFFFFu)

/* flags of tst_muxer_push_video */
#define TST_PUSH_KEY_FRAME (1) /* sets the random access indicator */
#define TST_PUSH_DTS (2)       /* dts_90k is written */
#define TST_PUSH_WIRE (4)      /* the bytes are as on the wire: not looked at */
#define TST_PUSH_MISP_MICRO (8)
#define TST_PUSH_MISP_NANO (16)

/* Counters of a muxer. */
typedef struct tst_muxer_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t packets_pulled_total; /* packets pulled, or given to a file */
  uint64_t bytes_pulled_total;   /* the same in bytes */
  uint64_t packets_pending;      /* packets that wait to be pulled */
  uint64_t packets_capacity;     /* the most that can wait */
  uint64_t programs;             /* configured programs */
  uint64_t subtitle_streams;     /* configured subtitle streams */
} tst_muxer_stats;

/* Counters of one pushed stream. */
typedef struct tst_mux_stream_stats {
  uint32_t struct_size;
  uint32_t stream_class;       /* TST_MUX_VIDEO, _AUDIO or _KLV */
  uint64_t units_total;        /* NAL units or OBUs, audio frames, KLV pushes */
  uint64_t random_access_total; /* video pushes with TST_PUSH_KEY_FRAME */
} tst_mux_stream_stats;

/* ---- making ---------------------------------------------------------- */

/* Parameters of a configuration for a muxer. P counts programs and S the
 * streams of a program, from 0. Integers unless said otherwise.
 *   mux.pcr_interval_ms    ms of stream time between clock references, 1 to 100;
 *                          default 40
 *   mux.psi_interval_ms    ms between tables, 10 or more; default 100
 *   mux.buffer_packets     packets that may wait, 10 or more; default 10000
 *   mux.av1_carriage       TST_AV1_MPEG2_TS_BINDING (default) or _INTEROP_RAW_OBU
 *   mux.programs           how many programs, 1 to 16
 *   mux.P.number           program_number, 1 to 65535
 *   mux.P.pmt_pid          PID of the PMT, 0x10 to 0x1FFE
 *   mux.P.pcr_pid          a video or audio PID of the program; default: the
 *                          first video stream, else the first audio stream
 *   mux.P.descriptors      bytes: program descriptors, each behind its length in
 *                          two bytes, high byte first; default none
 *   mux.P.streams          how many streams, 1 or more
 *   mux.P.S.pid            PID, 0x10 to 0x1FFE
 *   mux.P.S.class          TST_MUX_VIDEO ...
 *   mux.P.S.codec          TST_CODEC_, of video, audio and subtitle streams
 *   mux.P.S.stream_type    of data streams, 0 to 255
 *   mux.P.S.klv_sync       1: metadata AU cells (stream_type 0x15), 0 (default):
 *                          private PES (0x06)
 *   mux.P.S.carries_pts    0 or 1: whether KLV and data have a PTS; default 0
 *   mux.P.S.language       bytes: three, of audio, DVB subtitling, teletext
 *   mux.P.S.subtitling_type, .composition_page, .ancillary_page
 *                          of DVB subtitling; default 0
 *   mux.P.S.teletext_type, .magazine, .page
 *                          of teletext, page in BCD; default 0
 *   mux.P.S.descriptors    bytes: as for the program. They follow the automatic
 *                          ones, or replace them where they say the same
 * A rule that is broken is TST_E_MUX_CONFIG_INVALID with attribute "pid" where
 * a stream is at fault. */

/* tst_mux_config_check tells whether a muxer can be made. Any thread, any time.
 * Since 1. */
tst_status tst_mux_config_check(tst_config config);

/* tst_muxer_open makes a muxer. Owned: tst_muxer_close. Any thread, any time.
 * Since 1. */
tst_status tst_muxer_open(tst_muxer *out, tst_config config);

/* tst_muxer_close ends a muxer, or a sink (see tst_muxer_sink_close). Packets
 * that wait are lost. Accepts 0 and repeated calls. Any thread, any time.
 * Since 1. */
tst_status tst_muxer_close(tst_muxer muxer);

/* ---- pushing --------------------------------------------------------- */

/* The push functions queue one PES packet. data is the caller's. Common results:
 *   TST_E_MUX_INVALID_USAGE   stream is not configured
 *   TST_E_MUX_BACKPRESSURE    the packets do not fit the queue: pull first
 *   TST_E_IO                  through a sink: the file failed, attribute "errno"
 * One thread at a time per muxer, its sinks included. Since 1. */

/* tst_muxer_push_video: Annex B for H.26x (TST_E_MUX_INVALID_NAL), OBUs for AV1
 * (TST_E_MUX_INVALID_AV1_OBU), neither checked with TST_PUSH_WIRE. */
tst_status tst_muxer_push_video(tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len, int64_t pts_90k,
                                int64_t dts_90k, uint32_t flags);

/* tst_muxer_push_video_misp also inserts a MISP time stamp (MISB ST 0604) before
 * the first slice: flags has TST_PUSH_MISP_MICRO or _NANO, the unit of value.
 * TST_E_MUX_MISP_TIME where the codec has no place for it. */
tst_status tst_muxer_push_video_misp(tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len, int64_t pts_90k,
                                     int64_t dts_90k, uint32_t flags, uint32_t time_status, uint64_t value);

/* tst_muxer_push_video_chunk pushes the payload of a record with TST_F_LAZY
 * (tst_record.payload is its number in chunk) as tst_muxer_push_video does with
 * TST_PUSH_WIRE. The bytes do not leave the library. */
tst_status tst_muxer_push_video_chunk(tst_muxer muxer, uint32_t stream, tst_chunk chunk, uint32_t payload,
                                      int64_t pts_90k, int64_t dts_90k, uint32_t flags);

/* tst_muxer_push_audio: whole frames, at most 65527 bytes
 * (TST_E_MUX_INPUT_MALFORMED). */
tst_status tst_muxer_push_audio(tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len, int64_t pts_90k);

/* tst_muxer_push_klv: one KLV packet, at most 65522 bytes in AU cells, else
 * 65527 with and 65532 bytes without a PTS (TST_E_MUX_KLV_TOO_LARGE).
 * service_id, 0 to 255, is that of the AU cell. */
tst_status tst_muxer_push_klv(tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len, int64_t pts_90k,
                              uint32_t service_id);

/* tst_muxer_push_klv_many pushes count packets that stand behind each other in
 * data: lens has their lengths in bytes, pts_90k their times. *pushed is how many
 * were taken, also where one fails and the rest is left. */
tst_status tst_muxer_push_klv_many(size_t *pushed, tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len,
                                   tst_cu32 *lens, tst_ci64 *pts_90k, size_t count, uint32_t service_id);

/* tst_muxer_push_subtitle: segments of DVB subtitling (65524 bytes), data units
 * of teletext (65458 bytes), anything else as it is (65527 bytes);
 * TST_E_MUX_INPUT_MALFORMED beyond. */
tst_status tst_muxer_push_subtitle(tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len, int64_t pts_90k);

/* tst_muxer_push_data: at most 65527 bytes with and 65532 without a PTS
 * (TST_E_MUX_INPUT_MALFORMED). */
tst_status tst_muxer_push_data(tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len, int64_t pts_90k);

/* tst_muxer_push_data_dts: the same with a decode time, for codecs this library
 * does not know; at most 65522 bytes. A stream without PTS gets neither. */
tst_status tst_muxer_push_data_dts(tst_muxer muxer, uint32_t stream, tst_cu8 *data, size_t len, int64_t pts_90k,
                                   int64_t dts_90k);

/* ---- pulling --------------------------------------------------------- */

/* tst_muxer_pull moves whole packets into out (caller's): *n bytes, a multiple
 * of 188, 0 where nothing waits or cap is below 188. One thread at a time per
 * handle. Since 1. */
tst_status tst_muxer_pull(size_t *n, tst_muxer muxer, uint8_t *out, size_t cap);

/* tst_muxer_get_stats fills the counters; struct_size is set by the caller.
 * One thread at a time per handle. QUICK. Since 1. */
tst_status tst_muxer_get_stats(tst_muxer_stats *out, tst_muxer muxer);

/* tst_muxer_stream_stats fills the counters of a PID, TST_E_AGAIN where nothing
 * was recognised on it yet or it is not counted (subtitles, data). One thread at
 * a time per handle. QUICK. Since 1. */
tst_status tst_muxer_stream_stats(tst_mux_stream_stats *out, tst_muxer muxer, uint32_t pid);

/* tst_muxer_reset_stats zeroes what was counted. One thread at a time per
 * handle. QUICK. Since 1. */
tst_status tst_muxer_reset_stats(tst_muxer muxer);

/* tst_muxer_streams lists the streams of a class, those of one program or, with
 * program_number 0, of all. *n is their number, also where cap is smaller:
 * TST_E_BUFFER_TOO_SMALL. One thread at a time per handle. QUICK. Since 1. */
tst_status tst_muxer_streams(uint32_t *out, size_t cap, size_t *n, tst_muxer muxer, uint32_t stream_class,
                             uint32_t program_number);

/* ---- files ----------------------------------------------------------- */

/* tst_muxer_sink_open makes a sink: pushes to its handle go to the descriptor fd
 * in blocks of 1 MiB and more, behind whatever waits in the muxer. fd stays the
 * caller's and must stay open until tst_muxer_sink_close. The queue's limit
 * holds for each push. A block is written while the next one fills: a failure
 * is told by a later push, or by the flush. Owned: tst_muxer_close. One thread at a time per muxer.
 * Since 1. */
tst_status tst_muxer_sink_open(tst_muxer *out, tst_muxer muxer, int32_t fd);

/* tst_muxer_sink_flush writes everything that was pushed, to the sink or to its
 * muxer. TST_E_IO with attribute "errno"; what the file took before stays in
 * it, and every later call fails alike. One thread at a time per muxer.
 * Since 1. */
tst_status tst_muxer_sink_flush(tst_muxer sink);

/* tst_muxer_sink_close is tst_muxer_sink_flush, then the end of the sink, also
 * where the flush fails. tst_muxer_close instead ends it without writing. One
 * thread at a time per muxer. Since 1. */
tst_status tst_muxer_sink_close(tst_muxer sink);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_MUX_H */
