#include "crypto/seal_core.h"

#include <sodium.h>

#include "base/assert.h"
#include "crypto/sodium_ready.h"

namespace cairn {
namespace {

// The key is fresh for each salt, so the nonce carries nothing.
constexpr std::array<std::uint8_t, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> kZeroNonce{};
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == kSecretSize);
static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == kSealTagSize);

}  // namespace

SealSalt random_salt(Random& random) {
  SealSalt salt;
  random.fill(salt);
  return salt;
}

SealKey::SealKey(SecretView key, ByteView message) {
  static_assert(sizeof output_ == crypto_generichash_blake2b_BYTES_MAX);
  sodium_ready();
  CAIRN_ASSERT(crypto_generichash_blake2b(output_.data(), output_.size(), message.data(),
                                          message.size(), key.data(), key.size()) == 0);
}

SealKey::~SealKey() {
  wipe(output_);
}

bool SealKey::commits_to(ByteView claimed) const {
  return equal_in_constant_time(commit(), claimed);
}

void SealKey::encrypt(ByteView additional, MutableByteView text) const {
  CAIRN_ASSERT(text.size() >= kSealTagSize);
  CAIRN_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(
                   text.data(), nullptr, text.data(), text.size() - kSealTagSize, additional.data(),
                   additional.size(), nullptr, kZeroNonce.data(), output_.data()) == 0);
}

bool SealKey::decrypt(ByteView additional, ByteView ciphertext, MutableByteView out) const {
  CAIRN_ASSERT(ciphertext.size() >= kSealTagSize && out.size() == ciphertext.size() - kSealTagSize);
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             out.data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(), additional.data(),
             additional.size(), kZeroNonce.data(), output_.data()) == 0;
}

}  // namespace cairn
