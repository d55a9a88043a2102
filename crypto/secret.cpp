#include "crypto/secret.h"

#include <sodium.h>

namespace cairn {

void wipe(MutableByteView bytes) {
  sodium_memzero(bytes.data(), bytes.size());
}

bool equal_in_constant_time(ByteView left, ByteView right) {
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace cairn
