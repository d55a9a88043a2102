// ChainSession: one chain of a node as a command works with it: read page by page, checked by
// ChainWalk, held against the remembered head, its keys learned on the way. What does not fit is
// told with its evidence. One thread, which waits.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/capability.h"
#include "crypto/chain_keys.h"
#include "crypto/chain_walk.h"
#include "node/cli/chain_client.h"
#include "node/cli/command.h"
#include "node/cli/head_memory.h"
#include "node/cli/http_client.h"
#include "node/cli/progress.h"

namespace cairn::cli {

struct ChainOptions {
  ServerAddress server;
  std::string heads_file{};  ///< Empty: nothing is remembered.
  bool json = false;
  Progress::Style progress = Progress::Style::quiet;
};

/// What a chain's error is to the person: one line, or with --json an object.
Exit tell(const Error& error, World& world);

class ChainSession {
 public:
  /// All references outlive the session.
  ChainSession(const ChainOptions& options, const Capability& capability, World& world);

  /// The manifest, the node's head and where the walk begins. Errors: those of ChainClient; corrupt
  /// for a breach, which has been told with both links (so with empty words).
  Result<void> open();

  /// Each link as it was checked, with its bytes; an error ends the walk.
  using Visit = std::function<Result<void>(const CheckedLink&)>;
  /// Up to the head that the node has named. Where a checkpoint drops links meanwhile that were not
  /// read yet, it goes on at the checkpoint. Errors as open(), and the visitor's.
  Result<void> walk_to_head(const Visit& visit);
  /// Asks for the head again; walk_to_head() goes on from there.
  Result<void> refresh();
  /// The same, once there is news, or after a while.
  Result<void> wait_for_news();
  /// Goes back to where the walk began; what was seen stays remembered.
  Result<void> rewind();
  /// Reads the whole chain for the keys of its epochs where that may tell something, then rewinds.
  Result<void> learn_keys();
  /// Links of one's own that the node has taken.
  Result<void> take_own(std::span<const Bytes> links);
  /// Says that the node contradicts itself; the error to give back.
  Error break_off(std::string words);

  /// A bar that goes off its line before a breach is told. Null: none; outlives its use here.
  void show_beside(Progress* progress) { progress_ = progress; }

  /// Keeps the head that was reached. Where that fails it is told, and nothing else.
  void remember();

  const ChainState& state() const { return walk_->state(); }
  const ClaimedHead& claimed() const { return claimed_; }
  const ChainKeys& keys() const { return keys_; }
  ChainClient& client() { return client_; }
  const Bytes& manifest() const { return manifest_; }
  /// The newest rotate link before the first link that is kept; empty where there is none.
  const Bytes& rotate_before() const { return rotate_before_; }
  std::uint64_t first_seq() const { return first_seq_; }

 private:
  Result<void> begin();
  Result<void> claim(const ClaimedHead& head);
  Result<void> start_trimmed();
  Result<Bytes> link_at(std::uint64_t seq);
  Result<bool> take(const Bytes& raw, const Visit& visit);
  Result<bool> was_trimmed_beyond(const Bytes& raw);
  Error tell_breach(const ChainBreach& breach);
  Bytes bytes_of(const ChainPosition& position);

  const ChainOptions& options_;
  World& world_;
  ChainClient client_;
  HeadMemory memory_;
  ChainKeys keys_;
  Bytes manifest_;
  Bytes rotate_before_;
  std::optional<ChainWalk> walk_;
  std::optional<SeenHead> remembered_;  ///< The furthest that was ever seen.
  ClaimedHead claimed_;
  Bytes newest_;  ///< The link at walk_->position().
  Bytes shown_;   ///< What was last held against it.
  std::uint64_t first_seq_ = 1;
  int restarts_ = 0;
  Progress* progress_ = nullptr;
};

}  // namespace cairn::cli
