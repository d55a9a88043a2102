// ChainWalk: a chain as a client checks it, link by link, against the rules, against the head that
// the node names and against a head that was seen before. Where something does not fit it says what
// that means: a broken chain, a fork, a chain that went back. Pure; belongs to whoever reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/chain_state.h"
#include "crypto/link.h"

namespace cairn {

/// A place in a chain.
struct ChainPosition {
  std::uint64_t seq = 0;
  LinkId link{};
  friend bool operator==(const ChainPosition&, const ChainPosition&) = default;
};

/// What was shown does not fit.
struct ChainBreach {
  enum class Kind : std::uint8_t {
    broken,       ///< It is not this chain's link, or not there.
    fork,         ///< Two links at one seq, the other one seen before.
    rolled_back,  ///< The chain was longer when it was seen before.
  };
  Kind kind = Kind::broken;
  std::string words;
  ChainPosition ours{};    ///< What it was held against; seq 0 before the first link.
  ChainPosition theirs{};  ///< What was shown.
};

/// The stable word for it, in JSON: "broken", "fork" or "rollback".
std::string_view name_of(ChainBreach::Kind kind);

enum class SignedBy : std::uint8_t {
  key,      ///< The writer's or the admin's key, checked.
  vouched,  ///< The writer's key is not known any more; a later link of the admin covers it.
};

struct CheckedLink {
  LinkView link;
  LinkId id;
  std::uint32_t epoch_before = 0;
  SignedBy signed_by = SignedBy::key;
};

class ChainWalk {
 public:
  /// Before the first link. malformed where it is not the chain's manifest.
  static Result<ChainWalk> of(ByteView manifest, const ChainId& chain);

  /// A head seen before, which every walk must pass or end at. Call it before claim().
  void remember(const ChainPosition& seen) { remembered_ = seen; }
  /// The head that the node names. False: breach() says why.
  [[nodiscard]] bool claim(const ChainPosition& head);

  /// Begins at `checkpoint`, before which links are gone, and with it `rotate`, the newest rotate
  /// link before it (none: nothing, the manifest speaks). What then stands on trust is the admin's
  /// alone. take() goes on with the checkpoint. False: breach() says why.
  [[nodiscard]] bool start_at(ByteView checkpoint, std::optional<ByteView> rotate);
  /// Begins at `checkpoint` where the newest rotate link is behind it, at `rotated_at`: who could
  /// write up to there is not known. Every link from the checkpoint to that one goes to vouch()
  /// first.
  [[nodiscard]] bool start_vouched(ByteView checkpoint, std::uint64_t rotated_at);
  [[nodiscard]] bool vouch(ByteView raw);
  /// The seq that vouch() wants next; nothing when it has all.
  std::optional<std::uint64_t> to_vouch() const;

  /// The next link. Nothing: breach() says why, and the walk has ended. Borrows `raw`.
  std::optional<CheckedLink> take(ByteView raw);

  /// After the last link that was taken.
  const ChainState& state() const { return state_; }
  ChainPosition position() const { return {state_.seq, state_.head}; }
  const ChainBreach& breach() const { return breach_; }
  /// Says that the links behind position() are missing.
  void break_off(std::string words);

 private:
  explicit ChainWalk(ChainState start) : state_(std::move(start)) {}
  bool breaks(ChainBreach::Kind kind, std::string words, const ChainPosition& ours,
              const ChainPosition& theirs);
  std::optional<LinkView> parsed_at(ByteView raw, std::uint64_t seq);
  bool begin_before(ByteView checkpoint);
  bool is_vouched(const LinkView& link, const LinkId& id) const;

  ChainState state_;
  std::optional<ChainPosition> remembered_;
  std::optional<ChainPosition> claimed_;
  ChainBreach breach_;
  std::vector<LinkId> vouched_;  ///< From state_.first_kept on, up to rotated_at_.
  std::uint64_t vouch_from_ = 0;
  std::uint64_t vouch_until_ = 0;
};

}  // namespace cairn
