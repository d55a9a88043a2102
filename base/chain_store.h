// ChainStore: the one interface through which chains are created, extended and read. Storage and
// the remote stores implement it; the API is over it. Links and manifests are bytes here: what they
// mean is crypto/'s (docs/formats.md), and every implementation holds them to the rules there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/block_store.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace cairn {

/// Links in one append or one page.
inline constexpr std::size_t kMaxLinksPerCall = 256;

/// Where a chain stands.
struct ChainHead {
  ChainId chain;
  std::uint64_t seq = 0;  ///< Of the newest link; 0 before the first.
  LinkId link;            ///< The newest link; before the first the chain's id.
  std::uint32_t epoch = 0;
  std::uint64_t first_kept = 1;  ///< Links before it were dropped by a checkpoint.
  std::uint64_t rotated_at = 0;  ///< The newest rotate link, which is always kept; 0: none.
  bool removed = false;          ///< Ended by a delete link: nothing follows.
  /// Of a gated chain: reads need the token that hashes to this.
  std::optional<std::array<std::uint8_t, 32>> fetch_token_hash;

  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

struct LinkPage {
  ChainHead head;
  std::uint64_t first = 0;   ///< Seq of links.front(); where there is none, of the next that comes.
  std::vector<Bytes> links;  ///< Consecutive.
};

/// How an append ended.
struct Appended {
  /// created: the new links are durable; held: all of them were already. Errors: not_found (no such
  /// chain, or refs that are not held: then `missing` names them), conflict (see ChainState),
  /// denied, malformed, full, overloaded, unavailable (it may have happened). Nothing is appended
  /// then.
  Result<Stored> result;
  ChainHead head;                ///< Afterwards; with conflict what was first; else of no meaning.
  std::vector<BlockId> missing;  ///< At most kMaxIdsPerCall of them.
};

/// Is told when chains grow, by whichever thread made them grow: it must not wait.
class ChainListener {
 public:
  virtual ~ChainListener() = default;
  virtual void grown(const ChainId& chain) = 0;
};

/// Implementations are safe to call from any thread. A Task resumes on the caller's executor. Every
/// call ends by its deadline, with Errc::unavailable if need be.
class ChainStore {
 public:
  virtual ~ChainStore() = default;

  /// Durably makes a chain whose id is the hash of `manifest`. held when it is there already.
  /// Errors: malformed (not a manifest), conflict (the chain was removed), full, overloaded,
  /// unavailable.
  virtual Task<Result<Stored>> create(Bytes manifest, Deadline deadline) = 0;

  /// Errors: not_found, corrupt, unavailable, overloaded.
  virtual Task<Result<ChainHead>> head(ChainId chain, Deadline deadline) = 0;

  /// Errors as head().
  virtual Task<Result<Bytes>> manifest(ChainId chain, Deadline deadline) = 0;

  /// Links from `from` on, at most `limit` (1 to kMaxLinksPerCall) of them and at least one where
  /// there is one; begins at first_kept where `from` is before it, but the newest rotate link is
  /// given alone when `from` is its seq. Errors as head().
  virtual Task<Result<LinkPage>> links(ChainId chain, std::uint64_t from, std::size_t limit,
                                       Deadline deadline) = 0;

  /// Appends 1 to kMaxLinksPerCall links, all or none, and pins what they refer to. Links at the
  /// front that the chain has already are passed over, so that the same append again succeeds.
  virtual Task<Appended> append(ChainId chain, std::vector<Bytes> links, Deadline deadline) = 0;

  /// Returns when the chain's seq is beyond `seq`, or at the deadline with what it is then: a
  /// look-up may follow the deadline, of 10 s at most. Errors as head().
  virtual Task<Result<ChainHead>> wait_beyond(ChainId chain, std::uint64_t seq,
                                              Deadline deadline) = 0;

  /// Until what is returned is destroyed, `listener` is told of every growth of the chain, at times
  /// also of none; look at the head after the call, and nothing is missed. Null when there are too
  /// many listeners.
  virtual std::shared_ptr<void> listen(const ChainId& chain,
                                       std::shared_ptr<ChainListener> listener) = 0;

  /// Every wait_beyond(), also one that is yet to come, returns what the chain is then, and every
  /// listener is told once more. For a node that drains.
  virtual void end_waits() = 0;
};

}  // namespace cairn
