// Limits that several layers must agree on. Units are in the names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cairn {

inline constexpr std::size_t kDefaultBlockBytes = std::size_t{1} << 20;
/// No configuration may allow larger blocks.
inline constexpr std::size_t kMaxBlockBytes = std::size_t{16} << 20;
/// Ids in one `missing` or `fetch` call.
inline constexpr std::size_t kMaxIdsPerCall = 1000;

}  // namespace cairn
