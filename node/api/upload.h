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
#include "node/api/errors.h"
#include "node/http/body_reader.h"
#include "node/http/request.h"

namespace cairn::api {

/// At most this much is read, and hashed, before the loop can turn to others.
inline constexpr std::size_t kSliceBytes = std::size_t{64} << 10;

/// Why a body was not taken; `detail` may be empty.
struct Refused {
  Refusal refusal;
  std::string detail;
};
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

/// What speaks against the body before a byte of it is read: an encoding, no framing, a declared
/// length over `limit_bytes`.
std::optional<Refusal> refusal_of_body(const http::Request& request, std::size_t limit_bytes);

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
