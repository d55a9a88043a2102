// ChainFollowers: who waits for news of a chain. Each waits once and asks again, so a slow one
// costs nothing but its place. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/chain_store.h"
#include "base/clock.h"
#include "base/completion.h"
#include "base/ids.h"
#include "base/task.h"

namespace cairn {

class ChainFollowers {
 public:
  /// So many wait in all; more are refused.
  static constexpr std::size_t kMaxWaiting = 200'000;
  /// So many listen in all, each chain of each listener counted.
  static constexpr std::size_t kMaxListening = 2'000'000;

  /// What a follower is told: to look again, that the time is up, or that there is no place.
  enum class News : std::uint8_t { grown, none, refused };

  /// How often the chain has grown, as far as this object knows. Ask it before the chain's head is
  /// read, and nothing that happens in between is missed.
  std::uint64_t growth(const ChainId& chain) const;

  /// Returns when growth() is not `seen` any more (at once where it is not), or at the deadline,
  /// give or take expire()'s interval.
  Task<News> wait(ChainId chain, std::uint64_t seen, Deadline deadline);

  /// See ChainStore::listen(); the handle may outlive this.
  std::shared_ptr<void> listen(const ChainId& chain, std::shared_ptr<ChainListener> listener);

  /// The chain has grown: those who wait for it look again.
  void notify(const ChainId& chain);

  /// Answers those whose deadline has passed. Called every now and then.
  void expire(MonoTime now);

  /// Answers all who wait, and from now on everybody at once, with News::none; tells every
  /// listener.
  void close();

  std::size_t waiting() const;

 private:
  struct Waiter {
    Deadline deadline;
    Completion<News> done;
  };
  /// Chains share counters; one that is counted with another looks once too often.
  static constexpr std::size_t kCounters = 4096;

  /// Listeners by chain. Apart, because handles come and go from destructors.
  struct Listeners {
    std::mutex mutex;
    std::unordered_map<ChainId, std::unordered_map<std::uint64_t, std::weak_ptr<ChainListener>>>
        by_chain;
    std::uint64_t last_place = 0;
    std::size_t count = 0;
  };
  class Handle;

  void enter(const ChainId& chain, std::uint64_t seen, Waiter waiter);

  mutable std::mutex mutex_;
  std::array<std::uint64_t, kCounters> growth_{};
  std::unordered_map<ChainId, std::vector<Waiter>> waiters_;
  std::size_t waiting_ = 0;
  bool closed_ = false;
  std::shared_ptr<Listeners> listeners_ = std::make_shared<Listeners>();
};

}  // namespace cairn
