#include "cache/mini_cache.h"

namespace cairn {
namespace {

/// A policy's search is bounded and may have to be asked again: so often, then the entry that it
/// would look at next stays.
constexpr int kSearches = 64;

}  // namespace

MiniCache::MiniCache(PolicyKind policy, std::size_t capacity_bytes, std::size_t largest_bytes)
    : policy_(make_policy(policy)),
      capacity_bytes_(capacity_bytes),
      largest_bytes_(largest_bytes) {}

bool MiniCache::ask(std::uint32_t tag, const Block& name, std::size_t charge_bytes) {
  const CacheIndex found = table_.find(tag, name.id());
  if (found == kNoIndex) {
    store(tag, name, charge_bytes);
    return false;
  }
  policy_->hit(table_, found, 0);
  return true;
}

void MiniCache::store(std::uint32_t tag, const Block& name, std::size_t charge_bytes) {
  if (charge_bytes > largest_bytes_ || charge_bytes > EntryTable::kMaxChargeBytes) return;
  if (charge_bytes > capacity_bytes_ || table_.find(tag, name.id()) != kNoIndex) return;
  shrink_to(capacity_bytes_ - charge_bytes);
  table_.insert(tag, name, charge_bytes, policy_->list_for(tag), 0);
}

void MiniCache::erase(std::uint32_t tag, const BlockId& id) {
  const CacheIndex found = table_.find(tag, id);
  if (found != kNoIndex) static_cast<void>(table_.erase(found));
}

Block MiniCache::held(std::uint32_t tag, const BlockId& id) const {
  const CacheIndex found = table_.find(tag, id);
  return found == kNoIndex ? Block() : table_[found].block;
}

void MiniCache::resize(std::size_t capacity_bytes, std::size_t largest_bytes) {
  capacity_bytes_ = capacity_bytes;
  largest_bytes_ = largest_bytes;
  shrink_to(capacity_bytes);
}

void MiniCache::shrink_to(std::size_t bytes) {
  for (int fruitless = 0; table_.bytes() > bytes && fruitless < kSearches;) {
    const CacheIndex victim = policy_->victim(table_, 0);
    if (victim == kNoIndex) {
      ++fruitless;
      continue;
    }
    const std::uint32_t tag = table_[victim].tag;
    const auto list = static_cast<CacheList>(table_[victim].list);
    static_cast<void>(table_.erase(victim));
    policy_->evicted(tag, list, table_.size());
  }
}

}  // namespace cairn
