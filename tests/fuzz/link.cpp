// Fuzz target: links, raw and signed. A link's parts are its bytes, whatever they are; what a key
// has signed follows its chain or is refused with a word, and one changed byte makes it another
// link.
#include <algorithm>

#include "base/assert.h"
#include "crypto/chain_state.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

const SigningKey& signer() {
  static const Bytes seed(kSecretSize, 0x2a);
  static const SigningKey fixed(SecretView(seed.data(), kSecretSize));
  return fixed;
}

/// Before the first link of a chain whose every key is signer()'s.
const ChainState& start() {
  static const ChainState fixed = [] {
    Manifest manifest;
    manifest.admin = signer().public_key();
    manifest.access.writers = {signer().public_key()};
    return ChainState::of(manifest, chain_id_of(manifest_bytes(manifest)));
  }();
  return fixed;
}

void check_parts(ByteView raw) {
  const auto link = LinkView::parse(raw);
  if (!link) {
    CAIRN_ASSERT(link.error().code == Errc::malformed && !link.error().detail.empty());
    return;
  }
  const LinkView& view = link.value();
  CAIRN_ASSERT(view.raw().size() <= kMaxLinkBytes && view.fields().seq > 0);
  CAIRN_ASSERT(view.clear().size() + view.ciphertext().size() + Signature::kSize == raw.size());
  for (std::size_t i = 0; i < view.ref_count(); ++i) view.ref(i);
  const auto access = view.access();
  CAIRN_ASSERT(access.has_value() == (view.fields().type == LinkType::rotate));
  if (access) {
    CAIRN_ASSERT(!access->writers.empty() && access->writers.size() <= kMaxWriters);
    CAIRN_ASSERT(rotate_refs(*access).size() * BlockId::kSize + kLinkHeaderSize ==
                 view.clear().size());
  }
  ChainState state = start();
  const auto verdict = state.check_next(view);
  CAIRN_ASSERT(verdict.has_value() || !verdict.error().detail.empty());
  if (!verdict) return;
  state.advance(view, link_id_of(raw));
  CAIRN_ASSERT(state.seq == 1 && state.check_next(view).error().code == Errc::conflict);
}

/// A link of any fields that stands on the start, and the same with one byte changed.
void sign_and_damage(Input& input) {
  LinkFields fields;
  fields.chain = start().chain;
  fields.prev = start().head;
  fields.seq = input.byte() % 3U + 1U;
  fields.type = static_cast<LinkType>(input.byte() % 6);
  fields.earlier = static_cast<Earlier>(input.byte() % 2);
  fields.epoch = input.byte() % 2U;
  fields.writer = input.byte() % 2 == 0 ? kAdminWriter : input.byte() % 2;
  std::vector<BlockId> refs(input.byte() % 4);
  for (BlockId& ref : refs) {
    const ByteView bytes = input.bytes(BlockId::kSize);
    std::copy(bytes.begin(), bytes.end(), ref.bytes.begin());
  }
  const std::uint64_t at = input.number();
  const std::uint8_t change = input.byte();
  const ByteView payload = input.rest().first(std::min(input.rest().size(), kMaxLinkPayload));
  const auto key = *LinkKey::from_bytes(Bytes(kSecretSize, 0x17));
  Bytes link = make_link(fields, refs, payload, key, signer(), SealSalt{});
  check_parts(link);
  const auto view = LinkView::parse(link);
  if (view) CAIRN_ASSERT(std::ranges::equal(open_payload(key, view.value()).value(), payload));
  link[at % link.size()] ^= change;
  check_parts(link);
  const auto damaged = LinkView::parse(link);
  CAIRN_ASSERT(change == 0 || !damaged || !start().check_next(damaged.value()));
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cairn::fuzz::Input input(data, size);
  if (input.byte() % 2 == 0) {
    cairn::fuzz::check_parts(input.rest());
  } else {
    cairn::fuzz::sign_and_damage(input);
  }
  return 0;
}
