// The value of a block's entry in the index column family: its size, when it was stored and where
// its body lies. Small bodies lie in the entry itself. Plain values.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"

namespace cairn {

/// Where a body lies. The numbers are on disk and never change their meaning.
enum class Place : std::uint8_t {
  index = 1,  ///< In the entry: one look-up serves it.
  blob = 2,   ///< In the body column family, whose values RocksDB keeps in blob files.
  log = 3,    ///< In the value log (docs/decisions/0002-large-values.md).
};

/// Bodies up to this size lie in the index.
inline constexpr std::size_t kMaxIndexBodyBytes = 512;
/// Bodies of at least this size lie in the value log; those between in blob files.
inline constexpr std::size_t kMinLogBodyBytes = std::size_t{32} << 10;

/// The place of a new body of this size.
Place place_for(std::size_t size_bytes);

/// Where a record starts in the value log.
struct LogPosition {
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

void append_log_position(const LogPosition& position, std::string& out);
/// Takes a position off the head of `in`; false when it is too short.
[[nodiscard]] bool take_log_position(std::string_view& in, LogPosition& position);

struct IndexEntry {
  Place place = Place::index;
  std::uint32_t size_bytes = 0;
  WallTime stored_at{};
  LogPosition position;   ///< Where place is log.
  std::string_view body;  ///< Where place is index; borrowed from what was decoded.

  /// Appends the entry's bytes: place u8, size u32, stored_at ms u64, then by place the body,
  /// nothing or the position (segment u32, offset u64). Little-endian.
  void encode(std::string& out) const;

  /// Strict inverse; nothing for other bytes. Borrows `raw`.
  static std::optional<IndexEntry> decode(std::string_view raw);
};

}  // namespace cairn
