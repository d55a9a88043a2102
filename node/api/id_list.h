// The body of `missing` and `fetch`: {"ids":["…",…]} and nothing else. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace cairn::api {

/// The longest sensible body of a list of `ids` ids: room for the text of each, quotes, and white
/// space as formatters put it.
constexpr std::size_t id_list_bytes(std::size_t ids) {
  return 1024 + ids * 96;
}

/// Reads the list, in its order, repeated ids kept. Errors: malformed (not UTF-8, not JSON, nested
/// deeper than 32, any other shape, a member twice, not an id); overloaded when it has more than
/// `limit` ids.
Result<std::vector<BlockId>> parse_id_list(std::string_view json, std::size_t limit);

}  // namespace cairn::api
