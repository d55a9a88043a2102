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

#include "node/http/answer_memory.h"
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
  /// Bytes appended since the output was last empty.
  std::size_t appended_bytes() const { return text_.size() + referred_bytes_; }
  /// How many of these the kernel has.
  std::size_t sent_bytes() const { return sent_; }
  /// Memory that is not freed before all is sent.
  std::size_t kept_bytes() const { return text_.size() + kept_bytes_; }

  /// Accounts for what is kept, and for `more_bytes`, until the output is empty or release() is
  /// called. False when `memory` has no room; then nothing is accounted for.
  bool hold(AnswerMemory& memory, std::size_t more_bytes);
  void release() { holds_.clear(); }

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

  std::size_t pending_bytes_() const { return appended_bytes() - sent_; }
  bool hold_one(AnswerMemory::Hold hold);
  std::size_t gather(std::span<iovec> out) const;

  std::string text_;
  std::vector<Referred> referred_;
  std::size_t referred_bytes_ = 0;
  std::size_t kept_bytes_ = 0;             ///< Of `referred_`.
  std::size_t sent_ = 0;                   ///< Of all that was appended since the last clear().
  std::vector<AnswerMemory::Hold> holds_;  ///< Destroyed before what they account for.
};

}  // namespace cairn::http
