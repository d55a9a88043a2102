// ChainIndex: the root of an exported chain's CAR (docs/formats.md, "Export"): which block is the
// manifest and which are the links, in order. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace cairn::cli {

/// Link ids in one page; a page is smaller than the default limit of a block.
inline constexpr std::size_t kLinksPerPage = 32'000;
/// Pages in one index: over a thousand million links.
inline constexpr std::size_t kMaxIndexPages = 32'000;

struct ChainIndex {
  ChainId chain;                ///< And so the manifest's block.
  std::uint64_t first_seq = 1;  ///< Of the first link that is there.
  std::uint64_t links = 0;
  std::optional<LinkId> rotate;  ///< The newest rotate link before first_seq, where there is one.
  std::vector<BlockId> pages;    ///< Blocks of kLinksPerPage link ids, the last of the rest.

  friend bool operator==(const ChainIndex&, const ChainIndex&) = default;
};

Bytes chain_index_bytes(const ChainIndex& index);
/// Strict inverse. malformed for anything else, also for a number of pages that is not the links'.
Result<ChainIndex> parse_chain_index(ByteView raw);

/// 1 to kLinksPerPage ids.
Bytes index_page_bytes(const std::vector<LinkId>& links);
/// Strict inverse. malformed for anything else.
Result<std::vector<LinkId>> parse_index_page(ByteView raw);

}  // namespace cairn::cli
