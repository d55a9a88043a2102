// FileCache: the pages of all sites that are held in memory, under one budget. Any thread; a
// look-up takes one short lock of its stripe and allocates nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "node/static/page.h"

namespace cairn::site {

class FileCache {
 public:
  /// Holds pages of at most `limit_bytes` in all, by their cost_bytes.
  explicit FileCache(std::size_t limit_bytes) : limit_(limit_bytes) {}

  /// A number for a site's keys.
  std::uint32_t add_site() { return next_site_.fetch_add(1); }

  /// The page kept for `path` (decoded), now the most recently used of its stripe; or null.
  PagePtr find(std::uint32_t site, std::string_view path);
  /// Keeps `page` in place of what was there, and drops the least recently used while there is too
  /// much. A page over a quarter of the budget is not kept.
  void put(std::uint32_t site, std::string_view path, PagePtr page);
  void drop(std::uint32_t site, std::string_view path);

  /// The largest content that is worth holding in memory.
  std::size_t largest_held_bytes() const;
  std::size_t limit_bytes() const { return limit_; }
  std::size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }

 private:
  struct KeyView {
    std::uint32_t site;
    std::string_view path;
  };
  struct Key {
    std::uint32_t site;
    std::string path;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const {
      return std::hash<std::string_view>{}(key.path) ^ (key.site * 0x9E3779B97F4A7C15U);
    }
    std::size_t operator()(const Key& key) const { return (*this)(KeyView{key.site, key.path}); }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.site == b.site && a.path == b.path;
    }
  };
  struct Entry {
    PagePtr page;
    std::list<const Key*>::iterator place;
    std::uint64_t used_at = 0;  ///< Of round_; compares entries of different stripes.
  };
  struct Stripe {
    std::mutex mutex;
    std::unordered_map<Key, Entry, Hash, Equal> entries;
    std::list<const Key*> order;  ///< The most recently used first.
  };
  static constexpr std::size_t kStripes = 16;

  Stripe& stripe_of(const KeyView& key);
  void drop_locked(Stripe& stripe, const KeyView& key);
  Stripe* oldest_stripe();
  void shrink();

  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::uint32_t> next_site_{0};
  /// Counts puts: what was found since the last one is newer than what was not.
  std::atomic<std::uint64_t> round_{0};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace cairn::site
