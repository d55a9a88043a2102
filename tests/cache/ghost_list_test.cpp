#include "cache/ghost_list.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <deque>

namespace cairn {
namespace {

TEST(GhostList, TagIsTakenOnce) {
  GhostList ghosts;
  ghosts.add(7, 10);
  EXPECT_TRUE(ghosts.take(7));
  EXPECT_FALSE(ghosts.take(7));
}

TEST(GhostList, OldestBeyondLimitIsForgotten) {
  GhostList ghosts;
  for (std::uint32_t tag = 0; tag < 5; ++tag) ghosts.add(tag, 3);
  EXPECT_FALSE(ghosts.take(0));
  EXPECT_FALSE(ghosts.take(1));
  EXPECT_TRUE(ghosts.take(2));
  EXPECT_TRUE(ghosts.take(4));
}

TEST(GhostList, LimitZeroRemembersNothing) {
  GhostList ghosts;
  ghosts.add(1, 3);
  ghosts.add(2, 0);
  EXPECT_EQ(ghosts.size(), 0U);
  EXPECT_FALSE(ghosts.take(1));
}

TEST(GhostList, MemoryFollowsTheLimitDown) {
  GhostList ghosts;
  for (std::uint32_t tag = 0; tag < 100'000; ++tag) ghosts.add(tag * 2654435761U, 100'000);
  const std::size_t full = ghosts.overhead_bytes();
  EXPECT_LT(full, 100'000U * 13);
  ghosts.add(1, 100);
  EXPECT_LT(ghosts.overhead_bytes(), full / 20);
}

TEST(GhostList, AgreesWithAModel) {
  EXPECT_TRUE(rc::check([] {
    GhostList ghosts;
    // The model: all that were added, in order, and whether they are remembered still.
    std::deque<std::pair<std::uint32_t, bool>> model;
    const auto live = [&model] {
      return static_cast<std::size_t>(
          std::ranges::count_if(model, [](const auto& each) { return each.second; }));
    };
    const auto limit = *rc::gen::inRange<std::size_t>(1, 400);
    const int steps = *rc::gen::inRange(0, 1500);
    for (int step = 0; step < steps; ++step) {
      const std::uint32_t tag = *rc::gen::inRange(0U, 500U);
      if (*rc::gen::inRange(0, 3) > 0) {
        // As the policy does: what returns is taken before it can be evicted again.
        while (ghosts.take(tag)) {
        }
        for (auto& [each, is_live] : model) is_live = is_live && each != tag;
        ghosts.add(tag, limit);
        model.emplace_back(tag, true);
        while (live() > limit || model.size() > 2 * limit) model.pop_front();
      } else {
        const auto at = std::ranges::find(model, std::pair<std::uint32_t, bool>(tag, true));
        RC_ASSERT(ghosts.take(tag) == (at != model.end()));
        if (at != model.end()) at->second = false;
      }
      RC_ASSERT(ghosts.size() == live());
    }
  }));
}

}  // namespace
}  // namespace cairn
