// EventSource: the body of an `events` answer, server-sent events of one chain without an end
// (WHATWG HTML, section 9.2). Lives on the connection's core.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/chain_store.h"
#include "base/clock.h"
#include "node/api/chain_cursor.h"
#include "node/api/recent_links.h"
#include "node/http/response.h"

namespace cairn::api {

/// What all followers share; it outlives them.
struct FollowWorld {
  ChainStore& chains;
  const Clock& clock;
  RecentLinks& recent;
  const std::atomic<bool>& ending;  ///< Set: no more events.
  std::chrono::milliseconds deadline;
  std::chrono::milliseconds heartbeat;
};

class EventSource final : public http::BodySource {
 public:
  EventSource(const FollowWorld& world, const ChainCursor& cursor)
      : world_(world), cursor_(cursor), follower_(world.recent) {}

  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  Task<Result<ByteView>> next() override;
  std::size_t kept_bytes() const override { return out_.capacity(); }

 private:
  FollowWorld world_;
  ChainCursor cursor_;
  RecentLinks::Follower follower_;
  bool greeted_ = false;
  std::string out_;
  std::shared_ptr<const std::string> shared_;
};

}  // namespace cairn::api
