// What a hit in the memory tier costs: one million blocks of 100 bytes, asked for from one thread
// and from two, spread evenly and with half of the requests for one block. And what the tier's own
// account of its memory is worth, against the allocator's.
#include <benchmark/benchmark.h>
#include <jemalloc/jemalloc.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "bench/zero_store.h"
#include "cache/memory_tier.h"
#include "crypto/random.h"

namespace {

using cairn::BlockId;
using cairn::MemoryTier;
using cairn::PolicyKind;

constexpr std::uint64_t kBlocks = 1'000'000;
constexpr std::size_t kBlockBytes = 100;

/// Ids are hashes: their bits are spread.
BlockId id_of(std::uint64_t number) {
  BlockId id;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t word = (number + 1) * 0x9E3779B97F4A7C15U * (2 * i + 1);
    std::memcpy(id.bytes.data() + i * 8, &word, sizeof word);
  }
  return id;
}

std::size_t allocated_bytes() {
  std::uint64_t epoch = 1;
  std::size_t size = sizeof epoch;
  mallctl("epoch", &epoch, &size, &epoch, size);
  std::size_t bytes = 0;
  size = sizeof bytes;
  mallctl("stats.allocated", &bytes, &size, nullptr, 0);
  return bytes;
}

struct World {
  World(PolicyKind policy, std::size_t budget_bytes)
      : tier({.budget_bytes = budget_bytes, .policy = policy}, next, clock, random) {}
  cairn::SystemClock clock;
  cairn::SystemRandom random;
  cairn::ZeroStore next{kBlockBytes};
  MemoryTier tier;
};

World& full_world(PolicyKind policy) {
  static std::unique_ptr<World> worlds[2];
  std::unique_ptr<World>& world = worlds[static_cast<std::size_t>(policy)];
  if (world == nullptr) {
    world = std::make_unique<World>(policy, std::size_t{1} << 30);
    for (std::uint64_t i = 0; i < kBlocks; ++i) world->tier.try_get(id_of(i));
  }
  return *world;
}

/// Requests are drawn beforehand so that drawing is not measured.
std::vector<BlockId> requests(std::uint64_t seed, unsigned percent_on_one) {
  std::vector<BlockId> ids(1 << 16);
  std::uint64_t state = seed * 2 + 1;
  for (BlockId& id : ids) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t draw = state >> 20;
    id = draw % 100 < percent_on_one ? id_of(0) : id_of((draw / 100) % kBlocks);
  }
  return ids;
}

void hit(benchmark::State& state, PolicyKind policy, unsigned percent_on_one) {
  static World* world = nullptr;
  if (state.thread_index() == 0) world = &full_world(policy);
  const auto ids = requests(static_cast<std::uint64_t>(state.thread_index()) + 7, percent_on_one);
  std::size_t i = 0;
  for (auto _ : state) {
    auto found = world->tier.try_get(ids[i++ % ids.size()]);
    benchmark::DoNotOptimize(found);
  }
  state.SetItemsProcessed(state.iterations());
}

void miss(benchmark::State& state, PolicyKind policy) {
  World world(policy, std::size_t{32} << 20);
  std::uint64_t number = 0;
  while (world.tier.stats().evictions == 0) {
    for (int i = 0; i < 1000; ++i) world.tier.try_get(id_of(number++));
  }
  for (auto _ : state) {
    auto found = world.tier.try_get(id_of(number++));
    benchmark::DoNotOptimize(found);
  }
}

void memory(benchmark::State& state, PolicyKind policy) {
  for (auto _ : state) {
    const std::size_t before = allocated_bytes();
    World world(policy, std::size_t{64} << 20);
    for (std::uint64_t i = 0; i < kBlocks; ++i) world.tier.try_get(id_of(i));
    const auto stats = world.tier.stats();
    const auto held = static_cast<double>(allocated_bytes() - before);
    state.counters["allocated_to_budget"] = held / static_cast<double>(stats.budget_bytes);
    state.counters["used_to_budget"] =
        static_cast<double>(stats.used_bytes) / static_cast<double>(stats.budget_bytes);
    state.counters["metadata_bytes_an_object"] =
        static_cast<double>(stats.overhead_bytes) / static_cast<double>(stats.objects);
  }
}

}  // namespace

BENCHMARK_CAPTURE(hit, lru_even, PolicyKind::lru, 0U)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(hit, lru_half_on_one, PolicyKind::lru, 50U)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(hit, lru_all_on_one, PolicyKind::lru, 100U)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(hit, s3_fifo_even, PolicyKind::s3_fifo, 0U)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(hit, s3_fifo_half_on_one, PolicyKind::s3_fifo, 50U)
    ->ThreadRange(1, 2)
    ->UseRealTime();
BENCHMARK_CAPTURE(miss, lru, PolicyKind::lru);
BENCHMARK_CAPTURE(miss, s3_fifo, PolicyKind::s3_fifo);
BENCHMARK_CAPTURE(memory, lru, PolicyKind::lru)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(memory, s3_fifo, PolicyKind::s3_fifo)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
