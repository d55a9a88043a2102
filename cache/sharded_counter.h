// ShardedCounter: a sum that many cores add to without waiting for each other's cache lines. Any
// thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>

namespace cairn {

/// A number of the calling thread's, the same each time: stacks lie far apart.
inline std::size_t counter_shard() {
  const std::size_t thread = std::hash<std::thread::id>{}(std::this_thread::get_id());
  return (thread * std::size_t{0x9E3779B97F4A7C15}) >> 32U;
}

class ShardedCounter {
 public:
  static constexpr std::size_t kShards = 8;

  void add(std::uint64_t count) {
    shards_[counter_shard() % kShards].value.fetch_add(count, std::memory_order_relaxed);
  }
  /// What was added so far; what is added meanwhile may be missing.
  std::uint64_t sum() const {
    std::uint64_t out = 0;
    for (const Shard& shard : shards_) out += shard.value.load(std::memory_order_relaxed);
    return out;
  }

 private:
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace cairn
