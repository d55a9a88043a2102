#include "crypto/secret.h"

#include <gtest/gtest.h>

#include <array>
#include <new>

#include "crypto/keys.h"
#include "crypto/random.h"

namespace cairn {
namespace {

TEST(Secret, DestructionLeavesZeros) {
  SystemRandom random;
  alignas(WriteSecret) std::array<std::uint8_t, sizeof(WriteSecret)> room{};
  auto* secret = new (room.data()) WriteSecret(WriteSecret::random(random));
  ASSERT_NE(room, (std::array<std::uint8_t, sizeof(WriteSecret)>{}));
  secret->~WriteSecret();
  EXPECT_EQ(room, (std::array<std::uint8_t, sizeof(WriteSecret)>{}));
}

TEST(Secret, OtherSizesGiveNothing) {
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    EXPECT_FALSE(WriteSecret::from_bytes(Bytes(size))) << size;
  }
  EXPECT_TRUE(WriteSecret::from_bytes(Bytes(32)));
}

TEST(Secret, ComparisonSeesEveryByte) {
  const Bytes zero(kSecretSize);
  for (std::size_t at = 0; at < kSecretSize; ++at) {
    Bytes other = zero;
    other[at] = 0x80;
    EXPECT_NE(*ReadSecret::from_bytes(zero), *ReadSecret::from_bytes(other)) << at;
  }
  EXPECT_EQ(*ReadSecret::from_bytes(zero), *ReadSecret::from_bytes(zero));
}

TEST(ConstantTimeEquality, SizesAreCompared) {
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(Bytes{0}, Bytes{0, 0}));
}

}  // namespace
}  // namespace cairn
