// Names: distinct types without implicit arithmetic or conversion. Plain values, no thread owns
// them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cairn {

/// A SHA-256 that names one kind of thing. `Tag` keeps the kinds apart.
template <class Tag>
struct HashId {
  static constexpr std::size_t kSize = 32;
  static constexpr std::size_t kTextSize = 64;

  std::array<std::uint8_t, kSize> bytes{};

  friend auto operator<=>(const HashId&, const HashId&) = default;

  ByteView view() const { return bytes; }

  /// 64 lower-case hexadecimal digits.
  std::string text() const { return to_hex(bytes); }

  /// Strict inverse of text(); nothing for any other spelling.
  static std::optional<HashId> from_text(std::string_view text) {
    HashId id;
    if (!read_hex(text, id.bytes)) return std::nullopt;
    return id;
  }

  /// Copies exactly 32 bytes; nothing for another size.
  static std::optional<HashId> from_bytes(ByteView raw) {
    if (raw.size() != kSize) return std::nullopt;
    HashId id;
    std::memcpy(id.bytes.data(), raw.data(), kSize);
    return id;
  }

  /// Eight bytes of the id as a number, for in-memory tables only: an attacker can choose it.
  std::uint64_t prefix() const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
};

using BlockId = HashId<struct BlockTag>;
using ChainId = HashId<struct ChainTag>;
using LinkId = HashId<struct LinkTag>;

/// A node of the cluster, named by the layout.
enum class NodeId : std::uint32_t {};

/// The version of a layout or a replica group; only ever compared and incremented.
enum class Epoch : std::uint64_t {};

/// How many slots a layout has; fixed when a cluster is made (design: cluster.md, Placement).
inline constexpr std::uint16_t kSlotCount = 5040;

/// XXH3-64 of an id, seeded with the cluster's placement seed. crypto/ computes it.
enum class Number : std::uint64_t {};

/// number mod kSlotCount; below kSlotCount always when made by slot_of.
enum class Slot : std::uint16_t {};

constexpr Slot slot_of(Number number) {
  return static_cast<Slot>(static_cast<std::uint64_t>(number) % kSlotCount);
}

}  // namespace cairn

template <class Tag>
struct std::hash<cairn::HashId<Tag>> {
  /// For tables whose keys nobody can aim; the cache seeds its own hash.
  std::size_t operator()(const cairn::HashId<Tag>& id) const noexcept { return id.prefix(); }
};
