// EntryTable: the blocks that one stripe of the memory tier holds, found by id and kept on lists
// whose order belongs to the policy. 32 bytes an entry beside 4 for the index, both in chunks, so
// that memory follows the number of entries. Guarded by the stripe's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/block.h"
#include "cache/chunked_array.h"
#include "cache/linear_index.h"

namespace cairn {

/// The lists that a policy may use. Shared by all policies, so that one can take over from another
/// without touching the entries.
enum class CacheList : std::uint8_t { main, small };
inline constexpr std::size_t kCacheLists = 2;

/// One block in memory.
struct CacheEntry {
  Block block;
  CacheIndex chain = kNoIndex;
  CacheIndex prev = kNoIndex;
  CacheIndex next = kNoIndex;
  std::uint32_t tag = 0;
  /// When the policy last gave the entry its place, in the tier's coarse milliseconds (wraps).
  std::uint32_t placed_ms = 0;
  std::uint32_t charge_words : 24 = 0;  ///< The block's footprint in 8 byte words.
  std::uint32_t list : 2 = 0;
  std::uint32_t count : 2 = 0;  ///< The policy's.
  std::uint32_t read : 1 = 0;   ///< Served at least once.

  std::size_t charge_bytes() const { return std::size_t{charge_words} * 8; }
};
static_assert(sizeof(CacheEntry) == 32);

/// Indices stay good until the next erase(), which may renumber one other entry.
class EntryTable {
 public:
  /// Blocks of a larger footprint cannot be held.
  static constexpr std::size_t kMaxChargeBytes = ((std::size_t{1} << 24) - 1) * 8;

  CacheEntry& operator[](CacheIndex i) { return entries_[i]; }
  const CacheEntry& operator[](CacheIndex i) const { return entries_[i]; }

  /// kNoIndex when not held.
  CacheIndex find(std::uint32_t tag, const BlockId& id) const {
    CacheIndex i = index_.first(tag);
    while (i != kNoIndex) {
      const CacheEntry& entry = entries_[i];
      if (entry.tag == tag && entry.block.id() == id) return i;
      i = entry.chain;
    }
    return kNoIndex;
  }

  /// Puts a block that is not held at the front of `list`. `charge_bytes` is its footprint, at
  /// most kMaxChargeBytes.
  CacheIndex insert(std::uint32_t tag, Block block, std::size_t charge_bytes, CacheList list,
                    std::uint32_t now_ms);

  /// Takes the entry out and hands its block back, to be released outside the lock.
  Block erase(CacheIndex i);

  /// Moves the entry to the front of `list`, which may be the one it is on.
  void move_to_front(CacheList list, CacheIndex i) {
    if (entries_[i].list == static_cast<std::uint32_t>(list) && list_of(list).front == i) return;
    unlink(i);
    link_front(list, i);
  }

  /// kNoIndex when the list is empty.
  CacheIndex back(CacheList list) const { return list_of(list).back; }
  /// The footprints of the blocks on the list.
  std::size_t bytes(CacheList list) const { return list_of(list).bytes; }
  std::size_t bytes() const { return bytes(CacheList::main) + bytes(CacheList::small); }
  std::size_t size() const { return size_; }

  /// What the table itself takes from the heap; the blocks are not in it.
  std::size_t overhead_bytes() const {
    return entries_.footprint_bytes() + index_.footprint_bytes();
  }

 private:
  struct List {
    CacheIndex front = kNoIndex;
    CacheIndex back = kNoIndex;
    std::size_t bytes = 0;
  };
  struct Entries : ChunkedArray<CacheEntry, 128> {
    CacheIndex& chain(CacheIndex i) { return (*this)[i].chain; }
    std::uint32_t tag(CacheIndex i) const { return (*this)[i].tag; }
  };

  List& list_of(CacheList list) { return lists_[static_cast<std::size_t>(list)]; }
  const List& list_of(CacheList list) const { return lists_[static_cast<std::size_t>(list)]; }
  void link_front(CacheList list, CacheIndex i);
  void unlink(CacheIndex i);
  /// Makes the neighbours of the entry that now is at `i` point there.
  void relink(CacheIndex i);

  std::array<List, kCacheLists> lists_;
  LinearIndex<Entries> index_;
  Entries entries_;
  std::uint32_t size_ = 0;
};

}  // namespace cairn
