#include "tests/fakes/memory_block_store.h"

namespace cairn {

std::optional<Error> MemoryBlockStore::refusal_locked(Deadline deadline) const {
  if (failure_.has_value()) return fail(*failure_, "the test wants it so");
  if (clock_.mono() > deadline) return fail(Errc::unavailable, "the deadline has passed");
  return std::nullopt;
}

Result<Found> MemoryBlockStore::look_up_locked(const BlockId& id) const {
  const auto found = blocks_.find(id);
  if (found == blocks_.end()) return fail(Errc::not_found);
  if (found->second.spoiled) return fail(Errc::corrupt, "the test wants it so");
  return Found{found->second.block, source_};
}

std::optional<Result<Found>> MemoryBlockStore::try_get(const BlockId& id) {
  const std::lock_guard lock(mutex_);
  ++calls_.try_get;
  if (!answers_at_once_ || holding_ || failure_.has_value()) return std::nullopt;
  return look_up_locked(id);
}

void MemoryBlockStore::add_held(std::unique_ptr<Held> held) {
  {
    const std::lock_guard lock(mutex_);
    if (holding_) {
      held_.push_back(std::move(held));
      return;
    }
  }
  held->resume();
}

Task<void> MemoryBlockStore::wait_while_held() {
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void()>(
      [this](auto handler) {
        add_held(std::make_unique<TypedHeld<decltype(handler)>>(std::move(handler)));
      },
      kAwait);
}

Task<Result<Found>> MemoryBlockStore::get(BlockId id, Deadline deadline) {
  bool wait = false;
  {
    const std::lock_guard lock(mutex_);
    ++calls_.get;
    wait = holding_;
  }
  if (wait) co_await wait_while_held();
  const std::lock_guard lock(mutex_);
  if (auto refusal = refusal_locked(deadline)) co_return std::move(*refusal);
  co_return look_up_locked(id);
}

Task<Result<BlockStat>> MemoryBlockStore::stat(BlockId id, Deadline deadline) {
  const std::lock_guard lock(mutex_);
  ++calls_.stat;
  if (auto refusal = refusal_locked(deadline)) co_return std::move(*refusal);
  const auto found = blocks_.find(id);
  if (found == blocks_.end()) co_return fail(Errc::not_found);
  co_return BlockStat{found->second.block.size_bytes(), source_};
}

Result<Stored> MemoryBlockStore::store_locked(Block block) {
  Entry& entry = blocks_[block.id()];
  if (entry.block && !entry.spoiled) return Stored::held;
  if (!entry.block) {
    if (used_bytes_ + block.size_bytes() > capacity_) {
      blocks_.erase(block.id());
      return fail(Errc::full, "the fake's capacity is reached");
    }
    used_bytes_ += block.size_bytes();
  }
  entry = Entry{std::move(block)};
  return Stored::created;
}

Task<Result<Stored>> MemoryBlockStore::put(Block block, Deadline deadline) {
  const std::lock_guard lock(mutex_);
  ++calls_.put;
  if (auto refusal = refusal_locked(deadline)) co_return std::move(*refusal);
  co_return store_locked(std::move(block));
}

Task<std::vector<Result<Stored>>> MemoryBlockStore::put_many(std::vector<Block> blocks,
                                                             Deadline deadline) {
  const std::lock_guard lock(mutex_);
  std::vector<Result<Stored>> results;
  results.reserve(blocks.size());
  for (Block& block : blocks) {
    ++calls_.put;
    if (auto refusal = refusal_locked(deadline)) {
      results.emplace_back(std::move(*refusal));
    } else {
      results.push_back(store_locked(std::move(block)));
    }
  }
  co_return results;
}

Task<Result<std::vector<BlockId>>> MemoryBlockStore::missing(std::vector<BlockId> ids,
                                                             Deadline deadline) {
  const std::lock_guard lock(mutex_);
  ++calls_.missing;
  if (auto refusal = refusal_locked(deadline)) co_return std::move(*refusal);
  std::erase_if(ids, [this](const BlockId& id) { return blocks_.contains(id); });
  co_return ids;
}

Task<Result<void>> MemoryBlockStore::erase(BlockId id, Deadline deadline) {
  const std::lock_guard lock(mutex_);
  ++calls_.erase;
  if (auto refusal = refusal_locked(deadline)) co_return std::move(*refusal);
  const auto found = blocks_.find(id);
  if (found != blocks_.end()) {
    used_bytes_ -= found->second.block.size_bytes();
    blocks_.erase(found);
  }
  co_return ok();
}

void MemoryBlockStore::set_answers_at_once(bool answers) {
  const std::lock_guard lock(mutex_);
  answers_at_once_ = answers;
}

void MemoryBlockStore::set_failure(std::optional<Errc> code) {
  const std::lock_guard lock(mutex_);
  failure_ = code;
}

void MemoryBlockStore::spoil(const BlockId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(id);
  if (found != blocks_.end()) found->second.spoiled = true;
}

void MemoryBlockStore::hold_gets() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
}

void MemoryBlockStore::release_gets() {
  std::vector<std::unique_ptr<Held>> released;
  {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    released.swap(held_);
  }
  for (auto& held : released) held->resume();
}

std::size_t MemoryBlockStore::held_gets() const {
  const std::lock_guard lock(mutex_);
  return held_.size();
}

MemoryBlockStoreCalls MemoryBlockStore::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t MemoryBlockStore::count() const {
  const std::lock_guard lock(mutex_);
  return blocks_.size();
}

std::size_t MemoryBlockStore::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

}  // namespace cairn
