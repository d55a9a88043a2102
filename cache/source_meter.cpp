#include "cache/source_meter.h"

#include <algorithm>

#include "cache/sharded_counter.h"

namespace cairn {

SourceMeter::Counts& SourceMeter::mine(Source source) {
  return shards_[counter_shard() % kShards].of[static_cast<std::size_t>(source)];
}

void SourceMeter::answered(Source source, std::uint32_t bytes) {
  Counts& counts = mine(source);
  counts.requests.fetch_add(1, std::memory_order_relaxed);
  counts.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void SourceMeter::timed(Source source, std::chrono::nanoseconds took) {
  const auto us = (took.count() + 999) / 1'000;
  const auto bound = std::ranges::lower_bound(
      kBoundsUs, us, {}, [](std::uint32_t b) { return static_cast<std::int64_t>(b); });
  const auto bucket = static_cast<std::size_t>(bound - kBoundsUs.begin());
  mine(source).latency[bucket].fetch_add(1, std::memory_order_relaxed);
}

SourceMeter::Snapshot SourceMeter::snapshot() const {
  Snapshot out;
  for (const Shard& shard : shards_) {
    for (std::size_t i = 0; i < kSources; ++i) {
      const Counts& counts = shard.of[i];
      out[i].requests += counts.requests.load(std::memory_order_relaxed);
      out[i].bytes += counts.bytes.load(std::memory_order_relaxed);
      for (std::size_t bucket = 0; bucket < counts.latency.size(); ++bucket) {
        out[i].latency[bucket] += counts.latency[bucket].load(std::memory_order_relaxed);
      }
    }
  }
  return out;
}

double percentile_us(const SourceMeter::Figures& figures, double share) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : figures.latency) all += count;
  if (all == 0) return 0;
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < SourceMeter::kBoundsUs.size(); ++bucket) {
    below += figures.latency[bucket];
    if (static_cast<double>(below) >= share * static_cast<double>(all)) {
      return SourceMeter::kBoundsUs[bucket];
    }
  }
  return 2.0 * SourceMeter::kBoundsUs.back();
}

}  // namespace cairn
