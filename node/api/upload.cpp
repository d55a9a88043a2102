#include "node/api/upload.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace cairn::api {
namespace {

// About half a millisecond of hashing: a fast client must not keep the loop from its other
// connections for longer.
constexpr std::size_t kYieldBytes = std::size_t{1} << 20;

// Of what has come, the room that is made for more. Where the length is known, a larger step saves
// copies, and none of the room is left over in the end.
constexpr std::size_t kDeclaredGrowth = 4;
constexpr std::size_t kGrowth = 2;

Refused too_large(std::size_t limit_bytes) {
  return {Refusal::too_large, "at most " + std::to_string(limit_bytes) + " bytes are taken here"};
}

}  // namespace

bool GrowingBlock::reserve() {
  const std::size_t capacity = buffer_.capacity_bytes();
  if (buffer_.size_bytes() < capacity) return true;
  const std::size_t wanted =
      std::max(kFirstBytes, capacity * (declared_ ? kDeclaredGrowth : kGrowth));
  const std::size_t larger = std::min(wanted, most_bytes_);
  ByteBudget::Share share = budget_.take(larger);
  if (!share) return false;
  buffer_.grow(larger);
  share_ = std::move(share);
  return true;
}

MutableByteView GrowingBlock::room() {
  const MutableByteView room = buffer_.room();
  return room.first(std::min(room.size(), kSliceBytes));
}

void GrowingBlock::commit(std::size_t count) {
  hasher_.update(buffer_.room().first(count));
  buffer_.commit(count);
}

BlockUpload GrowingBlock::finish() && {
  const BlockId id = hasher_.finish_block_id();
  return {std::move(buffer_).finish(id), std::move(share_)};
}

void refuse(http::Response& response, const Refused& refused) {
  refuse(response, refused.refusal, refused.detail);
}

std::optional<Refused> refusal_of_body(const http::Request& request, std::size_t limit_bytes) {
  for (const http::Field& field : request.fields) {
    if (http::equals_ignoring_case(field.name, "Content-Encoding") &&
        !http::equals_ignoring_case(field.value, "identity")) {
      return Refused{Refusal::encoded_body, {}};
    }
  }
  if (request.framing == http::Framing::none) return Refused{Refusal::length_needed, {}};
  if (request.framing == http::Framing::length && request.content_length > limit_bytes) {
    return too_large(limit_bytes);
  }
  return std::nullopt;
}

bool may_be_json(const http::Request& request) {
  const auto type = request.field("Content-Type");
  if (!type) return true;
  std::string_view name = type->substr(0, type->find(';'));
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  return name.empty() || http::equals_ignoring_case(name, "application/json");
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
  GrowingBlock block(budget, most, declared);
  std::size_t since_yield = 0;
  while (block.size_bytes() < most) {
    if (!block.reserve()) co_return Refused{Refusal::overloaded, {}};
    const Result<std::size_t> got = co_await body.read(block.room());
    if (!got) co_return Refused{refusal_of_read(got.error().code), {}};
    if (got.value() == 0) break;
    block.commit(got.value());
    since_yield += got.value();
    if (since_yield >= kYieldBytes) {
      since_yield = 0;
      co_await boost::asio::post(kAwait);
    }
  }
  if (block.size_bytes() > limit_bytes) co_return too_large(limit_bytes);
  if (block.size_bytes() == 0) co_return Refused{Refusal::empty_block, {}};
  if (declared && block.size_bytes() < most) co_return Refused{Refusal::bad_body, {}};
  co_return std::move(block).finish();
}

Task<Taken<TextUpload>> read_text(http::BodyReader& body, ByteBudget& budget,
                                  std::size_t limit_bytes) {
  TextUpload upload;
  std::size_t filled = 0;
  while (true) {
    if (filled == upload.text.size()) {
      const std::size_t room = std::max(kFirstBytes, filled * 2);
      ByteBudget::Share share = budget.take(room);
      if (!share) co_return Refused{Refusal::overloaded, {}};
      upload.text.resize(std::min(room, limit_bytes + 1));
      upload.share = std::move(share);
    }
    const MutableByteView free(reinterpret_cast<std::uint8_t*>(upload.text.data()) + filled,
                               upload.text.size() - filled);
    const Result<std::size_t> got = co_await body.read(free);
    if (!got) co_return Refused{refusal_of_read(got.error().code), {}};
    filled += got.value();
    if (filled > limit_bytes) co_return too_large(limit_bytes);
    if (got.value() == 0) break;
  }
  upload.text.resize(filled);
  co_return upload;
}

}  // namespace cairn::api
