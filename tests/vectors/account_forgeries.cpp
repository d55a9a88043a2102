#include "account_forgeries.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/assert.h"
#include "base/little_endian.h"

namespace cairn::vectors {
namespace {

constexpr std::string_view kGroupOrder =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
constexpr std::string_view kHandle = "ada@example.org";

// Offsets in the record that AccountWorld::record() gives.
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kLoginAt = 12;
constexpr std::size_t kHandleSizeAt = 44;
constexpr std::size_t kHandleAt = 45;
constexpr std::size_t kCountAt = kHandleAt + kHandle.size();
constexpr std::size_t kSlotsAt = kCountAt + 1;
constexpr std::size_t kSlotKeyAt = 1;
constexpr std::size_t kKdfAt = 33;
constexpr std::size_t kMemoryAt = 34;
constexpr std::size_t kPassesAt = 38;
constexpr std::size_t kLanesAt = 42;
constexpr std::size_t kSaltAt = 43;
constexpr std::size_t kWrappedAt = 59;

using Change = std::function<void(Bytes&)>;

constexpr std::size_t slot_at(std::size_t index, std::size_t offset) {
  return kSlotsAt + index * kAccountSlotSize + offset;
}

void put(Bytes& bytes, std::size_t at, std::size_t count, std::uint8_t value) {
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), count, value);
}

/// Gathers records that are refused, with the word for it.
class Refusals {
 public:
  explicit Refusals(const AccountWorld& world)
      : world_(world), good_(make_account_record(world.record(), world.login)) {}

  /// The good record with `change`; its signature is the old one.
  void changed(const std::string& name, const Change& change) {
    Bytes bad = good_;
    change(bad);
    add(name, bad);
  }

  /// The same, signed by the login key after the change: the form alone is wrong.
  void signed_anew(const std::string& name, const Change& change) {
    Bytes bad = good_;
    bad.resize(bad.size() - Signature::kSize);
    change(bad);
    sign(bad);
    CAIRN_ASSERT(add(name + ", signed anew", bad) == Errc::malformed);
  }

  Errc add(const std::string& name, const Bytes& bad) {
    const auto read = read_account_record(bad);
    CAIRN_ASSERT(!read.has_value());
    cases_.push_back(
        JsonCase().text("name", name).hex("record", bad).text("error", name_of(read.error().code)));
    return read.error().code;
  }

  const Bytes& good() const { return good_; }
  std::vector<JsonCase> cases() const { return cases_; }

  void sign(Bytes& unsigned_record) const {
    Bytes message(as_bytes("cairn-account-1").begin(), as_bytes("cairn-account-1").end());
    message.insert(message.end(), unsigned_record.begin(), unsigned_record.end());
    const Signature signature = world_.login.sign(message);
    unsigned_record.insert(unsigned_record.end(), signature.bytes.begin(), signature.bytes.end());
  }

 private:
  const AccountWorld& world_;
  Bytes good_;
  std::vector<JsonCase> cases_;
};

void add_flipped(Refusals& refusals) {
  const std::vector<std::pair<std::string_view, std::size_t>> fields = {
      {"magic", 1},
      {"suite", 2},
      {"flags", 3},
      {"version", kVersionAt},
      {"loginPk", kLoginAt},
      {"handleLen", kHandleSizeAt},
      {"handle", kHandleAt + 1},
      {"nslots", kCountAt},
      {"kind", slot_at(1, 0)},
      {"slotPk", slot_at(0, kSlotKeyAt)},
      {"kdf", slot_at(0, kKdfAt)},
      {"memory", slot_at(0, kMemoryAt)},
      {"passes", slot_at(0, kPassesAt)},
      {"lanes", slot_at(0, kLanesAt)},
      {"salt", slot_at(0, kSaltAt)},
      {"wrapped A", slot_at(2, kWrappedAt) + 107},
      {"signature's R", refusals.good().size() - 64},
      {"signature's S", refusals.good().size() - 32},
  };
  for (const auto& [name, at] : fields) {
    refusals.changed(std::string(name) + " flipped", [at = at](Bytes& b) { b[at] ^= 1U; });
  }
}

void add_lengths(Refusals& refusals) {
  const std::size_t whole = refusals.good().size();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4}, kHandleAt,
                                 kSlotsAt, slot_at(1, 0), slot_at(3, 0), whole - 1}) {
    refusals.changed("the first " + std::to_string(size) + " bytes",
                     [size](Bytes& b) { b.resize(size); });
  }
  refusals.changed("a trailing byte", [](Bytes& b) { b.push_back(0); });
  refusals.signed_anew("a byte behind the slots", [](Bytes& b) { b.push_back(0); });
  refusals.signed_anew("a byte short of the slots", [](Bytes& b) { b.pop_back(); });
  refusals.signed_anew("no slot", [](Bytes& b) {
    b[kCountAt] = 0;
    b.resize(kSlotsAt);
  });
  refusals.signed_anew("a slot fewer than said", [](Bytes& b) { b[kCountAt] = 4; });
  refusals.signed_anew("a slot more than said", [](Bytes& b) { b[kCountAt] = 2; });
  refusals.signed_anew("255 slots said", [](Bytes& b) { b[kCountAt] = 255; });
  refusals.signed_anew("a handle past the end", [](Bytes& b) { b[kHandleSizeAt] = 255; });
  refusals.signed_anew("a handle that takes nslots in", [](Bytes& b) { b[kHandleSizeAt] += 1; });
}

void add_forms(Refusals& refusals) {
  refusals.signed_anew("magic M1", [](Bytes& b) { b[0] = 'M'; });
  refusals.signed_anew("suite 2", [](Bytes& b) { b[2] = 2; });
  refusals.signed_anew("suite 0", [](Bytes& b) { b[2] = 0; });
  refusals.signed_anew("a flag", [](Bytes& b) { b[3] = 0x80; });
  refusals.signed_anew("version 0", [](Bytes& b) { put(b, kVersionAt, 8, 0); });
  refusals.signed_anew("a handle in upper case", [](Bytes& b) { b[kHandleAt] = 'A'; });
  refusals.signed_anew("a handle that begins with a sign", [](Bytes& b) { b[kHandleAt] = '.'; });
  refusals.signed_anew("a handle that ends with a sign", [](Bytes& b) { b[kCountAt - 1] = '-'; });
  refusals.signed_anew("a NUL in the handle", [](Bytes& b) { b[kHandleAt + 1] = 0; });
  refusals.signed_anew("kind 0", [](Bytes& b) { b[slot_at(1, 0)] = 0; });
  refusals.signed_anew("kind 4", [](Bytes& b) { b[slot_at(1, 0)] = 4; });
  refusals.signed_anew("two slots with one key", [](Bytes& b) {
    std::copy_n(b.begin() + slot_at(1, kSlotKeyAt), 32, b.begin() + slot_at(2, kSlotKeyAt));
  });
  refusals.signed_anew("two password slots", [](Bytes& b) {
    b[slot_at(1, 0)] = 1;
    std::copy_n(b.begin() + slot_at(0, kKdfAt), kWrappedAt - kKdfAt,
                b.begin() + slot_at(1, kKdfAt));
  });
}

void put_number(Bytes& bytes, std::size_t at, std::uint32_t value) {
  store_le(value, bytes.data() + at);
}

void add_kdfs(Refusals& refusals) {
  refusals.signed_anew("a password with kdf 0", [](Bytes& b) { b[slot_at(0, kKdfAt)] = 0; });
  refusals.signed_anew("a password without a kdf",
                       [](Bytes& b) { put(b, slot_at(0, kKdfAt), kWrappedAt - kKdfAt, 0); });
  refusals.signed_anew("kdf 2", [](Bytes& b) { b[slot_at(0, kKdfAt)] = 2; });
  for (const std::uint32_t kib : {0U, 8191U, 1048577U, 0xFFFFFFFFU}) {
    refusals.signed_anew("memory of " + std::to_string(kib) + " KiB",
                         [kib](Bytes& b) { put_number(b, slot_at(0, kMemoryAt), kib); });
  }
  for (const std::uint32_t passes : {0U, 17U, 0xFFFFFFFFU}) {
    refusals.signed_anew(std::to_string(passes) + " passes",
                         [passes](Bytes& b) { put_number(b, slot_at(0, kPassesAt), passes); });
  }
  refusals.signed_anew("no lane", [](Bytes& b) { b[slot_at(0, kLanesAt)] = 0; });
  refusals.signed_anew("two lanes", [](Bytes& b) { b[slot_at(0, kLanesAt)] = 2; });
  refusals.signed_anew("a device with kdf 1", [](Bytes& b) { b[slot_at(2, kKdfAt)] = 1; });
  refusals.signed_anew("a device with memory", [](Bytes& b) { b[slot_at(2, kMemoryAt)] = 1; });
  refusals.signed_anew("a device with passes", [](Bytes& b) { b[slot_at(2, kPassesAt)] = 1; });
  refusals.signed_anew("a device with a lane", [](Bytes& b) { b[slot_at(2, kLanesAt)] = 1; });
  refusals.signed_anew("a recovery kit with a salt", [](Bytes& b) { b[slot_at(1, kSaltAt)] = 1; });
}

/// Keys that no record may have, at the place of the login key and of a slot's.
void add_keys(Refusals& refusals) {
  constexpr std::pair<std::string_view, std::string_view> kBad[] = {
      {"of order 1", "0100000000000000000000000000000000000000000000000000000000000000"},
      {"of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"of order 4", "0000000000000000000000000000000000000000000000000000000000000000"},
      {"of order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"},
      {"in a second encoding", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"not on the curve", "0200000000000000000000000000000000000000000000000000000000000000"},
  };
  for (const auto& [name, hex] : kBad) {
    Bytes key(PublicKey::kSize);
    CAIRN_ASSERT(read_hex(hex, key));
    for (const auto& [place, at] :
         {std::pair("login key ", kLoginAt), std::pair("slot key ", slot_at(2, kSlotKeyAt))}) {
      refusals.signed_anew(place + std::string(name), [&key, at = at](Bytes& b) {
        std::ranges::copy(key, b.begin() + static_cast<std::ptrdiff_t>(at));
      });
    }
  }
}

void add_signatures(Refusals& refusals, const AccountWorld& world) {
  const std::size_t at = refusals.good().size() - Signature::kSize;
  const auto replace = [&](const std::string& name, const Signature& signature) {
    refusals.changed(name, [&](Bytes& b) {
      std::ranges::copy(signature.bytes, b.begin() + static_cast<std::ptrdiff_t>(at));
    });
  };
  const ByteView good(refusals.good());
  replace("S + L", plus_group_order(*Signature::from_bytes(good.subspan(at))));
  replace("a signature without the domain", world.login.sign(good.first(at)));
  replace("a signature of zeros", Signature{});
  AccountRecord record = world.record();
  record.login = signer_from("another login").public_key();
  refusals.add("signed by another login key", make_account_record(record, world.login));
  record = world.record();
  const auto slot = *SlotSecret::from_bytes(bytes_from("slot device", kSecretSize));
  refusals.add("signed by a slot's key",
               make_account_record(record, SigningKey(slot_seed_of(slot).view())));
}

}  // namespace

SigningKey signer_from(std::string_view label) {
  const Bytes seed = bytes_from(label, kSecretSize);
  return SigningKey(SecretView(seed.data(), kSecretSize));
}

Signature plus_group_order(Signature signature) {
  Bytes order(32);
  CAIRN_ASSERT(read_hex(kGroupOrder, order));
  unsigned carry = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    carry += static_cast<unsigned>(signature.bytes[32 + i]) + order[i];
    signature.bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  CAIRN_ASSERT(carry == 0);
  return signature;
}

AccountSlot AccountWorld::slot(SlotKind kind, std::string_view label) const {
  const auto secret =
      *SlotSecret::from_bytes(bytes_from("slot " + std::string(label), kSecretSize));
  AccountSlot out;
  out.kind = kind;
  out.key = SigningKey(slot_seed_of(secret).view()).public_key();
  SealSalt salt{};
  std::ranges::copy(bytes_from("salt of " + std::string(label), salt.size()), salt.begin());
  out.wrapped = wrap_secret(account, secret, salt);
  if (kind == SlotKind::password) {
    out.kdf = PasswordKdf{.memory_kib = 65536, .passes = 3};
    std::ranges::copy(bytes_from("password salt", kPasswordSaltSize), out.kdf->salt.begin());
  }
  return out;
}

AccountRecord AccountWorld::record() const {
  AccountRecord out;
  out.version = 7;
  out.login = login.public_key();
  out.handle = kHandle;
  out.slots = {slot(SlotKind::password, "password"), slot(SlotKind::recovery, "recovery"),
               slot(SlotKind::device, "device")};
  return out;
}

std::vector<JsonCase> refused_records(const AccountWorld& world) {
  Refusals refusals(world);
  add_flipped(refusals);
  add_lengths(refusals);
  add_forms(refusals);
  add_kdfs(refusals);
  add_keys(refusals);
  add_signatures(refusals, world);
  return refusals.cases();
}

}  // namespace cairn::vectors
