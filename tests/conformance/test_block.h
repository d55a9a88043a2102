// Blocks for tests: made from a seed, compared by their bytes. Any thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

#include "base/block.h"
#include "crypto/hash.h"

namespace cairn {

/// A block of `size_bytes` that is the same for the same seed and different for another.
inline Block make_test_block(std::uint64_t seed, std::size_t size_bytes) {
  std::mt19937_64 numbers(seed * 0x9E3779B97F4A7C15U + size_bytes);
  Bytes bytes(size_bytes);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(numbers());
  return Block::copy_of(block_id_of(bytes), bytes);
}

/// Equal by bytes, told apart by size first so that a failure prints briefly.
inline ::testing::AssertionResult same_bytes(const Block& one, const Block& other) {
  if (one.size_bytes() != other.size_bytes()) {
    return ::testing::AssertionFailure()
           << one.size_bytes() << " bytes, not " << other.size_bytes();
  }
  if (!std::ranges::equal(one.bytes(), other.bytes())) {
    return ::testing::AssertionFailure() << "other bytes under " << one.id().text();
  }
  return ::testing::AssertionSuccess();
}

}  // namespace cairn
