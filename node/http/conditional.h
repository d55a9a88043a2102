// Conditional and range requests (RFC 9110 sections 13 and 14), shared by blocks and static files.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::http {

/// What a representation is validated by.
struct Validators {
  std::string_view etag;  ///< With its quotes; strong unless it begins with W/.
  std::optional<std::int64_t> modified_s = {};  ///< Seconds since 1970; nothing for blocks.
};

enum class Precondition : std::uint8_t { proceed, not_modified, failed };

/// If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since in the order of RFC 9110 13.2.2.
/// Malformed conditions are ignored, dates other than IMF-fixdate among them.
Precondition evaluate(const Request& request, const Validators& validators);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;  ///< At least 1; first + length <= the representation's size.
};

/// What a Range field asks of a representation of `size` bytes.
struct RangeVerdict {
  enum class Kind : std::uint8_t { whole, partial, unsatisfiable };
  Kind kind = Kind::whole;
  std::vector<ByteRange> ranges;  ///< 1 to kMaxRanges when partial, in the order asked.
};

inline constexpr std::size_t kMaxRanges = 16;

/// Invalid syntax, another unit, more than kMaxRanges or overlapping ranges mean the whole; only
/// when no range overlaps the representation it is unsatisfiable (bad-input row 16).
RangeVerdict parse_range(std::string_view value, std::uint64_t size);

/// parse_range of the request's Range field, heeding the method (GET only) and If-Range. A date in
/// If-Range never matches: nobody here knows that a file changed only once in that second (RFC 9110
/// 8.8.2.2), and the whole is always a right answer.
RangeVerdict requested_range(const Request& request, const Validators& validators,
                             std::uint64_t size);

/// Turns `response`, a 200 with one in-memory piece and its fields set (Content-Type among them),
/// into what Range asks for: 206 with Content-Range or multipart/byteranges, 416 (a problem; the
/// fields that do not speak of the body stay), or left alone. The boundary of the parts is made
/// from the entity tag, which no content can hold by accident.
void apply_range(const Request& request, const Validators& validators, Response& response);

/// What of a response speaks of the whole is dropped, and it becomes a 416 that says `size`.
void set_unsatisfiable(std::uint64_t size, Response& response);

/// The value of Content-Range for a part of `size` bytes.
std::string content_range(const ByteRange& range, std::uint64_t size);

/// RFC 9110 5.6.7 HTTP-date (IMF-fixdate).
std::string http_date(std::int64_t seconds);
/// IMF-fixdate only; nothing for anything else.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace cairn::http
