// What sealing blocks and sealing link payloads share: a key and a commitment for one salt, and the
// cipher under that key (docs/formats.md, "Sealing"). Plain values, no thread owns them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/random.h"
#include "crypto/secret.h"

namespace cairn {

inline constexpr std::size_t kSealSaltSize = 24;
inline constexpr std::size_t kSealCommitSize = 32;
inline constexpr std::size_t kSealTagSize = 16;

using SealSalt = std::array<std::uint8_t, kSealSaltSize>;

SealSalt random_salt(Random& random);

/// The key for one salt with the commitment to it: keyed BLAKE2b-512 of `message`, whose first half
/// is the key and whose second half is the commitment. `message` holds the salt, so that the key is
/// fresh and the nonce can be zero. One object encrypts one text only. The key is wiped at
/// destruction.
class SealKey {
 public:
  /// For a block: its block key and the first 28 bytes. For a link's payload: its link key and the
  /// link header up to and with the salt.
  SealKey(SecretView key, ByteView message);
  SealKey(const SealKey&) = delete;
  SealKey& operator=(const SealKey&) = delete;
  ~SealKey();

  using Commit = std::span<const std::uint8_t, kSealCommitSize>;
  Commit commit() const { return std::span(output_).last<kSealCommitSize>(); }

  /// Compares in constant time. False means another key or a changed header: do not decrypt.
  bool commits_to(ByteView claimed) const;

  /// XChaCha20-Poly1305-IETF. `text` is the plaintext followed by kSealTagSize bytes of room; it is
  /// replaced by ciphertext and tag.
  void encrypt(ByteView additional, MutableByteView text) const;

  /// `out` has ciphertext.size() - kSealTagSize bytes. False, and `out` zeroed, when the tag is not
  /// that of these bytes.
  [[nodiscard]] bool decrypt(ByteView additional, ByteView ciphertext, MutableByteView out) const;

 private:
  std::array<std::uint8_t, kSecretSize + kSealCommitSize> output_;
};

}  // namespace cairn
