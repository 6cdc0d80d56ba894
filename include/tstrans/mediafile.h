/* tstrans/mediafile.h: the pictures of a file, with their times: the video track
 * of an MP4 file, plain or fragmented, or a raw H.264 or HEVC stream.
 */
#ifndef TSTRANS_MEDIAFILE_H
#define TSTRANS_MEDIAFILE_H

#include "tstrans/base.h"
#include "tstrans/mux.h" /* tst_muxer, TST_CODEC_ */

#ifdef __cplusplus
extern "C" {
#endif

/* An open file. */
typedef uint64_t tst_mediafile;

/* What is in a file. */
typedef struct tst_mediafile_info {
  uint32_t struct_size;
  uint32_t codec;       /* TST_CODEC_H264 or _H265 */
  uint64_t units_total; /* access units */
  uint32_t fps_num;     /* frame rate of a raw stream, 0 for others */
  uint32_t fps_den;
} tst_mediafile_info;

/* One access unit. */
typedef struct tst_mediafile_unit {
  uint32_t struct_size;
  uint32_t key_frame; /* 1: decoding can start here */
  int64_t pts_90k;
  int64_t dts_90k;
  uint64_t len; /* bytes in the file; read may give some more */
} tst_mediafile_unit;

/* Parameters of a configuration for tst_mediafile_open:
 *   fps_num, fps_den  frame rate of a raw stream; default: what the stream says,
 *                     else 30/1 */

/* tst_mediafile_open opens a file and reads or makes its index. path: path_len
 * bytes in the system's encoding, no NUL. TST_E_IO with attribute "errno",
 * TST_E_NOT_SUPPORTED for another kind of file, TST_E_MP4_INPUT_MALFORMED.
 * Owned: tst_mediafile_close. Any thread, any time. Since 1. */
tst_status tst_mediafile_open(tst_mediafile *out, tst_config config, tst_cchar *path, size_t path_len);

/* tst_mediafile_get_info tells what is in the file; struct_size is set by the
 * caller. One thread at a time per handle. QUICK. Since 1. */
tst_status tst_mediafile_get_info(tst_mediafile_info *out, tst_mediafile file);

/* tst_mediafile_peek describes the next access unit, TST_E_EOS behind the last.
 * One thread at a time per handle. QUICK. Since 1. */
tst_status tst_mediafile_peek(tst_mediafile_unit *out, tst_mediafile file);

/* tst_mediafile_read copies the next access unit, as Annex B with a delimiter
 * and parameter sets where decoding starts, into out (caller's): *n bytes.
 * TST_E_EOS; TST_E_BUFFER_TOO_SMALL: *n is needed, nothing was taken. One thread
 * at a time per handle. Since 1. */
tst_status tst_mediafile_read(size_t *n, tst_mediafile file, uint8_t *out, size_t cap);

/* tst_mediafile_push pushes the next access unit to a stream of a muxer, or of a
 * sink of one, with shift_90k added to its times. Results of
 * tst_muxer_push_video, and TST_E_EOS. One thread at a time per handle. Since 1. */
tst_status tst_mediafile_push(tst_mediafile file, tst_muxer muxer, uint32_t stream, int64_t shift_90k);

/* tst_mediafile_close closes the file. Accepts 0 and repeated calls. Any thread,
 * any time. Since 1. */
tst_status tst_mediafile_close(tst_mediafile file);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_MEDIAFILE_H */
