// seal.json: sealed blocks that open, and blocks that must not, among them forgeries whose tag or
// commitment is right.
#include <sodium.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "json_text.h"
#include "two_key.h"

namespace cairn::vectors {
namespace {

constexpr std::size_t kMessageSize = 28;

struct Base {
  BlockKey key = *BlockKey::from_bytes(bytes_from("block key", kSecretSize));
  Bytes plaintext = bytes_from("plaintext", 5);
  Bytes sealed;
};

SealSalt salt_from(std::string_view label) {
  const Bytes bytes = bytes_from(label, kSealSaltSize);
  SealSalt salt{};
  std::copy(bytes.begin(), bytes.end(), salt.begin());
  return salt;
}

Bytes seal(const BlockKey& key, ByteView plaintext, Padding padding, const SealSalt& salt) {
  return seal_block_with_salt(key, plaintext, padding, salt).value();
}

std::vector<JsonCase> opening() {
  std::vector<JsonCase> cases;
  for (const Padding padding : {Padding::none, Padding::padme}) {
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 63U, 64U, 65U, 127U, 128U, 300U}) {
      const auto name =
          (padding == Padding::padme ? "padded, " : "plain, ") + std::to_string(size) + " bytes";
      const auto key = *BlockKey::from_bytes(bytes_from("key of " + name, kSecretSize));
      const auto salt = salt_from("salt of " + name);
      const Bytes plaintext = bytes_from("plaintext of " + name, size);
      cases.push_back(JsonCase()
                          .text("name", name)
                          .hex("key", key.view())
                          .hex("salt", salt)
                          .flag("padded", padding == Padding::padme)
                          .hex("plaintext", plaintext)
                          .hex("sealed", seal(key, plaintext, padding, salt)));
    }
  }
  return cases;
}

std::vector<JsonCase> large() {
  std::vector<JsonCase> cases;
  for (const Padding padding : {Padding::none, Padding::padme}) {
    for (const std::size_t size : {65535U, 100000U, 1048500U}) {
      Bytes plaintext(size);
      for (std::size_t i = 0; i < size; ++i) plaintext[i] = static_cast<std::uint8_t>(i % 251);
      const auto key = *BlockKey::from_bytes(bytes_from("large", kSecretSize));
      const auto salt = salt_from("large " + std::to_string(size));
      const Bytes sealed = seal(key, plaintext, padding, salt);
      cases.push_back(JsonCase()
                          .hex("key", key.view())
                          .hex("salt", salt)
                          .flag("padded", padding == Padding::padme)
                          .number("plaintext_bytes", size)
                          .number("sealed_bytes", sealed.size())
                          .text("sealed_id", block_id_of(sealed).text()));
    }
  }
  return cases;
}

std::vector<JsonCase> padme_sizes() {
  std::vector<JsonCase> cases;
  for (const std::size_t size :
       {0U,   1U,   2U,   3U,    8U,    9U,    10U,    15U,      16U,      17U,      31U,      33U,
        100U, 128U, 129U, 1000U, 1024U, 1025U, 65537U, 1000000U, 1048576U, 1048577U, 16777000U}) {
    cases.push_back(JsonCase().number("size", size).number("padded", padme_size(size)));
  }
  return cases;
}

/// Builds a block from any four header bytes and any text, with the commitment and the tag that
/// belong to them: what only the readers' other rules can refuse.
class Forge {
 public:
  Forge(const BlockKey& key, std::array<std::uint8_t, 4> start, const SealSalt& salt)
      : sealed_(start.begin(), start.end()) {
    sealed_.insert(sealed_.end(), salt.begin(), salt.end());
    CAIRN_ASSERT(crypto_generichash_blake2b(key_and_commit_.data(), key_and_commit_.size(),
                                            sealed_.data(), kMessageSize, key.view().data(),
                                            kSecretSize) == 0);
  }

  ByteView key() const { return ByteView(key_and_commit_).first(kSecretSize); }
  ByteView commit() const { return ByteView(key_and_commit_).last(kSealCommitSize); }

  Bytes with_text(ByteView text) const { return with_commit(commit(), text); }

  Bytes with_commit(ByteView commit, ByteView text) const {
    Bytes out = header(commit);
    const std::array<std::uint8_t, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> nonce{};
    Bytes ciphertext(text.size() + kSealTagSize);
    CAIRN_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(
                     ciphertext.data(), nullptr, text.data(), text.size(), out.data(), out.size(),
                     nullptr, nonce.data(), key().data()) == 0);
    out.insert(out.end(), ciphertext.begin(), ciphertext.end());
    return out;
  }

  Bytes header(ByteView commit) const {
    Bytes out = sealed_;
    out.insert(out.end(), commit.begin(), commit.end());
    return out;
  }

 private:
  Bytes sealed_;
  std::array<std::uint8_t, kSecretSize + kSealCommitSize> key_and_commit_{};
};

class Refusals {
 public:
  void add(std::string_view name, const BlockKey& key, ByteView sealed) {
    cases_.push_back(JsonCase().text("name", name).hex("key", key.view()).hex("sealed", sealed));
  }
  std::vector<JsonCase> cases() && { return std::move(cases_); }

 private:
  std::vector<JsonCase> cases_;
};

void add_flips(Refusals& refusals, const Base& base) {
  for (std::size_t bit = 0; bit < base.sealed.size() * 8; ++bit) {
    Bytes flipped = base.sealed;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    refusals.add("bit " + std::to_string(bit % 8) + " of byte " + std::to_string(bit / 8), base.key,
                 flipped);
  }
}

void add_lengths(Refusals& refusals, const Base& base) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 27U, 28U, 59U, 60U, 61U, 75U, 76U, 80U}) {
    refusals.add("first " + std::to_string(size) + " bytes only", base.key,
                 ByteView(base.sealed).first(size));
  }
  Bytes longer = base.sealed;
  longer.push_back(0);
  refusals.add("one trailing byte", base.key, longer);
  Bytes twice = base.sealed;
  twice.insert(twice.end(), base.sealed.begin(), base.sealed.end());
  refusals.add("followed by itself", base.key, twice);
}

void add_forgeries(Refusals& refusals, const Base& base) {
  const SealSalt salt = salt_from("forged");
  const ByteView text(base.plaintext);
  const Forge right(base.key, {'B', '1', 1, 0}, salt);
  Bytes wrong(right.commit().begin(), right.commit().end());
  wrong[31] ^= 1U;
  refusals.add("commitment wrong in its last bit, tag right", base.key,
               right.with_commit(wrong, text));
  refusals.add("commitment zero, tag right", base.key,
               right.with_commit(Bytes(kSealCommitSize), text));
  const auto other = *BlockKey::from_bytes(bytes_from("other key", kSecretSize));
  refusals.add("commitment of another key, tag right", base.key,
               right.with_commit(Forge(other, {'B', '1', 1, 0}, salt).commit(), text));
  refusals.add("sealed for another key", other, base.sealed);

  const auto whole = [&](std::array<std::uint8_t, 4> start) {
    return Forge(base.key, start, salt).with_text(text);
  };
  refusals.add("magic B2, all else right", base.key, whole({'B', '2', 1, 0}));
  refusals.add("magic L1, all else right", base.key, whole({'L', '1', 1, 0}));
  refusals.add("suite 0, all else right", base.key, whole({'B', '1', 0, 0}));
  refusals.add("suite 2, all else right", base.key, whole({'B', '1', 2, 0}));
  refusals.add("flag bit 1, all else right", base.key, whole({'B', '1', 1, 2}));
  refusals.add("flag bit 7, all else right", base.key, whole({'B', '1', 1, 0x80}));

  const Bytes second = seal(base.key, text, Padding::none, salt);
  Bytes spliced(base.sealed.begin(), base.sealed.begin() + kSealedHeaderSize);
  spliced.insert(spliced.end(), second.begin() + kSealedHeaderSize, second.end());
  refusals.add("header of one block, ciphertext of another", base.key, spliced);
}

void add_paddings(Refusals& refusals, const Base& base) {
  const Forge padded(base.key, {'B', '1', 1, 1}, salt_from("padded"));
  const auto add = [&](std::string_view name, const Bytes& text) {
    refusals.add(name, base.key, padded.with_text(text));
  };
  add("padded: nothing at all", {});
  add("padded: zeros without a mark", Bytes(16));
  add("padded: mark 0x81", {1, 2, 0x81});
  add("padded: mark 0x01", {1, 2, 1});
  add("padded: no mark behind text", {1, 2, 3, 4});
  add("padded: a zero more than needed", {1, 2, 0x80, 0});
  Bytes longer(40);
  longer[0] = 0x80;
  add("padded: far more than needed", longer);
  Bytes not_padme(33, 7);
  not_padme[32] = 0x80;
  add("padded: size that is not of Padme", not_padme);
}

/// One ciphertext with a tag that is right under both keys, in a header that commits to the first.
struct TwoKey {
  BlockKey first = *BlockKey::from_bytes(bytes_from("two-key first", kSecretSize));
  BlockKey second = *BlockKey::from_bytes(bytes_from("two-key second", kSecretSize));
  Bytes sealed;
  Bytes plaintext;
  Bytes second_key;

  TwoKey() {
    const SealSalt salt = salt_from("two-key");
    const Forge one(first, {'B', '1', 1, 0}, salt);
    const Forge two(second, {'B', '1', 1, 0}, salt);
    sealed = one.header(one.commit());
    const Bytes ciphertext = two_key_ciphertext(one.key(), two.key(), sealed);
    sealed.insert(sealed.end(), ciphertext.begin(), ciphertext.end());
    plaintext = open_block(first, sealed).value();
    second_key.assign(two.key().begin(), two.key().end());
  }

  JsonCase line() const {
    return JsonCase()
        .text("name", "tag right under both keys, commitment to the first")
        .hex("key", first.view())
        .hex("plaintext", plaintext)
        .hex("other_key", second.view())
        .hex("other_cipher_key", second_key)
        .hex("sealed", sealed);
  }
};

}  // namespace

std::string seal_vectors() {
  CAIRN_ASSERT(sodium_init() >= 0);
  Base base;
  base.sealed = seal(base.key, base.plaintext, Padding::none, salt_from("base"));
  Refusals refusals;
  add_lengths(refusals, base);
  add_forgeries(refusals, base);
  add_paddings(refusals, base);
  add_flips(refusals, base);

  JsonFile file(
      "Sealed blocks, format B1. opens: blocks with their plaintext. large: plaintext byte i is "
      "i mod 251. refused: no plaintext, under the key given. two_keys: opens under key, must not "
      "open under other_key although its tag is right under other_cipher_key. padme: size of the "
      "padded text for a plaintext of size - 1 bytes.");
  file.section("opens", opening());
  file.section("large", large());
  file.section("two_keys", {TwoKey().line()});
  file.section("refused", std::move(refusals).cases());
  file.section("padme", padme_sizes());
  return file.finish();
}

}  // namespace cairn::vectors
