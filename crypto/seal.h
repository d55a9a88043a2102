// Sealed blocks, the format "B1" of docs/formats.md: what a client stores instead of its bytes. The
// server never opens one; the command line, the vectors and tests do. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "crypto/seal_core.h"

namespace cairn {

/// "B1" | suite | flags | salt[24] | commit[32], in front of ciphertext and tag.
inline constexpr std::size_t kSealedHeaderSize = 60;
/// What sealing adds, padding aside.
inline constexpr std::size_t kSealOverhead = kSealedHeaderSize + kSealTagSize;

enum class Padding : std::uint8_t {
  none,
  padme,  ///< Flag bit 0: 0x80 and zeros up to padme_size(plaintext + 1), before encryption.
};

/// The smallest Padmé size that holds `size_bytes` (Nikitin et al., "Reducing Metadata Leakage from
/// Encrypted Files and Communication with PURBs", 2019, section 4): at most 12 % more, and sizes
/// tell only O(log log) bits. 0 and 1 stay.
std::size_t padme_size(std::size_t size_bytes);

/// Size of the block that seal_block makes of `plaintext_bytes`.
std::size_t sealed_size(std::size_t plaintext_bytes, Padding padding);

/// Seals under a fresh salt. malformed when the result would be larger than kMaxBlockBytes.
Result<Bytes> seal_block(const BlockKey& key, ByteView plaintext, Padding padding, Random& random);

/// The same with a given salt, which must never be used again with this key. For vectors and tests.
Result<Bytes> seal_block_with_salt(const BlockKey& key, ByteView plaintext, Padding padding,
                                   const SealSalt& salt);

/// The plaintext of a sealed block. Every failure (size, magic, suite, flags, commitment, tag,
/// padding that is not the shortest) is malformed without words: a caller cannot tell them apart.
/// The commitment is compared in constant time before anything is decrypted.
Result<Bytes> open_block(const BlockKey& key, ByteView sealed);

}  // namespace cairn
