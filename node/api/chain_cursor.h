// ChainCursor: where one follower stands in one chain. It has no queue: whoever is slow reads from
// the store at its own pace, and whoever is far behind, or misses links that were dropped, is told
// to resync. Belongs to the connection that follows.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/chain_store.h"

namespace cairn::api {

/// What a follower is to be told.
struct ChainNews {
  std::uint64_t first = 0;          ///< Seq of the first of the links.
  std::vector<Bytes> links;         ///< In a row; none with a resync.
  std::optional<ChainHead> resync;  ///< Ask for what comes before; news go on behind it.
};

class ChainCursor {
 public:
  /// Links in one step of a follower that catches up.
  static constexpr std::size_t kStepLinks = 8;
  /// A follower that is further behind is told to resync.
  static constexpr std::uint64_t kFarBehind = 10'000;

  /// Follows the chain of `head` from behind `seen`, by the right that reading it asked for then:
  /// when a rotate link changes that, it is the last that is told.
  ChainCursor(const ChainHead& head, std::uint64_t seen)
      : chain_(head.chain), right_(head.fetch_token_hash), seen_(seen) {}

  const ChainId& chain() const { return chain_; }
  /// The last link that was told.
  std::uint64_t seen() const { return seen_; }
  /// Nothing will ever come after seen().
  bool ended() const { return ended_; }

  /// True when `head` is the very next link, and this follower may have it: whoever has its bytes
  /// need not ask step().
  bool is_next(const ChainHead& head) const {
    return head.seq == seen_ + 1 && last_of(head) == head.seq;
  }
  /// The link of `head` has been told.
  void told(const ChainHead& head) {
    seen_ = head.seq;
    ended_ = head.removed;
  }

  /// What there is to tell, where the chain stands at `head`: some links, a resync or nothing.
  /// Moves on behind it. Errors: those of the store.
  Task<Result<ChainNews>> step(ChainStore& chains, ChainHead head, Deadline deadline);

 private:
  /// The last link that this follower may have.
  std::uint64_t last_of(const ChainHead& head) const {
    return head.fetch_token_hash == right_ ? head.seq : head.rotated_at;
  }
  ChainNews resync(const ChainHead& head);

  ChainId chain_;
  std::optional<std::array<std::uint8_t, 32>> right_;
  std::uint64_t seen_;
  bool ended_ = false;
};

}  // namespace cairn::api
