// An assertion that is always on. For bugs only, never for input: input gets a Result.
#pragma once

namespace cairn {

/// Prints the place to standard error and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace cairn

#define CAIRN_ASSERT(expression) \
  ((expression) ? void(0) : ::cairn::assertion_failed(#expression, __FILE__, __LINE__))
