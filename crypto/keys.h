// The keys of a chain and how each follows from the write or the read secret (docs/formats.md,
// "Keys"). The write secret gives the read secret, never the other way round. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/secret.h"

namespace cairn {

/// The only suite so far; the byte that every format of it carries.
inline constexpr std::uint8_t kSuite1 = 1;

using WriteSecret = Secret<struct WriteSecretTag>;  ///< W
using ReadSecret = Secret<struct ReadSecretTag>;    ///< R of one read epoch
using SignSeed = Secret<struct SignSeedTag>;        ///< Ed25519: signs links
using AdminSeed = Secret<struct AdminSeedTag>;      ///< Ed25519: rotates, trims, deletes
using LinkKey = Secret<struct LinkKeyTag>;          ///< seals link payloads
using BlockKey = Secret<struct BlockKeyTag>;        ///< seals blocks
using BoxSeed = Secret<struct BoxSeedTag>;          ///< X25519: what others seal to the readers
using FetchToken = Secret<struct FetchTokenTag>;    ///< shown to the server to fetch a gated chain

/// libsodium's crypto_kdf_derive_from_key with 32 bytes out: BLAKE2b-256 of nothing, keyed with
/// `master`, salt = `subkey` as u64 LE, personal = `context` (exactly 8 characters).
void kdf(SecretView master, std::uint64_t subkey, std::string_view context,
         std::span<std::uint8_t, kSecretSize> out);

SignSeed sign_seed_of(const WriteSecret& write);
/// Opens what a rotation grants to the holder of the write secret.
BoxSeed owner_box_seed_of(const WriteSecret& write);
/// The read secret of read epoch 0; later epochs have random ones.
ReadSecret first_read_secret_of(const WriteSecret& write);
AdminSeed admin_seed_of(const WriteSecret& write);
LinkKey link_key_of(const ReadSecret& read);
BlockKey block_key_of(const ReadSecret& read);
BoxSeed box_seed_of(const ReadSecret& read);
/// What others seal to: X25519 (RFC 7748) of the seed as the secret key.
std::array<std::uint8_t, 32> box_key_of(const BoxSeed& seed);
FetchToken fetch_token_of(const ReadSecret& read);

}  // namespace cairn
