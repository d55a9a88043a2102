#include "cache/watched_store.h"

#include <utility>

namespace cairn {
WatchedStore::WatchedStore(BlockStore& next, std::size_t budget_bytes, const Clock& clock,
                           Random& random)
    : next_(next),
      clock_(clock),
      hash_(random),
      top_(kCountOneIn, clock),
      what_if_(budget_bytes, clock) {
  for (Chance& chance : chance_) {
    chance.state = static_cast<std::uint32_t>(random.next_u64()) | 1U;
  }
}

bool WatchedStore::by_chance() {
  // Two threads of one shard may draw the same number now and then.
  std::atomic<std::uint32_t>& state = chance_[counter_shard() % chance_.size()].state;
  std::uint32_t x = state.load(std::memory_order_relaxed);
  x ^= x << 13U;
  x ^= x >> 17U;
  x ^= x << 5U;
  state.store(x, std::memory_order_relaxed);
  static_assert((kCountOneIn & (kCountOneIn - 1)) == 0);
  return (x & (kCountOneIn - 1)) == 0;
}

void WatchedStore::answered(const Found& found) {
  sources_.answered(found.source, found.block.size_bytes());
  what_if_.asked(tag_of(found.block.id()), found.block);
}

void WatchedStore::counted(const Found& found, MonoTime begun) {
  sources_.timed(found.source, clock_.mono() - begun);
  top_.count(found.block.id(), found.block.size_bytes(), found.source);
}

std::optional<Result<Found>> WatchedStore::try_get(const BlockId& id) {
  const bool count = by_chance();
  const MonoTime begun = count ? clock_.mono() : MonoTime();
  std::optional<Result<Found>> found = next_.try_get(id);
  if (found && found->has_value()) {
    answered(found->value());
    if (count) counted(found->value(), begun);
  }
  return found;
}

Task<Result<Found>> WatchedStore::get(BlockId id, Deadline deadline) {
  const bool count = by_chance();
  const MonoTime begun = count ? clock_.mono() : MonoTime();
  Result<Found> found = co_await next_.get(id, deadline);
  if (found.has_value()) {
    answered(found.value());
    if (count) counted(found.value(), begun);
  }
  co_return found;
}

Task<Result<BlockStat>> WatchedStore::stat(BlockId id, Deadline deadline) {
  return next_.stat(id, deadline);
}

// Noted before it is known to succeed: a put that fails distorts little, and waiting for it would
// cost a coroutine frame each.
Task<Result<Stored>> WatchedStore::put(Block block, Deadline deadline) {
  what_if_.stored(tag_of(block.id()), block);
  return next_.put(std::move(block), deadline);
}

Task<std::vector<Result<Stored>>> WatchedStore::put_many(std::vector<Block> blocks,
                                                         Deadline deadline) {
  for (const Block& block : blocks) what_if_.stored(tag_of(block.id()), block);
  return next_.put_many(std::move(blocks), deadline);
}

Task<Result<std::vector<BlockId>>> WatchedStore::missing(std::vector<BlockId> ids,
                                                         Deadline deadline) {
  return next_.missing(std::move(ids), deadline);
}

Task<Result<void>> WatchedStore::erase(BlockId id, Deadline deadline) {
  what_if_.erased(tag_of(id), id);
  return next_.erase(id, deadline);
}

}  // namespace cairn
