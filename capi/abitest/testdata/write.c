/* write OUT.ts OUT.mp4 VIDEO.h264: the writing half, from C: a transport stream
 * with pictures, sound and KLV through a queue and through a file, the pictures of a
 * raw stream into an MP4 file and back, and what is refused. Complaints end it with a status
 * other than 0. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tstrans.h"

#define CHECK(what)                                                        \
  do {                                                                     \
    if (!(what)) {                                                         \
      const tst_error *e = tst_last_error();                               \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, e ? e->message : ""); \
      return 1;                                                            \
    }                                                                      \
  } while (0)

static const uint8_t picture[] = {0, 0, 0, 1, 9, 0xF0, 0, 0, 0, 1, 0x65, 0x88, 0x84, 0};
static const uint8_t pat[] = {0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00,
                              0x00, 0x01, 0xe1, 0x00, 0xe8, 0xf9, 0x5e, 0x7d};

static tst_status set(tst_config c, const char *key, int64_t value) { return tst_config_set_int(c, key, value); }

/* A program of H.264, AAC and synchronous KLV. */
static tst_status open_muxer(tst_muxer *out) {
  tst_config c = 0;
  tst_status st = tst_config_new(&c);
  if (st == TST_OK) {
    set(c, "mux.programs", 1);
    set(c, "mux.buffer_packets", 50);
    set(c, "mux.0.number", 1);
    set(c, "mux.0.pmt_pid", 0x100);
    set(c, "mux.0.streams", 3);
    set(c, "mux.0.0.pid", 0x101);
    set(c, "mux.0.0.class", TST_MUX_VIDEO);
    set(c, "mux.0.0.codec", TST_CODEC_H264);
    set(c, "mux.0.1.pid", 0x102);
    set(c, "mux.0.1.class", TST_MUX_AUDIO);
    set(c, "mux.0.1.codec", TST_CODEC_AAC);
    tst_config_set_bytes(c, "mux.0.1.language", (const uint8_t *)"deu", 3);
    set(c, "mux.0.2.pid", 0x103);
    set(c, "mux.0.2.class", TST_MUX_KLV);
    set(c, "mux.0.2.klv_sync", 1);
    set(c, "mux.0.2.carries_pts", 1);
    st = tst_mux_config_check(c);
  }
  if (st == TST_OK) st = tst_muxer_open(out, c);
  tst_config_close(c);
  return st;
}

static int refused(tst_muxer m) {
  tst_config c = 0;
  tst_muxer none = 0;
  tst_muxer_stats stats = {0, 0, 0, 0, 0, 0, 0, 0};
  size_t n = 9;
  uint8_t out[188];
  uint32_t streams[1];
  uint8_t *large = calloc(1, 1 << 20);
  CHECK(large != NULL);
  CHECK(tst_config_new(&c) == TST_OK);
  CHECK(tst_mux_config_check(c) == TST_E_MUX_CONFIG_INVALID); /* no program */
  CHECK(tst_muxer_open(&none, c) == TST_E_MUX_CONFIG_INVALID && none == 0);
  CHECK(tst_muxer_open(NULL, c) == TST_E_INVALID_ARG);
  CHECK(tst_config_close(c) == TST_OK);
  CHECK(tst_muxer_push_video(0, TST_MUX_ONLY, picture, sizeof picture, 0, 0, 0) == TST_E_INVALID_HANDLE);
  CHECK(tst_muxer_push_video(m, 1, picture, sizeof picture, 0, 0, 0) == TST_E_MUX_INVALID_USAGE);
  CHECK(tst_muxer_push_video(m, TST_MUX_ONLY, NULL, 1, 0, 0, 0) == TST_E_INVALID_ARG);
  CHECK(tst_muxer_push_video(m, TST_MUX_ONLY, picture, sizeof picture, 0, 0, 1 << 20) == TST_E_INVALID_ARG);
  CHECK(tst_muxer_push_video(m, TST_MUX_ONLY, picture + 4, 2, 0, 0, 0) == TST_E_MUX_INVALID_NAL);
  CHECK(tst_muxer_push_video(m, TST_MUX_ONLY, large, 1 << 20, 0, 0, TST_PUSH_WIRE) == TST_E_MUX_BACKPRESSURE);
  CHECK(tst_muxer_push_video_misp(m, TST_MUX_ONLY, picture, sizeof picture, 0, 0, TST_PUSH_MISP_NANO, 0, 1) ==
        TST_E_MUX_MISP_TIME);
  CHECK(tst_muxer_push_video_misp(m, TST_MUX_ONLY, picture, sizeof picture, 0, 0, 0, 0, 1) == TST_E_INVALID_ARG);
  CHECK(tst_muxer_push_video_chunk(m, 0, 0, 0, 0, 0, 0) == TST_E_INVALID_HANDLE);
  CHECK(tst_muxer_push_audio(m, TST_MUX_ONLY, large, 65528, 0) == TST_E_MUX_INPUT_MALFORMED);
  CHECK(tst_muxer_push_klv(m, TST_MUX_ONLY, large, 65523, 0, 0) == TST_E_MUX_KLV_TOO_LARGE);
  CHECK(tst_muxer_push_klv(m, TST_MUX_ONLY, large, 1, 0, 256) == TST_E_OVERFLOW);
  CHECK(tst_muxer_push_klv_many(NULL, m, TST_MUX_ONLY, large, 1, NULL, NULL, 0, 0) == TST_E_INVALID_ARG);
  CHECK(tst_muxer_push_klv_many(&n, m, TST_MUX_ONLY, large, 1, NULL, NULL, 1, 0) == TST_E_INVALID_ARG && n == 0);
  CHECK(tst_muxer_push_subtitle(m, TST_MUX_ONLY, large, 1, 0) == TST_E_MUX_INVALID_USAGE);
  CHECK(tst_muxer_push_data(m, 0, large, 1, 0) == TST_E_MUX_INVALID_USAGE);
  CHECK(tst_muxer_push_data_dts(m, 0, large, 1, 0, 0) == TST_E_MUX_INVALID_USAGE);
  CHECK(tst_muxer_get_stats(&stats, m) == TST_E_INVALID_ARG); /* struct_size */
  CHECK(tst_muxer_pull(NULL, m, out, sizeof out) == TST_E_INVALID_ARG);
  CHECK(tst_muxer_pull(&n, m, out, sizeof out) == TST_OK && n == 0); /* nothing of it is queued */
  CHECK(tst_muxer_streams(streams, 1, &n, m, TST_MUX_DATA + 1, 0) == TST_E_INVALID_ARG);
  CHECK(tst_muxer_streams(streams, 1, &n, m, TST_MUX_VIDEO, 7) == TST_E_MUX_INVALID_USAGE);
  CHECK(tst_muxer_sink_open(&none, m, -1) == TST_E_IO && none == 0);
  CHECK(tst_muxer_sink_flush(m) == TST_E_INVALID_HANDLE);
  CHECK(tst_muxer_sink_close(0) == TST_OK);
  CHECK(tst_muxer_close(0) == TST_OK);
  free(large);
  return 0;
}

/* Pushes n times a picture, a frame of sound and two KLV packets. */
static int feed(tst_muxer m, int from, int n) {
  const uint8_t klv[] = "onetwo";
  const uint32_t lens[] = {3, 3};
  for (int i = from; i < from + n; i++) {
    const int64_t at = 90000 + 3000 * (int64_t)i;
    const int64_t times[2] = {at, at + 1};
    size_t pushed = 0;
    CHECK(tst_muxer_push_video(m, TST_MUX_ONLY, picture, sizeof picture, at, at - 1,
                               TST_PUSH_DTS | TST_PUSH_KEY_FRAME) == TST_OK);
    CHECK(tst_muxer_push_audio(m, 0, picture, sizeof picture, at) == TST_OK);
    CHECK(tst_muxer_push_klv_many(&pushed, m, TST_MUX_ONLY, klv, 6, lens, times, 2, 7) == TST_OK && pushed == 2);
  }
  return 0;
}

static int stream(const char *path) {
  tst_muxer m = 0, sink = 0;
  tst_muxer_stats stats = {0};
  tst_mux_stream_stats counts = {0};
  uint8_t out[188 * 16];
  uint32_t handles[2];
  size_t n = 0;
  int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
  CHECK(fd >= 0);
  CHECK(open_muxer(&m) == TST_OK);
  if (refused(m)) return 1;
  counts.struct_size = sizeof counts;
  CHECK(tst_muxer_stream_stats(&counts, m, 0x101) == TST_E_AGAIN);
  if (feed(m, 0, 1)) return 1;
  stats.struct_size = sizeof stats;
  CHECK(tst_muxer_get_stats(&stats, m) == TST_OK && stats.packets_pending == 6 && stats.packets_capacity == 50);
  CHECK(tst_muxer_stream_stats(&counts, m, 0x103) == TST_OK && counts.units_total == 2 && counts.stream_class == TST_MUX_KLV);
  CHECK(tst_muxer_pull(&n, m, out, 187) == TST_OK && n == 0);
  CHECK(tst_muxer_pull(&n, m, out, sizeof out) == TST_OK && n == 188 * 6);
  CHECK(memcmp(out + 5, pat, sizeof pat) == 0);
  CHECK(write(fd, out, n) == (ssize_t)n);
  CHECK(tst_muxer_streams(handles, 2, &n, m, TST_MUX_AUDIO, 0) == TST_OK && n == 1 && handles[0] == 0);
  CHECK(tst_muxer_streams(NULL, 0, &n, m, TST_MUX_AUDIO, 1) == TST_E_BUFFER_TOO_SMALL && n == 1);
  CHECK(tst_muxer_sink_open(&sink, m, fd) == TST_OK);
  if (feed(sink, 1, 99)) return 1;
  CHECK(tst_muxer_sink_flush(sink) == TST_OK);
  CHECK(tst_muxer_sink_close(sink) == TST_OK && tst_muxer_sink_close(sink) == TST_OK);
  CHECK(tst_muxer_push_audio(sink, 0, picture, 1, 0) == TST_E_INVALID_HANDLE);
  CHECK(tst_muxer_reset_stats(m) == TST_OK);
  CHECK(tst_muxer_get_stats(&stats, m) == TST_OK && stats.packets_pulled_total == 0);
  CHECK(tst_muxer_close(m) == TST_OK && tst_muxer_close(m) == TST_OK);
  CHECK(close(fd) == 0);
  return 0;
}

/* The pictures of a raw stream into an MP4 file, and what a reader of files makes of it. */
static int film(const char *raw, const char *path) {
  tst_mediafile file = 0;
  tst_mediafile_info info = {0};
  tst_mediafile_unit unit = {0};
  tst_config config = 0;
  tst_mp4 mp4 = 0;
  tst_mp4_stats stats = {0};
  uint8_t *data = malloc(1 << 20);
  uint64_t pictures = 0;
  size_t n = 0;
  CHECK(data != NULL);
  info.struct_size = sizeof info;
  unit.struct_size = sizeof unit;
  stats.struct_size = sizeof stats;
  CHECK(tst_mp4_open(&mp4, 0, "/nowhere/x.mp4", 14) == TST_E_IO);
  CHECK(tst_mp4_open(NULL, 0, path, strlen(path)) == TST_E_INVALID_ARG);
  CHECK(tst_config_new(&config) == TST_OK);
  CHECK(set(config, "codec", TST_MP4_H264) == TST_OK && set(config, "fps_num", 30) == TST_OK && set(config, "fps_den", 1) == TST_OK);
  CHECK(tst_mp4_open(&mp4, config, path, strlen(path)) == TST_OK);
  CHECK(tst_config_close(config) == TST_OK);
  CHECK(tst_mp4_push(mp4, (const uint8_t *)"no video", 8, 0, 0, TST_MP4_NO_TIME) == TST_E_MP4_INPUT_MALFORMED);
  CHECK(tst_mediafile_open(&file, 0, "/nowhere/at/all", 15) == TST_E_IO);
  CHECK(tst_mediafile_open(&file, 0, raw, strlen(raw)) == TST_OK);
  CHECK(tst_mediafile_get_info(&info, file) == TST_OK && info.codec == TST_CODEC_H264 && info.units_total > 0);
  CHECK(tst_mediafile_read(&n, file, data, 0) == TST_E_BUFFER_TOO_SMALL && n > 0);
  while (tst_mediafile_peek(&unit, file) == TST_OK) {
    CHECK(tst_mediafile_read(&n, file, data, 1 << 20) == TST_OK);
    /* Decode times of a raw stream begin below 0; those of an MP4 file may begin anywhere above. */
    CHECK(tst_mp4_push(mp4, data, n, (uint64_t)(unit.pts_90k + 90000) * 100000 / 9,
                       (uint64_t)(unit.dts_90k + 90000) * 100000 / 9, TST_MP4_NO_TIME) == TST_OK);
    pictures++;
  }
  CHECK(pictures == info.units_total);
  CHECK(tst_mediafile_read(&n, file, data, 1 << 20) == TST_E_EOS);
  CHECK(tst_mediafile_close(file) == TST_OK && tst_mediafile_close(file) == TST_OK);
  CHECK(tst_mp4_finish(mp4) == TST_OK && tst_mp4_finish(mp4) == TST_OK);
  CHECK(tst_mp4_push(mp4, data, n, 0, 0, TST_MP4_NO_TIME) == TST_E_MP4_FINISHED);
  CHECK(tst_mp4_get_stats(&stats, mp4) == TST_OK && stats.samples_written_total == pictures);
  CHECK(tst_mp4_close(mp4) == TST_OK && tst_mp4_close(mp4) == TST_OK);

  CHECK(tst_mediafile_open(&file, 0, path, strlen(path)) == TST_OK);
  CHECK(tst_mediafile_get_info(&info, file) == TST_OK && info.units_total == pictures);
  CHECK(tst_mediafile_push(file, 0, TST_MUX_ONLY, 0) == TST_E_INVALID_HANDLE);
  CHECK(tst_mediafile_close(file) == TST_OK);
  free(data);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  return stream(argv[1]) || film(argv[3], argv[2]);
}
