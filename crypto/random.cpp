#include "crypto/random.h"

#include <sodium.h>

#include "crypto/sodium_ready.h"

namespace cairn {

SystemRandom::SystemRandom() {
  sodium_ready();
}

void SystemRandom::fill(MutableByteView out) {
  randombytes_buf(out.data(), out.size());
}

}  // namespace cairn
