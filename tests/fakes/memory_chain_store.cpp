#include "tests/fakes/memory_chain_store.h"

#include <algorithm>
#include <utility>

#include "crypto/chain_append.h"
#include "crypto/hash.h"

namespace cairn {

std::optional<Error> MemoryChainStore::failure_locked() const {
  if (!failure_) return std::nullopt;
  return fail(*failure_, "the test wants it so");
}

Result<MemoryChainStore::Chain*> MemoryChainStore::find_locked(const ChainId& chain) {
  if (const auto failure = failure_locked()) return *failure;
  const auto found = chains_.find(chain);
  if (found == chains_.end()) return fail(Errc::not_found, "no such chain");
  return &found->second;
}

Task<Result<Stored>> MemoryChainStore::create(Bytes manifest, Deadline) {
  const auto parsed = parse_manifest(manifest);
  if (!parsed) co_return parsed.error();
  const ChainId id = chain_id_of(manifest);
  const std::lock_guard lock(mutex_);
  if (const auto failure = failure_locked()) co_return *failure;
  const auto found = chains_.find(id);
  if (found != chains_.end()) {
    if (found->second.state.removed) co_return fail(Errc::conflict, "the chain was deleted");
    co_return Stored::held;
  }
  chains_.emplace(id, Chain{std::move(manifest), ChainState::of(parsed.value(), id), {}});
  co_return Stored::created;
}

Task<Result<ChainHead>> MemoryChainStore::head(ChainId chain, Deadline) {
  const std::lock_guard lock(mutex_);
  const auto found = find_locked(chain);
  if (!found) co_return found.error();
  co_return head_of(found.value()->state);
}

Task<Result<Bytes>> MemoryChainStore::manifest(ChainId chain, Deadline) {
  const std::lock_guard lock(mutex_);
  const auto found = find_locked(chain);
  if (!found) co_return found.error();
  co_return found.value()->manifest;
}

Task<Result<LinkPage>> MemoryChainStore::links(ChainId chain, std::uint64_t from, std::size_t limit,
                                               Deadline) {
  const std::lock_guard lock(mutex_);
  ++pages_read_;
  const auto found = find_locked(chain);
  if (!found) co_return found.error();
  const Chain& held = *found.value();
  LinkPage page;
  page.head = head_of(held.state);
  const bool rotate_alone =
      from > 0 && from == held.state.rotated_at && from < held.state.first_kept;
  page.first = rotate_alone ? from : std::max(from, held.state.first_kept);
  const std::uint64_t end = rotate_alone ? from : held.state.seq;
  const std::size_t most = std::clamp<std::size_t>(limit, 1, kMaxLinksPerCall);
  for (std::uint64_t seq = page.first; seq <= end && page.links.size() < most; ++seq) {
    page.links.push_back(held.links.at(seq));
  }
  co_return page;
}

Task<Appended> MemoryChainStore::append(ChainId chain, std::vector<Bytes> links,
                                        Deadline deadline) {
  if (links.empty() || links.size() > kMaxLinksPerCall) {
    co_return Appended{fail(Errc::malformed, "an append has 1 to 256 links"), {}, {}};
  }
  std::vector<BlockId> refs;
  for (const Bytes& raw : links) {
    const auto link = LinkView::parse(raw);
    if (!link) continue;
    for (std::size_t i = 0; i < link.value().ref_count(); ++i) refs.push_back(link.value().ref(i));
  }
  auto missing = co_await blocks_.missing(std::move(refs), deadline);
  if (!missing) co_return Appended{missing.error(), {}, {}};
  std::vector<Waiter> told;
  Appended out{Stored::held, {}, {}};
  {
    const std::lock_guard lock(mutex_);
    const auto found = find_locked(chain);
    if (!found) co_return Appended{found.error(), {}, {}};
    Chain& held = *found.value();
    const auto link_at = [&held](std::uint64_t seq) -> std::optional<LinkId> {
      const auto link = held.links.find(seq);
      if (link == held.links.end()) return std::nullopt;
      return link_id_of(link->second);
    };
    const auto plan = plan_append(held.state, links, link_at);
    out.head = head_of(held.state);
    if (!plan) co_return Appended{plan.error(), out.head, {}};
    if (!plan.value().links.empty() && !missing.value().empty()) {
      co_return Appended{fail(Errc::not_found, "refs"), {}, std::move(missing.value())};
    }
    for (const NewLink& added : plan.value().links) {
      const ByteView raw = added.link.raw();
      held.links.emplace(added.link.fields().seq, Bytes(raw.begin(), raw.end()));
      out.result = Stored::created;
    }
    held.state = plan.value().after;
    std::erase_if(held.links, [&held](const auto& link) {
      return link.first < held.state.first_kept && link.first != held.state.rotated_at;
    });
    out.head = head_of(held.state);
    told = take_waiters_locked(&chain);
  }
  wake(chain, std::move(told));
  co_return out;
}

Task<Result<ChainHead>> MemoryChainStore::wait_beyond(ChainId chain, std::uint64_t seq,
                                                      Deadline deadline) {
  for (;;) {
    const auto now = co_await head(chain, deadline);
    if (!now || now.value().seq > seq || clock_.mono() >= deadline) co_return now;
    auto start = [this, chain, seq, deadline](Completion<bool> done) {
      std::unique_lock lock(mutex_);
      const auto found = chains_.find(chain);
      const bool grown = found != chains_.end() && found->second.state.seq > seq;
      if (!closed_ && !grown) {
        waiters_.push_back({chain, deadline, std::move(done)});
        return;
      }
      lock.unlock();
      done(grown);
    };
    const bool news = co_await complete_later<bool>(std::move(start));
    if (!news) co_return co_await head(chain, deadline);
  }
}

std::vector<MemoryChainStore::Waiter> MemoryChainStore::take_waiters_locked(const ChainId* chain) {
  std::vector<Waiter> out;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    if (chain != nullptr && waiter.chain != *chain) return false;
    out.push_back(std::move(waiter));
    return true;
  });
  return out;
}

void MemoryChainStore::wake(const ChainId& chain, std::vector<Waiter> waiters) {
  for (Waiter& waiter : waiters) waiter.done(true);
  std::vector<std::shared_ptr<ChainListener>> told;
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = listeners_.equal_range(chain);
    for (auto at = begin; at != end; ++at) told.push_back(at->second.lock());
  }
  for (const auto& listener : told) {
    if (listener != nullptr) listener->grown(chain);
  }
}

/// A place that outlives its listener is passed over; it is never given up.
std::shared_ptr<void> MemoryChainStore::listen(const ChainId& chain,
                                               std::shared_ptr<ChainListener> listener) {
  const std::lock_guard lock(mutex_);
  listeners_.emplace(chain, listener);
  return listener;
}

void MemoryChainStore::end_waits() {
  std::vector<Waiter> told;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    told = take_waiters_locked(nullptr);
  }
  for (Waiter& waiter : told) waiter.done(false);
  std::vector<ChainId> chains;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [chain, listener] : listeners_) chains.push_back(chain);
  }
  for (const ChainId& chain : chains) wake(chain, {});
}

void MemoryChainStore::expire() {
  std::vector<Waiter> late;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(waiters_, [&](Waiter& waiter) {
      if (waiter.deadline > clock_.mono()) return false;
      late.push_back(std::move(waiter));
      return true;
    });
  }
  for (Waiter& waiter : late) waiter.done(false);
}

void MemoryChainStore::set_failure(std::optional<Errc> code) {
  const std::lock_guard lock(mutex_);
  failure_ = code;
}

std::size_t MemoryChainStore::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

std::size_t MemoryChainStore::pages_read() const {
  const std::lock_guard lock(mutex_);
  return pages_read_;
}

}  // namespace cairn
