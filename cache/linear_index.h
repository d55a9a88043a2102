// LinearIndex: a hash index that grows and shrinks by one bucket at a time (linear hashing, Litwin
// 1980), so that there is never a pause in which everything is hashed again and never two tables
// at once. It holds chain heads only: 4 bytes an entry. Guarded by its owner.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "cache/chunked_array.h"

namespace cairn {

/// Names an element of the array that an index is for.
using CacheIndex = std::uint32_t;
inline constexpr CacheIndex kNoIndex = ~CacheIndex{0};

/// `Nodes` is the array: `CacheIndex& chain(CacheIndex)` is a link that belongs to the index and
/// `std::uint32_t tag(CacheIndex) const` 32 bits of a hash that nobody can aim.
template <class Nodes>
class LinearIndex {
 public:
  /// The first of those that may carry `tag`; follow chain() to the others.
  CacheIndex first(std::uint32_t tag) const {
    return buckets_ == 0 ? kNoIndex : heads_[bucket_of(tag)];
  }

  void add(Nodes& nodes, CacheIndex node) {
    if (entries_ >= buckets_) split(nodes);
    CacheIndex& head = heads_[bucket_of(nodes.tag(node))];
    nodes.chain(node) = head;
    head = node;
    ++entries_;
  }

  /// `node` is in the index.
  void remove(Nodes& nodes, CacheIndex node) {
    link_to(nodes, node) = nodes.chain(node);
    --entries_;
    // Two at most, so that buckets become fewer faster than entries do.
    for (int i = 0; i < 2 && too_many_buckets(); ++i) merge(nodes);
    if (entries_ == 0) {
      buckets_ = 0;
      heads_.release_behind(0);
    }
  }

  /// Element `from`, which is in the index, has been copied to `to` with its chain link.
  void renumber(Nodes& nodes, CacheIndex from, CacheIndex to) { link_to(nodes, from) = to; }

  std::size_t footprint_bytes() const { return heads_.footprint_bytes(); }

 private:
  static constexpr std::size_t kSpareBuckets = 64;

  bool too_many_buckets() const { return entries_ + entries_ / 4 + kSpareBuckets < buckets_; }

  std::size_t bucket_of(std::uint32_t tag) const {
    const std::size_t bucket = tag & mask_;
    return bucket < buckets_ ? bucket : bucket & (mask_ >> 1);
  }
  static std::size_t parent_of(std::size_t bucket) { return bucket - std::bit_floor(bucket); }

  void set_buckets(std::size_t count) {
    buckets_ = count;
    mask_ = std::bit_ceil(count) - 1;
  }

  CacheIndex& link_to(Nodes& nodes, CacheIndex node) {
    CacheIndex* link = &heads_[bucket_of(nodes.tag(node))];
    while (*link != node) link = &nodes.chain(*link);
    return *link;
  }

  void split(Nodes& nodes) {
    const std::size_t fresh = buckets_;
    heads_.reach(fresh + 1);
    heads_[fresh] = kNoIndex;
    set_buckets(fresh + 1);
    if (fresh == 0) return;
    CacheIndex* link = &heads_[parent_of(fresh)];
    while (*link != kNoIndex) {
      const CacheIndex node = *link;
      if (bucket_of(nodes.tag(node)) != fresh) {
        link = &nodes.chain(node);
        continue;
      }
      *link = nodes.chain(node);
      nodes.chain(node) = heads_[fresh];
      heads_[fresh] = node;
    }
  }

  void merge(Nodes& nodes) {
    const std::size_t last = buckets_ - 1;
    CacheIndex* end = &heads_[last];
    while (*end != kNoIndex) end = &nodes.chain(*end);
    CacheIndex& parent = heads_[parent_of(last)];
    *end = parent;
    parent = heads_[last];
    set_buckets(last);
    heads_.release_behind(last);
  }

  ChunkedArray<CacheIndex, 512> heads_;
  std::size_t entries_ = 0;
  std::size_t buckets_ = 0;
  std::size_t mask_ = 0;
};

}  // namespace cairn
