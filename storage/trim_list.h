// TrimList: the chains of which links were dropped that are still on the disk. A chain is noted
// before and after each such append; a note that came while its links were being removed is not
// lost. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/ids.h"

namespace cairn {

class TrimList {
 public:
  struct Entry {
    ChainId chain;
    std::uint64_t generation = 0;
  };

  void note(const ChainId& chain) {
    const std::lock_guard lock(mutex_);
    entries_[chain] = ++generation_;
  }
  /// Any of them; nothing when there is none.
  std::optional<Entry> any() const {
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) return std::nullopt;
    return Entry{entries_.begin()->first, entries_.begin()->second};
  }
  /// Whether the chain was not noted again since.
  bool unchanged(const Entry& entry) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(entry.chain);
    return found != entries_.end() && found->second == entry.generation;
  }
  void remove(const Entry& entry) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(entry.chain);
    if (found != entries_.end() && found->second == entry.generation) entries_.erase(found);
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<ChainId, std::uint64_t> entries_;
  std::uint64_t generation_ = 0;
};

}  // namespace cairn
