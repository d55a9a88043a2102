#include "storage/chain_locks.h"

#include <algorithm>
#include <vector>

#include "base/assert.h"

namespace cairn {

Task<Result<ChainLocks::Guard>> ChainLocks::lock(ChainId chain, Deadline deadline) {
  auto start = [this, chain, deadline](Completion<Result<Guard>> done) {
    enter(chain, Waiter{deadline, std::move(done)});
  };
  co_return co_await complete_later<Result<Guard>>(std::move(start));
}

void ChainLocks::enter(const ChainId& chain, Waiter waiter) {
  std::unique_lock lock(mutex_);
  const auto [held, fresh] = locked_.try_emplace(chain);
  if (!fresh && held->second.size() < kMaxWaiting) {
    held->second.push_back(std::move(waiter));
    return;
  }
  lock.unlock();
  if (fresh) {
    waiter.done(Guard(*this, chain));
  } else {
    waiter.done(fail(Errc::overloaded, "too many changes of this chain wait; try again"));
  }
}

void ChainLocks::release(const ChainId& chain) {
  std::unique_lock lock(mutex_);
  const auto held = locked_.find(chain);
  CAIRN_ASSERT(held != locked_.end());
  if (held->second.empty()) {
    locked_.erase(held);
    return;
  }
  Waiter next = std::move(held->second.front());
  held->second.pop_front();
  lock.unlock();
  next.done(Guard(*this, chain));
}

void ChainLocks::expire(MonoTime now) {
  std::vector<Waiter> late;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [chain, waiters] : locked_) {
      std::erase_if(waiters, [&](Waiter& waiter) {
        if (waiter.deadline > now) return false;
        late.push_back(std::move(waiter));
        return true;
      });
    }
  }
  for (Waiter& waiter : late) {
    waiter.done(fail(Errc::unavailable, "changes of this chain before it took too long"));
  }
}

}  // namespace cairn
