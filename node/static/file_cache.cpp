#include "node/static/file_cache.h"

#include <algorithm>

namespace cairn::site {
namespace {

constexpr std::size_t kLargestHeldBytes = std::size_t{2} << 20;

}  // namespace

std::size_t FileCache::largest_held_bytes() const {
  return std::min(kLargestHeldBytes, limit_ / 8);
}

FileCache::Stripe& FileCache::stripe_of(const KeyView& key) {
  return stripes_[Hash{}(key) % kStripes];
}

PagePtr FileCache::find(std::uint32_t site, std::string_view path) {
  const KeyView key{site, path};
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.entries.find(key);
  if (found == stripe.entries.end()) return nullptr;
  stripe.order.splice(stripe.order.begin(), stripe.order, found->second.place);
  found->second.used_at = round_.load(std::memory_order_relaxed);
  return found->second.page;
}

void FileCache::put(std::uint32_t site, std::string_view path, PagePtr page) {
  const KeyView key{site, path};
  if (page->cost_bytes > limit_ / 4) return drop(site, path);
  {
    Stripe& stripe = stripe_of(key);
    const std::lock_guard lock(stripe.mutex);
    drop_locked(stripe, key);
    used_.fetch_add(page->cost_bytes, std::memory_order_relaxed);
    const auto added =
        stripe.entries.emplace(Key{site, std::string(path)}, Entry{std::move(page), {}}).first;
    stripe.order.push_front(&added->first);
    added->second.place = stripe.order.begin();
    added->second.used_at = round_.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  shrink();
}

void FileCache::drop(std::uint32_t site, std::string_view path) {
  const KeyView key{site, path};
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  drop_locked(stripe, key);
}

void FileCache::drop_locked(Stripe& stripe, const KeyView& key) {
  const auto found = stripe.entries.find(key);
  if (found == stripe.entries.end()) return;
  used_.fetch_sub(found->second.page->cost_bytes, std::memory_order_relaxed);
  stripe.order.erase(found->second.place);
  stripe.entries.erase(found);
}

/// The stripe whose least recently used page is the oldest of all; null when nothing is held.
FileCache::Stripe* FileCache::oldest_stripe() {
  Stripe* oldest = nullptr;
  std::uint64_t oldest_use = 0;
  for (Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    if (stripe.order.empty()) continue;
    const std::uint64_t use = stripe.entries.find(*stripe.order.back())->second.used_at;
    if (oldest == nullptr || use < oldest_use) {
      oldest = &stripe;
      oldest_use = use;
    }
  }
  return oldest;
}

void FileCache::shrink() {
  while (used_bytes() > limit_) {
    Stripe* stripe = oldest_stripe();
    if (stripe == nullptr) return;
    const std::lock_guard lock(stripe->mutex);
    if (stripe->order.empty()) continue;
    const Key& last = *stripe->order.back();
    drop_locked(*stripe, {last.site, last.path});
  }
}

}  // namespace cairn::site
