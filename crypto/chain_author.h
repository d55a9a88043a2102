// ChainAuthor: links as the holder of a write capability makes them, on whatever head the chain
// has. Pure but for the salts that it draws; belongs to one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/capability.h"
#include "crypto/chain_keys.h"
#include "crypto/chain_state.h"
#include "crypto/manifest.h"

namespace cairn {

/// What a link shall say, before it has a place in the chain. No rotate links.
struct LinkDraft {
  LinkType type = LinkType::data;
  Earlier earlier = Earlier::kept;
  std::vector<BlockId> refs{};
  Bytes payload{};
};

/// The manifest of a new chain: the write secret's own keys, one writer, a random salt.
Bytes new_manifest(const WriteSecret& write, Reads reads, Random& random);

class ChainAuthor {
 public:
  /// `random` outlives the author.
  ChainAuthor(const WriteSecret& write, Random& random);

  /// The drafts as links that follow `head` and each other. Errors: denied (this write secret is
  /// not among the chain's writers), not_found (the read secret of the chain's epoch is not known),
  /// malformed (a draft over the limits, or the chain has ended).
  Result<std::vector<Bytes>> write(const ChainState& head, const ChainKeys& keys,
                                   const std::vector<LinkDraft>& drafts) const;

 private:
  Result<std::uint16_t> place_of(const ChainState& head, LinkType type) const;

  SigningKey writer_;
  SigningKey admin_;
  PublicKey writer_key_;
  PublicKey admin_key_;
  Random& random_;
};

}  // namespace cairn
