// ApiOptions: what a site's configuration says of its API. A plain value.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"

namespace cairn::api {

/// Who may store blocks and write chains.
enum class WritePolicy : std::uint8_t {
  anyone,
  accounts,  ///< Who has logged in.
  nobody,    ///< Answered 403.
};

/// Who may make an account.
enum class SignUpPolicy : std::uint8_t {
  open,
  invite,  ///< Whoever has an invite's code.
  closed,
};

struct ApiOptions {
  SignUpPolicy sign_up = SignUpPolicy::open;
  /// Whose accounts these are: no quotes, backslashes, control characters.
  std::string account_site = "*";
  WritePolicy write = WritePolicy::anyone;
  /// Other origins whose pages may call this API ("https://app.example", or "*").
  std::vector<std::string> cors_origins;
  std::size_t block_bytes = kDefaultBlockBytes;  ///< At most kMaxBlockBytes.
  std::size_t ids_per_call = kMaxIdsPerCall;     ///< At most kMaxIdsPerCall.
  std::size_t batch_bytes = std::size_t{64} << 20;
  std::size_t batch_blocks = 1000;
  /// For each call to a store.
  std::chrono::milliseconds deadline{10'000};
  /// Without news a follower of a chain gets a comment so often.
  std::chrono::milliseconds heartbeat{15'000};
};

}  // namespace cairn::api
