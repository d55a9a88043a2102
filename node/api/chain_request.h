// What requests to the routes of chains say: queries, preferences, tokens, frames. Pure; any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/chain_store.h"
#include "base/result.h"
#include "node/http/request.h"

namespace cairn::api {

/// A request waits for news of a chain for so long at most.
inline constexpr std::chrono::seconds kLongestWait{30};

struct PageQuery {
  std::uint64_t from = 1;
  std::size_t limit = kMaxLinksPerCall;
};

/// `from` and `limit`, each once at most, in any order. Nothing for values out of range, other
/// spellings of a number and other names.
std::optional<PageQuery> parse_page_query(std::string_view query);

/// `wait=N` of Prefer (RFC 7240), in seconds, kLongestWait at most; nothing without it.
std::optional<std::chrono::seconds> preferred_wait(const http::Request& request);

/// The seq in Last-Event-ID; nothing without one, or for what is no number.
std::optional<std::uint64_t> last_event_of(const http::Request& request);

/// Whether the request may read that chain: it is not gated, or Authorization: Cairn-Fetch has its
/// token. Compares in constant time.
bool may_read(const http::Request& request, const ChainHead& head);

/// Whether `token` (empty: none) opens the chain. Compares in constant time.
bool token_opens(ByteView token, const ChainHead& head);

/// Whether Accept prefers JSON to frames.
bool wants_json(const http::Request& request);

/// The links of a body of frames. malformed: it does not end where a frame ends, or has an empty
/// one, or none; overloaded: more than kMaxLinksPerCall.
Result<std::vector<Bytes>> parse_link_frames(std::string_view body);

}  // namespace cairn::api
