// CRC-32 (IEEE 802.3, as in zlib) of the strings that people type: it finds slips, not forgery. Any
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace cairn {

inline constexpr std::size_t kCrcSize = 4;

/// Little-endian.
std::array<std::uint8_t, kCrcSize> crc32_of(ByteView bytes);

}  // namespace cairn
