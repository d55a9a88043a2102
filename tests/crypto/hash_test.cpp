#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace cairn {
namespace {

std::string hex_of(ByteView bytes) {
  return to_hex(sha256_of(bytes));
}

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

TEST(Sha256, VectorsOfFips180Match) {
  EXPECT_EQ(hex_of({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of(as_bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of(counting(1000)),
            "a8af099bf2e878609558dbf69d8f88f4a31040a8cf84b549a0cfa912f12ffc3f");
}

TEST(Sha256, EverySplitGivesSameDigest) {
  const Bytes bytes = counting(200);
  const auto whole = sha256_of(bytes);
  Sha256 hasher;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    hasher.update(ByteView(bytes).first(cut));
    hasher.update({});
    hasher.update(ByteView(bytes).subspan(cut));
    EXPECT_EQ(hasher.finish(), whole) << cut;
  }
}

TEST(Sha256, CopyGoesOnByItself) {
  Sha256 first;
  first.update(as_bytes("ab"));
  Sha256 second = first;
  first.update(as_bytes("c"));
  second.update(as_bytes("x"));
  EXPECT_EQ(first.finish(), sha256_of(as_bytes("abc")));
  EXPECT_EQ(second.finish(), sha256_of(as_bytes("abx")));
}

TEST(Sha256, ResetForgetsWhatWasTaken) {
  Sha256 hasher;
  hasher.update(as_bytes("gone"));
  hasher.reset();
  hasher.update(as_bytes("abc"));
  EXPECT_EQ(hasher.finish_block_id(), block_id_of(as_bytes("abc")));
}

TEST(Number, IdGivesXxh3OfItsBytesUnderSeed) {
  BlockId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<std::uint8_t>(i);
  // Figures of xxHash's own library (v0.8.1), outside this code.
  EXPECT_EQ(number_of(id, 0), Number{0x3523581fe96e4c05ULL});
  EXPECT_EQ(number_of(id, 0x0123456789abcdefULL), Number{0x16edd62fe60d6804ULL});
  EXPECT_EQ(slot_of(id, 0), static_cast<Slot>(0x3523581fe96e4c05ULL % 5040));
}

TEST(Number, ChainAndBlockOfSameBytesShareSlot) {
  const BlockId block = block_id_of(as_bytes("x"));
  EXPECT_EQ(number_of(block, 7), number_of(ChainId{block.bytes}, 7));
  EXPECT_EQ(slot_of(block, 7), slot_of(ChainId{block.bytes}, 7));
}

}  // namespace
}  // namespace cairn
