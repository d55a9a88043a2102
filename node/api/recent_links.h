// RecentLinks: the links that were appended last, as the events that followers are sent, so that a
// thousand followers of one chain cost one rendering and no look-up. Keyed by link id: what is
// found is right for as long as the head names it. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/ids.h"

namespace cairn::api {

class RecentLinks {
 public:
  /// Keeps `limit_bytes` of events at most.
  explicit RecentLinks(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Who wants links kept, for as long as it lives. Does not outlive the RecentLinks.
  class Follower {
   public:
    explicit Follower(RecentLinks& links) : links_(&links) { ++links.followers_; }
    Follower(Follower&& other) noexcept : links_(std::exchange(other.links_, nullptr)) {}
    Follower& operator=(Follower&&) = delete;
    ~Follower() {
      if (links_ != nullptr) --links_->followers_;
    }

   private:
    RecentLinks* links_;
  };

  /// A link that may become its chain's head; the oldest give way. Over-large ones are not
  /// kept, and without a follower none is.
  void offer(const LinkId& id, std::uint64_t seq, ByteView link);

  /// The event of the link; null when it is not here.
  std::shared_ptr<const std::string> find(const LinkId& id) const;

 private:
  const std::size_t limit_bytes_;
  std::atomic<std::size_t> followers_{0};
  mutable std::mutex mutex_;
  std::unordered_map<LinkId, std::shared_ptr<const std::string>> events_;
  std::deque<LinkId> order_;  ///< Oldest first.
  std::size_t bytes_ = 0;
};

}  // namespace cairn::api
