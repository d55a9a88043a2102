#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/ids.h"

namespace cairn {
namespace {

TEST(Hex, WriteThenReadGivesSameBytes) {
  const Bytes bytes{0x00, 0x0f, 0xf0, 0xff, 0x5a};
  EXPECT_EQ(to_hex(bytes), "000ff0ff5a");
  Bytes back(bytes.size());
  ASSERT_TRUE(read_hex("000ff0ff5a", back));
  EXPECT_EQ(back, bytes);
}

TEST(Hex, ReadOtherSpellingRefused) {
  Bytes out(2);
  for (const char* text :
       {"", "00f", "00fff", "00FF", "0x0f", "00f ", "g000", "\xff\xff\xff\xff"}) {
    EXPECT_FALSE(read_hex(text, out)) << text;
  }
}

TEST(Base64, KnownVectorsOfRfc4648Match) {
  EXPECT_EQ(to_base64(as_bytes("")), "");
  EXPECT_EQ(to_base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(to_base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(to_base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
}

TEST(Base64, UrlFormReadsBackAndRefusesVariants) {
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + size);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  }
  for (const char* text : {"A", "Zg==", "Zg=", "Z+", "Zh", "Zm9=", "Zm9v Y"}) {
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
  }
}

TEST(Base64, UrlFormIsReadIntoExactRoomOnly) {
  Bytes out(2);
  ASSERT_TRUE(read_base64url("-_8", out));
  EXPECT_EQ(out, (Bytes{0xfb, 0xff}));
  EXPECT_FALSE(read_base64url("-_", out));
  EXPECT_FALSE(read_base64url("-_8A", out));
}

TEST(BlockIdText, OnlyCanonicalSpellingIsRead) {
  const std::string text(64, 'a');
  ASSERT_TRUE(BlockId::from_text(text));
  EXPECT_EQ(BlockId::from_text(text)->text(), text);
  EXPECT_FALSE(BlockId::from_text(std::string(63, 'a')));
  EXPECT_FALSE(BlockId::from_text(std::string(65, 'a')));
  EXPECT_FALSE(BlockId::from_text(std::string(64, 'A')));
  EXPECT_FALSE(BlockId::from_text(std::string(64, 'g')));
}

TEST(Slot, NumberFallsBelowSlotCount) {
  EXPECT_EQ(slot_of(Number{5040}), Slot{0});
  EXPECT_EQ(slot_of(Number{~0ULL}), static_cast<Slot>(~0ULL % 5040));
}

}  // namespace
}  // namespace cairn
