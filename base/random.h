// Randomness, injected. The node's source is crypto/'s SystemRandom; tests use a seeded one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace cairn {

/// Safe to call from any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableByteView out) = 0;

  std::uint64_t next_u64() {
    std::uint64_t value = 0;
    fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
  }
};

}  // namespace cairn
