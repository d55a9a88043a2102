// Which of the encodings that a file is kept in a client wants (RFC 9110 section 12.5.3). Pure.
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

}  // namespace cairn::site
