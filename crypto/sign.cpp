#include "crypto/sign.h"

#include <sodium.h>

#include <algorithm>

#include "base/assert.h"
#include "crypto/sodium_ready.h"

namespace cairn {
namespace {

static_assert(crypto_sign_ed25519_PUBLICKEYBYTES == PublicKey::kSize);
static_assert(crypto_sign_ed25519_BYTES == Signature::kSize);
static_assert(crypto_sign_ed25519_SEEDBYTES == kSecretSize);
static_assert(crypto_sign_ed25519_SECRETKEYBYTES == 64);

template <class Value>
std::optional<Value> copy_exactly(ByteView raw) {
  if (raw.size() != Value::kSize) return std::nullopt;
  Value value;
  std::copy(raw.begin(), raw.end(), value.bytes.begin());
  return value;
}

}  // namespace

std::optional<PublicKey> PublicKey::from_bytes(ByteView raw) {
  return copy_exactly<PublicKey>(raw);
}

std::optional<Signature> Signature::from_bytes(ByteView raw) {
  return copy_exactly<Signature>(raw);
}

SigningKey::SigningKey(SecretView seed) {
  sodium_ready();
  PublicKey unused;
  CAIRN_ASSERT(crypto_sign_ed25519_seed_keypair(unused.bytes.data(), seed_and_public_key_.data(),
                                                seed.data()) == 0);
}

SigningKey::~SigningKey() {
  wipe(seed_and_public_key_);
}

PublicKey SigningKey::public_key() const {
  return *PublicKey::from_bytes(ByteView(seed_and_public_key_).subspan(kSecretSize));
}

Signature SigningKey::sign(ByteView message) const {
  Signature signature;
  CAIRN_ASSERT(crypto_sign_ed25519_detached(signature.bytes.data(), nullptr, message.data(),
                                            message.size(), seed_and_public_key_.data()) == 0);
  return signature;
}

bool is_valid(const PublicKey& key) {
  sodium_ready();
  // Canonical, on the curve, not of small order, in the prime-order group. Debian's 1.0.18 carries
  // the mend of CVE-2025-69277, without which a part of order two passed; a test holds it to that.
  return crypto_core_ed25519_is_valid_point(key.bytes.data()) == 1;
}

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
  sodium_ready();
  // libsodium 1.0.18 (built without ED25519_COMPAT) refuses S >= L, R and keys of small order and
  // keys in a second encoding itself; R in a second encoding never equals the R that it computes.
  // tests/vectors/ed25519.json has each of these cases with a signature that satisfies the
  // equation.
  return crypto_sign_ed25519_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                             key.bytes.data()) == 0;
}

}  // namespace cairn
