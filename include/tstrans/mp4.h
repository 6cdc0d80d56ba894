/* tstrans/mp4.h: one video track into an MP4 file, an access unit at a time:
 * H.264, HEVC, AV1, JPEG or PNG.
 *
 * The file is fragmented while it grows: a process that dies leaves everything
 * up to its last fragment playable (a fragment ends after 1 MiB or one second).
 * tst_mp4_finish turns it into a plain fast-start file: the movie box in front.
 */
#ifndef TSTRANS_MP4_H
#define TSTRANS_MP4_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A writer of one file. */
typedef uint64_t tst_mp4;

#define TST_MP4_H264 (0)
#define TST_MP4_HEVC (1)
#define TST_MP4_JPEG (2)
#define TST_MP4_AV1 (3)
#define TST_MP4_PNG (4)

/* An optional time that is not given. */
#define TST_MP4_NO_TIME (0xFFFFFFFFFFFFFFFFu)

typedef struct tst_mp4_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t samples_written_total;     /* samples in the file */
  uint64_t bytes_written_total;       /* bytes of the file, its reserve included */
  uint64_t fragments_written_total;   /* fragments */
  uint64_t access_units_total;        /* pushes that were accepted */
  uint64_t access_units_dropped_total; /* pictures before the first parameter sets */
} tst_mp4_stats;

/* Parameters of a configuration for tst_mp4_open:
 *   codec     TST_MP4_H264 (default) ...
 *   fps_num, fps_den  frame rate; 0/1 (default) means unknown. It sets the time
 *             scale of the file and how long the last picture lasts. */

/* tst_mp4_open makes or empties the file and a writer for it. path: path_len
 * bytes in the system's encoding, no NUL. TST_E_IO with attribute "errno"; a
 * pipe or device is written too and keeps its fragments. Owned: tst_mp4_close.
 * Any thread, any time. Since 1. */
tst_status tst_mp4_open(tst_mp4 *out, tst_config config, tst_cchar *path, size_t path_len);

/* tst_mp4_push adds one access unit: Annex B for H.264 and HEVC, a temporal unit
 * with size fields for AV1, one image file for JPEG and PNG. data is the
 * caller's. Times in nanoseconds; dts_ns and duration_ns may be TST_MP4_NO_TIME.
 * Without decode times they are made from the order of the pictures. Two parts
 * of a picture may come in two calls with equal times.
 *   TST_E_MP4_INPUT_MALFORMED  not what the codec says
 *   TST_E_MP4_TIME_RANGE       a decode time goes back, or a step is too large
 *   TST_E_MP4_FINISHED         after tst_mp4_finish
 *   TST_E_IO                   the file failed, attribute "errno"; what is on
 *                              disk stays playable
 * Any thread, any time (calls wait for each other). Since 1. */
tst_status tst_mp4_push(tst_mp4 mp4, tst_cu8 *data, size_t len, uint64_t pts_ns, uint64_t dts_ns,
                        uint64_t duration_ns);

/* tst_mp4_finish writes what is open and makes the file a plain one. Repeated
 * calls do nothing. TST_E_MP4_NOTHING_USABLE where access units came and none
 * could be played: then, as without any push, no file is left. Any thread, any
 * time. Since 1. */
tst_status tst_mp4_finish(tst_mp4 mp4);

/* tst_mp4_get_stats fills the counters; struct_size is set by the caller. Any
 * thread, any time. QUICK. Since 1. */
tst_status tst_mp4_get_stats(tst_mp4_stats *out, tst_mp4 mp4);

/* tst_mp4_close finishes a file that is not finished, and ends the writer.
 * Accepts 0 and repeated calls. Any thread, any time. Since 1. */
tst_status tst_mp4_close(tst_mp4 mp4);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_MP4_H */
