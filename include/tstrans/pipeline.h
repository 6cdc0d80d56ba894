/* tstrans/pipeline.h: pairing KLV records with the pictures they describe.
 *
 * A pairer looks at the records that tst_demuxer_read gave and says which
 * belong together. It holds their numbers and times, never their payloads: the
 * caller keeps what a number stands for until a verdict lets go of it.
 */
#ifndef TSTRANS_PIPELINE_H
#define TSTRANS_PIPELINE_H

#include "tstrans/base.h"
#include "tstrans/mpegts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A pairer. */
typedef uint64_t tst_pairer;

typedef const tst_record tst_crecord;

/* tst_pairing.verdict: pinned. */
#define TST_PAIR_PAIRED (1)         /* video and klv belong together; klv stays held */
#define TST_PAIR_UNPAIRED_VIDEO (2) /* no record came near enough: let go of video */
#define TST_PAIR_UNPAIRED_KLV (3)   /* never paired, leaving: let go of klv */
#define TST_PAIR_RELEASED (4)       /* paired before, leaving: let go of klv */
#define TST_PAIR_PASS_THROUGH (5)   /* neither the video nor the KLV of this pairer: video is its number */

/* tst_pairing.video or .klv where a verdict has none. */
#define TST_PAIR_NO_REF (-1)

/* One verdict, 24 bytes. In Python's struct: "<QQII". */
typedef struct tst_pairing {
  uint64_t video; /* number of a record, or TST_PAIR_NO_REF */
  uint64_t klv;   /* number of a record, or TST_PAIR_NO_REF */
  uint32_t verdict; /* TST_PAIR_ */
  uint32_t reserved;
} tst_pairing;

/* Counters of a pairer since the start or the last reset. */
typedef struct tst_pairer_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t paired;         /* pairs */
  uint64_t unpaired_video; /* pictures given up */
  uint64_t unpaired_klv;   /* records that left unpaired */
  uint64_t pass_through;   /* other events */
} tst_pairer_stats;

/* Parameters of a configuration for a pairer (tst_config_set_int):
 *   video_pid          0 to 65535; default 0
 *   klv_pid            0 to 65535; default 0. Equal PIDs are allowed.
 *   mode               0 realtime: a picture is decided when it arrives;
 *                      1 buffered: it waits for records that come later; default 0
 *   tolerance_90k      largest distance of a pair in ticks of 1/90000 s, inclusive,
 *                      0 to 2^63-1; default 27000
 *   max_lag_90k        buffered: how far a record may be ahead of a waiting picture
 *                      before that is given up, in ticks; default 0
 *   max_buffered_klv   records held, 1 to 2^31-1; default 32
 *   max_buffered_video buffered: pictures that may wait, 1 to 2^31-1; default 32
 * A wrong value is TST_E_INVALID_ARG, the field names the parameter. */

/* tst_pairer_new makes a pairer. config 0: all defaults. Owned: tst_pairer_close.
 * Any thread, any time. QUICK. Since 1. */
tst_status tst_pairer_new(tst_pairer *out, tst_config config);

/* tst_pairer_close ends a pairer. Accepts 0 and repeated calls. Any thread, any
 * time. QUICK. Since 1. */
tst_status tst_pairer_close(tst_pairer pairer);

/* tst_pairer_push looks at count records (caller's), numbered first, first+1, ...
 * by the caller, and fills *n verdicts into out (caller's). Of each record at most
 * one verdict comes at once, plus one of each waiting picture, so cap must be at
 * least count + tst_pairer_held: else TST_E_BUFFER_TOO_SMALL, *n is that sum, and
 * nothing was taken. One thread at a time per handle. Since 1. */
tst_status tst_pairer_push(tst_pairing *out, size_t cap, size_t *n, tst_pairer pairer, tst_crecord *records,
                           size_t count, uint64_t first);

/* tst_pairer_flush gives up every waiting picture, in order, then lets go of every
 * record; cap must be at least tst_pairer_held, as above. The pairer can be used
 * again afterwards. One thread at a time per handle. Since 1. */
tst_status tst_pairer_flush(tst_pairing *out, size_t cap, size_t *n, tst_pairer pairer);

/* tst_pairer_held sets *n to the number of pictures and records held. One thread
 * at a time per handle. QUICK. Since 1. */
tst_status tst_pairer_held(size_t *n, tst_pairer pairer);

/* tst_pairer_get_stats fills *out as far as its struct_size reaches. One thread at
 * a time per handle. QUICK. Since 1. */
tst_status tst_pairer_get_stats(tst_pairer_stats *out, tst_pairer pairer);

/* tst_pairer_reset_stats zeroes the counters; what is held stays. One thread at a
 * time per handle. QUICK. Since 1. */
tst_status tst_pairer_reset_stats(tst_pairer pairer);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_PIPELINE_H */
