#include "crypto/seal.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>

#include "crypto/random.h"

namespace cairn {
namespace {

BlockKey some_key() {
  SystemRandom random;
  return BlockKey::random(random);
}

Padding some_padding() {
  return *rc::gen::element(Padding::none, Padding::padme);
}

TEST(Seal, HeaderSaysSuiteAndPadding) {
  SystemRandom random;
  const Bytes plain = seal_block(some_key(), as_bytes("abc"), Padding::none, random).value();
  const Bytes padded = seal_block(some_key(), as_bytes("abc"), Padding::padme, random).value();
  EXPECT_EQ(Bytes(plain.begin(), plain.begin() + 4), (Bytes{'B', '1', 1, 0}));
  EXPECT_EQ(Bytes(padded.begin(), padded.begin() + 4), (Bytes{'B', '1', 1, 1}));
}

TEST(Seal, SameTextTwiceGivesDifferentBlocks) {
  SystemRandom random;
  const BlockKey key = some_key();
  EXPECT_NE(seal_block(key, as_bytes("abc"), Padding::none, random).value(),
            seal_block(key, as_bytes("abc"), Padding::none, random).value());
}

TEST(Seal, LargestBlockFitsAndOneByteMoreIsRefused) {
  SystemRandom random;
  const BlockKey key = some_key();
  Bytes plaintext(kMaxBlockBytes - kSealOverhead, 7);
  const auto sealed = seal_block(key, plaintext, Padding::none, random);
  ASSERT_EQ(sealed.value().size(), kMaxBlockBytes);
  EXPECT_EQ(open_block(key, sealed.value()).value(), plaintext);
  plaintext.push_back(7);
  EXPECT_EQ(seal_block(key, plaintext, Padding::none, random).error().code, Errc::malformed);
}

TEST(Seal, PaddingOverTheLimitIsRefused) {
  SystemRandom random;
  const Bytes plaintext(kMaxBlockBytes - kSealOverhead - 1, 7);
  EXPECT_EQ(seal_block(some_key(), plaintext, Padding::padme, random).error().code,
            Errc::malformed);
}

RC_GTEST_PROP(Seal, AnyTextOpensAgain, (const Bytes& plaintext)) {
  SystemRandom random;
  const BlockKey key = some_key();
  const Padding padding = some_padding();
  const Bytes sealed = seal_block(key, plaintext, padding, random).value();
  RC_ASSERT(sealed.size() == sealed_size(plaintext.size(), padding));
  RC_ASSERT(open_block(key, sealed).value() == plaintext);
}

RC_GTEST_PROP(Seal, AnyFlippedBitIsRefused, (const Bytes& plaintext)) {
  SystemRandom random;
  const BlockKey key = some_key();
  Bytes sealed = seal_block(key, plaintext, some_padding(), random).value();
  const auto bit = *rc::gen::inRange<std::size_t>(0, sealed.size() * 8);
  sealed[bit / 8] = static_cast<std::uint8_t>(sealed[bit / 8] ^ (1U << (bit % 8)));
  RC_ASSERT(!open_block(key, sealed));
}

RC_GTEST_PROP(Seal, AnyOtherLengthIsRefused, (const Bytes& plaintext, const Bytes& more)) {
  SystemRandom random;
  const BlockKey key = some_key();
  const Bytes sealed = seal_block(key, plaintext, some_padding(), random).value();
  const auto size = *rc::gen::inRange<std::size_t>(0, sealed.size());
  RC_ASSERT(!open_block(key, ByteView(sealed).first(size)));
  Bytes longer = sealed;
  longer.insert(longer.end(), more.begin(), more.end());
  RC_ASSERT(open_block(key, longer).has_value() == more.empty());
}

RC_GTEST_PROP(Seal, AnyOtherKeyIsRefused, (const Bytes& plaintext)) {
  SystemRandom random;
  const Bytes sealed = seal_block(some_key(), plaintext, some_padding(), random).value();
  RC_ASSERT(!open_block(some_key(), sealed));
}

RC_GTEST_PROP(Padme, SizeIsAtMostTwelvePercentMoreAndHasFewBits, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(2, std::size_t{1} << 40);
  const std::size_t padded = padme_size(size);
  RC_ASSERT(padded >= size);
  RC_ASSERT(padded - size <= size * 12 / 100);
  RC_ASSERT(padme_size(padded) == padded);
  const auto exponent = static_cast<unsigned>(std::bit_width(padded)) - 1;
  const auto zeros = static_cast<unsigned>(std::countr_zero(padded));
  RC_ASSERT(exponent - zeros <= static_cast<unsigned>(std::bit_width(exponent)));
}

TEST(Padme, SizesGrowWithWhatTheyHold) {
  for (std::size_t size = 1; size < 70000; ++size) {
    ASSERT_LE(padme_size(size - 1), padme_size(size)) << size;
  }
}

// The shape that link payloads will take: the message names chain, seq and prev, the additional
// data is the whole header and the refs.
TEST(SealCore, PayloadOpensOnlyUnderItsMessageAndAdditionalData) {
  SystemRandom random;
  const auto key = LinkKey::random(random);
  const Bytes message(116, 3);
  const Bytes additional(148 + 64, 4);
  Bytes text{1, 2, 3};
  text.resize(text.size() + kSealTagSize);
  SealKey(key.view(), message).encrypt(additional, text);

  Bytes out(3);
  const SealKey again(key.view(), message);
  EXPECT_TRUE(again.decrypt(additional, text, out));
  EXPECT_EQ(out, (Bytes{1, 2, 3}));
  EXPECT_FALSE(again.decrypt(message, text, out));
  EXPECT_EQ(out, Bytes(3));

  Bytes other_message = message;
  other_message[0] ^= 1U;
  const SealKey other(key.view(), other_message);
  EXPECT_FALSE(other.commits_to(again.commit()));
  EXPECT_FALSE(other.decrypt(additional, text, out));
  EXPECT_FALSE(again.commits_to(again.commit().first(31)));
  EXPECT_TRUE(again.commits_to(SealKey(key.view(), message).commit()));
}

}  // namespace
}  // namespace cairn
