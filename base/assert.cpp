#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace cairn {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "cairn: bug: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace cairn
