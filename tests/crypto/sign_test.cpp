#include "crypto/sign.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/random.h"

namespace cairn {
namespace {

SigningKey some_key() {
  SystemRandom random;
  return SigningKey(SignSeed::random(random));
}

RC_GTEST_PROP(Sign, AnyMessageVerifiesAndItsKeyIsValid, (const Bytes& message)) {
  const SigningKey key = some_key();
  RC_ASSERT(is_valid(key.public_key()));
  RC_ASSERT(verify(key.public_key(), message, key.sign(message)));
}

RC_GTEST_PROP(Sign, AnyFlippedBitOfSignatureIsRefused, (const Bytes& message)) {
  const SigningKey key = some_key();
  Signature signature = key.sign(message);
  const auto bit = *rc::gen::inRange<std::size_t>(0, Signature::kSize * 8);
  signature.bytes[bit / 8] =
      static_cast<std::uint8_t>(signature.bytes[bit / 8] ^ (1U << (bit % 8)));
  RC_ASSERT(!verify(key.public_key(), message, signature));
}

RC_GTEST_PROP(Sign, AnyOtherMessageOrKeyIsRefused, (const Bytes& message, const Bytes& other)) {
  RC_PRE(message != other);
  const SigningKey key = some_key();
  RC_ASSERT(!verify(key.public_key(), other, key.sign(message)));
  RC_ASSERT(!verify(some_key().public_key(), message, key.sign(message)));
}

TEST(Sign, AdminAndSignSeedOfSameBytesMakeSameKey) {
  const Bytes seed(kSecretSize, 9);
  EXPECT_EQ(SigningKey(*SignSeed::from_bytes(seed)).public_key(),
            SigningKey(*AdminSeed::from_bytes(seed)).public_key());
}

TEST(Sign, OtherSizesGiveNothing) {
  EXPECT_FALSE(PublicKey::from_bytes(Bytes(31)));
  EXPECT_FALSE(PublicKey::from_bytes(Bytes(33)));
  EXPECT_FALSE(Signature::from_bytes(Bytes(63)));
  EXPECT_FALSE(Signature::from_bytes(Bytes(65)));
}

}  // namespace
}  // namespace cairn
