// ZeroStore: a store that holds every id as a block of zeros of one size. What measurements of a
// cache put below it, so that only the cache is measured. Any thread.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/block_store.h"

namespace cairn {

class ZeroStore final : public BlockStore {
 public:
  explicit ZeroStore(std::size_t block_bytes) : body_(block_bytes) {}

  std::optional<Result<Found>> try_get(const BlockId& id) override { return make(id); }
  Task<Result<Found>> get(BlockId id, Deadline) override { co_return make(id); }
  Task<Result<BlockStat>> stat(BlockId, Deadline) override {
    co_return BlockStat{static_cast<std::uint32_t>(body_.size()), Source::storage};
  }
  Task<Result<Stored>> put(Block, Deadline) override { co_return Stored::held; }
  Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks, Deadline) override {
    co_return std::vector<Result<Stored>>(blocks.size(), Stored::held);
  }
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId>, Deadline) override {
    co_return std::vector<BlockId>{};
  }
  Task<Result<void>> erase(BlockId, Deadline) override { co_return ok(); }

 private:
  Found make(const BlockId& id) const { return {Block::copy_of(id, body_), Source::storage}; }
  const Bytes body_;
};

}  // namespace cairn
