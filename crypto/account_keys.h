// The keys of an account and of its slots, and the recovery kit as a string (docs/formats.md,
// "Accounts"). A node holds none of them; clients, the vectors and tests do. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "crypto/manifest.h"
#include "crypto/seal.h"
#include "crypto/secret.h"

namespace cairn {

using AccountSecret = Secret<struct AccountSecretTag>;  ///< A, for the life of the account
using SlotSecret = Secret<struct SlotSecretTag>;        ///< S of one slot
using LoginSeed = Secret<struct LoginSeedTag>;          ///< Ed25519: signs the record
using SlotSeed = Secret<struct SlotSeedTag>;            ///< Ed25519: signs logins through a slot

LoginSeed login_seed_of(const AccountSecret& account);
/// Of the account's home chain.
WriteSecret home_write_secret_of(const AccountSecret& account);
/// Of the home chain's manifest.
std::array<std::uint8_t, kManifestSaltSize> home_salt_of(const AccountSecret& account);
SlotSeed slot_seed_of(const SlotSecret& slot);
/// Seals A in the slot.
BlockKey wrap_key_of(const SlotSecret& slot);

/// A sealed under the wrap key, not padded.
inline constexpr std::size_t kWrappedSecretSize = kSealOverhead + kSecretSize;
using WrappedSecret = std::array<std::uint8_t, kWrappedSecretSize>;

/// The salt is fresh for each time that a slot is made.
WrappedSecret wrap_secret(const AccountSecret& account, const SlotSecret& slot,
                          const SealSalt& salt);
/// malformed without words for another slot or changed bytes.
Result<AccountSecret> unwrap_secret(ByteView wrapped, const SlotSecret& slot);

/// `cairn_k_` and base64url(suite | S | CRC-32). The string is a secret; wiping it is the caller's.
std::string recovery_kit_text(const SlotSecret& slot);
/// Strict inverse; nothing for another prefix, suite, length, spelling or checksum.
std::optional<SlotSecret> parse_recovery_kit(std::string_view text);

}  // namespace cairn
