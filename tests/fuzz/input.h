// Cuts a fuzzer's bytes into the values that a target needs. Front to back, so that a mutation of
// the rest leaves the first values alone. Owned by the target's one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace cairn::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  /// 0 where nothing is left.
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = (value << 8) | byte();
    return value;
  }

  /// At most `size` bytes.
  ByteView bytes(std::size_t size) {
    const ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  bool empty() const { return rest_.empty(); }
  ByteView rest() const { return rest_; }
  std::string_view rest_text() const { return as_text(rest_); }

 private:
  ByteView rest_;
};

}  // namespace cairn::fuzz

/// What libFuzzer and the corpus replay call. 0 always; a finding ends the program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
