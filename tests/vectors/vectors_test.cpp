// Reads every golden vector back with the product's own code.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "base/block_id_text.h"
#include "crypto/capability.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "crypto/sign.h"

namespace cairn {
namespace {

namespace json = boost::json;

json::object load(const std::string& name) {
  std::ifstream in(std::string(CAIRN_VECTORS_DIR) + "/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return json::parse(text).as_object();
}

/// The cases of one section; a section without cases would check nothing.
const json::array& cases_of(const json::object& file, std::string_view section) {
  const json::array& cases = file.at(section).as_array();
  EXPECT_FALSE(cases.empty()) << section;
  return cases;
}

std::string text(const json::value& one, std::string_view name) {
  return std::string(one.at(name).as_string());
}

Bytes hex(const json::value& one, std::string_view name) {
  const std::string digits = text(one, name);
  Bytes bytes(digits.size() / 2);
  EXPECT_TRUE(read_hex(digits, bytes)) << name;
  return bytes;
}

template <class Kind>
Kind secret(const json::value& one, std::string_view name) {
  return Kind::from_bytes(hex(one, name)).value();
}

Padding padding(const json::value& one) {
  return one.at("padded").as_bool() ? Padding::padme : Padding::none;
}

SealSalt salt(const json::value& one) {
  const Bytes bytes = hex(one, "salt");
  SealSalt out{};
  EXPECT_EQ(bytes.size(), out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

TEST(IdVectors, BytesAndBothTextsAgree) {
  const json::object file = load("ids.json");
  for (const json::value& one : cases_of(file, "blocks")) {
    const BlockId id = block_id_of(hex(one, "bytes"));
    EXPECT_EQ(id.text(), text(one, "hex"));
    EXPECT_EQ(cid_text(id), text(one, "cid"));
    EXPECT_EQ(parse_block_id(text(one, "hex")), id);
    EXPECT_EQ(parse_block_id(text(one, "cid")), id);
  }
}

TEST(IdVectors, OtherTextsRefused) {
  const json::object file = load("ids.json");
  for (const json::value& one : cases_of(file, "refused")) {
    EXPECT_FALSE(parse_block_id(text(one, "text"))) << text(one, "name");
  }
}

TEST(IdVectors, NumbersAndSlotsAgree) {
  const json::object file = load("ids.json");
  for (const json::value& one : cases_of(file, "numbers")) {
    const BlockId id = *BlockId::from_text(text(one, "id"));
    const std::uint64_t seed = std::stoull(text(one, "placement_seed"), nullptr, 16);
    EXPECT_EQ(number_of(id, seed), Number{std::stoull(text(one, "number"), nullptr, 16)});
    EXPECT_EQ(slot_of(id, seed), static_cast<Slot>(one.at("slot").to_number<std::uint16_t>()));
  }
}

TEST(KeyVectors, DerivationsAgree) {
  const json::object file = load("keys.json");
  for (const json::value& one : cases_of(file, "kdf")) {
    const Bytes master = hex(one, "master");
    Bytes out(kSecretSize);
    kdf(ByteView(master).first<kSecretSize>(), std::stoull(text(one, "subkey")),
        text(one, "context"), MutableByteView(out).first<kSecretSize>());
    EXPECT_EQ(out, hex(one, "key"));
  }
}

TEST(KeyVectors, KeysOfWriteSecretAgree) {
  const json::object file = load("keys.json");
  for (const json::value& one : cases_of(file, "write")) {
    const auto write = secret<WriteSecret>(one, "write_secret");
    EXPECT_EQ(sign_seed_of(write), secret<SignSeed>(one, "sign_seed"));
    EXPECT_EQ(first_read_secret_of(write), secret<ReadSecret>(one, "read_secret"));
    EXPECT_EQ(admin_seed_of(write), secret<AdminSeed>(one, "admin_seed"));
    EXPECT_EQ(SigningKey(sign_seed_of(write)).public_key(),
              PublicKey::from_bytes(hex(one, "writer_public_key")));
    EXPECT_EQ(SigningKey(admin_seed_of(write)).public_key(),
              PublicKey::from_bytes(hex(one, "admin_public_key")));
  }
}

TEST(KeyVectors, KeysOfReadSecretAgree) {
  const json::object file = load("keys.json");
  for (const json::value& one : cases_of(file, "read")) {
    const auto read = secret<ReadSecret>(one, "read_secret");
    EXPECT_EQ(link_key_of(read), secret<LinkKey>(one, "link_key"));
    EXPECT_EQ(block_key_of(read), secret<BlockKey>(one, "block_key"));
    EXPECT_EQ(box_seed_of(read), secret<BoxSeed>(one, "box_seed"));
    EXPECT_EQ(fetch_token_of(read), secret<FetchToken>(one, "fetch_token"));
    EXPECT_EQ(to_hex(sha256_of(fetch_token_of(read).view())), text(one, "fetch_token_hash"));
  }
}

TEST(SealVectors, BlocksSealAndOpen) {
  const json::object file = load("seal.json");
  for (const json::value& one : cases_of(file, "opens")) {
    const auto key = secret<BlockKey>(one, "key");
    const Bytes plaintext = hex(one, "plaintext");
    const auto sealed = seal_block_with_salt(key, plaintext, padding(one), salt(one));
    EXPECT_EQ(sealed.value(), hex(one, "sealed")) << text(one, "name");
    EXPECT_EQ(open_block(key, hex(one, "sealed")).value(), plaintext) << text(one, "name");
  }
}

TEST(SealVectors, LargeBlocksSealAndOpen) {
  const json::object file = load("seal.json");
  for (const json::value& one : cases_of(file, "large")) {
    const auto key = secret<BlockKey>(one, "key");
    Bytes plaintext(one.at("plaintext_bytes").to_number<std::size_t>());
    for (std::size_t i = 0; i < plaintext.size(); ++i) {
      plaintext[i] = static_cast<std::uint8_t>(i % 251);
    }
    const auto sealed = seal_block_with_salt(key, plaintext, padding(one), salt(one));
    EXPECT_EQ(sealed.value().size(), one.at("sealed_bytes").to_number<std::size_t>());
    EXPECT_EQ(block_id_of(sealed.value()).text(), text(one, "sealed_id"));
    EXPECT_EQ(open_block(key, sealed.value()).value(), plaintext);
  }
}

TEST(SealVectors, RefusedBlocksAreAllMalformedWithoutWords) {
  const json::object file = load("seal.json");
  for (const json::value& one : cases_of(file, "refused")) {
    const auto opened = open_block(secret<BlockKey>(one, "key"), hex(one, "sealed"));
    ASSERT_FALSE(opened) << text(one, "name");
    EXPECT_EQ(opened.error().code, Errc::malformed) << text(one, "name");
    EXPECT_EQ(opened.error().detail, "") << text(one, "name");
  }
}

TEST(SealVectors, TagRightUnderTwoKeysOpensUnderOne) {
  const json::object file = load("seal.json");
  for (const json::value& one : cases_of(file, "two_keys")) {
    const Bytes sealed = hex(one, "sealed");
    EXPECT_EQ(open_block(secret<BlockKey>(one, "key"), sealed).value(), hex(one, "plaintext"));
    EXPECT_FALSE(open_block(secret<BlockKey>(one, "other_key"), sealed));
  }
}

TEST(SealVectors, PadmeSizesAgree) {
  const json::object file = load("seal.json");
  for (const json::value& one : cases_of(file, "padme")) {
    EXPECT_EQ(padme_size(one.at("size").to_number<std::size_t>()),
              one.at("padded").to_number<std::size_t>());
  }
}

/// Whether a verifier with the product's types takes the case.
bool verifies(const json::value& one) {
  const auto key = PublicKey::from_bytes(hex(one, "key"));
  const auto signature = Signature::from_bytes(hex(one, "signature"));
  return key && signature && verify(*key, hex(one, "message"), *signature);
}

TEST(SignVectors, SignaturesAgreeAndVerify) {
  const json::object file = load("ed25519.json");
  for (const json::value& one : cases_of(file, "verifies")) {
    const SigningKey key(secret<SignSeed>(one, "seed"));
    EXPECT_EQ(key.public_key(), PublicKey::from_bytes(hex(one, "key")));
    EXPECT_EQ(key.sign(hex(one, "message")), Signature::from_bytes(hex(one, "signature")));
    EXPECT_TRUE(verifies(one)) << text(one, "name");
  }
}

TEST(SignVectors, OthersRefused) {
  const json::object file = load("ed25519.json");
  for (const json::value& one : cases_of(file, "refused")) {
    EXPECT_FALSE(verifies(one)) << text(one, "name");
  }
}

TEST(SignVectors, KeysAreJudgedByOrderAndEncoding) {
  const json::object file = load("ed25519.json");
  for (const json::value& one : cases_of(file, "keys")) {
    EXPECT_EQ(is_valid(*PublicKey::from_bytes(hex(one, "key"))), one.at("valid").as_bool())
        << text(one, "name");
  }
}

Capability expected(const json::value& one) {
  const ChainId chain = *ChainId::from_bytes(hex(one, "chain"));
  const std::string kind = text(one, "kind");
  if (kind == "write") return WriteCapability{chain, secret<WriteSecret>(one, "secret")};
  if (kind == "read") return ReadCapability{chain, secret<ReadSecret>(one, "secret")};
  EXPECT_EQ(kind, "verify");
  return VerifyCapability{chain};
}

TEST(CapabilityVectors, TextsAreReadAndWritten) {
  const json::object file = load("capability.json");
  for (const json::value& one : cases_of(file, "reads")) {
    EXPECT_EQ(capability_text(expected(one)), text(one, "text"));
    EXPECT_TRUE(parse_capability(text(one, "text")) == expected(one)) << text(one, "text");
  }
}

TEST(CapabilityVectors, OtherTextsRefused) {
  const json::object file = load("capability.json");
  for (const json::value& one : cases_of(file, "refused")) {
    EXPECT_FALSE(parse_capability(text(one, "text"))) << text(one, "name");
  }
}

}  // namespace
}  // namespace cairn
