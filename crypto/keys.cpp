#include "crypto/keys.h"

#include <sodium.h>

#include <array>

#include "base/assert.h"
#include "crypto/sodium_ready.h"

namespace cairn {
namespace {

constexpr std::string_view kFromWrite = "cairn-w1";
constexpr std::string_view kFromRead = "cairn-r1";
constexpr std::string_view kForGrants = "cairn-g1";

template <class Derived>
Derived derive(SecretView master, std::uint64_t subkey, std::string_view context) {
  std::array<std::uint8_t, kSecretSize> bytes{};
  kdf(master, subkey, context, bytes);
  const Derived derived(bytes);
  wipe(bytes);
  return derived;
}

}  // namespace

void kdf(SecretView master, std::uint64_t subkey, std::string_view context,
         std::span<std::uint8_t, kSecretSize> out) {
  static_assert(crypto_kdf_KEYBYTES == kSecretSize);
  CAIRN_ASSERT(context.size() == crypto_kdf_CONTEXTBYTES);
  sodium_ready();
  CAIRN_ASSERT(crypto_kdf_derive_from_key(out.data(), out.size(), subkey, context.data(),
                                          master.data()) == 0);
}

SignSeed sign_seed_of(const WriteSecret& write) {
  return derive<SignSeed>(write.view(), 1, kFromWrite);
}

BoxSeed owner_box_seed_of(const WriteSecret& write) {
  return derive<BoxSeed>(write.view(), 1, kForGrants);
}

ReadSecret first_read_secret_of(const WriteSecret& write) {
  return derive<ReadSecret>(write.view(), 2, kFromWrite);
}

AdminSeed admin_seed_of(const WriteSecret& write) {
  return derive<AdminSeed>(write.view(), 3, kFromWrite);
}

LinkKey link_key_of(const ReadSecret& read) {
  return derive<LinkKey>(read.view(), 1, kFromRead);
}

BlockKey block_key_of(const ReadSecret& read) {
  return derive<BlockKey>(read.view(), 2, kFromRead);
}

BoxSeed box_seed_of(const ReadSecret& read) {
  return derive<BoxSeed>(read.view(), 3, kFromRead);
}

std::array<std::uint8_t, 32> box_key_of(const BoxSeed& seed) {
  static_assert(crypto_scalarmult_BYTES == 32 && crypto_scalarmult_SCALARBYTES == kSecretSize);
  sodium_ready();
  std::array<std::uint8_t, 32> key{};
  CAIRN_ASSERT(crypto_scalarmult_base(key.data(), seed.view().data()) == 0);
  return key;
}

FetchToken fetch_token_of(const ReadSecret& read) {
  return derive<FetchToken>(read.view(), 4, kFromRead);
}

}  // namespace cairn
