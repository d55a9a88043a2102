// SHA-256 in pieces, the ids of blocks, and where an id belongs in a cluster. Plain values: a
// hasher belongs to whoever feeds it, the functions are safe on any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"

namespace cairn {

/// SHA-256 (FIPS 180-4) of bytes that arrive in pieces. Lives where it is declared: nothing is
/// allocated, a copy goes on by itself. Ready for the next message after each finish.
class Sha256 {
 public:
  static constexpr std::size_t kSize = 32;
  using Digest = std::array<std::uint8_t, kSize>;

  Sha256() { reset(); }

  /// Takes the next bytes, any number of them (none too).
  void update(ByteView bytes);
  /// The digest of everything since the last reset or finish; starts anew.
  Digest finish();
  /// finish(), as the name of a block.
  BlockId finish_block_id();
  /// Forgets what was taken.
  void reset();

 private:
  // OpenSSL's SHA256_CTX, whose size hash.cpp checks.
  alignas(std::uint64_t) std::array<unsigned char, 112> state_;
};

/// SHA-256 of `bytes`.
Sha256::Digest sha256_of(ByteView bytes);

/// The name of a block that is already in one piece.
BlockId block_id_of(ByteView bytes);

/// XXH3-64 of the 32 bytes of an id, seeded with the cluster's placement seed, so that nobody who
/// does not know the seed can aim ids at one node.
Number number_of(const BlockId& id, std::uint64_t placement_seed);
Number number_of(const ChainId& id, std::uint64_t placement_seed);

/// slot_of(number_of(id, placement_seed)).
Slot slot_of(const BlockId& id, std::uint64_t placement_seed);
Slot slot_of(const ChainId& id, std::uint64_t placement_seed);

}  // namespace cairn
