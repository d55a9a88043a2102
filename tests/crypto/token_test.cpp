#include "crypto/token.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/challenge.h"
#include "crypto/random.h"

namespace cairn {
namespace {

constexpr WallTime kNow{1'700'000'000'000};

NodeSecret secret_of(std::uint8_t byte) {
  std::array<std::uint8_t, kSecretSize> bytes{};
  bytes.fill(byte);
  return NodeSecret{SecretView(bytes)};
}

TokenClaims claims() {
  TokenClaims out;
  out.site = "notes.example";
  out.handle = "ada@example.org";
  out.login.bytes.fill(3);
  out.key.bytes.fill(4);
  out.issued_s = out.authenticated_s = static_cast<std::int64_t>(kNow) / 1000;
  out.expires_s = out.issued_s + 900;
  return out;
}

class TokenTest : public ::testing::Test {
 protected:
  bool good(const std::string& token, std::string_view site = "notes.example",
            WallTime now = kNow) const {
    return key_.verify(token, site, now).has_value();
  }
  static std::string part(std::string_view json) { return to_base64url(as_bytes(json)); }

  TokenKey key_{secret_of(1)};
  const std::string token_ = key_.sign(claims());
};

TEST_F(TokenTest, ClaimsComeBackForItsSiteUntilItExpires) {
  EXPECT_EQ(key_.verify(token_, "notes.example", kNow), claims());
  EXPECT_FALSE(good(token_, "other.example"));
  const auto at = [](std::int64_t seconds) {
    return WallTime{static_cast<std::int64_t>(kNow) + seconds * 1000};
  };
  EXPECT_TRUE(good(token_, "notes.example", at(899)));
  EXPECT_FALSE(good(token_, "notes.example", at(900)));
  EXPECT_TRUE(good(token_, "notes.example", at(-60)));
  EXPECT_FALSE(good(token_, "notes.example", at(-61)));
  EXPECT_FALSE(TokenKey(secret_of(2)).verify(token_, "notes.example", kNow).has_value());
}

TEST_F(TokenTest, EveryFlippedCutOrAddedByteIsRefused) {
  for (std::size_t i = 0; i < token_.size(); ++i) {
    std::string changed = token_;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(good(changed)) << i;
    EXPECT_FALSE(good(token_.substr(0, i))) << i;
  }
  for (const char* more : {"A", ".", "=", " ", ".AAAA"}) EXPECT_FALSE(good(token_ + more)) << more;
  EXPECT_FALSE(good(""));
  EXPECT_FALSE(good(std::string(100'000, 'A')));
}

TEST_F(TokenTest, OtherAlgorithmsAreRefusedUnread) {
  const std::string rest = token_.substr(token_.find('.'));
  const std::string payload = rest.substr(0, rest.rfind('.'));
  for (const char* header :
       {R"({"alg":"none","typ":"JWT"})", R"({"alg":"HS256","typ":"JWT"})",
        R"({"typ":"JWT","alg":"EdDSA"})", R"({"alg":"EdDSA","typ":"JWT","kid":"x"})", "{}"}) {
    EXPECT_FALSE(good(part(header) + rest)) << header;
    EXPECT_FALSE(good(part(header) + payload + ".")) << header;
  }
}

TEST(ChallengeTest, NonceIsOfItsSiteHandleAndTime) {
  const ChallengeKey key(secret_of(1));
  SystemRandom random;
  const std::string nonce = key.make("a.example", "ada", kNow, random);
  EXPECT_TRUE(key.check(nonce, "a.example", "ada", kNow).has_value());
  EXPECT_FALSE(key.check(nonce, "b.example", "ada", kNow).has_value());
  EXPECT_FALSE(key.check(nonce, "a.example", "bob", kNow).has_value());
  EXPECT_FALSE(key.check(nonce, "a.exampleada", "", kNow).has_value());
  const WallTime late{static_cast<std::int64_t>(kNow) + 120'000};
  EXPECT_FALSE(key.check(nonce, "a.example", "ada", late).has_value());
  EXPECT_FALSE(ChallengeKey(secret_of(2)).check(nonce, "a.example", "ada", kNow).has_value());
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    std::string changed = nonce;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(key.check(changed, "a.example", "ada", kNow).has_value()) << i;
  }
  EXPECT_NE(nonce, key.make("a.example", "ada", kNow, random));
}

TEST(ChallengeTest, StandInIsTheSameEachTimeAndOfItsHandle) {
  const ChallengeKey key(secret_of(1));
  EXPECT_EQ(key.stand_in("a", "ada"), key.stand_in("a", "ada"));
  EXPECT_NE(key.stand_in("a", "ada").salt, key.stand_in("a", "bob").salt);
  EXPECT_NE(key.stand_in("a", "ada").salt, key.stand_in("b", "ada").salt);
  EXPECT_NE(key.stand_in("a", "ada").salt, ChallengeKey(secret_of(2)).stand_in("a", "ada").salt);
}

}  // namespace
}  // namespace cairn
