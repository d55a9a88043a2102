#include "node/http/limits.h"

#include <gtest/gtest.h>

namespace cairn::http {
namespace {

using namespace std::chrono_literals;

TEST(Transfer, FirstByteMayTakeTheWholeTime) {
  EXPECT_EQ(Transfer{}.wait(20s), 20s);
}

TEST(Transfer, AverageCountsFromTheFirstByte) {
  const Transfer fast{100s, 1000 * kMinBytesPerSecond};
  EXPECT_EQ(fast.wait(20s), 20s);
  const Transfer slow{100s, 85 * kMinBytesPerSecond};
  EXPECT_EQ(slow.wait(20s), 5s);
  const Transfer slower{100s, 80 * kMinBytesPerSecond};
  EXPECT_EQ(slower.wait(20s), 0s);
}

}  // namespace
}  // namespace cairn::http
