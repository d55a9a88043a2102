#include "base/gate.h"

#include <gtest/gtest.h>

#include <thread>

namespace cairn {
namespace {

TEST(Gate, ClosedGateLetsNobodyIn) {
  Gate gate;
  EXPECT_TRUE(gate.enter());
  gate.close();
  EXPECT_FALSE(gate.enter());
  EXPECT_TRUE(gate.closed());
}

TEST(Gate, WaitEmptyReturnsWhenLastLeaves) {
  Gate gate;
  auto pass = gate.enter();
  gate.close();
  EXPECT_FALSE(gate.wait_empty(std::chrono::milliseconds(0)));
  std::thread leaver([p = std::move(pass)]() mutable { p = {}; });
  EXPECT_TRUE(gate.wait_empty(std::chrono::seconds(30)));
  leaver.join();
  EXPECT_EQ(gate.inside(), 0U);
}

}  // namespace
}  // namespace cairn
