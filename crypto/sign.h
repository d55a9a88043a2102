// Ed25519 (RFC 8032), strict: S < L, neither keys nor R of small order or in a second encoding, no
// cofactor in the equation. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "crypto/keys.h"

namespace cairn {

struct PublicKey {
  static constexpr std::size_t kSize = 32;
  std::array<std::uint8_t, kSize> bytes{};
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

  /// Nothing for another size than 32; says nothing of is_valid().
  static std::optional<PublicKey> from_bytes(ByteView raw);
};

struct Signature {
  static constexpr std::size_t kSize = 64;
  std::array<std::uint8_t, kSize> bytes{};
  friend auto operator<=>(const Signature&, const Signature&) = default;

  /// Nothing for another size than 64.
  static std::optional<Signature> from_bytes(ByteView raw);
};

/// The private half. Wiped at destruction.
class SigningKey {
 public:
  explicit SigningKey(const SignSeed& seed) : SigningKey(seed.view()) {}
  explicit SigningKey(const AdminSeed& seed) : SigningKey(seed.view()) {}
  explicit SigningKey(SecretView seed);
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;
  ~SigningKey();

  PublicKey public_key() const;
  Signature sign(ByteView message) const;

 private:
  std::array<std::uint8_t, 64> seed_and_public_key_;
};

/// Whether a key may stand in a manifest or a rotate link: the canonical encoding of a point of the
/// prime-order group, other than the neutral one. Costs about as much as a verification.
bool is_valid(const PublicKey& key);

/// True only for a signature of exactly these bytes by this key. Refuses by itself what is_valid()
/// refuses of a key, except for points with a part of small order.
[[nodiscard]] bool verify(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace cairn
