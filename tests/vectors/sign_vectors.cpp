// ed25519.json: signatures that verify, signatures that must not, and keys by their worth. Where
// the algebra allows it, what must be refused satisfies the verification equation, so that only a
// strict verifier passes.
#include <sodium.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "crypto/sign.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

using Bytes32 = std::array<std::uint8_t, 32>;

struct SmallOrder {
  std::string_view name;
  std::string_view hex;
};

// Every encoding of the eight points of small order that a lax decoder takes.
constexpr std::array<SmallOrder, 14> kSmallOrder{{
    {"order 1", "0100000000000000000000000000000000000000000000000000000000000000"},
    {"order 1, sign bit", "0100000000000000000000000000000000000000000000000000000000000080"},
    {"order 1, y + p", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"order 1, y + p, sign bit",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"order 2, sign bit", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"order 4", "0000000000000000000000000000000000000000000000000000000000000000"},
    {"order 4, other sign", "0000000000000000000000000000000000000000000000000000000000000080"},
    {"order 4, y + p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"order 4, y + p, other sign",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"},
    {"order 8, other sign", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
    {"order 8, other y", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
    {"order 8, other y and sign",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"},
}};
constexpr std::array<std::size_t, 3> kTorsion{4, 6, 10};  ///< orders 2, 4 and 8 of the above

constexpr std::string_view kGroupOrder =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

Bytes32 from_hex32(std::string_view hex) {
  Bytes32 out{};
  CAIRN_ASSERT(read_hex(hex, out));
  return out;
}

Bytes32 reduced(ByteView sixty_four) {
  Bytes32 out{};
  crypto_core_ed25519_scalar_reduce(out.data(), sixty_four.data());
  return out;
}

Bytes32 scalar_from(std::string_view label) {
  return reduced(bytes_from(label, 64));
}

Bytes32 times_base(const Bytes32& scalar) {
  Bytes32 point{};
  CAIRN_ASSERT(crypto_scalarmult_ed25519_base_noclamp(point.data(), scalar.data()) == 0);
  return point;
}

Bytes32 plus(const Bytes32& left, const Bytes32& right) {
  Bytes32 point{};
  CAIRN_ASSERT(crypto_core_ed25519_add(point.data(), left.data(), right.data()) == 0);
  return point;
}

/// h of RFC 8032: SHA-512(R | A | M) mod L.
Bytes32 challenge(const Bytes32& r, const Bytes32& key, ByteView message) {
  Bytes input(r.begin(), r.end());
  input.insert(input.end(), key.begin(), key.end());
  input.insert(input.end(), message.begin(), message.end());
  std::array<std::uint8_t, 64> digest{};
  crypto_hash_sha512(digest.data(), input.data(), input.size());
  return reduced(digest);
}

/// S = r + h * a mod L.
Bytes32 response(const Bytes32& r, const Bytes32& h, const Bytes32& a) {
  Bytes32 product{};
  Bytes32 sum{};
  crypto_core_ed25519_scalar_mul(product.data(), h.data(), a.data());
  crypto_core_ed25519_scalar_add(sum.data(), r.data(), product.data());
  return sum;
}

Bytes joined(const Bytes32& left, const Bytes32& right) {
  Bytes out(left.begin(), left.end());
  out.insert(out.end(), right.begin(), right.end());
  return out;
}

/// Adds the group's order to S.
void add_order(MutableByteView s) {
  const Bytes32 order = from_hex32(kGroupOrder);
  unsigned carry = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    carry += static_cast<unsigned>(s[i]) + order[i];
    s[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  CAIRN_ASSERT(carry == 0);
}

JsonCase line(std::string_view name, ByteView key, ByteView message, ByteView signature) {
  return JsonCase()
      .text("name", name)
      .hex("key", key)
      .hex("message", message)
      .hex("signature", signature);
}

struct Rfc8032 {
  std::string_view seed;
  std::string_view message;
};

// RFC 8032, section 7.1, tests 1 to 3; the signatures are made here and known to check.py.
constexpr std::array<Rfc8032, 3> kRfc8032{{
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"},
}};

std::vector<JsonCase> verifying() {
  std::vector<JsonCase> cases;
  const auto add = [&cases](const std::string& name, ByteView seed, ByteView message) {
    const SigningKey key(seed.first<kSecretSize>());
    cases.push_back(JsonCase()
                        .text("name", name)
                        .hex("seed", seed)
                        .hex("key", key.public_key().bytes)
                        .hex("message", message)
                        .hex("signature", key.sign(message).bytes));
  };
  for (std::size_t i = 0; i < kRfc8032.size(); ++i) {
    Bytes message(kRfc8032[i].message.size() / 2);
    CAIRN_ASSERT(read_hex(kRfc8032[i].message, message));
    add("RFC 8032 test " + std::to_string(i + 1), from_hex32(kRfc8032[i].seed), message);
  }
  for (const std::size_t size : {0U, 1U, 32U, 127U, 128U, 500U}) {
    const auto name = std::to_string(size) + " bytes";
    add(name, bytes_from("seed of " + name, kSecretSize), bytes_from("message of " + name, size));
  }
  return cases;
}

/// A key whose scalar is known, so that forgeries can be made under it.
struct KnownKey {
  Bytes32 scalar = scalar_from("known key");
  Bytes32 point = times_base(scalar);
};

void add_changed(std::vector<JsonCase>& cases) {
  const SigningKey key(*SignSeed::from_bytes(bytes_from("changed", kSecretSize)));
  const auto point = key.public_key().bytes;
  const Bytes message = bytes_from("changed message", 20);
  const Signature right = key.sign(message);
  Bytes signature(right.bytes.begin(), right.bytes.end());
  for (std::size_t at = 0; at < signature.size(); ++at) {
    Bytes flipped = signature;
    flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1U << (at % 8)));
    cases.push_back(line("flipped in byte " + std::to_string(at), point, message, flipped));
  }
  Bytes more = signature;
  for (int times = 1; times <= 14; ++times) {
    add_order(MutableByteView(more).subspan(32));
    cases.push_back(line("S + " + std::to_string(times) + " L", point, message, more));
  }
  Bytes other_message = message;
  other_message.push_back(0);
  cases.push_back(line("message longer by a zero", point, other_message, signature));
  cases.push_back(line("empty message", point, {}, signature));
  cases.push_back(line("another key", KnownKey().point, message, signature));
  cases.push_back(line("all zero", point, message, Bytes(64)));
  cases.push_back(line("63 bytes", point, message, ByteView(signature).first(63)));
  Bytes longer = signature;
  longer.push_back(0);
  cases.push_back(line("65 bytes", point, message, longer));
  cases.push_back(line("key of 31 bytes", ByteView(point).first(31), message, signature));
}

/// Under a key of small order, S B = R + h A holds for R = S B where 8 divides h.
void add_small_keys(std::vector<JsonCase>& cases) {
  const Bytes32 s = scalar_from("small key");
  const Bytes32 r = times_base(s);
  for (const SmallOrder& small : kSmallOrder) {
    const Bytes32 key = from_hex32(small.hex);
    for (std::size_t attempt = 0;; ++attempt) {
      const Bytes message = bytes_from("small " + std::to_string(attempt), 8);
      if (challenge(r, key, message)[0] % 8 != 0) continue;
      cases.push_back(
          line("key of small order: " + std::string(small.name), key, message, joined(r, s)));
      break;
    }
  }
}

/// With R of small order and S = h a, the equation holds up to the cofactor (and wholly for order
/// 1).
void add_small_r(std::vector<JsonCase>& cases) {
  const KnownKey key;
  const Bytes message = bytes_from("small r", 8);
  for (const SmallOrder& small : kSmallOrder) {
    const Bytes32 r = from_hex32(small.hex);
    const Bytes32 s = response(Bytes32{}, challenge(r, key.point, message), key.scalar);
    cases.push_back(
        line("R of small order: " + std::string(small.name), key.point, message, joined(r, s)));
  }
}

/// R with a part of small order: the equation holds only when both sides are multiplied by 8.
void add_mixed_r(std::vector<JsonCase>& cases) {
  const KnownKey key;
  const Bytes message = bytes_from("mixed r", 8);
  const Bytes32 scalar = scalar_from("mixed r");
  for (const std::size_t at : kTorsion) {
    const Bytes32 r = plus(times_base(scalar), from_hex32(kSmallOrder[at].hex));
    const Bytes32 s = response(scalar, challenge(r, key.point, message), key.scalar);
    cases.push_back(line("R with a part of " + std::string(kSmallOrder[at].name), key.point,
                         message, joined(r, s)));
  }
}

std::vector<JsonCase> judged_keys() {
  std::vector<JsonCase> cases;
  const auto add = [&cases](const std::string& name, ByteView key, bool valid) {
    cases.push_back(JsonCase().text("name", name).hex("key", key).flag("valid", valid));
  };
  for (const std::string_view label : {"one", "two", "three"}) {
    const SigningKey key(*SignSeed::from_bytes(bytes_from(label, kSecretSize)));
    add("of a seed", key.public_key().bytes, true);
  }
  add("known scalar", KnownKey().point, true);
  for (const SmallOrder& small : kSmallOrder)
    add(std::string(small.name), from_hex32(small.hex), false);
  for (const std::size_t at : kTorsion) {
    add("prime order plus a part of " + std::string(kSmallOrder[at].name),
        plus(KnownKey().point, from_hex32(kSmallOrder[at].hex)), false);
  }
  // y = p + n, whether or not n is on the curve: a second encoding never counts.
  for (std::uint8_t n = 2; n < 19; ++n) {
    Bytes32 key = from_hex32(kSmallOrder[8].hex);
    key[0] = static_cast<std::uint8_t>(key[0] + n);
    add("y = p + " + std::to_string(n), key, false);
    key[31] |= 0x80U;
    add("y = p + " + std::to_string(n) + ", sign bit", key, false);
  }
  Bytes32 off{};
  off[0] = 2;
  add("y = 2, not on the curve", off, false);
  return cases;
}

}  // namespace

std::string sign_vectors() {
  CAIRN_ASSERT(sodium_init() >= 0);
  std::vector<JsonCase> refused;
  add_changed(refused);
  add_small_keys(refused);
  add_small_r(refused);
  add_mixed_r(refused);

  JsonFile file(
      "Ed25519, strict and without cofactor: S B = R + h A, S < L, R and A neither of small order "
      "nor "
      "in a second encoding. verifies: signatures with the seed that made them. refused: among "
      "them "
      "ones that satisfy the equation, or 8 times it. keys: whether a key may stand in a manifest "
      "(canonical, prime order).");
  file.section("verifies", verifying());
  file.section("refused", refused);
  file.section("keys", judged_keys());
  return file.finish();
}

}  // namespace cairn::vectors
