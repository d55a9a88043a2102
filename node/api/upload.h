// Request bodies on their way into memory: budgeted before they are allocated, hashed as they
// arrive, refused as early as their size is known. On the connection's core.
#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "base/block.h"
#include "base/budget.h"
#include "base/task.h"
#include "crypto/hash.h"
#include "node/api/errors.h"
#include "node/http/body_reader.h"
#include "node/http/request.h"

namespace cairn::api {

/// At most this much is read, and hashed, before the loop can turn to others.
inline constexpr std::size_t kSliceBytes = std::size_t{64} << 10;
/// What a body is given before a byte of it has come.
inline constexpr std::size_t kFirstBytes = std::size_t{4} << 10;

/// Why a body was not taken; `detail` may be empty.
struct Refused {
  Refusal refusal;
  std::string detail;
};
void refuse(http::Response& response, const Refused& refused);
template <class T>
using Taken = boost::outcome_v2::basic_result<T, Refused, boost::outcome_v2::policy::terminate>;

/// A body in memory with the share of the budget that it lives on.
struct BlockUpload {
  Block block;
  ByteBudget::Share share;
};
struct TextUpload {
  std::string text;
  ByteBudget::Share share;
};

/// A block that grows as its bytes come. Room is taken from the budget before it is allocated, and
/// in proportion to what has come: a mere announcement holds next to nothing.
class GrowingBlock {
 public:
  /// Of `most_bytes` at most, and exactly so many where that is its declared length.
  GrowingBlock(ByteBudget& budget, std::size_t most_bytes, bool declared)
      : budget_(budget), most_bytes_(most_bytes), declared_(declared) {}

  /// Room for at least one byte more; it holds fewer than most_bytes. False when the budget
  /// refuses.
  bool reserve();
  /// What reserve() made, a slice at most.
  MutableByteView room();
  /// Hashes and keeps the first `count` bytes of room().
  void commit(std::size_t count);
  std::size_t size_bytes() const { return buffer_.size_bytes(); }
  BlockUpload finish() &&;

 private:
  ByteBudget& budget_;
  const std::size_t most_bytes_;
  const bool declared_;
  BlockBuffer buffer_;
  ByteBudget::Share share_;
  Sha256 hasher_;
};

/// What speaks against the body before a byte of it is read: an encoding, no framing, a declared
/// length over `limit_bytes`.
std::optional<Refused> refusal_of_body(const http::Request& request, std::size_t limit_bytes);

/// Whether the body says that it is JSON, or does not say what it is.
bool may_be_json(const http::Request& request);

/// What a failed BodyReader::read is to the client.
Refusal refusal_of_read(Errc code);

/// Reads the whole body as one block of 1 to `limit_bytes` bytes and names it. refusal_of_body()
/// has been asked.
Task<Taken<BlockUpload>> read_block(const http::Request& request, http::BodyReader& body,
                                    ByteBudget& budget, std::size_t limit_bytes);

/// Reads the whole body, `limit_bytes` at most, as text.
Task<Taken<TextUpload>> read_text(http::BodyReader& body, ByteBudget& budget,
                                  std::size_t limit_bytes);

}  // namespace cairn::api
