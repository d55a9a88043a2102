#include "base/block_id_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace cairn {
namespace {

constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
// Version 1, codec raw, hash sha2-256, 32 bytes of it; each number is a one-byte varint.
constexpr std::array<std::uint8_t, 4> kCidPrefix{0x01, 0x55, 0x12, 0x20};
constexpr std::size_t kCidSize = kCidPrefix.size() + BlockId::kSize;
static_assert((kCidSize * 8 + 4) / 5 + 1 == kCidTextSize);

int base32_value(char c) {
  if (c >= 'a' && c <= 'z') return c - 'a';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

std::optional<BlockId> parse_cid(std::string_view text) {
  if (text.front() != 'b') return std::nullopt;  // multibase: base32, lower case, no padding
  std::array<std::uint8_t, kCidSize> cid{};
  std::size_t filled = 0;
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const char c : text.substr(1)) {
    const int value = base32_value(c);
    if (value < 0) return std::nullopt;
    window = (window << 5) | static_cast<std::uint32_t>(value);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      cid[filled++] = static_cast<std::uint8_t>(window >> bits);
    }
  }
  if ((window & ((1U << bits) - 1U)) != 0) return std::nullopt;
  if (!std::equal(kCidPrefix.begin(), kCidPrefix.end(), cid.begin())) return std::nullopt;
  return BlockId::from_bytes(ByteView(cid).subspan(kCidPrefix.size()));
}

}  // namespace

std::string cid_text(const BlockId& id) {
  std::array<std::uint8_t, kCidSize> cid{};
  std::copy(id.bytes.begin(), id.bytes.end(),
            std::copy(kCidPrefix.begin(), kCidPrefix.end(), cid.begin()));
  std::string text = "b";
  text.reserve(kCidTextSize);
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : cid) {
    window = (window << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text.push_back(kBase32[(window >> bits) & 31U]);
    }
  }
  text.push_back(kBase32[(window << (5 - bits)) & 31U]);
  return text;
}

std::optional<BlockId> parse_block_id(std::string_view text) {
  if (text.size() == BlockId::kTextSize) return BlockId::from_text(text);
  if (text.size() == kCidTextSize) return parse_cid(text);
  return std::nullopt;
}

}  // namespace cairn
