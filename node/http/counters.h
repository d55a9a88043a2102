// Counters of one core, written by its thread only and summed at scrape.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cairn::http {

/// A number that one thread writes and any thread reads.
class Counter {
 public:
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Upper bounds of the latency buckets in microseconds; the last bucket is everything above.
inline constexpr std::array<std::uint64_t, 14> kLatencyBoundsUs{
    25,   50,     100,    250,     500,     1000,      2500,
    5000, 10'000, 25'000, 100'000, 250'000, 1'000'000, 10'000'000};

struct alignas(64) CoreCounters {
  Counter accepted;
  Counter active;         ///< Connections open now.
  Counter requests;       ///< Heads that passed the gate.
  Counter refused_heads;  ///< Heads that did not.
  Counter timeouts;       ///< Connections ended by a time limit.
  Counter aborted;        ///< Answers cut off before their end.
  Counter idle_closed;    ///< Idle connections closed to make room for new ones.
  Counter bytes_in;
  Counter bytes_out;
  std::array<Counter, 6> by_class;  ///< By status / 100; [0] is unused.
  std::array<Counter, kLatencyBoundsUs.size() + 1> latency;
  Counter latency_sum_us;

  void count_latency(std::chrono::nanoseconds duration) {
    const auto us = static_cast<std::uint64_t>(duration.count()) / 1000;
    std::size_t bucket = 0;
    while (bucket < kLatencyBoundsUs.size() && us > kLatencyBoundsUs[bucket]) ++bucket;
    latency[bucket].add();
    latency_sum_us.add(us);
  }
};

/// All cores' counters at one moment.
struct CountersSnapshot {
  std::uint64_t accepted = 0, active = 0, requests = 0, refused_heads = 0, timeouts = 0,
                aborted = 0, idle_closed = 0;
  std::uint64_t refused_connections = 0;  ///< Over the limit, or over the client's.
  std::uint64_t bytes_in = 0, bytes_out = 0, latency_sum_us = 0;
  std::array<std::uint64_t, 6> by_class{};
  std::array<std::uint64_t, kLatencyBoundsUs.size() + 1> latency{};

  void add(const CoreCounters& core);
};

}  // namespace cairn::http
