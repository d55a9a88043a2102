// EventSource: the body of an `events` answer, server-sent events without an end (WHATWG HTML,
// section 9.2). Each follower has a cursor and no queue: one that is slow reads from the store at
// its own pace, one that is far behind is told to resync. Lives on the connection's core.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/chain_store.h"
#include "base/clock.h"
#include "node/api/recent_links.h"
#include "node/http/response.h"

namespace cairn::api {

class EventSource final : public http::BodySource {
 public:
  /// What all followers share; it outlives them.
  struct World {
    ChainStore& chains;
    const Clock& clock;
    const RecentLinks& recent;
    const std::atomic<bool>& ending;  ///< Set: no more events.
    std::chrono::milliseconds deadline;
    std::chrono::milliseconds heartbeat;
  };

  /// Links in one step of a follower that catches up.
  static constexpr std::size_t kStepLinks = 8;
  /// A follower that is further behind is told to resync.
  static constexpr std::uint64_t kFarBehind = 10'000;

  /// Follows the chain of `head` from behind `seen`, by the right that reading it asked for then:
  /// when a rotate link changes that, it is the last that is sent.
  EventSource(const World& world, const ChainHead& head, std::uint64_t seen)
      : world_(world), chain_(head.chain), right_(head.fetch_token_hash), seen_(seen) {}

  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  Task<Result<ByteView>> next() override;
  std::size_t kept_bytes() const override { return out_.capacity(); }

 private:
  Task<Result<ByteView>> step(ChainHead head);
  Result<ByteView> resync(const ChainHead& head);
  /// The last link that this follower may have.
  std::uint64_t last_of(const ChainHead& head) const;

  World world_;
  const ChainId chain_;
  const std::optional<std::array<std::uint8_t, 32>> right_;
  std::uint64_t seen_;  ///< The last link that was sent.
  bool greeted_ = false;
  bool ended_ = false;
  std::string out_;
  std::shared_ptr<const std::string> shared_;
};

}  // namespace cairn::api
