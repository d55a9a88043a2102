// ChainLocks: one change at a time for each chain, so that what was checked against a chain's state
// still holds when it is written. Whoever comes later waits in order. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/completion.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace cairn {

class ChainLocks {
 public:
  /// So many wait for one chain; more are refused.
  static constexpr std::size_t kMaxWaiting = 64;

  /// The lock on one chain; the next one that waits gets it at destruction. Move-only.
  class Guard {
   public:
    Guard(Guard&& other) noexcept
        : locks_(std::exchange(other.locks_, nullptr)), chain_(other.chain_) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (locks_ != nullptr) locks_->release(chain_);
    }

   private:
    friend class ChainLocks;
    Guard(ChainLocks& locks, const ChainId& chain) : locks_(&locks), chain_(chain) {}
    ChainLocks* locks_;
    ChainId chain_;
  };

  /// Errors: overloaded (too many wait), unavailable (the deadline passed, give or take expire()'s
  /// interval).
  Task<Result<Guard>> lock(ChainId chain, Deadline deadline);

  /// Answers those whose deadline has passed. Called every now and then.
  void expire(MonoTime now);

 private:
  struct Waiter {
    Deadline deadline;
    Completion<Result<Guard>> done;
  };

  void enter(const ChainId& chain, Waiter waiter);
  void release(const ChainId& chain);

  std::mutex mutex_;
  /// Who waits behind each lock that is held.
  std::unordered_map<ChainId, std::deque<Waiter>> locked_;
};

}  // namespace cairn
