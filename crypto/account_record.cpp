#include "crypto/account_record.h"

#include <algorithm>

#include "base/assert.h"
#include "base/little_endian.h"

namespace cairn {
namespace {

constexpr std::array<std::uint8_t, 4> kStart{'A', '1', kSuite1, 0};
constexpr std::string_view kRecordDomain = "cairn-account-1";
constexpr std::string_view kLoginDomain = "cairn-login-1";
constexpr std::uint8_t kRandomSecret = 0;
constexpr std::uint8_t kArgon2id = 1;
constexpr std::uint8_t kLanes = 1;
constexpr std::size_t kMaxLoginPart = 255;

/// Takes fields off the front of bytes; what is not there is zeros, and short() says so.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  ByteView take(std::size_t size) {
    if (rest_.size() < size) {
      short_ = true;
      rest_ = {};
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  void fill(MutableByteView out) {
    const ByteView taken = take(out.size());
    std::ranges::copy(taken, out.begin());
  }

  template <class Number>
  Number number() {
    std::array<std::uint8_t, sizeof(Number)> bytes{};
    fill(bytes);
    return load_le<Number>(bytes.data());
  }

  bool is_short() const { return short_; }
  std::size_t left() const { return rest_.size(); }

 private:
  ByteView rest_;
  bool short_ = false;
};

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_handle_character(char c) {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '@';
}

/// The kdf's fields of a slot. False for numbers that the format refuses.
bool read_kdf(Reader& reader, AccountSlot& slot) {
  const auto kdf = reader.number<std::uint8_t>();
  PasswordKdf parameters;
  parameters.memory_kib = reader.number<std::uint32_t>();
  parameters.passes = reader.number<std::uint32_t>();
  const auto lanes = reader.number<std::uint8_t>();
  reader.fill(parameters.salt);
  if (slot.kind != SlotKind::password) {
    return kdf == kRandomSecret && lanes == 0 && parameters == PasswordKdf{};
  }
  slot.kdf = parameters;
  return kdf == kArgon2id && lanes == kLanes &&
         parameters.memory_kib >= PasswordKdf::kMinMemoryKib &&
         parameters.memory_kib <= PasswordKdf::kMaxMemoryKib && parameters.passes >= 1 &&
         parameters.passes <= PasswordKdf::kMaxPasses;
}

Result<AccountSlot> read_slot(Reader& reader) {
  AccountSlot slot;
  const auto kind = reader.number<std::uint8_t>();
  if (kind < 1 || kind > 3) return fail(Errc::malformed, "a slot of an unknown kind");
  slot.kind = static_cast<SlotKind>(kind);
  reader.fill(slot.key.bytes);
  if (!read_kdf(reader, slot)) {
    return fail(Errc::malformed, "a slot's key derivation is not one of its kind");
  }
  reader.fill(slot.wrapped);
  return slot;
}

Result<void> check_slots(const std::vector<AccountSlot>& slots) {
  const auto is_password = [](const AccountSlot& slot) { return slot.kind == SlotKind::password; };
  if (std::ranges::count_if(slots, is_password) > 1) {
    return fail(Errc::malformed, "more than one slot for a password");
  }
  std::vector<PublicKey> keys;
  keys.reserve(slots.size());
  for (const AccountSlot& slot : slots) keys.push_back(slot.key);
  std::ranges::sort(keys);
  if (std::ranges::adjacent_find(keys) != keys.end()) {
    return fail(Errc::malformed, "two slots with the same key");
  }
  if (!std::ranges::all_of(keys, is_valid)) {
    return fail(Errc::malformed, "a slot's key is not a valid Ed25519 key");
  }
  return ok();
}

/// The layout, without looking at a key.
Result<AccountRecord> read_layout(ByteView raw) {
  if (raw.size() < kMinAccountBytes || raw.size() > kMaxAccountBytes) {
    return fail(Errc::malformed, "an account record has 280 to 2,846 bytes");
  }
  if (!std::ranges::equal(kStart, raw.first(kStart.size()))) {
    return fail(Errc::malformed, "not an account record of suite 1");
  }
  Reader reader(raw.subspan(kStart.size()).first(raw.size() - kStart.size() - Signature::kSize));
  AccountRecord out;
  out.version = reader.number<std::uint64_t>();
  if (out.version == 0) return fail(Errc::malformed, "versions begin with 1");
  reader.fill(out.login.bytes);
  out.handle = as_text(reader.take(reader.number<std::uint8_t>()));
  if (!is_handle(out.handle)) return fail(Errc::malformed, "not a handle");
  const std::size_t slots = reader.number<std::uint8_t>();
  if (slots == 0 || slots > kMaxAccountSlots || reader.left() != slots * kAccountSlotSize) {
    return fail(Errc::malformed, "the record's length is not that of its number of slots");
  }
  for (std::size_t i = 0; i < slots; ++i) {
    CAIRN_TRY(auto slot, read_slot(reader));
    out.slots.push_back(slot);
  }
  CAIRN_ASSERT(!reader.is_short() && reader.left() == 0);
  return out;
}

/// Everything but the signature.
Result<AccountRecord> read_form(ByteView raw) {
  CAIRN_TRY(auto out, read_layout(raw));
  if (!is_valid(out.login)) return fail(Errc::malformed, "the login key is not a valid one");
  CAIRN_TRY(check_slots(out.slots));
  return out;
}

Bytes signed_part(ByteView before_signature) {
  Bytes message;
  message.reserve(kRecordDomain.size() + before_signature.size());
  append(message, as_bytes(kRecordDomain));
  append(message, before_signature);
  return message;
}

void append_slot(Bytes& out, const AccountSlot& slot) {
  const PasswordKdf kdf = slot.kdf.value_or(PasswordKdf{});
  out.push_back(static_cast<std::uint8_t>(slot.kind));
  append(out, slot.key.bytes);
  out.push_back(slot.kdf ? kArgon2id : kRandomSecret);
  append_le(kdf.memory_kib, out);
  append_le(kdf.passes, out);
  out.push_back(slot.kdf ? kLanes : 0);
  append(out, kdf.salt);
  append(out, slot.wrapped);
}

}  // namespace

bool is_handle(std::string_view text) {
  return text.size() >= kMinHandleSize && text.size() <= kMaxHandleSize &&
         std::ranges::all_of(text, is_handle_character) && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back());
}

const AccountSlot* AccountRecord::password() const {
  const auto found = std::ranges::find(slots, SlotKind::password, &AccountSlot::kind);
  return found == slots.end() ? nullptr : &*found;
}

bool AccountRecord::may_log_in(const PublicKey& key) const {
  return key == login || std::ranges::find(slots, key, &AccountSlot::key) != slots.end();
}

Bytes make_account_record(const AccountRecord& record, const SigningKey& login) {
  CAIRN_ASSERT(!record.slots.empty() && record.slots.size() <= kMaxAccountSlots);
  CAIRN_ASSERT(record.handle.size() <= kMaxHandleSize);
  Bytes out(kStart.begin(), kStart.end());
  out.reserve(kMaxAccountBytes);
  append_le(record.version, out);
  append(out, record.login.bytes);
  out.push_back(static_cast<std::uint8_t>(record.handle.size()));
  append(out, as_bytes(record.handle));
  out.push_back(static_cast<std::uint8_t>(record.slots.size()));
  for (const AccountSlot& slot : record.slots) append_slot(out, slot);
  append(out, login.sign(signed_part(out)).bytes);
  return out;
}

Result<AccountRecord> read_account_record(ByteView raw) {
  CAIRN_TRY(auto record, read_form(raw));
  const ByteView before = raw.first(raw.size() - Signature::kSize);
  const auto signature = Signature::from_bytes(raw.last(Signature::kSize));
  if (!verify(record.login, signed_part(before), *signature)) {
    return fail(Errc::denied, "the record is not signed by its login key");
  }
  return record;
}

Result<AccountRecord> read_known_account_record(ByteView raw) {
  return read_layout(raw);
}

Result<AccountChange> judge_account_change(ByteView held, ByteView next) {
  if (std::ranges::equal(held, next)) return AccountChange::same;
  CAIRN_TRY(const auto before, read_form(held));
  CAIRN_TRY(const auto after, read_form(next));
  if (before.login != after.login) return fail(Errc::conflict, "the handle is taken");
  if (after.version <= before.version) {
    return fail(Errc::conflict, "a record with this version or a larger one is held");
  }
  return AccountChange::replaces;
}

std::string_view name_of(LoginAction action) {
  return action == LoginAction::login ? "login" : "delete";
}

std::optional<LoginAction> parse_login_action(std::string_view text) {
  for (const LoginAction action : {LoginAction::login, LoginAction::remove}) {
    if (text == name_of(action)) return action;
  }
  return std::nullopt;
}

std::optional<Bytes> login_message(std::string_view handle, std::string_view host,
                                   std::string_view nonce, LoginAction action) {
  Bytes out;
  append(out, as_bytes(kLoginDomain));
  for (const std::string_view part : {handle, host, nonce, name_of(action)}) {
    if (part.size() > kMaxLoginPart) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(part.size()));
    append(out, as_bytes(part));
  }
  return out;
}

}  // namespace cairn
