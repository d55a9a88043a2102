// IdHash: where in the cache's tables an id lives. Ids are hashes, but whoever makes blocks can try
// many until parts of the id suit them, so a table must not use the id's own bits. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/ids.h"
#include "base/random.h"

namespace cairn {

/// Multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast", 2014): for
/// two different ids, chosen without knowledge of the keys, all 64 bits are pairwise independent.
/// Values mean nothing outside one instance.
class IdHash {
 public:
  /// Draws the keys.
  explicit IdHash(Random& random) {
    for (Wide& key : keys_) key = (static_cast<Wide>(random.next_u64()) << 64) | random.next_u64();
  }

  std::uint64_t operator()(const BlockId& id) const noexcept {
    std::array<std::uint64_t, 4> words;
    static_assert(sizeof words == BlockId::kSize);
    std::memcpy(words.data(), id.bytes.data(), sizeof words);
    Wide sum = keys_[4];
    for (std::size_t i = 0; i < words.size(); ++i) sum += keys_[i] * words[i];
    return static_cast<std::uint64_t>(sum >> 64);
  }

 private:
  __extension__ typedef unsigned __int128 Wide;
  std::array<Wide, 5> keys_;
};

}  // namespace cairn
