// What the cache's tests share: a clock that is set by hand, repeatable randomness, cheap blocks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <random>

#include "base/block.h"
#include "base/clock.h"
#include "base/random.h"

namespace cairn {

/// Stands still until told. Any thread.
class HandClock final : public Clock {
 public:
  MonoTime mono() const override { return MonoTime(std::chrono::nanoseconds(now_ns_.load())); }
  WallTime wall() const override { return WallTime{now_ns_.load() / 1'000'000}; }
  void advance(std::chrono::milliseconds by) {
    now_ns_ += std::chrono::duration_cast<std::chrono::nanoseconds>(by).count();
  }

 private:
  std::atomic<std::int64_t> now_ns_{1'000'000'000};
};

/// The same bytes for the same seed. Any thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : numbers_(seed) {}
  void fill(MutableByteView out) override {
    const std::lock_guard lock(mutex_);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(numbers_());
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 numbers_;
};

/// An id that is not a hash of anything, for tests that never check.
inline BlockId cheap_id(std::uint64_t number) {
  BlockId id;
  std::memcpy(id.bytes.data(), &number, sizeof number);
  return id;
}

/// `size_bytes` zeros under cheap_id(number).
inline Block cheap_block(std::uint64_t number, std::size_t size_bytes = 100) {
  return Block::copy_of(cheap_id(number), Bytes(size_bytes));
}

}  // namespace cairn
