// ChainState: what decides on a chain's next link. The same rules for the node that stores links
// and for every client that reads them (docs/formats.md, "Chains"). A plain value; any thread.
#pragma once

#include <cstdint>

#include "base/chain_store.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/link.h"
#include "crypto/manifest.h"

namespace cairn {

struct ChainState {
  ChainId chain;
  PublicKey admin;
  Reads reads = Reads::open;
  ChainAccess access;
  std::uint64_t seq = 0;  ///< Of the head; 0 before the first link.
  LinkId head;            ///< Before the first link: the chain's id.
  std::uint32_t epoch = 0;
  std::uint64_t first_kept = 1;  ///< Links before it may be dropped.
  std::uint64_t rotated_at = 0;  ///< Seq of the newest rotate link; 0: the manifest speaks.
  bool removed = false;          ///< By a delete link: nothing may follow.

  /// Before the first link.
  static ChainState of(const Manifest& manifest, const ChainId& chain);

  /// Whether `link` may be the next one, its signature included. conflict when it stands at a seq
  /// that is taken, or on another link than the head; denied for a writer that the chain does not
  /// have or a signature that is not his; malformed for everything else: another chain, a seq
  /// beyond the next, an epoch that goes back or is new without a rotate link, a link behind a
  /// delete link.
  Result<void> check_next(const LinkView& link) const;

  /// Takes a link that check_next() took. `id` is link_id_of(link.raw()).
  void advance(const LinkView& link, const LinkId& id);

  friend bool operator==(const ChainState&, const ChainState&) = default;
};

/// What of a chain's state others are told.
ChainHead head_of(const ChainState& state);

}  // namespace cairn
