/* aio: a call between two sessions of one process, from C: sound, a digit and a
 * picture through an epoll loop, counters, and what is refused. */
#include <poll.h>
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

static const char host[] = "127.0.0.1";

static tst_status open_session(tst_aio_session *out, uint64_t *lane, tst_aio_hub hub, int video, int remote_port) {
  tst_config c = 0;
  tst_status st = tst_config_new(&c);
  if (st != TST_OK) return st;
  tst_config_set_text(c, "local_ip", host, strlen(host));
  tst_config_set_text(c, "remote_ip", host, strlen(host));
  tst_config_set_int(c, "remote_port", remote_port);
  tst_config_set_int(c, "prefetch", 0);
  if (video) {
    tst_config_set_int(c, "video", 1);
    tst_config_set_int(c, "payload_type", 96);
    tst_config_set_int(c, "clock_rate", 90000);
    tst_config_set_int(c, "capacity", 128);
    tst_config_set_int(c, "video_codec", 0);
  } else {
    tst_config_set_int(c, "codec", TST_AUDIO_ULAW);
    tst_config_set_int(c, "rate", 8000);
    tst_config_set_int(c, "frame_samples", 160);
  }
  st = tst_aio_open(out, lane, c, hub);
  tst_config_close(c);
  return st;
}

static int port_of(tst_aio_session s) {
  char text[256] = {0};
  size_t n = 0;
  int port = 0;
  if (tst_aio_local((uint8_t *)text, sizeof text - 1, &n, s) != TST_OK) return -1;
  return sscanf(text, "%*s %d", &port) == 1 ? port : -1;
}

/* What came, by kind. */
static struct {
  int audio, digits, units, samples;
} got;

/* Takes records until *count reaches want; 0 where that takes over ten seconds. */
static int wait_for(int fd, uint64_t memory, const int *count, int want) {
  for (int i = 0; i < 1000 && *count < want; i++) {
    struct pollfd p = {fd, POLLIN, 0};
    uint64_t n;
    if (poll(&p, 1, 10) == 1 && read(fd, &n, sizeof n) != sizeof n) return 0;
    for (;;) {
      tst_aio_batch b;
      if (tst_aio_take(&b, memory) != TST_OK || b.count == 0) break;
      const tst_aio_record *r = (const tst_aio_record *)(uintptr_t)b.records;
      for (uint32_t k = 0; k < b.count; k++) {
        if (r[k].kind == TST_AIO_AUDIO) got.audio++, got.samples += (int)r[k].len / 2;
        if (r[k].kind == TST_AIO_DTMF && r[k].a == '5' && r[k].b == 1280) got.digits++;
        if (r[k].kind == TST_AIO_FRAME) got.units++;
      }
      if (tst_aio_done(memory) != TST_OK) break;
    }
  }
  return *count >= want;
}

int main(void) {
  tst_aio_hub hub = 0;
  int32_t fd = -1;
  uint64_t memory = 0, from = 0, to = 0, lane = 0;
  CHECK(tst_aio_hub_open(&hub, &fd, &memory) == TST_OK);

  tst_aio_session a = 0, b = 0, v = 0, w = 0;
  CHECK(open_session(&b, &to, hub, 0, 9) == TST_OK);
  CHECK(open_session(&a, &from, hub, 0, port_of(b)) == TST_OK);
  uint8_t pcm[320] = {0};
  for (uint32_t i = 0; i < 10; i++) CHECK(tst_aio_send(from, TST_AIO_PCM, 160 * i, pcm, sizeof pcm) == 160 * i);
  uint32_t ts = 0;
  CHECK(tst_aio_post(&ts, from, TST_AIO_AUTO + TST_AIO_PCM, pcm, sizeof pcm) == TST_OK);
  CHECK(wait_for(fd, memory, &got.audio, 10));
  CHECK(got.samples == 160 * got.audio);
  CHECK(tst_aio_press(a, "5", 1, 160, 5000) == TST_OK);
  CHECK(wait_for(fd, memory, &got.digits, 1));

  tst_aio_stats st = {0};
  st.struct_size = sizeof st;
  CHECK(tst_aio_get_stats(&st, a) == TST_OK && st.packets_sent == 21);
  CHECK(tst_aio_get_stats(&st, b) == TST_OK && st.packets_received == 21 && st.packets_lost == 0);

  CHECK(open_session(&w, &lane, hub, 1, 9) == TST_OK);
  CHECK(open_session(&v, &lane, hub, 1, port_of(w)) == TST_OK);
  static uint8_t picture[5000];
  const uint32_t sizes[] = {10, 4990};
  picture[0] = 0x67;
  picture[10] = 0x65;
  CHECK(tst_aio_send_frame(&ts, v, picture, sizeof picture, sizes, 2, 1, 1) == TST_OK);
  CHECK(wait_for(fd, memory, &got.units, 2));

  /* What is refused. */
  static uint8_t large[70000];
  CHECK(tst_aio_send(from, TST_AIO_PCM, 0, large, sizeof large) == TST_E_INVALID_ARG);
  CHECK(tst_aio_press(a, "x", 1, 160, 0) == TST_E_INVALID_ARG);
  CHECK(tst_aio_update_remote(a, "nowhere", 7, 1) == TST_E_INVALID_ARG);
  CHECK(tst_aio_end(a) == TST_OK);
  CHECK(tst_aio_send(from, TST_AIO_PCM, 0, pcm, sizeof pcm) == TST_E_CLOSED);
  tst_aio_session all[] = {a, b, v, w};
  for (size_t i = 0; i < 4; i++) {
    CHECK(tst_aio_close(all[i]) == TST_OK);
    CHECK(tst_aio_close(all[i]) == TST_OK);
  }
  CHECK(tst_aio_hub_close(hub) == TST_OK && tst_aio_hub_close(0) == TST_OK);
  printf("%d frames, %d digit, %d units\n", got.audio, got.digits, got.units);
  return 0;
}
