#include "base/block_id_text.h"

#include <gtest/gtest.h>

#include <string>

namespace cairn {
namespace {

// SHA-256 of "abc", and its CID by the definition (multibase of 01 55 12 20 and the digest).
constexpr std::string_view kHex =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kCid = "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu";

TEST(BlockIdText, BothSpellingsNameSameBlock) {
  const auto from_hex = parse_block_id(kHex);
  const auto from_cid = parse_block_id(kCid);
  ASSERT_TRUE(from_hex);
  ASSERT_TRUE(from_cid);
  EXPECT_EQ(*from_hex, *from_cid);
  EXPECT_EQ(from_hex->text(), kHex);
  EXPECT_EQ(cid_text(*from_hex), kCid);
}

TEST(BlockIdText, OtherLengthsRefused) {
  for (std::size_t size = 0; size <= 130; ++size) {
    if (size == 64) continue;
    EXPECT_FALSE(parse_block_id(std::string(size, 'a'))) << size;
  }
}

TEST(BlockIdText, EveryOtherCharacterRefused) {
  for (std::size_t at = 0; at < kCid.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      const char put = static_cast<char>(c);
      const bool base32 = (put >= 'a' && put <= 'z') || (put >= '2' && put <= '7');
      if (base32) continue;
      std::string text(kCid);
      text[at] = put;
      EXPECT_FALSE(parse_block_id(text)) << at << ' ' << c;
    }
  }
}

TEST(BlockIdText, OtherBaseVersionCodecOrHashRefused) {
  // The first eight characters hold the base and, but for two bits, the four prefix bytes.
  for (std::size_t at = 0; at < 7; ++at) {
    std::string text(kCid);
    text[at] = text[at] == 'c' ? 'd' : 'c';
    EXPECT_FALSE(parse_block_id(text)) << text;
  }
  std::string upper(kCid);
  for (char& c : upper) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  EXPECT_FALSE(parse_block_id(upper));
  EXPECT_FALSE(parse_block_id("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"));
}

TEST(BlockIdText, SetTrailingBitsRefused) {
  ASSERT_TRUE(parse_block_id(kCid));
  std::string text(kCid);
  const std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const auto last = alphabet.find(text.back());
  for (std::size_t bits = 1; bits < 4; ++bits) {
    text.back() = alphabet[last | bits];
    EXPECT_FALSE(parse_block_id(text)) << text;
  }
}

}  // namespace
}  // namespace cairn
