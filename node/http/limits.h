// What one listener allows its clients. Plain values, fixed while the server runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cairn::http {

struct Limits {
  std::size_t header_bytes = 8192;         ///< Request line and fields together; beyond: 431.
  std::size_t headers = 100;               ///< Fields of a request; beyond: 431.
  std::size_t connections = 10000;         ///< Open at once; beyond: 503 and closed.
  std::size_t connections_per_client = 0;  ///< Of one address; beyond: 429 and closed. 0: no limit.
  std::chrono::milliseconds head_timeout{10'000};   ///< From a head's first byte to its last.
  std::chrono::milliseconds body_timeout{20'000};   ///< For a body, beside kMinBytesPerSecond.
  std::chrono::milliseconds write_timeout{20'000};  ///< For an answer, beside kMinBytesPerSecond.
  std::chrono::milliseconds idle_timeout{75'000};   ///< Between requests.
};

/// The least average speed of a body or an answer: a client may be slow, but not endlessly.
inline constexpr std::uint64_t kMinBytesPerSecond = 4096;

/// How long a transfer that has run for `running` and moved `bytes` may wait for the next byte:
/// `timeout`, and no longer than until its average falls under kMinBytesPerSecond (with `timeout`
/// as head start).
inline std::chrono::milliseconds transfer_wait(std::chrono::nanoseconds running,
                                               std::uint64_t bytes,
                                               std::chrono::milliseconds timeout) {
  const auto earned = std::chrono::seconds(bytes / kMinBytesPerSecond) + timeout -
                      std::chrono::duration_cast<std::chrono::milliseconds>(running);
  return std::clamp<std::chrono::milliseconds>(earned, std::chrono::milliseconds(0), timeout);
}

}  // namespace cairn::http
