// The two spellings of a block id: hexadecimal, and the CIDv1 that IPFS tools use for the same
// bytes. Pure text; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace cairn {

/// Characters of a CIDv1 of a block: `bafkrei` and 52 more.
inline constexpr std::size_t kCidTextSize = 59;

/// CIDv1, base32 lower case, codec raw, sha2-256 (https://github.com/multiformats/cid).
std::string cid_text(const BlockId& id);

/// Reads 64 lower-case hexadecimal digits or cid_text(). Each id has exactly these two spellings:
/// upper case, padding, other bases, codecs or hashes and set trailing bits give nothing.
std::optional<BlockId> parse_block_id(std::string_view text);

}  // namespace cairn
