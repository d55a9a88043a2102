#include "crypto/chain_author.h"

#include <algorithm>

#include "crypto/hash.h"

namespace cairn {

Bytes new_manifest(const WriteSecret& write, Reads reads, Random& random) {
  const ReadSecret read = first_read_secret_of(write);
  Manifest manifest;
  manifest.reads = reads;
  random.fill(manifest.salt);
  manifest.admin = SigningKey(admin_seed_of(write)).public_key();
  manifest.access.box = box_key_of(box_seed_of(read));
  manifest.access.fetch_token_hash = sha256_of(fetch_token_of(read).view());
  manifest.access.writers = {SigningKey(sign_seed_of(write)).public_key()};
  return manifest_bytes(manifest);
}

ChainAuthor::ChainAuthor(const WriteSecret& write, Random& random)
    : writer_(sign_seed_of(write)),
      admin_(admin_seed_of(write)),
      writer_key_(writer_.public_key()),
      admin_key_(admin_.public_key()),
      random_(random) {}

Result<std::uint16_t> ChainAuthor::place_of(const ChainState& head, LinkType type) const {
  const auto& writers = head.access.writers;
  const auto found = std::find(writers.begin(), writers.end(), writer_key_);
  if (type != LinkType::remove && found != writers.end()) {
    return static_cast<std::uint16_t>(found - writers.begin());
  }
  if (type != LinkType::data && head.admin == admin_key_) return kAdminWriter;
  return fail(Errc::denied, type == LinkType::remove
                                ? "this capability has not the chain's admin key"
                                : "this capability is not among the chain's writers");
}

Result<std::vector<Bytes>> ChainAuthor::write(const ChainState& head, const ChainKeys& keys,
                                              const std::vector<LinkDraft>& drafts) const {
  if (head.removed) return fail(Errc::malformed, "the chain has ended with a delete link");
  const ReadSecret* read = keys.of(head.epoch);
  if (read == nullptr) {
    return fail(Errc::not_found, "the read secret of the chain's epoch " +
                                     std::to_string(head.epoch) + " is not known");
  }
  const LinkKey key = link_key_of(*read);
  std::vector<Bytes> out;
  LinkFields fields{.chain = head.chain, .seq = head.seq, .prev = head.head, .epoch = head.epoch};
  for (const LinkDraft& draft : drafts) {
    if (draft.payload.size() > kMaxLinkPayload || draft.refs.size() > kMaxLinkRefs) {
      return fail(Errc::malformed, "a link takes " + std::to_string(kMaxLinkPayload) +
                                       " bytes of payload and 1024 refs at most");
    }
    CAIRN_TRY(fields.writer, place_of(head, draft.type));
    fields.type = draft.type;
    fields.earlier = draft.earlier;
    ++fields.seq;
    const SigningKey& signer = fields.writer == kAdminWriter ? admin_ : writer_;
    out.push_back(make_link(fields, draft.refs, draft.payload, key, signer, random_salt(random_)));
    fields.prev = link_id_of(out.back());
  }
  return out;
}

}  // namespace cairn
