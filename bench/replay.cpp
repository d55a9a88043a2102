// Replays a trace of requests through the real memory tier and tells the share of hits for each
// policy. Ids matter only by equality; every object is one block of the same size.
//
//   bench_replay TRACE ID_BYTES [SHARE]
//
// TRACE is a file of ids of ID_BYTES (1 to 32) each, one after the other; "-" reads them from
// standard input. SHARE is the cache's size as a share of all objects' bytes, 0.1 unless told.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "bench/zero_store.h"
#include "cache/memory_tier.h"
#include "crypto/random.h"

namespace {

using cairn::BlockId;

/// Large enough that the cache's own bookkeeping, which counts against its budget, is below 1 %,
/// and that block and bookkeeping fill one of the allocator's size classes.
constexpr std::size_t kBlockBytes = 28'632;

std::vector<BlockId> read_trace(std::istream& in, std::size_t id_bytes) {
  std::vector<BlockId> ids;
  BlockId id;
  while (
      in.read(reinterpret_cast<char*>(id.bytes.data()), static_cast<std::streamsize>(id_bytes))) {
    ids.push_back(id);
  }
  if (in.gcount() != 0) throw std::runtime_error("the trace ends within an id");
  return ids;
}

void replay(const std::vector<BlockId>& ids, cairn::PolicyKind policy, std::size_t budget_bytes) {
  const cairn::SystemClock clock;
  cairn::SystemRandom random;
  cairn::ZeroStore next(kBlockBytes);
  cairn::MemoryTier tier({.budget_bytes = budget_bytes, .policy = policy}, next, clock, random);
  const auto start = clock.mono();
  for (const BlockId& id : ids) tier.try_get(id);
  const std::chrono::duration<double> took = clock.mono() - start;
  const cairn::CacheStats stats = tier.stats();
  std::printf("%-8s hits %6.2f %%  objects %zu  metadata %.1f B/object  %.2f M requests/s\n",
              std::string(name_of(policy)).c_str(),
              100.0 * static_cast<double>(stats.hits) / static_cast<double>(ids.size()),
              stats.objects,
              static_cast<double>(stats.overhead_bytes) / static_cast<double>(stats.objects),
              static_cast<double>(ids.size()) / took.count() / 1e6);
}

int run(const std::string& path, std::size_t id_bytes, double share) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot open %s\n", path.c_str());
      return 1;
    }
  }
  const std::vector<BlockId> ids = read_trace(path == "-" ? std::cin : file, id_bytes);
  const std::size_t objects = std::unordered_set<BlockId>(ids.begin(), ids.end()).size();
  const std::size_t each = cairn::Block::copy_of({}, cairn::Bytes(kBlockBytes)).footprint_bytes();
  const auto budget = static_cast<std::size_t>(share * static_cast<double>(objects * each));
  std::printf("%zu requests for %zu objects; budget %zu bytes (%.0f objects of %zu)\n", ids.size(),
              objects, budget, static_cast<double>(budget) / static_cast<double>(each), each);
  replay(ids, cairn::PolicyKind::lru, budget);
  replay(ids, cairn::PolicyKind::s3_fifo, budget);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t id_bytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0;
  const double share = argc > 3 ? std::strtod(argv[3], nullptr) : 0.1;
  if (argc > 4 || id_bytes < 1 || id_bytes > BlockId::kSize || !(share > 0.0)) {
    std::fprintf(stderr, "usage: bench_replay TRACE|- ID_BYTES [SHARE]\n");
    return 2;
  }
  try {
    return run(argv[1], id_bytes, share);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
