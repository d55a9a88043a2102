// Output: answers on their way to one socket. Heads and small bodies are gathered in one buffer,
// larger bodies are referred to; one sendmsg takes as much as the kernel accepts. Belongs to one
// connection.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/http/response.h"

namespace cairn::http {

class Output {
 public:
  enum class Flush : std::uint8_t { done, blocked, broken };

  /// Pieces up to this size are copied behind the head rather than referred to.
  static constexpr std::size_t kCopyBytes = 2048;

  void append(std::string_view text) { text_.append(text); }
  void append(Piece piece);

  bool empty() const { return pending_bytes_() == 0; }
  /// Bytes not yet given to the kernel.
  std::size_t pending_bytes() const { return pending_bytes_(); }

  /// Gives the kernel what it takes without blocking. `sent` grows by what it took. When done, the
  /// output is empty again; when broken, the peer is gone.
  Flush flush(int socket, std::uint64_t& sent);

  /// Drops everything, keeping modest capacities.
  void clear();

 private:
  struct Referred {
    Piece piece;
    std::size_t text_before;  ///< How much of text_ goes out before it.
  };

  std::size_t pending_bytes_() const { return text_.size() + referred_bytes_ - sent_; }
  std::size_t gather(std::span<iovec> out) const;

  std::string text_;
  std::vector<Referred> referred_;
  std::size_t referred_bytes_ = 0;
  std::size_t sent_ = 0;  ///< Of all that was appended since the last clear().
};

}  // namespace cairn::http
