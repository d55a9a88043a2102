// MakerStore: a BlockStore that holds every block there could be, by making it when asked. For
// tests that need many blocks below a cache without holding them.
#pragma once

#include <cstring>
#include <functional>
#include <utility>

#include "base/block_store.h"
#include "tests/cache/support.h"

namespace cairn {

class MakerStore final : public BlockStore {
 public:
  /// `size_of` tells the size of the block cheap_id(number).
  explicit MakerStore(std::function<std::size_t(std::uint64_t number)> size_of)
      : size_of_(std::move(size_of)) {}

  std::optional<Result<Found>> try_get(const BlockId& id) override { return make(id); }
  Task<Result<Found>> get(BlockId id, Deadline) override { co_return make(id); }
  Task<Result<BlockStat>> stat(BlockId id, Deadline) override {
    co_return BlockStat{make(id).block.size_bytes(), Source::storage};
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
  Found make(const BlockId& id) const {
    return {cheap_block(id.prefix(), size_of_(id.prefix())), Source::storage};
  }
  const std::function<std::size_t(std::uint64_t)> size_of_;
};

}  // namespace cairn
