#include "storage/chain_followers.h"

#include <algorithm>
#include <utility>

namespace cairn {

std::uint64_t ChainFollowers::growth(const ChainId& chain) const {
  const std::lock_guard lock(mutex_);
  return growth_[chain.prefix() % kCounters];
}

Task<ChainFollowers::News> ChainFollowers::wait(ChainId chain, std::uint64_t seen,
                                                Deadline deadline) {
  auto start = [this, chain, seen, deadline](Completion<News> done) {
    enter(chain, seen, Waiter{deadline, std::move(done)});
  };
  co_return co_await complete_later<News>(std::move(start));
}

void ChainFollowers::enter(const ChainId& chain, std::uint64_t seen, Waiter waiter) {
  std::unique_lock lock(mutex_);
  if (!closed_ && growth_[chain.prefix() % kCounters] == seen && waiting_ < kMaxWaiting) {
    waiters_[chain].push_back(std::move(waiter));
    ++waiting_;
    return;
  }
  News news = waiting_ < kMaxWaiting ? News::grown : News::refused;
  if (closed_) news = News::none;
  lock.unlock();
  waiter.done(news);
}

/// One listener's place; gives it up when destroyed.
class ChainFollowers::Handle {
 public:
  Handle(std::shared_ptr<Listeners> listeners, const ChainId& chain, std::uint64_t place,
         std::shared_ptr<ChainListener> listener)
      : listeners_(std::move(listeners)),
        chain_(chain),
        place_(place),
        listener_(std::move(listener)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    const std::lock_guard lock(listeners_->mutex);
    const auto found = listeners_->by_chain.find(chain_);
    found->second.erase(place_);
    if (found->second.empty()) listeners_->by_chain.erase(found);
    --listeners_->count;
  }

 private:
  const std::shared_ptr<Listeners> listeners_;
  const ChainId chain_;
  const std::uint64_t place_;
  const std::shared_ptr<ChainListener> listener_;  ///< Lives as long as its place.
};

std::shared_ptr<void> ChainFollowers::listen(const ChainId& chain,
                                             std::shared_ptr<ChainListener> listener) {
  std::uint64_t place = 0;
  {
    const std::lock_guard lock(listeners_->mutex);
    if (listeners_->count >= kMaxListening) return nullptr;
    ++listeners_->count;
    place = ++listeners_->last_place;
    listeners_->by_chain[chain].emplace(place, listener);
  }
  return std::make_shared<Handle>(listeners_, chain, place, std::move(listener));
}

void ChainFollowers::notify(const ChainId& chain) {
  std::vector<std::shared_ptr<ChainListener>> listening;
  {
    const std::lock_guard lock(listeners_->mutex);
    const auto found = listeners_->by_chain.find(chain);
    if (found != listeners_->by_chain.end()) {
      for (const auto& [place, weak] : found->second) {
        if (auto listener = weak.lock()) listening.push_back(std::move(listener));
      }
    }
  }
  for (const auto& listener : listening) listener->grown(chain);
  std::vector<Waiter> told;
  {
    const std::lock_guard lock(mutex_);
    ++growth_[chain.prefix() % kCounters];
    const auto found = waiters_.find(chain);
    if (found == waiters_.end()) return;
    told = std::move(found->second);
    waiters_.erase(found);
    waiting_ -= told.size();
  }
  for (Waiter& waiter : told) waiter.done(News::grown);
}

void ChainFollowers::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  expire(MonoTime::max());
  std::vector<std::pair<ChainId, std::shared_ptr<ChainListener>>> listening;
  {
    const std::lock_guard lock(listeners_->mutex);
    for (const auto& [chain, places] : listeners_->by_chain) {
      for (const auto& [place, weak] : places) {
        if (auto listener = weak.lock()) listening.emplace_back(chain, std::move(listener));
      }
    }
  }
  for (const auto& [chain, listener] : listening) listener->grown(chain);
}

void ChainFollowers::expire(MonoTime now) {
  std::vector<Waiter> late;
  {
    const std::lock_guard lock(mutex_);
    for (auto chain = waiters_.begin(); chain != waiters_.end();) {
      std::erase_if(chain->second, [&](Waiter& waiter) {
        if (waiter.deadline > now) return false;
        late.push_back(std::move(waiter));
        return true;
      });
      chain = chain->second.empty() ? waiters_.erase(chain) : std::next(chain);
    }
    waiting_ -= late.size();
  }
  for (Waiter& waiter : late) waiter.done(News::none);
}

std::size_t ChainFollowers::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace cairn
