// MemoryTier: the blocks asked for lately, in memory, in front of the next store down. Lock-striped
// and shared by all cores; entries are immutable and reference-counted, so that a hit copies a
// handle. Knows neither HTTP nor what lies below. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/block_store.h"
#include "base/clock.h"
#include "base/random.h"
#include "cache/id_hash.h"
#include "cache/policy.h"
#include "cache/stats.h"
#include "cache/stripe.h"

namespace cairn {

/// A write-through tier. Reads fill it from `next` unless the block is larger than a quarter of the
/// budget. Writes and erases end in `next` before they are answered; `missing` is always answered
/// by `next`, because a client does not upload what is said to be held.
///
/// A Task of this class runs on an executor with one thread. The tier outlives all its Tasks; the
/// loops they run on may be destroyed first.
class MemoryTier final : public BlockStore {
 public:
  struct Options {
    /// All heap memory of the tier, within 2 %; evicted blocks that are still being sent and
    /// fetches under way are not in it. 0: nothing is kept, simultaneous misses still meet.
    std::size_t budget_bytes = 0;
    PolicyKind policy = PolicyKind::lru;
    /// Rounded up to a power of two, at most 1024. About 8 a core keeps cores apart.
    std::size_t stripes = 16;
    /// Requests that may wait for one fetch; those beyond are answered overloaded.
    std::size_t max_waiters = 16384;
    /// Whether a block that was just stored is kept: it is likely asked for soon.
    bool admit_puts = true;
  };

  /// All references outlive the tier. `random` keys the table's hash.
  MemoryTier(const Options& options, BlockStore& next, const Clock& clock, Random& random);
  ~MemoryTier() override;

  /// A hit never allocates. On a miss `next` is asked in the same way and its answer kept.
  std::optional<Result<Found>> try_get(const BlockId& id) override;
  /// Simultaneous calls for one block become one `next.get`. Each ends by its own deadline; errors
  /// are handed to all that wait and not kept.
  Task<Result<Found>> get(BlockId id, Deadline deadline) override;
  Task<Result<BlockStat>> stat(BlockId id, Deadline deadline) override;
  Task<Result<Stored>> put(Block block, Deadline deadline) override;
  Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks, Deadline deadline) override;
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId> ids, Deadline deadline) override;
  /// Forgets the block before and after `next` does: a fetch that raced with it does not bring the
  /// block back. After an error of `next` the block may still be served.
  Task<Result<void>> erase(BlockId id, Deadline deadline) override;

  /// Takes effect at once for what comes in; ends when memory has shrunk to it, in small steps
  /// between which the caller's loop runs. The last of several calls counts.
  Task<void> set_budget(std::size_t budget_bytes);

  /// Keeps all entries; the new policy takes the order over.
  void set_policy(PolicyKind policy);

  PolicyKind policy() const { return policy_.load(std::memory_order_relaxed); }
  /// Whether the block is in memory now; changes nothing.
  bool holds(const BlockId& id) const;
  /// A larger block is not kept.
  std::size_t largest_bytes() const;

  CacheStats stats() const;

 private:
  struct Place {
    Stripe& stripe;
    std::uint32_t tag;
  };
  class Erasure;

  Place place_of(const BlockId& id) const;
  Found in_memory(Block block) const { return {std::move(block), Source::memory}; }
  Task<Result<Found>> fetch(Stripe& stripe, Lead lead, BlockId id, Deadline deadline);
  void acknowledged(const Place& place, std::uint32_t generation, Block block);

  /// The block's footprint once that much of the budget is taken for it; 0 when it is not admitted.
  std::size_t make_room(const Place& place, const Block& block);
  bool reserve(std::size_t bytes);
  Stripe::Eviction evict(std::size_t need_bytes, std::size_t largest_bytes, std::size_t& evicted);
  Stripe* first_to_give();
  bool trim_step();
  void tell_time();

  BlockStore& next_;
  const Clock& clock_;
  const MonoTime made_at_;
  const IdHash hash_;
  const std::size_t max_waiters_;
  const bool admit_puts_;
  const unsigned stripe_shift_;
  std::atomic<std::size_t> budget_bytes_;
  std::atomic<PolicyKind> policy_;
  CacheLedger ledger_;
  std::vector<std::unique_ptr<Stripe>> stripes_;
  alignas(64) std::atomic<std::size_t> hand_{0};
};

}  // namespace cairn
