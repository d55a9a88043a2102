#include "node/http/output.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace cairn::http {
namespace {

constexpr std::size_t kMaxVectors = 64;
constexpr std::size_t kKeptTextBytes = 64 * 1024;

/// Adds what is left of `bytes` after `skip`, and takes what it passed over from `skip`.
std::size_t add_vector(std::span<iovec> out, std::size_t count, ByteView bytes, std::size_t& skip) {
  const std::size_t passed = std::min(skip, bytes.size());
  skip -= passed;
  bytes = bytes.subspan(passed);
  if (bytes.empty() || count == out.size()) return count;
  out[count] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  return count + 1;
}

}  // namespace

void Output::append(Piece piece) {
  const ByteView bytes = piece.bytes();
  if (bytes.size() <= kCopyBytes) {
    text_.append(as_text(bytes));
    return;
  }
  referred_bytes_ += bytes.size();
  kept_bytes_ += piece.kept_bytes();
  referred_.push_back({std::move(piece), text_.size()});
}

std::size_t Output::gather(std::span<iovec> out) const {
  std::size_t skip = sent_;
  std::size_t count = 0;
  std::size_t text_at = 0;
  const ByteView text = as_bytes(text_);
  for (const Referred& referred : referred_) {
    count = add_vector(out, count, text.subspan(text_at, referred.text_before - text_at), skip);
    count = add_vector(out, count, referred.piece.bytes(), skip);
    text_at = referred.text_before;
    if (count == out.size()) return count;
  }
  return add_vector(out, count, text.subspan(text_at), skip);
}

Output::Flush Output::flush(int socket, std::uint64_t& sent) {
  while (!empty()) {
    std::array<iovec, kMaxVectors> vectors;
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = gather(vectors);
    const ssize_t count = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? Flush::blocked : Flush::broken;
    }
    sent_ += static_cast<std::size_t>(count);
    sent += static_cast<std::uint64_t>(count);
  }
  clear();
  return Flush::done;
}

bool Output::hold(AnswerMemory& memory, std::size_t more_bytes) {
  if (!holds_.empty()) return true;
  std::size_t own_bytes = text_.size() + more_bytes;
  for (const Referred& referred : referred_) {
    const void* owner = referred.piece.owner();
    if (owner == nullptr) {
      own_bytes += referred.piece.kept_bytes();
    } else if (!hold_one(memory.hold(owner, referred.piece.kept_bytes()))) {
      return false;
    }
  }
  return hold_one(memory.hold(this, own_bytes));
}

bool Output::hold_one(AnswerMemory::Hold hold) {
  if (hold == nullptr) {
    release();
    return false;
  }
  holds_.push_back(std::move(hold));
  return true;
}

void Output::clear() {
  holds_.clear();
  if (text_.capacity() > kKeptTextBytes) {
    text_ = {};
  } else {
    text_.clear();
  }
  referred_.clear();
  referred_bytes_ = 0;
  kept_bytes_ = 0;
  sent_ = 0;
}

}  // namespace cairn::http
