#include "node/http/input.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace cairn::http {

MutableByteView Input::room(std::size_t max_bytes) {
  const std::size_t held = end_ - begin_;
  if (end_ == capacity() && begin_ > 0) {
    std::memmove(data(), data() + begin_, held);
    begin_ = 0;
    end_ = held;
  }
  if (end_ == capacity()) {
    const std::size_t wanted =
        held < kLargeBytes ? kLargeBytes : std::max(max_bytes, kLargeBytes) + 1;
    CAIRN_ASSERT(wanted > held);
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    std::memcpy(larger.get(), data() + begin_, held);
    large_ = std::move(larger);
    large_bytes_ = wanted;
    begin_ = 0;
    end_ = held;
  }
  return {reinterpret_cast<std::uint8_t*>(data()) + end_, capacity() - end_};
}

}  // namespace cairn::http
