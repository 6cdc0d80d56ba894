/* tstrans/timeline.h: what lies on a live stream's time axis: markers in a
 * database, the clocks of capture and stream, telemetry by presentation time.
 *
 * TIMES    Seconds on the stream's own clock (0 at the first picture of an epoch),
 *          unless the name says otherwise.
 * EPOCHS   A stream that begins anew starts a new epoch. Markers of earlier ones
 *          stay in the database under theirs.
 * THREADS  All functions: any thread, any time.
 */
#ifndef TSTRANS_TIMELINE_H
#define TSTRANS_TIMELINE_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- markers --------------------------------------------------------- */

/* The markers of one stream. */
typedef uint64_t tst_timeline;

/* One marker; the offsets point into the arena of the call. */
typedef struct tst_marker {
  int64_t id;    /* grows with every marker of the database */
  int64_t epoch;
  double time_s;
  int64_t created_us; /* since 1970 */
  uint32_t text;      /* UTF-8 */
  uint32_t text_len;
  uint32_t data;      /* JSON */
  uint32_t data_len;  /* 0 without any */
} tst_marker;
typedef const tst_marker tst_cmarker;

/* tst_timeline_open opens or creates the database of a stream's markers, at its
 * latest epoch. Parameters:
 *   url         a path or sqlite:///path, postgres://...; "" (default): in memory
 *   stream      the stream's name, at most 200 bytes; default "live"
 *   poll_ms     how often others' markers are looked for while somebody waits,
 *               from 1; default 200
 *   timeout_ms  bounds each call, from 1; default 10000
 * TST_E_TIMELINE_URL, TST_E_TIMELINE_STORE, TST_E_TIMELINE_INVALID.
 * Owned: tst_timeline_close. Since 1. */
tst_status tst_timeline_open(tst_timeline *out, tst_config config);

/* tst_timeline_begin starts a new epoch. Since 1. */
tst_status tst_timeline_begin(int64_t *epoch, tst_timeline timeline);

/* tst_timeline_add stores a marker in the current epoch and returns once it is
 * durable. text: UTF-8, at most 4096 bytes; data: JSON, at most 16384 bytes, or
 * none (both caller's). id, epoch, created_us of out are filled in.
 * TST_E_TIMELINE_INVALID, _TOO_LARGE (field: time, text, data), _FULL, _STORE.
 * Since 1. */
tst_status tst_timeline_add(tst_marker *out, tst_timeline timeline, double time_s, tst_cchar *text, size_t text_len,
                            tst_cchar *data, size_t data_len);

/* tst_timeline_replace starts a new epoch that holds n markers, in one step: those
 * of a list kept elsewhere. markers and arena are the caller's; ids are not read.
 * Since 1. */
tst_status tst_timeline_replace(int64_t *epoch, tst_timeline timeline, tst_cmarker *markers, size_t n,
                                tst_cu8 *arena, size_t arena_len);

/* tst_timeline_query gives markers in order of time. Parameters, all optional:
 *   epoch       0 the current one (default), -1 all
 *   after_id    leaves out ids up to this one, and orders by id
 *   after_s     leaves out times up to this one (double)
 *   from_s, until_s   bounds of time, both inclusive (double)
 *   limit       1 to 100000 (default)
 * n and arena_n: how many and how many bytes there are, also with
 * TST_E_BUFFER_TOO_SMALL. Since 1. */
tst_status tst_timeline_query(tst_marker *out, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap,
                              size_t *arena_n, tst_timeline timeline, tst_config config);

/* tst_timeline_wait waits until the current epoch or the stream's newest id is
 * another than the one passed in; both are given back, also with
 * TST_E_TIMEOUT. timeout_ms 0 looks. TST_E_CLOSED. Since 1. */
tst_status tst_timeline_wait(int64_t *epoch, int64_t *last_id, tst_timeline timeline, int64_t seen_epoch,
                             int64_t seen_last_id, int32_t timeout_ms);

/* tst_timeline_close ends waits and gives the handle back; sites that use the
 * timeline keep it. Accepts 0 and repeated calls. Since 1. */
tst_status tst_timeline_close(tst_timeline timeline);

/* ---- clocks ---------------------------------------------------------- */

/* Relates the capture time of pictures to the stream's time. */
typedef uint64_t tst_clock_map;

/* tst_clock_map_new makes an empty map. Owned: tst_clock_map_close. Since 1. */
tst_status tst_clock_map_new(tst_clock_map *out);

/* tst_clock_map_add notes that the picture captured at gen_s is shown at hls_s;
 * both must grow: TST_E_TIMELINE_INVALID. Since 1. */
tst_status tst_clock_map_add(tst_clock_map map, double gen_s, double hls_s);

/* tst_clock_map_hls and _gen map one time to the other: on the line between the
 * pictures around it, at the pace of real time outside of all. TST_E_AGAIN while
 * the map is empty. Since 1. */
tst_status tst_clock_map_hls(double *hls_s, tst_clock_map map, double gen_s);
tst_status tst_clock_map_gen(double *gen_s, tst_clock_map map, double hls_s);

/* tst_clock_map_close gives it back. Accepts 0 and repeated calls. Since 1. */
tst_status tst_clock_map_close(tst_clock_map map);

/* ---- telemetry ------------------------------------------------------- */

/* The UAS Datalink records (MISB ST 0601) of a transport stream. */
typedef uint64_t tst_track;

typedef struct tst_track_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t records_total;
  uint64_t records_kept;
  uint64_t bytes_kept;
  uint64_t records_dropped_total;  /* the oldest, because of max_bytes */
  uint64_t records_refused_total;  /* larger than 65536 bytes */
  uint64_t faults_total;           /* of the transport stream */
} tst_track_stats;

/* One record of a track; its bytes lie in the arena of the call. */
typedef struct tst_reading {
  int64_t pts_90k;   /* modulo 2^33 */
  uint32_t data;
  uint32_t data_len;
  uint32_t async;    /* 1: it carried no time; that of the picture before it */
  uint32_t reserved;
} tst_reading;

/* tst_track_new makes a track. Parameter: max_bytes of records kept, default
 * 64 MiB. Owned: tst_track_close. Since 1. */
tst_status tst_track_new(tst_track *out, tst_config config);

/* tst_track_push_ts takes a piece of the stream (caller's) of any length; faults
 * are counted. Since 1. */
tst_status tst_track_push_ts(tst_track track, tst_cu8 *data, size_t len);

/* tst_track_flush takes what a stream that ended left open. Since 1. */
tst_status tst_track_flush(tst_track track);

/* tst_track_range gives the records from pts_90k on, for ticks_90k, at most cap.
 * TST_E_BUFFER_TOO_SMALL: arena_n says what they need. Since 1. */
tst_status tst_track_range(tst_reading *out, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap, size_t *arena_n,
                           tst_track track, int64_t pts_90k, int64_t ticks_90k);

/* tst_track_get_stats fills the counters; struct_size is set by the caller. Since 1. */
tst_status tst_track_get_stats(tst_track_stats *out, tst_track track);

/* tst_track_close gives it back; sites that use the track keep it. Accepts 0 and
 * repeated calls. Since 1. */
tst_status tst_track_close(tst_track track);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_TIMELINE_H */
