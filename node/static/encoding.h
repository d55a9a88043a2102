// What a client wants of a file (RFC 9110 section 12.5): a page or other things, and in which of
// the encodings that it is kept in. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "node/http/request.h"

namespace cairn::site {

enum class Encoding : std::uint8_t { identity, gzip, brotli };
inline constexpr std::size_t kEncodingCount = 3;

/// As in Content-Encoding; empty for identity.
std::string_view token_of(Encoding encoding);
/// What a precompressed sibling's name ends in; empty for identity.
std::string_view suffix_of(Encoding encoding);

/// Which of the encodings there are.
using EncodingSet = std::array<bool, kEncodingCount>;

/// The best of `available` by Accept-Encoding's weights; among equals brotli, then gzip. Identity
/// where nothing suits: a file beats a 406. A malformed element is skipped. Allocates nothing.
Encoding choose_encoding(const http::Request& request, const EncodingSet& available);

/// Whether Accept takes text/html: by the most specific range that names it, with a weight over 0.
/// True without the field. Allocates nothing.
bool takes_html(const http::Request& request);

}  // namespace cairn::site
