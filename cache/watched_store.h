// WatchedStore: sits before the first tier and learns from what passes: where answers come from,
// which blocks are asked for most, what other budgets would bring. Changes nothing of any answer.
// Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/block_store.h"
#include "base/clock.h"
#include "base/random.h"
#include "cache/id_hash.h"
#include "cache/source_meter.h"
#include "cache/top_list.h"
#include "cache/what_if.h"

namespace cairn {

class WatchedStore final : public BlockStore {
 public:
  /// One request in so many is timed and counted for the list of the most asked for.
  static constexpr std::uint32_t kCountOneIn = 16;

  /// `budget_bytes` is the memory tier's. All references outlive the store. `random` keys the hash.
  WatchedStore(BlockStore& next, std::size_t budget_bytes, const Clock& clock, Random& random);

  std::optional<Result<Found>> try_get(const BlockId& id) override;
  Task<Result<Found>> get(BlockId id, Deadline deadline) override;
  Task<Result<BlockStat>> stat(BlockId id, Deadline deadline) override;
  Task<Result<Stored>> put(Block block, Deadline deadline) override;
  Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks, Deadline deadline) override;
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId> ids, Deadline deadline) override;
  Task<Result<void>> erase(BlockId id, Deadline deadline) override;

  void set_budget(std::size_t budget_bytes) { what_if_.set_budget(budget_bytes); }
  SourceMeter::Snapshot sources() const { return sources_.snapshot(); }
  const TopList& top() const { return top_; }
  WhatIf::Report what_if() { return what_if_.report(); }

 private:
  std::uint32_t tag_of(const BlockId& id) const { return static_cast<std::uint32_t>(hash_(id)); }
  /// True for one call in kCountOneIn: requests have rhythms of their own. xorshift (Marsaglia,
  /// 2003); nothing here has to be unpredictable.
  bool by_chance();
  void answered(const Found& found);
  void counted(const Found& found, MonoTime begun);

  BlockStore& next_;
  const Clock& clock_;
  const IdHash hash_;
  SourceMeter sources_;
  TopList top_;
  WhatIf what_if_;
  struct alignas(64) Chance {
    std::atomic<std::uint32_t> state{1};
  };
  std::array<Chance, 8> chance_;
};

}  // namespace cairn
