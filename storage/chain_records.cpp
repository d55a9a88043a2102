#include "storage/chain_records.h"

#include <cstring>

#include "base/little_endian.h"
#include "crypto/hash.h"
#include "crypto/link.h"

namespace cairn {
namespace {

constexpr char kManifestKind = 0;
constexpr char kStateKind = 1;
constexpr char kLinkKind = 2;
constexpr std::uint8_t kStateVersion = 1;

/// Big-endian, so that keys sort as numbers do.
void append_be(std::uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

void append_bytes(ByteView bytes, std::string& out) {
  out.append(as_text(bytes));
}

bool take_bytes(std::string_view& in, MutableByteView out) {
  if (in.size() < out.size()) return false;
  std::memcpy(out.data(), in.data(), out.size());
  in.remove_prefix(out.size());
  return true;
}

bool take_access(std::string_view& raw, ChainAccess& access) {
  std::uint8_t writers = 0;
  if (!take_bytes(raw, access.box) || !take_bytes(raw, access.fetch_token_hash) ||
      !take_le(raw, writers) || writers == 0 || writers > kMaxWriters) {
    return false;
  }
  access.writers.resize(writers);
  for (PublicKey& writer : access.writers) {
    if (!take_bytes(raw, writer.bytes)) return false;
  }
  return true;
}

}  // namespace

ChainKeys::ChainKeys(Slot slot, const ChainId& chain) {
  const auto number = static_cast<std::uint16_t>(slot);
  prefix_.push_back(static_cast<char>(number >> 8));
  prefix_.push_back(static_cast<char>(number & 0xFFU));
  append_bytes(chain.view(), prefix_);
}

std::string ChainKeys::of_kind(char kind) const {
  std::string out;
  out.reserve(prefix_.size() + 1 + sizeof(std::uint64_t));
  out = prefix_;
  out.push_back(kind);
  return out;
}

std::string ChainKeys::manifest() const {
  return of_kind(kManifestKind);
}
std::string ChainKeys::state() const {
  return of_kind(kStateKind);
}
std::optional<ChainId> ChainKeys::chain_of(std::string_view prefix) {
  if (prefix.size() != 2 + ChainId::kSize) return std::nullopt;
  return ChainId::from_bytes(as_bytes(prefix.substr(2)));
}
std::string ChainKeys::link(std::uint64_t seq) const {
  std::string out = of_kind(kLinkKind);
  append_be(seq, out);
  return out;
}

std::optional<std::uint64_t> ChainKeys::seq_of(std::string_view key) const {
  if (key.size() != prefix_.size() + 1 + sizeof(std::uint64_t) || !key.starts_with(prefix_) ||
      key[prefix_.size()] != kLinkKind) {
    return std::nullopt;
  }
  std::uint64_t seq = 0;
  for (const char c : key.substr(prefix_.size() + 1)) {
    seq = (seq << 8) | static_cast<std::uint8_t>(c);
  }
  return seq;
}

std::string encode_chain_state(const ChainState& state) {
  std::string out;
  out.push_back(static_cast<char>(kStateVersion));
  out.push_back(static_cast<char>(state.reads));
  append_bytes(state.admin.bytes, out);
  append_bytes(state.access.box, out);
  append_bytes(state.access.fetch_token_hash, out);
  out.push_back(static_cast<char>(state.access.writers.size()));
  for (const PublicKey& writer : state.access.writers) append_bytes(writer.bytes, out);
  append_le(state.seq, out);
  append_bytes(state.head.view(), out);
  append_le(state.epoch, out);
  append_le(state.first_kept, out);
  append_le(state.rotated_at, out);
  out.push_back(state.removed ? 1 : 0);
  return out;
}

std::optional<ChainState> decode_chain_state(std::string_view raw, const ChainId& chain) {
  ChainState out;
  out.chain = chain;
  std::uint8_t version = 0;
  std::uint8_t reads = 0;
  std::uint8_t removed = 0;
  const bool whole =
      take_le(raw, version) && version == kStateVersion && take_le(raw, reads) && reads <= 1 &&
      take_bytes(raw, out.admin.bytes) && take_access(raw, out.access) && take_le(raw, out.seq) &&
      take_bytes(raw, out.head.bytes) && take_le(raw, out.epoch) && take_le(raw, out.first_kept) &&
      take_le(raw, out.rotated_at) && take_le(raw, removed) && removed <= 1 && raw.empty();
  if (!whole || out.rotated_at > out.seq || out.first_kept > out.seq + 1 || out.first_kept == 0) {
    return std::nullopt;
  }
  out.reads = static_cast<Reads>(reads);
  out.removed = removed == 1;
  return out;
}

std::string pin_key(const IndexKey& block, const ChainId& chain, std::uint64_t seq) {
  std::string out(block.view());
  append_bytes(chain.view(), out);
  append_be(seq, out);
  return out;
}

std::string trim_key(const ChainKeys& keys) {
  return std::string(kTrimPrefix).append(keys.prefix());
}

void add_removal(const ChainKeys& keys, std::uint64_t seq, ByteView raw,
                 std::uint64_t placement_seed, std::vector<RecordChange>& out) {
  out.push_back({RecordChange::Family::chain, keys.link(seq), std::nullopt});
  const auto link = LinkView::parse(raw);
  if (!link) return;
  const ChainId chain = link.value().fields().chain;
  for (std::size_t i = 0; i < link.value().ref_count(); ++i) {
    const BlockId ref = link.value().ref(i);
    const IndexKey block(slot_of(ref, placement_seed), ref);
    out.push_back({RecordChange::Family::pin, pin_key(block, chain, seq), std::nullopt});
  }
}

}  // namespace cairn
