// Fuzz target: tokens. Nothing but what this key signed passes; a payload of the fuzzer's, signed,
// is read as claims that sign to the very same token, or refused.
#include "crypto/token.h"

#include <array>

#include "base/assert.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cairn::TokenKey key(cairn::NodeSecret(std::array<std::uint8_t, 32>{1}));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto claims = key.verify(text, "site.example", cairn::WallTime{1'700'000'000'000});
  if (claims) CAIRN_ASSERT(key.sign(*claims) == text);
  return 0;
}
