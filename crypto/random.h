// The node's source of randomness: the kernel's, through libsodium. Any thread.
#pragma once

#include "base/bytes.h"
#include "base/random.h"

namespace cairn {

/// Fit for keys, salts and nonces. Never fails: a machine without a source ends the program.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  void fill(MutableByteView out) override;
};

}  // namespace cairn
