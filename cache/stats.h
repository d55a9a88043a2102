// CacheStats: what a memory tier has done and holds, as plain numbers for metrics and the admin.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cairn {

/// Counters only grow; gauges are of the moment. Taken stripe by stripe, so that sums of one
/// snapshot may disagree by what happened meanwhile.
struct CacheStats {
  // Counters: answers.
  std::uint64_t hits = 0;
  std::uint64_t hit_bytes = 0;  ///< Bodies served from memory.
  std::uint64_t misses = 0;     ///< Everything else that was asked; an absent block is one, too.
  std::uint64_t coalesced = 0;  ///< Of the misses: those that waited for another's fetch.
  std::uint64_t waiters_refused = 0;  ///< Answered overloaded: too many waited for one block.
  std::uint64_t handovers = 0;        ///< Fetches that a waiter took over from who had begun.

  // Counters: what came and went.
  std::uint64_t inserts = 0;
  std::uint64_t inserted_bytes = 0;
  std::uint64_t evictions = 0;
  std::uint64_t evicted_bytes = 0;
  std::uint64_t evicted_unread = 0;        ///< Of the evictions: never served from memory.
  std::uint64_t evicted_age_ms_total = 0;  ///< Time since placed (lru: since last served).
  std::uint64_t erased = 0;
  std::uint64_t refused = 0;  ///< Not admitted: too large, no room made in time, or out of date.

  // Gauges.
  std::size_t objects = 0;
  std::size_t block_bytes = 0;     ///< Footprints of the blocks held.
  std::size_t overhead_bytes = 0;  ///< Everything else: tables, lists, ghosts, stripes.
  std::size_t used_bytes = 0;      ///< What counts against the budget.
  std::size_t budget_bytes = 0;
  std::size_t fetches = 0;  ///< Under way now.
};

}  // namespace cairn
