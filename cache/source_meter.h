// SourceMeter: how many requests each tier has answered, with how many bytes and how fast. Any
// thread; cores do not wait for each other.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/block_store.h"

namespace cairn {

inline constexpr std::size_t kSources = 4;

class SourceMeter {
 public:
  /// Upper bounds of the latency buckets; a last one holds all that took longer.
  static constexpr std::array<std::uint32_t, 15> kBoundsUs{
      1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 50'000, 200'000};

  struct Figures {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    /// Of some of the requests only: those that were timed.
    std::array<std::uint64_t, kBoundsUs.size() + 1> latency{};
  };
  using Snapshot = std::array<Figures, kSources>;  ///< By Source.

  void answered(Source source, std::uint32_t bytes);
  void timed(Source source, std::chrono::nanoseconds took);

  Snapshot snapshot() const;

 private:
  static constexpr std::size_t kShards = 8;

  struct Counts {
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> bytes{0};
    std::array<std::atomic<std::uint64_t>, kBoundsUs.size() + 1> latency{};
  };
  struct alignas(64) Shard {
    std::array<Counts, kSources> of;
  };
  Counts& mine(Source source);

  std::array<Shard, kShards> shards_;
};

/// Upper bound, in microseconds, of the bucket that the share (0 to 1) of the timed requests
/// reaches; 0 without any. The last bucket counts as twice its lower bound.
double percentile_us(const SourceMeter::Figures& figures, double share);

}  // namespace cairn
