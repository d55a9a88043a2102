// CachePolicy: what leaves memory first. One tiny interface, one instance a stripe; it owns no
// entries, only their order. Guarded by the stripe's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "cache/entry_table.h"

namespace cairn {

enum class PolicyKind : std::uint8_t { lru, s3_fifo };

/// The configuration's word: lru, s3-fifo.
std::string_view name_of(PolicyKind kind);
/// Inverse of name_of(); nothing for any other word.
std::optional<PolicyKind> policy_from_name(std::string_view name);

/// Which stripe gives when room is needed.
enum class Balance : std::uint8_t {
  oldest,   ///< The one whose next victim was placed longest ago.
  largest,  ///< The one that holds the most bytes.
};

class CachePolicy {
 public:
  virtual ~CachePolicy() = default;

  /// The list at whose front a new entry begins.
  virtual CacheList list_for(std::uint32_t tag) = 0;

  /// The entry was served. On the hot path: no allocation, no loop.
  virtual void hit(EntryTable& table, CacheIndex i, std::uint32_t now_ms) = 0;

  /// The entry to evict next; it may be left where it is. May reorder entries on the way. kNoIndex
  /// when the table is empty, or when a bounded search found none and the caller, after letting go
  /// of the lock, may ask again.
  virtual CacheIndex victim(EntryTable& table, std::uint32_t now_ms) = 0;

  /// An entry that was on `list` has been evicted; `left` entries are still held.
  virtual void evicted(std::uint32_t tag, CacheList list, std::size_t left) = 0;

  /// Heap bytes of what the policy remembers.
  virtual std::size_t overhead_bytes() const = 0;

  virtual Balance balance() const = 0;
};

/// A policy may take over a table that another one has ordered.
std::unique_ptr<CachePolicy> make_policy(PolicyKind kind);

}  // namespace cairn
