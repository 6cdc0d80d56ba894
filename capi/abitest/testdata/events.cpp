// events FILE: the same lines as events.c, from C++: the header compiles as C++
// and its handles fit a destructor.
#include <cinttypes>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "tstrans.h"

namespace {

void check(tst_status st) {
  if (st < 0) throw std::runtime_error(std::string(tst_status_name(st)) + ": " + tst_last_error()->message);
}

class Demuxer {
 public:
  explicit Demuxer(const std::string &path) { check(tst_demuxer_open_path(&id_, path.data(), path.size(), 0)); }
  Demuxer(const Demuxer &) = delete;
  Demuxer &operator=(const Demuxer &) = delete;
  ~Demuxer() { tst_demuxer_close(id_); }
  tst_demuxer id() const { return id_; }

 private:
  tst_demuxer id_ = 0;
};

struct Chunk {
  tst_chunk id = 0;
  Chunk() = default;
  Chunk(const Chunk &) = delete;
  Chunk &operator=(const Chunk &) = delete;
  ~Chunk() { tst_chunk_close(id); }
};

std::uint32_t fnv1a(const std::uint8_t *p, std::size_t n) {
  std::uint32_t h = 2166136261u;
  for (std::size_t i = 0; i < n; i++) h = (h ^ p[i]) * 16777619u;
  return h;
}

void print(const std::string &path) {
  Demuxer demuxer(path);
  std::vector<tst_record> records(512);
  std::vector<std::uint8_t> arena(1 << 20), payload;
  for (;;) {
    std::size_t n = 0, used = 0;
    Chunk chunk;
    const tst_status st = tst_demuxer_read(records.data(), records.size(), &n, arena.data(), arena.size(), &used,
                                           &chunk.id, demuxer.id(), -1);
    if (st == TST_E_EOS) return;
    check(st);
    for (std::size_t i = 0; i < n; i++) {
      const tst_record &r = records[i];
      const std::uint8_t *bytes = arena.data() + r.payload;
      if (r.flags & TST_F_LAZY) {
        std::size_t got = 0;
        payload.resize(r.payload_len);
        check(tst_chunk_gather(payload.data(), payload.size(), &got, chunk.id, r.payload));
        bytes = payload.data();
      }
      std::printf("%u %04x %" PRId64 " %u %08" PRIx32 "\n", unsigned{r.type}, unsigned{r.pid}, r.pts_90k,
                  unsigned{r.payload_len}, fnv1a(bytes, r.payload_len));
    }
  }
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  try {
    print(argv[1]);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return tst_handle_count() == 0 ? 0 : 1;
}
