#include "storage/index_key.h"

#include <cstring>

namespace cairn {

IndexKey::IndexKey(Slot slot, const BlockId& id) {
  const auto number = static_cast<std::uint16_t>(slot);
  bytes[0] = static_cast<char>(number >> 8);
  bytes[1] = static_cast<char>(number & 0xFFU);
  std::memcpy(bytes.data() + 2, id.bytes.data(), BlockId::kSize);
}

Slot IndexKey::slot() const {
  const auto high = static_cast<std::uint8_t>(bytes[0]);
  const auto low = static_cast<std::uint8_t>(bytes[1]);
  return static_cast<Slot>((high << 8) | low);
}

BlockId IndexKey::id() const {
  BlockId id;
  std::memcpy(id.bytes.data(), bytes.data() + 2, BlockId::kSize);
  return id;
}

std::optional<IndexKey> IndexKey::from(std::string_view raw) {
  if (raw.size() != kSize) return std::nullopt;
  IndexKey key;
  std::memcpy(key.bytes.data(), raw.data(), kSize);
  if (static_cast<std::uint16_t>(key.slot()) >= kSlotCount) return std::nullopt;
  return key;
}

}  // namespace cairn
