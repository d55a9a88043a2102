// account.json: keys, records, replacements, logins and recovery kits, and what must be refused.
// Forged records are signed anew where the name says so, so that only the rule they break can
// refuse them.
#include <sodium.h>

#include <algorithm>
#include <functional>

#include "account_forgeries.h"
#include "base/assert.h"
#include "crypto/hash.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

template <std::size_t kSize>
std::array<std::uint8_t, kSize> array_from(std::string_view label) {
  const Bytes bytes = bytes_from(label, kSize);
  std::array<std::uint8_t, kSize> out{};
  std::ranges::copy(bytes, out.begin());
  return out;
}

std::vector<JsonCase> handles() {
  std::vector<JsonCase> cases;
  const auto add = [&cases](std::string_view name, std::string_view handle, bool valid) {
    CAIRN_ASSERT(is_handle(handle) == valid);
    cases.push_back(
        JsonCase().text("name", name).hex("utf8", as_bytes(handle)).flag("valid", valid));
  };
  add("three letters", "ada", true);
  add("every sign", "a.b_c-d+e@f0", true);
  add("an address", "ada@example.org", true);
  add("digits", "007", true);
  add("64 characters", std::string(64, 'x'), true);
  add("signs side by side", "a..b", true);
  add("empty", "", false);
  add("two letters", "ab", false);
  add("65 characters", std::string(65, 'x'), false);
  add("upper case", "Ada", false);
  for (const char sign : std::string_view("._-+@")) {
    add("begins with a sign", std::string(1, sign) + "ada", false);
    add("ends with a sign", "ada" + std::string(1, sign), false);
  }
  for (const char c : std::string_view(" /\\%?#:;,'\"*!=~\t\n\x7f")) {
    add("another character", std::string("ad") + c + "a", false);
  }
  add("a NUL", std::string_view("ad\0a", 4), false);
  add("not ASCII", "ad\xc3\xa9la", false);
  add("not UTF-8", "ad\xffla", false);
  return cases;
}

/// The home chain's manifest of an account.
Bytes home_manifest(const AccountSecret& account) {
  const WriteSecret write = home_write_secret_of(account);
  const ReadSecret read = first_read_secret_of(write);
  Manifest manifest;
  manifest.reads = Reads::gated;
  manifest.salt = home_salt_of(account);
  manifest.admin = SigningKey(admin_seed_of(write)).public_key();
  CAIRN_ASSERT(
      crypto_scalarmult_base(manifest.access.box.data(), box_seed_of(read).view().data()) == 0);
  manifest.access.fetch_token_hash = sha256_of(fetch_token_of(read).view());
  manifest.access.writers = {SigningKey(sign_seed_of(write)).public_key()};
  return manifest_bytes(manifest);
}

std::vector<JsonCase> account_keys() {
  std::vector<JsonCase> cases;
  for (const std::string_view label : {"account one", "account two"}) {
    const auto account = *AccountSecret::from_bytes(bytes_from(label, kSecretSize));
    const LoginSeed seed = login_seed_of(account);
    const Bytes manifest = home_manifest(account);
    cases.push_back(JsonCase()
                        .hex("account_secret", account.view())
                        .hex("login_seed", seed.view())
                        .hex("login_key", SigningKey(seed.view()).public_key().bytes)
                        .hex("home_write_secret", home_write_secret_of(account).view())
                        .hex("home_salt", home_salt_of(account))
                        .hex("home_manifest", manifest)
                        .text("home_chain", chain_id_of(manifest).text()));
  }
  return cases;
}

std::vector<JsonCase> slot_keys() {
  std::vector<JsonCase> cases;
  for (const std::string_view label : {"slot one", "slot two"}) {
    const auto account = *AccountSecret::from_bytes(bytes_from("account one", kSecretSize));
    const auto slot = *SlotSecret::from_bytes(bytes_from(label, kSecretSize));
    const auto salt = array_from<kSealSaltSize>(std::string(label) + " salt");
    const SlotSeed seed = slot_seed_of(slot);
    const WrappedSecret wrapped = wrap_secret(account, slot, salt);
    CAIRN_ASSERT(unwrap_secret(wrapped, slot).value() == account);
    cases.push_back(JsonCase()
                        .hex("slot_secret", slot.view())
                        .hex("slot_seed", seed.view())
                        .hex("slot_key", SigningKey(seed.view()).public_key().bytes)
                        .hex("wrap_key", wrap_key_of(slot).view())
                        .hex("salt", salt)
                        .hex("account_secret", account.view())
                        .hex("wrapped", wrapped));
  }
  return cases;
}

std::vector<JsonCase> passwords() {
  std::vector<JsonCase> cases;
  const auto add = [&cases](std::string_view typed, std::string_view nfkc,
                            unsigned long long passes) {
    constexpr std::size_t kMemoryKib = 8192;
    const auto salt = array_from<kPasswordSaltSize>("password salt");
    std::array<std::uint8_t, kSecretSize> secret{};
    CAIRN_ASSERT(crypto_pwhash(secret.data(), secret.size(), nfkc.data(), nfkc.size(), salt.data(),
                               passes, kMemoryKib * 1024, crypto_pwhash_ALG_ARGON2ID13) == 0);
    cases.push_back(JsonCase()
                        .hex("typed", as_bytes(typed))
                        .hex("password", as_bytes(nfkc))
                        .number("memory_kib", kMemoryKib)
                        .number("passes", passes)
                        .number("lanes", 1)
                        .hex("salt", salt)
                        .hex("slot_secret", secret));
  };
  add("correct horse battery staple", "correct horse battery staple", 1);
  add("correct horse battery staple", "correct horse battery staple", 3);
  add("", "", 1);
  add("e\xcc\x81t\xc3\xa9 \xef\xac\x81", "\xc3\xa9t\xc3\xa9 fi", 2);  // e + acute, the ligature fi
  return cases;
}

std::string kinds_of(const AccountRecord& record) {
  std::string out;
  for (const AccountSlot& slot : record.slots) out.push_back("?PRD"[static_cast<int>(slot.kind)]);
  return out;
}

std::vector<JsonCase> records(const AccountWorld& world) {
  std::vector<JsonCase> cases;
  const auto add = [&](std::string_view name, const AccountRecord& record) {
    const Bytes raw = make_account_record(record, world.login);
    CAIRN_ASSERT(read_account_record(raw).value() == record);
    cases.push_back(JsonCase()
                        .text("name", name)
                        .text("handle", record.handle)
                        .text("version", std::to_string(record.version))
                        .hex("login_key", record.login.bytes)
                        .text("kinds", kinds_of(record))
                        .hex("first_slot_key", record.slots.front().key.bytes)
                        .hex("record", raw));
  };
  AccountRecord record = world.record();
  add("password, recovery kit and device", record);
  record.version = UINT64_MAX;
  add("the largest version", record);
  record.slots.erase(record.slots.begin());
  add("without a password", record);
  record.slots.resize(1);
  record.handle = "ada";
  add("one slot, the shortest handle", record);
  record = world.record();
  record.handle = std::string(kMaxHandleSize, 'z');
  while (record.slots.size() < kMaxAccountSlots) {
    record.slots.push_back(world.slot(SlotKind::device, std::to_string(record.slots.size())));
  }
  add("sixteen slots, the longest handle", record);
  record = world.record();
  record.slots[0].kdf->memory_kib = PasswordKdf::kMaxMemoryKib;
  record.slots[0].kdf->passes = PasswordKdf::kMaxPasses;
  add("the most memory and passes", record);
  record.slots[0].kdf->memory_kib = PasswordKdf::kMinMemoryKib;
  record.slots[0].kdf->passes = 1;
  add("the least memory and passes", record);
  return cases;
}

/// What a record comes to where the first of `records` is held.
std::vector<JsonCase> replacements(const AccountWorld& world) {
  std::vector<JsonCase> cases;
  const Bytes held = make_account_record(world.record(), world.login);
  const auto add = [&](std::string_view name, const Bytes& next) {
    CAIRN_ASSERT(read_account_record(next).has_value());
    const auto change = judge_account_change(held, next);
    const std::string_view result = !change                                 ? "conflict"
                                    : change.value() == AccountChange::same ? "held"
                                                                            : "replaced";
    cases.push_back(JsonCase().text("name", name).hex("record", next).text("result", result));
  };
  AccountRecord record = world.record();
  add("the same again", held);
  record.version += 1;
  add("the next version", make_account_record(record, world.login));
  record.version = UINT64_MAX;
  add("a much later version", make_account_record(record, world.login));
  record.version = world.record().version;
  record.slots.pop_back();
  add("another record of the same version", make_account_record(record, world.login));
  record.version -= 1;
  add("an older version", make_account_record(record, world.login));
  record.version += 2;
  const SigningKey other = signer_from("another login");
  record.login = other.public_key();
  add("another login key", make_account_record(record, other));
  return cases;
}

JsonCase login_case(std::string_view name, ByteView key, std::string_view handle,
                    std::string_view host, std::string_view nonce, std::string_view action,
                    ByteView signature) {
  return JsonCase()
      .text("name", name)
      .hex("key", key)
      .text("handle", handle)
      .text("host", host)
      .text("nonce", nonce)
      .text("action", action)
      .hex("signature", signature);
}

std::vector<JsonCase> logins() {
  std::vector<JsonCase> cases;
  const auto add = [&cases](std::string_view name, std::string_view handle, std::string_view host,
                            std::string_view nonce, LoginAction action) {
    const auto seed = slot_seed_of(*SlotSecret::from_bytes(bytes_from("slot one", kSecretSize)));
    const SigningKey key(seed.view());
    const Bytes message = *login_message(handle, host, nonce, action);
    cases.push_back(login_case(name, key.public_key().bytes, handle, host, nonce, name_of(action),
                               key.sign(message).bytes)
                        .hex("seed", seed.view())
                        .hex("message", message));
  };
  const std::string nonce = to_base64url(bytes_from("nonce", 48));
  add("login", "ada@example.org", "example.org", nonce, LoginAction::login);
  add("delete", "ada@example.org", "example.org", nonce, LoginAction::remove);
  add("a port", "ada", "localhost:8080", nonce, LoginAction::login);
  add("an address", "ada", "[::1]:8080", nonce, LoginAction::login);
  add("parts of 255", "ada", std::string(255, 'h'), std::string(255, 'n'), LoginAction::login);
  return cases;
}

std::vector<JsonCase> refused_logins() {
  std::vector<JsonCase> cases;
  const SigningKey key(
      slot_seed_of(*SlotSecret::from_bytes(bytes_from("slot one", kSecretSize))).view());
  const auto point = key.public_key().bytes;
  const Bytes right = *login_message("ada", "example.org", "nonce", LoginAction::login);
  const Signature signature = key.sign(right);
  const auto add = [&](std::string_view name, std::string_view handle, std::string_view host,
                       std::string_view nonce, std::string_view action) {
    cases.push_back(login_case(name, point, handle, host, nonce, action, signature.bytes));
  };
  add("another handle", "adb", "example.org", "nonce", "login");
  add("another host", "ada", "example.com", "nonce", "login");
  add("a port more", "ada", "example.org:80", "nonce", "login");
  add("another nonce", "ada", "example.org", "nonces", "login");
  add("another action", "ada", "example.org", "nonce", "delete");
  add("a letter moved from one part to the next", "adae", "xample.org", "nonce", "login");
  for (std::size_t at = 0; at < Signature::kSize; at += 9) {
    Signature flipped = signature;
    flipped.bytes[at] = static_cast<std::uint8_t>(flipped.bytes[at] ^ (1U << (at % 8)));
    cases.push_back(login_case("signature flipped in byte " + std::to_string(at), point, "ada",
                               "example.org", "nonce", "login", flipped.bytes));
  }
  cases.push_back(login_case("S + L", point, "ada", "example.org", "nonce", "login",
                             plus_group_order(signature).bytes));
  Bytes neutral(PublicKey::kSize);
  neutral[0] = 1;
  Bytes void_signature = neutral;  // R neutral, S zero: holds under a neutral key
  void_signature.resize(Signature::kSize);
  cases.push_back(login_case("a neutral key, for which the equation holds", neutral, "ada",
                             "example.org", "nonce", "login", void_signature));
  const SigningKey other = signer_from("another slot");
  cases.push_back(login_case("another key", point, "ada", "example.org", "nonce", "login",
                             other.sign(right).bytes));
  Bytes record_like = bytes_from("x", 3);
  std::ranges::copy(as_bytes("cairn-account-1"), std::back_inserter(record_like));
  record_like.insert(record_like.end(), right.begin(), right.end());
  cases.push_back(login_case("signed in the record's domain", point, "ada", "example.org", "nonce",
                             "login", key.sign(ByteView(record_like).subspan(3)).bytes));
  return cases;
}

void kit_cases(std::vector<JsonCase>& good, std::vector<JsonCase>& refused) {
  for (const std::string_view label : {"slot one", "slot two"}) {
    const auto slot = *SlotSecret::from_bytes(bytes_from(label, kSecretSize));
    good.push_back(
        JsonCase().hex("slot_secret", slot.view()).text("text", recovery_kit_text(slot)));
  }
  const std::string kit =
      recovery_kit_text(*SlotSecret::from_bytes(bytes_from("slot one", kSecretSize)));
  const auto add = [&refused](std::string_view name, std::string_view text) {
    CAIRN_ASSERT(!parse_recovery_kit(text));
    refused.push_back(JsonCase().text("name", name).text("text", text));
  };
  add("empty", "");
  add("prefix only", "cairn_k_");
  add("a write capability's prefix", "cairn_w_" + kit.substr(8));
  add("upper case prefix", "CAIRN_K_" + kit.substr(8));
  add("no prefix", kit.substr(8));
  add("padded", kit + "=");
  add("trailing space", kit + " ");
  add("space in front", " " + kit);
  add("one character short", kit.substr(0, kit.size() - 1));
  add("one character more", kit + "A");
  add("two characters exchanged", kit.substr(0, 20) + kit[21] + kit[20] + kit.substr(22));
  add("trailing bits set", kit.substr(0, kit.size() - 1) + static_cast<char>(kit.back() + 1));
  for (const std::size_t at : {0U, 1U, 32U, 33U, 36U}) {
    Bytes form = *from_base64url(std::string_view(kit).substr(8));
    form[at] ^= 0x04U;
    add("bit flipped in byte " + std::to_string(at), "cairn_k_" + to_base64url(form));
  }
}

}  // namespace

std::string account_vectors() {
  CAIRN_ASSERT(sodium_init() >= 0);
  const AccountWorld world;
  std::vector<JsonCase> kits;
  std::vector<JsonCase> refused_kits;
  kit_cases(kits, refused_kits);
  JsonFile file(
      "Accounts. handles: bytes and whether they are a handle. keys, slots, passwords: what "
      "follows "
      "from what; typed is what was typed, password its NFKC. records: records with what they say "
      "(kinds: P password, R recovery kit, D device). refused: malformed for the form, denied for "
      "the signature. replacements: what a record comes to where the first of records is held. "
      "logins: signatures with the seed that made them; refused_logins: those that must not pass. "
      "kits: recovery kits. nonce is signed as the text that it is.");
  file.section("handles", handles());
  file.section("keys", account_keys());
  file.section("slots", slot_keys());
  file.section("passwords", passwords());
  file.section("records", records(world));
  file.section("refused", refused_records(world));
  file.section("replacements", replacements(world));
  file.section("logins", logins());
  file.section("refused_logins", refused_logins());
  file.section("kits", kits);
  file.section("refused_kits", refused_kits);
  return file.finish();
}

}  // namespace cairn::vectors
