// Replays a trace of requests through the real memory tier, watched as in a node, and prints what
// it answered under each policy; with --curve also what the live what-if curve says of other
// budgets, beside a whole replay at each of them.
//
//   bench_replay ids4|ids8|text --trace FILE|- [--share 0.1] [--block BYTES] [--curve yes]
//
// ids4, ids8: ids of so many bytes, one after the other; every object is one block of --block
// bytes. text: a line `time id size` a request; sizes above 16 MiB count as 16 MiB. --share is the
// budget as a part of all objects' bytes. Time passes by 5,000 requests a second, whatever the
// trace says.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "bench/options.h"
#include "bench/zero_store.h"
#include "cache/memory_tier.h"
#include "cache/watched_store.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace {

using cairn::BlockId;

/// So large that the cache's own bookkeeping, which counts against its budget, is below 1 %, and
/// that block and bookkeeping fill one of the allocator's size classes.
constexpr std::size_t kBlockBytes = 28'632;
constexpr double kRequestsPerSecond = 5'000;

struct Request {
  BlockId id;
  std::uint32_t size_bytes;
};

/// Requests pass it on.
class TraceClock final : public cairn::Clock {
 public:
  cairn::MonoTime mono() const override { return now_; }
  cairn::WallTime wall() const override { return {}; }
  void request() { now_ += std::chrono::nanoseconds(static_cast<long>(1e9 / kRequestsPerSecond)); }

 private:
  cairn::MonoTime now_{std::chrono::seconds(1)};
};

std::vector<Request> read_ids(std::istream& in, std::size_t id_bytes, std::uint32_t size_bytes) {
  std::vector<Request> out;
  BlockId id;
  while (
      in.read(reinterpret_cast<char*>(id.bytes.data()), static_cast<std::streamsize>(id_bytes))) {
    out.push_back({id, size_bytes});
  }
  if (in.gcount() != 0) throw std::runtime_error("the trace ends within an id");
  return out;
}

std::vector<Request> read_text(std::istream& in) {
  std::vector<Request> out;
  std::string line;
  while (std::getline(in, line)) {
    char name[256];
    double time = 0;
    unsigned long long size = 0;
    if (std::sscanf(line.c_str(), "%lf %255s %llu", &time, name, &size) != 3) {
      throw std::runtime_error("line " + std::to_string(out.size() + 1) + " is not `time id size`");
    }
    const auto most = static_cast<unsigned long long>(cairn::kMaxBlockBytes);
    out.push_back({cairn::block_id_of(cairn::as_bytes(std::string_view(name))),
                   static_cast<std::uint32_t>(std::clamp(size, 1ULL, most))});
  }
  return out;
}

/// Holds every object of the trace, as zeros.
class TraceStore final : public cairn::BlockStore {
 public:
  explicit TraceStore(std::uint32_t largest) : body_(largest) {}
  void next_is(const Request& request) { size_bytes_ = request.size_bytes; }

  std::optional<cairn::Result<cairn::Found>> try_get(const BlockId& id) override {
    return cairn::Found{cairn::Block::copy_of(id, cairn::ByteView(body_).first(size_bytes_)),
                        cairn::Source::storage};
  }
  cairn::Task<cairn::Result<cairn::Found>> get(BlockId id, cairn::Deadline) override {
    co_return *try_get(id);
  }
  cairn::Task<cairn::Result<cairn::BlockStat>> stat(BlockId, cairn::Deadline) override {
    co_return cairn::BlockStat{size_bytes_, cairn::Source::storage};
  }
  cairn::Task<cairn::Result<cairn::Stored>> put(cairn::Block, cairn::Deadline) override {
    co_return cairn::Stored::held;
  }
  cairn::Task<std::vector<cairn::Result<cairn::Stored>>> put_many(std::vector<cairn::Block> blocks,
                                                                  cairn::Deadline) override {
    co_return std::vector<cairn::Result<cairn::Stored>>(blocks.size(), cairn::Stored::held);
  }
  cairn::Task<cairn::Result<std::vector<BlockId>>> missing(std::vector<BlockId>,
                                                           cairn::Deadline) override {
    co_return std::vector<BlockId>{};
  }
  cairn::Task<cairn::Result<void>> erase(BlockId, cairn::Deadline) override {
    co_return cairn::ok();
  }

 private:
  const cairn::Bytes body_;
  std::uint32_t size_bytes_ = 1;
};

struct Figures {
  double hits = 0;
  double hit_bytes = 0;
  double metadata = 0;
  double rate = 0;
  cairn::WhatIf::Report report;
};

Figures replay(const std::vector<Request>& trace, cairn::PolicyKind policy,
               std::size_t budget_bytes, bool watched) {
  TraceClock clock;
  cairn::SystemRandom random;
  std::uint32_t largest = 1;
  for (const Request& request : trace) largest = std::max(largest, request.size_bytes);
  TraceStore next(largest);
  cairn::MemoryTier tier({.budget_bytes = budget_bytes, .policy = policy}, next, clock, random);
  cairn::WatchedStore watch(tier, budget_bytes, clock, random);
  cairn::BlockStore& asked = watched ? static_cast<cairn::BlockStore&>(watch) : tier;
  double bytes = 0;
  const cairn::SystemClock wall;
  const auto start = wall.mono();
  for (const Request& request : trace) {
    next.next_is(request);
    clock.request();
    bytes += request.size_bytes;
    asked.try_get(request.id);
  }
  const std::chrono::duration<double> took = wall.mono() - start;
  const cairn::CacheStats stats = tier.stats();
  const auto requests = static_cast<double>(trace.size());
  return {static_cast<double>(stats.hits) / requests, static_cast<double>(stats.hit_bytes) / bytes,
          static_cast<double>(stats.overhead_bytes) /
              static_cast<double>(std::max<std::size_t>(1, stats.objects)),
          requests / took.count(), watch.what_if()};
}

/// The curve as one run at the present budget draws it, beside the real tier at each budget.
void compare(const std::vector<Request>& trace, cairn::PolicyKind policy,
             const cairn::WhatIf::Curve& curve) {
  double worst = 0;
  for (const auto& point : curve.points) {
    const Figures real = replay(trace, policy, point.budget_bytes, false);
    const double off = 100 * std::abs(real.hits - point.hits);
    worst = std::max(worst, off);
    std::printf("  %12zu bytes: hits %6.2f %%, curve %6.2f %%; bytes %6.2f %%, curve %6.2f %%\n",
                point.budget_bytes, 100 * real.hits, 100 * point.hits, 100 * real.hit_bytes,
                100 * point.hit_bytes);
  }
  std::printf("  curve at most %.2f points off in hits\n", worst);
}

int run(const cairn::bench::Options& options) {
  const std::string& path = options.text("trace");
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot open " + path);
  }
  std::istream& in = path == "-" ? std::cin : file;
  const auto block = static_cast<std::uint32_t>(options.number("block"));
  if (block < 1 || block > cairn::kMaxBlockBytes) throw std::invalid_argument("--block");
  const bool text = options.mode() == "text";
  const auto trace = text ? read_text(in) : read_ids(in, options.mode() == "ids4" ? 4 : 8, block);
  std::unordered_map<BlockId, std::uint32_t> objects;
  for (const Request& request : trace) objects.emplace(request.id, request.size_bytes);
  std::unordered_map<std::uint32_t, std::size_t> footprints;
  std::size_t all_bytes = 0;
  for (const auto& [id, size] : objects) {
    auto [found, fresh] = footprints.emplace(size, 0);
    if (fresh) found->second = cairn::Block::copy_of(id, cairn::Bytes(size)).footprint_bytes();
    all_bytes += found->second;
  }
  const auto budget =
      static_cast<std::size_t>(options.decimal("share") * static_cast<double>(all_bytes));
  std::printf("%zu requests for %zu objects of %zu bytes in memory; budget %zu bytes\n",
              trace.size(), objects.size(), all_bytes, budget);
  for (const auto policy : {cairn::PolicyKind::lru, cairn::PolicyKind::s3_fifo}) {
    const Figures bare = replay(trace, policy, budget, false);
    const Figures watched = replay(trace, policy, budget, true);
    std::printf(
        "%-8s hits %6.2f %%  bytes %6.2f %%  metadata %.1f B/object  %.2f M requests/s, watched "
        "%.2f\n",
        std::string(name_of(policy)).c_str(), 100 * bare.hits, 100 * bare.hit_bytes, bare.metadata,
        bare.rate / 1e6, watched.rate / 1e6);
    if (options.text("curve") != "yes") continue;
    std::printf("  one id in %u sampled, %zu ids, %zu bytes\n", watched.report.one_in,
                watched.report.sampled_ids, watched.report.overhead_bytes);
    for (const auto& curve : watched.report.curves) {
      if (curve.policy == policy) compare(trace, policy, curve);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const cairn::bench::Options options(argc, argv,
                                        {{"trace", "-"},
                                         {"share", "0.1"},
                                         {"block", std::to_string(kBlockBytes)},
                                         {"curve", "no"}});
    const std::string& mode = options.mode();
    if (mode != "ids4" && mode != "ids8" && mode != "text") {
      throw std::invalid_argument("the first argument is ids4, ids8 or text");
    }
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr,
                 "bench_replay: %s\nusage: bench_replay ids4|ids8|text --trace FILE|- [--share "
                 "0.1] [--block BYTES] [--curve yes|no]\n",
                 error.what());
    return 2;
  }
}
