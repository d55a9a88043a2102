// RateLimiter: so many calls a minute for each of very many names, in a fixed amount of memory:
// names share buckets by a seeded hash, so that nobody can aim at another's. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"

namespace cairn::api {

class RateLimiter {
 public:
  /// `per_minute` calls a minute, and as many at once after a rest; 0: no limit.
  RateLimiter(std::uint64_t per_minute, const Clock& clock, Random& random);

  /// Counts a call; false when it is one too many.
  bool allow(std::string_view name);

 private:
  struct Bucket {
    MonoTime refilled{};
    double left = 0;
  };
  static constexpr std::size_t kBuckets = 1 << 15;

  const double per_minute_;
  const Clock& clock_;
  std::uint64_t seed_ = 0;
  std::mutex mutex_;
  std::vector<Bucket> buckets_;
};

/// What a client's address is counted under: an IPv6 address by its first 64 bits, which one client
/// may have all of; one that stands for an IPv4 address by that.
std::string network_of(std::string_view peer);

}  // namespace cairn::api
