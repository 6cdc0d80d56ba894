/* tstrans/hls.h: an HTTP Live Streaming publisher: segments and a playlist in a
 * folder or in memory, and the server that gives them out.
 *
 * tst_hls takes transport packets, tst_hls_mux access units; both cut segments
 * (RFC 8216, RFC 8216bis). All functions: any thread, any time; calls on one
 * handle wait for each other, and the server never waits for them.
 */
#ifndef TSTRANS_HLS_H
#define TSTRANS_HLS_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A publisher, with its server. */
typedef uint64_t tst_hls;
/* A server whose publisher has finished. */
typedef uint64_t tst_hls_server;
/* A publisher behind a muxer. */
typedef uint64_t tst_hls_mux;

/* How a playlist grows. */
#define TST_HLS_LIVE (0)
#define TST_HLS_EVENT (1)
#define TST_HLS_VOD (2)

/* What segments hold. */
#define TST_HLS_TS (0)
#define TST_HLS_FMP4 (1)

/* Where EXT-X-PROGRAM-DATE-TIME comes from. */
#define TST_HLS_CLOCK_NONE (0)
#define TST_HLS_CLOCK_WALL (1)
#define TST_HLS_CLOCK_SENSOR (2)

/* Flags of tst_hls_mux_send_video. */
#define TST_HLS_KEY_FRAME (1)
#define TST_HLS_DTS (2)

/* A duration of a date range that is not given. */
#define TST_HLS_NO_DURATION (-1)

/* Parameters of a configuration for tst_hls_open (ms: milliseconds):
 *   url              hls://ip:port or hlss://ip:port with output_dir,
 *                    segment_duration (whole s), playlist_window, mode (live,
 *                    event, vod), auth_user, auth_pass, cert, key; other keys are
 *                    ignored. The parameters below win over it.
 *   bind             "ip:port", port 0 picks one; default 127.0.0.1:8080
 *   server           0 publishes without a server; default 1
 *   output_dir       default: tstrans-hls in the system's temporary folder.
 *                    Stale segments in it are removed. One publisher a folder.
 *   memory           1 keeps everything in memory (at most 2 GiB); default 0
 *   segment_duration_ms      default 4000
 *   max_segment_duration_ms  the age of a forced cut; 0 or absent: twice that
 *   playlist_window  the fewest segments of a live playlist, default 6
 *   mode             TST_HLS_LIVE (default) ...
 *   auth_user, auth_pass     basic authentication
 *   cert, key        PEM files; they turn on TLS
 *   container        TST_HLS_TS (default) or TST_HLS_FMP4; pushed packets are
 *                    taken apart then: H.264, HEVC, AV1, AAC, KLV
 *   part_duration_ms low latency: the longest part, 50 to segment_duration_ms;
 *                    0 (default) is off
 *   key_frame_cuts   1 cuts at key frames of the media so that each segment fits
 *                    the target duration; parts and TST_HLS_FMP4 imply it
 *   clock            TST_HLS_CLOCK_NONE (default; with parts TST_HLS_CLOCK_WALL) ...
 *   end_live         1 ends a live playlist with EXT-X-ENDLIST; default 0
 *   flush_klv        1 ends segments with an empty KLV PES packet for hls.js,
 *                    default 0; parts imply it
 *   cors             value of Access-Control-Allow-Origin; default none
 *   gzip, ranges, cache_control  1: compressed playlists; HEAD, OPTIONS and 206;
 *                    Cache-Control. Default 0
 *   max_clients      open connections, further ones are closed; default 4096 */

typedef struct tst_hls_stats {
  uint32_t struct_size;
  uint32_t is_open;                  /* 1: a segment is open */
  uint64_t segments_total;           /* with the open one */
  uint64_t bytes_pushed_total;
  uint64_t open_segment_bytes;
  uint64_t open_segment_age_us;      /* where is_open */
  int64_t last_segment_duration_us;  /* -1 before the first cut */
  uint64_t forced_cuts_total;        /* cuts because no key frame came in time */
  uint64_t bytes_skipped_total;      /* packets before the first key frame (key_frame_cuts) */
  uint64_t clients_total;            /* connections */
  uint64_t clients_refused_total;    /* connections above max_clients */
  uint64_t requests_total;
  uint64_t bytes_sent_total;         /* of segments and playlists */
} tst_hls_stats;

typedef struct tst_hls_mux_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t bytes_pushed_total;
  uint64_t sends_total;
  uint64_t cuts_total;  /* explicit and automatic */
} tst_hls_mux_stats;

/* tst_hls_url_check reads a URL as the parameter of that name, and tells whether
 * it is one: TST_E_HLS_URL. Since 1. */
tst_status tst_hls_url_check(tst_cchar *url, size_t len);

/* tst_hls_open makes the folder, binds the server and serves.
 *   TST_E_HLS_URL, TST_E_HLS_INVALID_CONFIG  the parameter is the error's field
 *   TST_E_HLS_BIND_FAILED, TST_E_HLS_IO      attribute "errno"
 *   TST_E_HLS_TLS                            certificate and key do not work
 * Owned: tst_hls_close. Since 1. */
tst_status tst_hls_open(tst_hls *out, tst_config config);

/* tst_hls_push_ts appends whole transport packets (caller's). The first push
 * opens a segment. TST_E_HLS_UNALIGNED_PUSH_TS: length no multiple of 188.
 * TST_E_HLS_IO: nothing was taken; with key_frame_cuts the packets are kept and
 * written with the next. Since 1. */
tst_status tst_hls_push_ts(tst_hls hls, tst_cu8 *data, size_t len);

/* tst_hls_play_ts is tst_hls_push_ts for a recording: packets are taken when its
 * clock references say that they are due, as long as that is within timeout_ms.
 * *taken bytes were taken; TST_E_TIMEOUT: the rest is not due yet. One thread at a
 * time per handle. Since 1. */
tst_status tst_hls_play_ts(size_t *taken, tst_hls hls, tst_cu8 *data, size_t len, int32_t timeout_ms);

/* tst_hls_cut ends the open segment, if any. media_us is its EXTINF in
 * microseconds; 0: what it took by the wall clock. Since 1. */
tst_status tst_hls_cut(tst_hls hls, uint64_t media_us);

/* tst_hls_get_stats fills the counters; struct_size is set by the caller. Since 1. */
tst_status tst_hls_get_stats(tst_hls_stats *out, tst_hls hls);

/* tst_hls_playlist copies the playlist's text. ending 1 adds the end tag of an
 * event or VOD playlist. len: its length, also with TST_E_BUFFER_TOO_SMALL. Since 1. */
tst_status tst_hls_playlist(char *out, size_t cap, size_t *len, tst_hls hls, uint32_t ending);

/* tst_hls_addr copies the server's "ip:port". Since 1. */
tst_status tst_hls_addr(char *out, size_t cap, size_t *len, tst_hls hls);

/* tst_hls_add_date_range lists a marker (RFC 8216bis 4.4.5.1) from the next
 * playlist on; it needs a clock. The texts are UTF-8 of len bytes, without
 * quotes and control characters. start_us: microseconds since 1970. duration_us:
 * TST_HLS_NO_DURATION where not known. attributes: lines "X-NAME=text". The same
 * id adds what the range did not have. TST_E_HLS_INVALID_CONFIG names the field.
 * Since 1. */
tst_status tst_hls_add_date_range(tst_hls hls, tst_cchar *id, size_t id_len, tst_cchar *cls, size_t cls_len,
                                  int64_t start_us, int64_t duration_us, tst_cchar *attributes,
                                  size_t attributes_len);

/* tst_hls_finish ends the open segment, writes the final playlist and stops the
 * server. Later calls: TST_E_HLS_FINISHED. Since 1. */
tst_status tst_hls_finish(tst_hls hls);

/* tst_hls_finish_serving is tst_hls_finish with the server left running.
 * Owned: tst_hls_server_close. Since 1. */
tst_status tst_hls_finish_serving(tst_hls_server *out, tst_hls hls);

/* tst_hls_close stops the server and ends the publisher where it stands: files
 * stay, no playlist is written. Accepts 0 and repeated calls. Since 1. */
tst_status tst_hls_close(tst_hls hls);

/* tst_hls_server_addr copies the server's "ip:port"; TST_E_HLS_FINISHED after
 * tst_hls_server_shutdown. Since 1. */
tst_status tst_hls_server_addr(char *out, size_t cap, size_t *len, tst_hls_server server);

/* tst_hls_server_shutdown stops serving; repeated calls do nothing. Since 1. */
tst_status tst_hls_server_shutdown(tst_hls_server server);

/* tst_hls_server_close shuts down and gives the handle back. Accepts 0 and
 * repeated calls. Since 1. */
tst_status tst_hls_server_close(tst_hls_server server);

/* tst_hls_mux_open puts a muxer of one program in front of a publisher. The
 * configuration has the parameters of tstrans/mux.h. hls is moved: its handle is
 * closed, also where this fails with TST_E_HLS_INVALID_CONFIG.
 * Owned: tst_hls_mux_close. Since 1. */
tst_status tst_hls_mux_open(tst_hls_mux *out, tst_hls hls, tst_config config);

/* tst_hls_mux_send_video publishes a picture (caller's): Annex B, or OBUs for
 * AV1. flags: TST_HLS_KEY_FRAME; TST_HLS_DTS where dts counts. A mux error takes
 * nothing; with TST_E_HLS_IO the picture is kept and written with the next.
 * Since 1. */
tst_status tst_hls_mux_send_video(tst_hls_mux mux, tst_cu8 *data, size_t len, int64_t pts_90k, int64_t dts_90k,
                                  uint32_t flags);

/* tst_hls_mux_send_audio publishes whole frames (caller's). Since 1. */
tst_status tst_hls_mux_send_audio(tst_hls_mux mux, tst_cu8 *data, size_t len, int64_t pts_90k);

/* tst_hls_mux_send_klv publishes a KLV unit (caller's) on the KLV stream of that
 * index. Where there is one KLV stream every index is taken, and is the
 * metadata_service_id of a synchronous unit's cell. Since 1. */
tst_status tst_hls_mux_send_klv(tst_hls_mux mux, uint32_t index, tst_cu8 *data, size_t len, int64_t pts_90k);

/* tst_hls_mux_send_subtitle publishes a subtitle unit (caller's). Since 1. */
tst_status tst_hls_mux_send_subtitle(tst_hls_mux mux, tst_cu8 *data, size_t len, int64_t pts_90k);

/* tst_hls_mux_cut ends the open segment. Since 1. */
tst_status tst_hls_mux_cut(tst_hls_mux mux);

/* tst_hls_mux_get_stats and tst_hls_mux_publisher_stats fill the counters of the
 * muxer and of the publisher behind it. Since 1. */
tst_status tst_hls_mux_get_stats(tst_hls_mux_stats *out, tst_hls_mux mux);
tst_status tst_hls_mux_publisher_stats(tst_hls_stats *out, tst_hls_mux mux);

/* tst_hls_mux_add_date_range is tst_hls_add_date_range. Since 1. */
tst_status tst_hls_mux_add_date_range(tst_hls_mux mux, tst_cchar *id, size_t id_len, tst_cchar *cls,
                                      size_t cls_len, int64_t start_us, int64_t duration_us,
                                      tst_cchar *attributes, size_t attributes_len);

/* tst_hls_mux_addr and tst_hls_mux_playlist are tst_hls_addr and
 * tst_hls_playlist. Since 1. */
tst_status tst_hls_mux_addr(char *out, size_t cap, size_t *len, tst_hls_mux mux);
tst_status tst_hls_mux_playlist(char *out, size_t cap, size_t *len, tst_hls_mux mux, uint32_t ending);

/* tst_hls_mux_release writes what waits and gives the publisher back under a new
 * handle. Later calls: TST_E_HLS_CLOSED. Owned: tst_hls_close. Since 1. */
tst_status tst_hls_mux_release(tst_hls *out, tst_hls_mux mux);

/* tst_hls_mux_close ends muxer and publisher as tst_hls_close does. Accepts 0
 * and repeated calls. Since 1. */
tst_status tst_hls_mux_close(tst_hls_mux mux);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_HLS_H */
