// MiniCache: a memory tier in miniature. The ids of a sample, with the footprints of their blocks
// but without the bodies, kept by the tier's own policies in a budget scaled to the sample. What
// share of the sample it would have answered is what a tier of the full budget would (Waldspurger
// et al., "Cache Modeling and Optimization using Miniature Simulations", 2017). Guarded by its
// owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/block.h"
#include "cache/entry_table.h"
#include "cache/policy.h"

namespace cairn {

class MiniCache {
 public:
  /// Footprints above `largest_bytes` are not admitted, as the tier does not.
  MiniCache(PolicyKind policy, std::size_t capacity_bytes, std::size_t largest_bytes);

  /// Whether a request would have been answered; if not, the block is admitted. `name` carries the
  /// id and no body; `charge_bytes` is the block's footprint.
  bool ask(std::uint32_t tag, const Block& name, std::size_t charge_bytes);
  /// A block was stored: admitted, not counted.
  void store(std::uint32_t tag, const Block& name, std::size_t charge_bytes);
  void erase(std::uint32_t tag, const BlockId& id);
  /// The handle that is held; empty when there is none.
  Block held(std::uint32_t tag, const BlockId& id) const;

  /// Takes effect with the next admission, and at once downwards.
  void resize(std::size_t capacity_bytes, std::size_t largest_bytes);
  /// Forgets those whose tag `kept` does not take.
  template <class Kept>
  void keep_if(const Kept& kept);

  std::size_t entries() const { return table_.size(); }
  std::size_t overhead_bytes() const { return table_.overhead_bytes() + policy_->overhead_bytes(); }

 private:
  void shrink_to(std::size_t bytes);

  EntryTable table_;
  std::unique_ptr<CachePolicy> policy_;
  std::size_t capacity_bytes_;
  std::size_t largest_bytes_;
};

template <class Kept>
void MiniCache::keep_if(const Kept& kept) {
  // erase() renumbers the last entry only, which has been looked at already.
  for (std::size_t i = table_.size(); i-- > 0;) {
    const auto index = static_cast<CacheIndex>(i);
    if (!kept(table_[index].tag)) static_cast<void>(table_.erase(index));
  }
}

}  // namespace cairn
