#include "node/api/rate_limiter.h"

#include <algorithm>
#include <functional>

namespace cairn::api {

RateLimiter::RateLimiter(std::uint64_t per_minute, const Clock& clock, Random& random)
    : per_minute_(static_cast<double>(per_minute)), clock_(clock), buckets_(kBuckets) {
  std::array<std::uint8_t, sizeof seed_> bytes{};
  random.fill(bytes);
  for (const std::uint8_t byte : bytes) seed_ = (seed_ << 8) | byte;
  for (Bucket& bucket : buckets_) bucket = {clock_.mono(), per_minute_};
}

bool RateLimiter::allow(std::string_view name) {
  if (per_minute_ <= 0) return true;
  // FNV-1a from a random start: which names share a bucket is not for others to know.
  std::uint64_t hash = seed_;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
  hash ^= hash >> 29;
  const std::lock_guard lock(mutex_);
  Bucket& bucket = buckets_[hash % kBuckets];
  const MonoTime now = clock_.mono();
  const std::chrono::duration<double> rested = now - bucket.refilled;
  bucket.left = std::min(per_minute_, bucket.left + rested.count() * per_minute_ / 60);
  bucket.refilled = now;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

std::string_view network_of(std::string_view peer) {
  std::size_t groups = 0;
  for (std::size_t i = 0; i < peer.size(); ++i) {
    if (peer[i] == ':' && ++groups == 4) return peer.substr(0, i);
  }
  return peer;
}

}  // namespace cairn::api
