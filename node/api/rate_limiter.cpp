#include "node/api/rate_limiter.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "base/bytes.h"

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

std::string network_of(std::string_view peer) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(peer), error);
  if (error || !address.is_v6()) return std::string(peer);
  const auto bytes = address.to_v6().to_bytes();
  const bool is_v4 = address.to_v6().is_v4_mapped();
  const ByteView all(bytes);
  return to_hex(is_v4 ? all.last(4) : all.first(8));
}

}  // namespace cairn::api
