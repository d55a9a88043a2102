#include "crypto/chain_keys.h"

#include <algorithm>

#include "crypto/grants.h"
#include "crypto/hash.h"

namespace cairn {
namespace {

/// Whether the chain names this secret as the one of that access.
bool names(const ChainAccess& access, const ReadSecret& secret) {
  if (!access.has_fetch_token()) return box_key_of(box_seed_of(secret)) == access.box;
  return sha256_of(fetch_token_of(secret).view()) == access.fetch_token_hash;
}

}  // namespace

ChainKeys::ChainKeys(const Capability& capability) {
  if (const auto* write = std::get_if<WriteCapability>(&capability)) {
    given_ = first_read_secret_of(write->secret);
    owner_ = owner_box_seed_of(write->secret);
  } else if (const auto* read = std::get_if<ReadCapability>(&capability)) {
    given_ = read->secret;
  }
}

void ChainKeys::begin(const ChainState& state) {
  last_data_link_.clear();
  // Who could read is not known where the rotate link that said so is gone.
  if (!state.access.writers.empty()) place(state.epoch, state.access);
}

void ChainKeys::see(std::uint32_t epoch_before, const LinkView& link) {
  const std::uint32_t epoch = link.fields().epoch;
  const auto access = link.access();
  if (access && epoch > epoch_before) {
    rotations_.try_emplace(epoch,
                           Rotation{epoch_before, Bytes(link.raw().begin(), link.raw().end())});
    place(epoch, *access);
    if (of(epoch) == nullptr) open_grants_before(epoch, epoch_before);
    unwind(epoch);
  }
  last_data_link_.clear();
  if (owner_ && link.fields().type == LinkType::data) {
    last_data_link_.assign(link.raw().begin(), link.raw().end());
  }
}

const ReadSecret* ChainKeys::of(std::uint32_t epoch) const {
  const auto found = secrets_.find(epoch);
  return found == secrets_.end() ? nullptr : &found->second;
}

std::optional<ReadSecret> ChainKeys::newest() const {
  return secrets_.empty() ? given_ : secrets_.rbegin()->second;
}

void ChainKeys::place(std::uint32_t epoch, const ChainAccess& access) {
  names_.try_emplace(epoch, access);
  if (given_) offer(epoch, *given_);
}

bool ChainKeys::offer(std::uint32_t epoch, const ReadSecret& secret) {
  const auto named = names_.find(epoch);
  if (named == names_.end() || !names(named->second, secret)) return false;
  secrets_.try_emplace(epoch, secret);
  unwind(epoch);
  return true;
}

/// A rotate link's payload holds the secret before it, by the admin's word.
void ChainKeys::unwind(std::uint32_t epoch) {
  for (;;) {
    const ReadSecret* secret = of(epoch);
    const auto rotation = rotations_.find(epoch);
    if (secret == nullptr || rotation == rotations_.end()) return;
    const std::uint32_t before = rotation->second.before;
    if (of(before) != nullptr) return;
    const auto link = LinkView::parse(rotation->second.link);
    auto payload = open_payload(link_key_of(*secret), link.value());
    if (!payload) return;
    const auto held = ReadSecret::from_bytes(payload.value());
    wipe(payload.value());
    if (!held) return;
    const auto named = names_.find(before);
    if (named != names_.end() && !names(named->second, *held)) return;
    secrets_.try_emplace(before, *held);
    epoch = before;
  }
}

void ChainKeys::open_grants_before(std::uint32_t epoch, std::uint32_t epoch_before) {
  const ReadSecret* before = of(epoch_before);
  if (!owner_ || before == nullptr || last_data_link_.empty()) return;
  const auto link = LinkView::parse(last_data_link_);
  const auto payload = open_payload(link_key_of(*before), link.value());
  if (!payload) return;
  // Whoever may write can grant; only the secret that the admin names in the rotate link counts.
  for (const ReadSecret& secret : open_grants(payload.value(), *owner_)) {
    if (offer(epoch, secret)) return;
  }
}

}  // namespace cairn
