#include "crypto/chain_state.h"

#include <limits>

namespace cairn {

ChainState ChainState::of(const Manifest& manifest, const ChainId& chain) {
  ChainState out;
  out.chain = chain;
  out.admin = manifest.admin;
  out.reads = manifest.reads;
  out.access = manifest.access;
  out.head = *LinkId::from_bytes(chain.view());
  return out;
}

Result<void> ChainState::check_next(const LinkView& link) const {
  const LinkFields& fields = link.fields();
  if (fields.chain != chain) return fail(Errc::malformed, "the link is of another chain");
  if (fields.seq <= seq) return fail(Errc::conflict, "the link's seq is taken");
  if (removed) return fail(Errc::malformed, "the chain has ended with a delete link");
  if (seq == std::numeric_limits<std::uint64_t>::max() || fields.seq != seq + 1) {
    return fail(Errc::malformed, "the link's seq is beyond the next");
  }
  if (fields.prev != head) {
    return fail(Errc::conflict, "the link does not stand on the head");
  }
  // A read epoch begins with a rotate link and never comes back.
  const bool new_epoch = fields.type == LinkType::rotate && fields.epoch > epoch;
  if (fields.epoch != epoch && !new_epoch) {
    return fail(Errc::malformed, "the link's epoch is not the chain's");
  }
  const bool by_admin = fields.writer == kAdminWriter;
  if (!by_admin && fields.writer >= access.writers.size()) {
    return fail(Errc::denied, "the chain has no such writer");
  }
  const PublicKey& key = by_admin ? admin : access.writers[fields.writer];
  if (!link.signed_by(key)) return fail(Errc::denied, "the signature is not the writer's");
  return ok();
}

void ChainState::advance(const LinkView& link, const LinkId& id) {
  const LinkFields& fields = link.fields();
  seq = fields.seq;
  head = id;
  epoch = fields.epoch;
  removed = fields.type == LinkType::remove;
  if (removed || fields.earlier == Earlier::dropped) first_kept = fields.seq;
  if (auto next = link.access()) {
    access = std::move(*next);
    rotated_at = fields.seq;
  }
}

ChainHead head_of(const ChainState& state) {
  ChainHead head;
  head.chain = state.chain;
  head.seq = state.seq;
  head.link = state.head;
  head.epoch = state.epoch;
  head.first_kept = state.first_kept;
  head.rotated_at = state.rotated_at;
  head.removed = state.removed;
  if (state.reads == Reads::gated) head.fetch_token_hash = state.access.fetch_token_hash;
  return head;
}

}  // namespace cairn
