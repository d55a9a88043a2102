#include "crypto/sodium_ready.h"

#include <sodium.h>

#include "base/assert.h"

namespace cairn {

void sodium_ready() {
  static const int outcome = sodium_init();
  CAIRN_ASSERT(outcome >= 0);
}

}  // namespace cairn
