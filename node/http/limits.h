// What one listener allows its clients. Plain values, fixed while the server runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cairn::http {

struct Limits {
  std::size_t header_bytes = 8192;  ///< Request line and fields together; beyond: 431.
  std::size_t headers = 100;        ///< Fields of a request; beyond: 431.
  /// Open at once; for one more the longest idle is closed, or else the new one gets 503.
  std::size_t connections = 10000;
  std::size_t connections_per_client = 0;  ///< Of one address; beyond: 429 and closed. 0: no limit.
  /// From a head's first byte to its last; for the first head from the connection's start.
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{20'000};   ///< For a body, beside kMinBytesPerSecond.
  std::chrono::milliseconds write_timeout{20'000};  ///< For an answer, beside kMinBytesPerSecond.
  std::chrono::milliseconds idle_timeout{75'000};   ///< Between requests.
};

/// The least average speed of a body or an answer: a client may be slow, but not endlessly.
inline constexpr std::uint64_t kMinBytesPerSecond = 4096;

/// How far a body or an answer has come, from its first byte on. The time that an answer's
/// maker takes is not part of it.
struct Transfer {
  std::chrono::nanoseconds running{};
  std::uint64_t bytes = 0;

  /// How long the next byte may take: `timeout`, and no longer than until the average falls under
  /// kMinBytesPerSecond (with `timeout` as head start).
  std::chrono::milliseconds wait(std::chrono::milliseconds timeout) const {
    const auto earned = std::chrono::seconds(bytes / kMinBytesPerSecond) + timeout -
                        std::chrono::duration_cast<std::chrono::milliseconds>(running);
    return std::clamp<std::chrono::milliseconds>(earned, std::chrono::milliseconds(0), timeout);
  }
};

}  // namespace cairn::http
