#include "crypto/account_keys.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/crc32.h"

namespace cairn {
namespace {

constexpr std::string_view kFromAccount = "cairn-a1";
constexpr std::string_view kFromSlot = "cairn-s1";
constexpr std::string_view kKitPrefix = "cairn_k_";
constexpr std::size_t kKitSize = 1 + kSecretSize + kCrcSize;
constexpr std::size_t kKitDigits = (kKitSize * 4 + 2) / 3;

/// Bytes of a secret, zeroed when they go.
template <std::size_t kSize>
struct WipedRoom {
  std::array<std::uint8_t, kSize> bytes{};
  WipedRoom() = default;
  WipedRoom(const WipedRoom&) = delete;
  WipedRoom& operator=(const WipedRoom&) = delete;
  ~WipedRoom() { wipe(bytes); }
};

template <class Derived>
Derived derive(SecretView master, std::uint64_t subkey, std::string_view context) {
  WipedRoom<kSecretSize> room;
  kdf(master, subkey, context, room.bytes);
  return Derived(room.bytes);
}

}  // namespace

LoginSeed login_seed_of(const AccountSecret& account) {
  return derive<LoginSeed>(account.view(), 1, kFromAccount);
}

WriteSecret home_write_secret_of(const AccountSecret& account) {
  return derive<WriteSecret>(account.view(), 2, kFromAccount);
}

std::array<std::uint8_t, kManifestSaltSize> home_salt_of(const AccountSecret& account) {
  WipedRoom<kSecretSize> room;
  kdf(account.view(), 3, kFromAccount, room.bytes);
  std::array<std::uint8_t, kManifestSaltSize> salt{};
  std::copy_n(room.bytes.begin(), salt.size(), salt.begin());
  return salt;
}

SlotSeed slot_seed_of(const SlotSecret& slot) {
  return derive<SlotSeed>(slot.view(), 1, kFromSlot);
}

BlockKey wrap_key_of(const SlotSecret& slot) {
  return derive<BlockKey>(slot.view(), 2, kFromSlot);
}

WrappedSecret wrap_secret(const AccountSecret& account, const SlotSecret& slot,
                          const SealSalt& salt) {
  const auto sealed =
      seal_block_with_salt(wrap_key_of(slot), account.view(), Padding::none, salt).value();
  WrappedSecret wrapped{};
  CAIRN_ASSERT(sealed.size() == wrapped.size());
  std::ranges::copy(sealed, wrapped.begin());
  return wrapped;
}

Result<AccountSecret> unwrap_secret(ByteView wrapped, const SlotSecret& slot) {
  if (wrapped.size() != kWrappedSecretSize) return fail(Errc::malformed);
  CAIRN_TRY(Bytes opened, open_block(wrap_key_of(slot), wrapped));
  const auto secret = AccountSecret::from_bytes(opened);
  wipe(opened);
  if (!secret) return fail(Errc::malformed);
  return *secret;
}

std::string recovery_kit_text(const SlotSecret& slot) {
  WipedRoom<kKitSize> kit;
  kit.bytes[0] = kSuite1;
  const auto end = std::ranges::copy(slot.view(), kit.bytes.begin() + 1).out;
  std::ranges::copy(crc32_of(ByteView(kit.bytes).first(kKitSize - kCrcSize)), end);
  std::string text;
  text.reserve(kKitPrefix.size() + kKitDigits);
  text.append(kKitPrefix);
  append_base64url(kit.bytes, text);
  return text;
}

std::optional<SlotSecret> parse_recovery_kit(std::string_view text) {
  if (!text.starts_with(kKitPrefix)) return std::nullopt;
  const std::string_view digits = text.substr(kKitPrefix.size());
  if (digits.size() != kKitDigits) return std::nullopt;
  WipedRoom<kKitSize> kit;
  const ByteView whole(kit.bytes);
  if (!read_base64url(digits, kit.bytes) || whole[0] != kSuite1) return std::nullopt;
  const auto crc = crc32_of(whole.first(kKitSize - kCrcSize));
  if (!std::ranges::equal(crc, whole.last(kCrcSize))) return std::nullopt;
  return SlotSecret(whole.subspan<1, kSecretSize>());
}

}  // namespace cairn
