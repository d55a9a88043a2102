#include "node/api/upload.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "crypto/hash.h"

namespace cairn::api {
namespace {

// About half a millisecond of hashing: a fast client must not keep the loop from its other
// connections for longer.
constexpr std::size_t kYieldBytes = std::size_t{1} << 20;

/// A block that grows: room is taken from the budget before it is allocated.
class GrowingBlock {
 public:
  explicit GrowingBlock(ByteBudget& budget) : budget_(budget) {}

  /// False when the budget refuses.
  bool reserve(std::size_t capacity_bytes) {
    ByteBudget::Share share = budget_.take(capacity_bytes);
    if (!share) return false;
    buffer_.grow(capacity_bytes);
    share_ = std::move(share);
    return true;
  }
  /// Room for at least one byte more: a slice at first, so that a mere announcement holds no
  /// memory; then all of it where the length is declared, else twice as much as before.
  /// `limit_bytes` at most.
  bool reserve_more(std::size_t limit_bytes, bool declared) {
    if (buffer_.size_bytes() < buffer_.capacity_bytes()) return true;
    if (declared && buffer_.capacity_bytes() > 0) return reserve(limit_bytes);
    const std::size_t doubled = std::max(kSliceBytes, buffer_.capacity_bytes() * 2);
    return reserve(std::min(doubled, limit_bytes));
  }
  MutableByteView slice() {
    const MutableByteView room = buffer_.room();
    return room.first(std::min(room.size(), kSliceBytes));
  }
  void commit(std::size_t count) {
    hasher_.update(buffer_.room().first(count));
    buffer_.commit(count);
  }
  std::size_t size_bytes() const { return buffer_.size_bytes(); }
  BlockUpload finish() {
    const BlockId id = hasher_.finish_block_id();
    return {std::move(buffer_).finish(id), std::move(share_)};
  }

 private:
  ByteBudget& budget_;
  BlockBuffer buffer_;
  ByteBudget::Share share_;
  Sha256 hasher_;
};

}  // namespace

std::optional<Refusal> refusal_of_body(const http::Request& request, std::size_t limit_bytes) {
  for (const http::Field& field : request.fields) {
    if (http::equals_ignoring_case(field.name, "Content-Encoding") &&
        !http::equals_ignoring_case(field.value, "identity")) {
      return Refusal::encoded_body;
    }
  }
  if (request.framing == http::Framing::none) return Refusal::length_needed;
  if (request.framing == http::Framing::length && request.content_length > limit_bytes) {
    return Refusal::too_large;
  }
  return std::nullopt;
}

Refusal refusal_of_read(Errc code) {
  return code == Errc::malformed ? Refusal::bad_body : Refusal::body_timeout;
}

Task<Taken<BlockUpload>> read_block(const http::Request& request, http::BodyReader& body,
                                    ByteBudget& budget, std::size_t limit_bytes) {
  const bool declared = request.framing == http::Framing::length;
  if (declared && request.content_length == 0) co_return Refused{Refusal::empty_block, {}};
  // One byte more than a chunked body may have: that byte tells a full block from one too large.
  const std::size_t most = declared ? request.content_length : limit_bytes + 1;
  GrowingBlock block(budget);
  std::size_t since_yield = 0;
  while (block.size_bytes() < most) {
    if (!block.reserve_more(most, declared)) co_return Refused{Refusal::overloaded, {}};
    const Result<std::size_t> got = co_await body.read(block.slice());
    if (!got) co_return Refused{refusal_of_read(got.error().code), {}};
    if (got.value() == 0) break;
    block.commit(got.value());
    since_yield += got.value();
    if (since_yield >= kYieldBytes) {
      since_yield = 0;
      co_await boost::asio::post(kAwait);
    }
  }
  if (block.size_bytes() > limit_bytes) co_return Refused{Refusal::too_large, {}};
  if (block.size_bytes() == 0) co_return Refused{Refusal::empty_block, {}};
  if (declared && block.size_bytes() < most) co_return Refused{Refusal::bad_body, {}};
  co_return block.finish();
}

Task<Taken<TextUpload>> read_text(http::BodyReader& body, ByteBudget& budget,
                                  std::size_t limit_bytes) {
  TextUpload upload;
  upload.share = budget.take(limit_bytes + kSliceBytes);
  if (!upload.share) co_return Refused{Refusal::overloaded, {}};
  std::size_t filled = 0;
  while (true) {
    upload.text.resize(std::min(filled + kSliceBytes, limit_bytes + 1));
    const MutableByteView room(reinterpret_cast<std::uint8_t*>(upload.text.data()) + filled,
                               upload.text.size() - filled);
    const Result<std::size_t> got = co_await body.read(room);
    if (!got) co_return Refused{refusal_of_read(got.error().code), {}};
    filled += got.value();
    if (filled > limit_bytes) co_return Refused{Refusal::too_large, {}};
    if (got.value() == 0) break;
  }
  upload.text.resize(filled);
  co_return upload;
}

}  // namespace cairn::api
