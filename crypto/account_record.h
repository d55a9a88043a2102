// Account records, the format "A1" of docs/formats.md: a handle, the key that signs the record, and
// slots, each of which wraps the account's secret for one way to log in. Also what a login signs.
// Plain values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/account_keys.h"
#include "crypto/sign.h"

namespace cairn {

inline constexpr std::size_t kMinHandleSize = 3;
inline constexpr std::size_t kMaxHandleSize = 64;
inline constexpr std::size_t kMaxAccountSlots = 16;
inline constexpr std::size_t kAccountSlotSize = 167;
inline constexpr std::size_t kPasswordSaltSize = 16;
/// Magic to handleLen, and then nslots.
inline constexpr std::size_t kAccountFixedSize = 45 + 1;
inline constexpr std::size_t kMinAccountBytes =
    kAccountFixedSize + kMinHandleSize + kAccountSlotSize + Signature::kSize;
inline constexpr std::size_t kMaxAccountBytes =
    kAccountFixedSize + kMaxHandleSize + kMaxAccountSlots * kAccountSlotSize + Signature::kSize;

/// Whether `text` is a handle: 3 to 64 of `a-z 0-9 . _ - + @`, a letter or digit at both ends.
bool is_handle(std::string_view text);

/// The numbers are in the format and never change their meaning.
enum class SlotKind : std::uint8_t { password = 1, recovery = 2, device = 3 };

/// Argon2id, version 0x13, one lane.
struct PasswordKdf {
  static constexpr std::uint32_t kMinMemoryKib = 8192;
  static constexpr std::uint32_t kMaxMemoryKib = 1048576;
  static constexpr std::uint32_t kMaxPasses = 16;

  std::uint32_t memory_kib = 0;
  std::uint32_t passes = 0;
  std::array<std::uint8_t, kPasswordSaltSize> salt{};

  friend bool operator==(const PasswordKdf&, const PasswordKdf&) = default;
};

struct AccountSlot {
  SlotKind kind = SlotKind::device;
  PublicKey key;
  std::optional<PasswordKdf> kdf;  ///< Of a password's slot, and of no other.
  WrappedSecret wrapped{};

  friend bool operator==(const AccountSlot&, const AccountSlot&) = default;
};

struct AccountRecord {
  std::uint64_t version = 0;  ///< 1 or more.
  PublicKey login;            ///< The same in every version.
  std::string handle;
  std::vector<AccountSlot> slots;  ///< 1 to kMaxAccountSlots.

  /// The password's slot; null where there is none. Valid as long as the record is.
  const AccountSlot* password() const;
  /// Whether a login may be signed with `key`: the login key or that of a slot.
  bool may_log_in(const PublicKey& key) const;

  friend bool operator==(const AccountRecord&, const AccountRecord&) = default;
};

/// The record's bytes, signed by `login`, whose public half record.login is. Handle, number of
/// slots and kdf parameters are within the rules.
Bytes make_account_record(const AccountRecord& record, const SigningKey& login);

/// Strict inverse. malformed for any other length, magic, suite, flag, number or key that the
/// format refuses; denied for a form that is right under a signature that is not its login key's.
Result<AccountRecord> read_account_record(ByteView raw);

/// For bytes that read_account_record() has taken before: neither keys nor signature are looked at,
/// so that it costs next to nothing and always the same. malformed for another layout.
Result<AccountRecord> read_known_account_record(ByteView raw);

/// What becomes of a record where another is held under its handle.
enum class AccountChange : std::uint8_t {
  same,      ///< The very same bytes.
  replaces,  ///< The same login key, a larger version.
};

/// Both are records of one handle; signatures are not looked at. conflict for another login key
/// (the handle is taken) or a version that is not larger.
Result<AccountChange> judge_account_change(ByteView held, ByteView next);

enum class LoginAction : std::uint8_t { login, remove };
/// `login` and `delete`, as the message and tokens have them.
std::string_view name_of(LoginAction action);
std::optional<LoginAction> parse_login_action(std::string_view text);

/// What a login signs. `host` as the Host field has it, in lower case; `nonce` is the text that the
/// challenge gave. Nothing where a part is longer than 255 bytes.
std::optional<Bytes> login_message(std::string_view handle, std::string_view host,
                                   std::string_view nonce, LoginAction action);

}  // namespace cairn
