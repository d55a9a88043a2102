// The body of POST /v1/live: which chains one follower follows, and from where. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace cairn::api {

/// Chains that one connection may follow.
inline constexpr std::size_t kMaxLiveChains = 1'000;
/// Room for the text of each.
inline constexpr std::size_t kMaxLiveBytes = kMaxLiveChains * 256 + 1024;

struct LiveStart {
  ChainId chain;
  std::optional<std::uint64_t> seen;  ///< The last link that is known; nothing: from now on.
  Bytes token;                        ///< Of a gated chain; else empty.
};

/// {"<chain id>": seen, …}, where `seen` is a number, null, or an object of `seen` and `token` for
/// a gated chain. Errors: malformed (any other shape, a member twice, no chain), overloaded (too
/// many chains).
Result<std::vector<LiveStart>> parse_live_request(std::string_view json);

}  // namespace cairn::api
