/* events FILE: one line an event. The smallest whole reader: open, read
 * batches, copy the payloads that stayed behind, close. Also holds the misuse
 * of a demuxer's handle against its statuses. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tstrans.h"

#define RECORDS 256
#define ARENA (1 << 20)

static uint32_t fnv1a(const uint8_t *p, size_t n) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 16777619u;
  return h;
}

static int complain(const char *what, tst_status st) {
  const tst_error *e = tst_last_error();
  fprintf(stderr, "%s: %s: %s\n", what, tst_status_name(st), e ? e->message : "");
  return 1;
}

/* A demuxer that is fed packets of nothing, and what tst_demuxer_feed_read refuses. */
static int fed(void) {
  uint8_t packet[188] = {0x47, 0x1F, 0xFF, 0x10};
  tst_record record;
  uint8_t arena[64];
  tst_read_buffers io = {0};
  tst_demuxer demuxer = 0;
  int bad = tst_demuxer_new(&demuxer, 0) != TST_OK;
  bad |= tst_demuxer_feed_read(NULL, demuxer, packet, sizeof packet) != TST_E_INVALID_ARG;
  bad |= tst_demuxer_feed_read(&io, demuxer, packet, sizeof packet) != TST_E_INVALID_ARG; /* struct_size */
  io.struct_size = sizeof io;
  bad |= tst_demuxer_feed_read(&io, demuxer, packet, sizeof packet) != TST_E_INVALID_ARG; /* recs */
  io.recs = &record;
  io.recs_cap = 1;
  io.arena = arena;
  io.arena_cap = sizeof arena;
  bad |= tst_demuxer_feed_read(&io, 0, packet, sizeof packet) != TST_E_INVALID_HANDLE;
  bad |= tst_demuxer_feed_read(&io, demuxer, NULL, 1) != TST_E_INVALID_ARG;
  io.n = io.chunk = io.pending = 9;
  bad |= tst_demuxer_feed_read(&io, demuxer, packet, sizeof packet) != TST_OK;
  bad |= io.n != 0 || io.arena_len != 0 || io.chunk != 0 || io.pending != 0;
  bad |= tst_demuxer_close(demuxer) != TST_OK;
  if (bad) fprintf(stderr, "feeding and reading at once is not as documented\n");
  return bad;
}

static int misuse(tst_demuxer open, const char *path) {
  tst_record record;
  size_t n = 0, used = 0;
  tst_chunk chunk = 0;
  uint8_t arena[64];
  tst_config config = 0;
  int bad = 0;
  bad |= tst_demuxer_feed(NULL, 0, NULL, 0) != TST_E_INVALID_HANDLE;
  bad |= tst_demuxer_read(&record, 1, &n, arena, sizeof arena, &used, &chunk, 0, 0) != TST_E_INVALID_HANDLE;
  bad |= tst_demuxer_read(NULL, 1, &n, arena, sizeof arena, &used, &chunk, open, 0) != TST_E_INVALID_ARG;
  bad |= tst_demuxer_read(&record, 1, NULL, arena, sizeof arena, &used, &chunk, open, 0) != TST_E_INVALID_ARG;
  bad |= tst_demuxer_read(&record, 1, &n, NULL, 64, &used, &chunk, open, 0) != TST_E_INVALID_ARG;
  bad |= tst_demuxer_open_path(NULL, path, strlen(path), 0) != TST_E_INVALID_ARG;
  bad |= tst_demuxer_open_path(&open, "/nowhere/at/all", 15, 0) != TST_E_IO;
  bad |= tst_config_new(&config) != TST_OK;
  bad |= tst_demuxer_close(config) != TST_E_INVALID_HANDLE; /* another type */
  bad |= tst_config_set_int(config, "no_such_parameter", 1) != TST_OK;
  bad |= tst_demuxer_new(&open, config) != TST_E_INVALID_ARG;
  bad |= tst_config_close(config) != TST_OK;
  bad |= tst_chunk_gather(arena, sizeof arena, &n, 0, 0) != TST_E_INVALID_HANDLE;
  bad |= tst_chunk_close(0) != TST_OK;
  bad |= fed();
  if (bad) fprintf(stderr, "misuse was not refused as documented\n");
  return bad;
}

int main(int argc, char **argv) {
  tst_demuxer demuxer = 0;
  tst_status st;
  tst_record *records = malloc(RECORDS * sizeof *records);
  uint8_t *arena = malloc(ARENA);
  uint8_t *big = NULL;
  size_t big_cap = 0;
  int failed = 0;

  if (argc != 2 || records == NULL || arena == NULL) return 2;
  st = tst_demuxer_open_path(&demuxer, argv[1], strlen(argv[1]), 0);
  if (st < 0) return complain(argv[1], st);
  failed = misuse(demuxer, argv[1]);
  for (;;) {
    size_t n = 0, used = 0;
    tst_chunk chunk = 0;
    st = tst_demuxer_read(records, RECORDS, &n, arena, ARENA, &used, &chunk, demuxer, -1);
    if (st < 0) break;
    for (size_t i = 0; i < n; i++) {
      const tst_record *r = &records[i];
      const uint8_t *payload = arena + r->payload;
      if (r->flags & TST_F_LAZY) {
        size_t got = 0;
        if (r->payload_len > big_cap) {
          free(big);
          big_cap = r->payload_len;
          big = malloc(big_cap);
          if (big == NULL) return 2;
        }
        st = tst_chunk_gather(big, big_cap, &got, chunk, r->payload);
        if (st < 0) failed |= complain("gather", st);
        payload = big;
      }
      printf("%u %04x %" PRId64 " %u %08" PRIx32 "\n", (unsigned)r->type, (unsigned)r->pid, r->pts_90k,
             (unsigned)r->payload_len, fnv1a(payload, r->payload_len));
    }
    tst_chunk_close(chunk);
  }
  if (st != TST_E_EOS) failed |= complain("read", st);
  if (tst_demuxer_close(demuxer) != TST_OK || tst_demuxer_close(demuxer) != TST_OK) failed = 1;
  if (tst_handle_count() != 0) {
    fprintf(stderr, "%u handles left open\n", (unsigned)tst_handle_count());
    failed = 1;
  }
  free(big);
  free(arena);
  free(records);
  return failed;
}
