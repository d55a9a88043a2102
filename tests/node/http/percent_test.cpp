#include "node/http/percent.h"

#include <gtest/gtest.h>

namespace cairn::http {
namespace {

TEST(PercentTest, EscapesAreUndoneOnce) {
  EXPECT_EQ(percent_decoded(""), "");
  EXPECT_EQ(percent_decoded("a+b"), "a+b");
  EXPECT_EQ(percent_decoded("a%40b%2Bc%2f"), "a@b+c/");
  EXPECT_EQ(percent_decoded("%2540"), "%40");
  EXPECT_EQ(percent_decoded("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_decoded("%ff"), "\xff");
}

TEST(PercentTest, BadEscapesAreRefused) {
  for (const char* raw : {"%", "a%", "a%4", "%4g", "%g4", "%%40", "% 4", "%-1"}) {
    EXPECT_EQ(percent_decoded(raw), std::nullopt) << raw;
  }
}

}  // namespace
}  // namespace cairn::http
