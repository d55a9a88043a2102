#include "node/cli/chain_index.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/little_endian.h"

namespace cairn::cli {
namespace {

/// Magic, suite, flags.
constexpr std::array<std::uint8_t, 4> kIndexStart{'X', '1', 1, 0};
constexpr std::array<std::uint8_t, 4> kPageStart{'X', '2', 1, 0};
constexpr std::size_t kIndexHeaderBytes = 4 + 32 + 8 + 8 + 32;

template <class Range>
void append(Bytes& out, const Range& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

bool begins_with(ByteView raw, const std::array<std::uint8_t, 4>& start) {
  return raw.size() >= start.size() && std::equal(start.begin(), start.end(), raw.begin());
}

}  // namespace

Bytes chain_index_bytes(const ChainIndex& index) {
  Bytes out(kIndexStart.begin(), kIndexStart.end());
  append(out, index.chain.bytes);
  append_le(index.first_seq, out);
  append_le(index.links, out);
  append(out, index.rotate.value_or(LinkId{}).bytes);
  for (const BlockId& page : index.pages) append(out, page.bytes);
  return out;
}

Result<ChainIndex> parse_chain_index(ByteView raw) {
  if (!begins_with(raw, kIndexStart) || raw.size() < kIndexHeaderBytes ||
      (raw.size() - kIndexHeaderBytes) % BlockId::kSize != 0) {
    return fail(Errc::malformed, "the root is not the index of a chain");
  }
  ChainIndex out;
  out.chain = *ChainId::from_bytes(raw.subspan(4, 32));
  out.first_seq = load_le<std::uint64_t>(&raw[36]);
  out.links = load_le<std::uint64_t>(&raw[44]);
  const LinkId rotate = *LinkId::from_bytes(raw.subspan(52, 32));
  if (rotate != LinkId{}) out.rotate = rotate;
  const std::size_t pages = (raw.size() - kIndexHeaderBytes) / BlockId::kSize;
  const std::uint64_t wanted =
      out.links / kLinksPerPage + (out.links % kLinksPerPage == 0 ? 0U : 1U);
  const std::uint64_t most_seq = std::numeric_limits<std::uint64_t>::max() - out.links;
  if (pages != wanted || pages > kMaxIndexPages || out.first_seq == 0 || out.first_seq > most_seq ||
      (out.first_seq > 1 && out.links == 0) || (out.first_seq == 1 && out.rotate)) {
    return fail(Errc::malformed, "the index of the chain contradicts itself");
  }
  for (std::size_t i = 0; i < pages; ++i) {
    out.pages.push_back(
        *BlockId::from_bytes(raw.subspan(kIndexHeaderBytes + i * BlockId::kSize, BlockId::kSize)));
  }
  return out;
}

Bytes index_page_bytes(const std::vector<LinkId>& links) {
  Bytes out(kPageStart.begin(), kPageStart.end());
  out.reserve(kPageStart.size() + links.size() * LinkId::kSize);
  for (const LinkId& link : links) append(out, link.bytes);
  return out;
}

Result<std::vector<LinkId>> parse_index_page(ByteView raw) {
  const std::size_t bytes = raw.size() - std::min(raw.size(), kPageStart.size());
  if (!begins_with(raw, kPageStart) || bytes == 0 || bytes % LinkId::kSize != 0 ||
      bytes / LinkId::kSize > kLinksPerPage) {
    return fail(Errc::malformed, "a page of the index is none");
  }
  std::vector<LinkId> out;
  for (ByteView rest = raw.subspan(kPageStart.size()); !rest.empty();
       rest = rest.subspan(LinkId::kSize)) {
    out.push_back(*LinkId::from_bytes(rest.first(LinkId::kSize)));
  }
  return out;
}

}  // namespace cairn::cli
