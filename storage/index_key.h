// The key under which storage keeps what it knows of a block: slot (2 bytes, big-endian), then id,
// so that a slot's blocks lie side by side and move between nodes as one range. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/ids.h"

namespace cairn {

struct IndexKey {
  static constexpr std::size_t kSize = 2 + BlockId::kSize;

  std::array<char, kSize> bytes{};

  IndexKey() = default;
  IndexKey(Slot slot, const BlockId& id);

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  Slot slot() const;
  BlockId id() const;

  /// Nothing unless `raw` is kSize bytes with a slot below kSlotCount.
  static std::optional<IndexKey> from(std::string_view raw);
};

}  // namespace cairn
