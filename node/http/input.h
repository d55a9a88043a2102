// Input: what a connection has received and not yet used. A small buffer stands in the connection
// itself, so that an idle connection holds nothing else; a larger one comes when it is needed and
// goes when it is empty.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace cairn::http {

class Input {
 public:
  static constexpr std::size_t kSmallBytes = 1536;
  static constexpr std::size_t kLargeBytes = 16 * 1024;

  std::string_view unread() const { return {data() + begin_, end_ - begin_}; }
  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// Where the next bytes go; never empty. Unread bytes may move: views into them are void
  /// afterwards. Grows up to `max_bytes` (at least kLargeBytes) of unread bytes, beyond which it
  /// must not be called.
  MutableByteView room(std::size_t max_bytes);
  void commit(std::size_t count) { end_ += count; }

  /// Gives the larger buffer back when nothing is unread.
  void shrink() {
    if (begin_ == end_) large_.reset();
  }

 private:
  char* data() { return large_ ? large_.get() : small_.data(); }
  const char* data() const { return large_ ? large_.get() : small_.data(); }
  std::size_t capacity() const { return large_ ? large_bytes_ : kSmallBytes; }

  std::array<char, kSmallBytes> small_;
  std::unique_ptr<char[]> large_;
  std::size_t large_bytes_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace cairn::http
