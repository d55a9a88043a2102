#include "two_key.h"

#include <sodium.h>

#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <utility>

#include "base/assert.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

// Without expression templates, which powm of 1.81 does not go with.
using Int = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>,
                                          boost::multiprecision::et_off>;
using boost::multiprecision::powm;

const Int kTwo128 = Int(1) << 128;
const Int kPrime = (Int(1) << 130) - 5;

constexpr std::size_t kBlock = 16;
constexpr std::size_t kCipherBlocks = 4;
// Poly1305 evaluates block i of n at r^(n-i); behind the ciphertext comes one block of lengths.
constexpr unsigned kFirstFreeExponent = 3;
constexpr unsigned kSecondFreeExponent = 2;

Int from_le(ByteView bytes) {
  Int value = 0;
  for (auto it = bytes.rbegin(); it != bytes.rend(); ++it) value = (value << 8) | *it;
  return value;
}

void put_le(Int value, MutableByteView out) {
  for (std::uint8_t& byte : out) {
    byte = static_cast<std::uint8_t>(value & 0xff);
    value >>= 8;
  }
}

Int mod(const Int& value) {
  const Int rest = value % kPrime;
  return rest < 0 ? Int(rest + kPrime) : rest;
}

/// The one-time Poly1305 key that the cipher takes under `key` and a zero nonce.
struct OneTimeKey {
  Int r;
  Int s;

  explicit OneTimeKey(ByteView key) {
    const std::array<std::uint8_t, 16> zero{};
    std::array<std::uint8_t, 32> subkey{};
    crypto_core_hchacha20(subkey.data(), zero.data(), key.data(), nullptr);
    std::array<std::uint8_t, 32> stream{};
    crypto_stream_chacha20_ietf(stream.data(), stream.size(), zero.data(), subkey.data());
    r = from_le(ByteView(stream).first(16)) & Int("0x0ffffffc0ffffffc0ffffffc0fffffff");
    s = from_le(ByteView(stream).last(16));
  }

  /// What `message` (whole blocks) evaluates to, before s is added.
  Int evaluate(ByteView message) const {
    Int sum = 0;
    for (std::size_t at = 0; at < message.size(); at += kBlock) {
      sum = mod((sum + from_le(message.subspan(at, kBlock)) + kTwo128) * r);
    }
    return sum;
  }
};

/// Additional data and ciphertext, each filled to whole blocks, and the lengths.
Bytes poly_message(ByteView additional, ByteView ciphertext) {
  Bytes message(additional.begin(), additional.end());
  message.resize((message.size() + kBlock - 1) / kBlock * kBlock);
  message.insert(message.end(), ciphertext.begin(), ciphertext.end());
  std::array<std::uint8_t, kBlock> lengths{};
  put_le(additional.size(), MutableByteView(lengths).first(8));
  put_le(ciphertext.size(), MutableByteView(lengths).last(8));
  message.insert(message.end(), lengths.begin(), lengths.end());
  return message;
}

struct Target {
  const OneTimeKey& key;
  Int missing;  ///< What the two free blocks must add to the evaluation.
};

/// The two free blocks, by Cramer's rule in the field.
std::pair<Int, Int> solve(const Target& one, const Target& two) {
  const Int a1 = powm(one.key.r, kFirstFreeExponent, kPrime);
  const Int b1 = powm(one.key.r, kSecondFreeExponent, kPrime);
  const Int a2 = powm(two.key.r, kFirstFreeExponent, kPrime);
  const Int b2 = powm(two.key.r, kSecondFreeExponent, kPrime);
  const Int inverse = powm(mod(a1 * b2 - a2 * b1), kPrime - 2, kPrime);
  return {mod(mod(one.missing * b2 - two.missing * b1) * inverse),
          mod(mod(a1 * two.missing - a2 * one.missing) * inverse)};
}

bool fits_a_block(const Int& value) {
  return value >= kTwo128 && value < 2 * kTwo128;
}

}  // namespace

Bytes two_key_ciphertext(ByteView first_key, ByteView second_key, ByteView additional) {
  const OneTimeKey first(first_key);
  const OneTimeKey second(second_key);
  Bytes ciphertext = bytes_from("two-key ciphertext", kCipherBlocks * kBlock);
  const MutableByteView free_one = MutableByteView(ciphertext).subspan(2 * kBlock, kBlock);
  const MutableByteView free_two = MutableByteView(ciphertext).subspan(3 * kBlock, kBlock);
  put_le(0, free_one);
  put_le(0, free_two);
  // With both free blocks zero their 2^128 is counted; solve() finds the whole 129-bit values.
  const auto rest = [&](const OneTimeKey& key) {
    const Int marks = kTwo128 * (powm(key.r, kFirstFreeExponent, kPrime) +
                                 powm(key.r, kSecondFreeExponent, kPrime));
    return mod(key.evaluate(poly_message(additional, ciphertext)) - marks);
  };
  const Int rest_first = rest(first);
  const Int rest_second = rest(second);
  // A solution is a pair of field elements; one in sixteen is a pair of blocks. So try tags.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const Bytes tag = bytes_from("two-key tag " + std::to_string(attempt), kBlock);
    const auto missing = [&tag](const OneTimeKey& key, const Int& rest_of_key) {
      return mod((from_le(tag) - key.s + kTwo128) % kTwo128 - rest_of_key);
    };
    const auto [one, two] =
        solve({first, missing(first, rest_first)}, {second, missing(second, rest_second)});
    if (!fits_a_block(one) || !fits_a_block(two)) continue;
    put_le(one - kTwo128, free_one);
    put_le(two - kTwo128, free_two);
    ciphertext.insert(ciphertext.end(), tag.begin(), tag.end());
    return ciphertext;
  }
  CAIRN_ASSERT(!"no tag of a thousand has a solution");
  return {};
}

}  // namespace cairn::vectors
