// Stripe: one part of the memory tier, with its own lock: the entries whose ids hash here, the
// policy that orders them, the fetches under way for them. Nothing is allocated or freed for a hit;
// blocks are released outside the lock. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/block.h"
#include "cache/entry_table.h"
#include "cache/flight.h"
#include "cache/policy.h"
#include "cache/stats.h"
#include "cache/stripe_lock.h"

namespace cairn {

/// What all stripes of a tier share.
struct CacheLedger {
  /// Every byte that counts against the budget.
  alignas(64) std::atomic<std::size_t> used_bytes{0};
  /// Coarse time since the tier was made, set at fills (wraps after 49 days).
  alignas(64) std::atomic<std::uint32_t> now_ms{0};
};

class alignas(64) Stripe {
 public:
  /// `ledger` outlives the stripe.
  Stripe(CacheLedger& ledger, PolicyKind policy);
  Stripe(const Stripe&) = delete;
  Stripe& operator=(const Stripe&) = delete;

  struct Look {
    Block block;                   ///< Empty on a miss.
    std::uint32_t generation = 0;  ///< For insert(), on a miss.
    bool fetching = false;         ///< On a miss: a fetch is under way, so wait for that.
  };
  /// A hit counts; a miss is counted by what is asked next.
  Look look_up(std::uint32_t tag, const BlockId& id);

  /// The block if held, without counting or moving anything.
  Block peek(std::uint32_t tag, const BlockId& id);

  /// How a get() goes on: exactly one of the four is set.
  struct Entrance {
    Block block;
    Lead lead;
    std::optional<Seat> seat;
    bool refused = false;  ///< `max_waiters` wait already.
  };
  Entrance enter(std::uint32_t tag, const BlockId& id, const Executor& executor,
                 std::size_t max_waiters);

  /// Ends a fetch: whoever waits is told `answer`. `block` (may be empty) is inserted unless it is
  /// held or the fetch is out of date; its footprint `charge_bytes` has been reserved in the
  /// ledger by the caller and is given back when it was not inserted.
  void land(Lead lead, const Result<Found>& answer, Block block, std::size_t charge_bytes);

  /// Passes the duty to fetch to the next waiter, or ends the flight when none is left.
  void hand_over(std::shared_ptr<Flight> flight);
  void leave(Flight& flight, const Waiter& waiter);

  /// The generation of an id, for a later insert(). Counts a miss if `miss`.
  std::uint32_t generation(std::uint32_t tag);
  /// As land(), without a flight.
  void insert(std::uint32_t tag, std::uint32_t generation, Block block, std::size_t charge_bytes);
  /// A put of `id` was acknowledged: nobody may join a fetch that began before.
  void supersede(const BlockId& id);
  /// Forgets the block, makes fetches and puts that are under way out of date.
  void erase(std::uint32_t tag, const BlockId& id);

  void count_miss();
  void count_refused();

  enum class Eviction : std::uint8_t {
    freed,     ///< At least one block.
    stale,     ///< Another stripe may have the better claim; asked with `sure` it is not returned.
    kept,      ///< The next victim is larger than `largest_bytes`.
    searched,  ///< The policy wants to be asked again.
    empty,
  };
  /// Evicts until `need_bytes` are free, or a few blocks have gone.
  Eviction evict(std::size_t need_bytes, std::size_t largest_bytes, bool sure,
                 std::size_t& evicted);
  /// How much this stripe should be the next to give; 0 when it is empty. Without the lock: may be
  /// out of date.
  std::uint64_t claim() const;

  /// Changes nothing when that is the policy already: what it remembers stays.
  void set_policy(PolicyKind kind);
  void add_stats(CacheStats& sum);

 private:
  static constexpr std::size_t kGenerations = 64;
  static constexpr std::size_t kEvictAtOnce = 16;

  // With lock_ held:
  Block serve(CacheIndex i);
  std::uint32_t& generation_of(std::uint32_t tag) {
    return generations_[(tag >> 20) % kGenerations];
  }
  void put_in(std::uint32_t tag, std::uint32_t generation, Block block, std::size_t charge_bytes);
  Block take_out(CacheIndex i);
  void unlist(Flight& flight);
  void unlist(const BlockId& id);
  std::size_t overhead_bytes() const;
  void publish();

  // What a hit touches comes first and lies close: each line costs a transfer between cores.
  StripeLock lock_;
  std::uint64_t hits_ = 0;
  std::uint64_t hit_bytes_ = 0;
  CacheLedger& ledger_;
  EntryTable table_;
  std::unique_ptr<CachePolicy> policy_;
  std::map<BlockId, std::shared_ptr<Flight>> flights_;
  PolicyKind kind_;
  std::size_t overhead_counted_ = 0;
  CacheStats counters_;  ///< All but the hits.
  /// Bumped for all ids of a slot when one of them is erased, so that what was read before is not
  /// inserted after. Coarse: another id of the slot may go without being inserted once.
  std::array<std::uint32_t, kGenerations> generations_{};

  // Read without the lock by whoever looks for room.
  alignas(64) std::atomic<std::size_t> objects_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint32_t> oldest_ms_{0};
  std::atomic<Balance> balance_;
};

}  // namespace cairn
