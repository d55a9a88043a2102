// The curve says what whole tiers of other budgets would have answered; and it stays small and
// quick.
#include "cache/what_if.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "cache/id_hash.h"
#include "cache/memory_tier.h"
#include "tests/cache/maker_store.h"
#include "tests/cache/support.h"

namespace cairn {
namespace {

/// Ids by a power law, and a scan of ids never seen again in between.
class Requests {
 public:
  explicit Requests(std::size_t objects) {
    double sum = 0;
    for (std::size_t i = 1; i <= objects; ++i) {
      sum += 1.0 / std::pow(static_cast<double>(i), 0.9);
      sums_.push_back(sum);
    }
  }
  std::uint64_t next() {
    if (numbers_() % 10 == 0) return 1'000'000'000 + ++scanned_;
    const double at = std::uniform_real_distribution<>(0, sums_.back())(numbers_);
    return static_cast<std::uint64_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
  std::mt19937_64 numbers_{7};  // NOLINT(*-msc51-cpp): the same each time.
  std::uint64_t scanned_ = 0;
};

constexpr std::size_t kBudget = std::size_t{16} << 20;
constexpr std::size_t kBlockBytes = 1'000;
constexpr std::size_t kRequests = 150'000;
constexpr std::size_t kObjects = 40'000;

double real_hits(PolicyKind policy, std::size_t budget_bytes) {
  HandClock clock;
  SeededRandom random(3);
  MakerStore next([](std::uint64_t) { return kBlockBytes; });
  MemoryTier tier({.budget_bytes = budget_bytes, .policy = policy}, next, clock, random);
  Requests requests(kObjects);
  for (std::size_t i = 0; i < kRequests; ++i) {
    if (i % 20 == 0) clock.advance(std::chrono::milliseconds(1));
    tier.try_get(cheap_id(requests.next()));
  }
  return static_cast<double>(tier.stats().hits) / kRequests;
}

class WhatIfTest : public ::testing::TestWithParam<PolicyKind> {};

TEST_P(WhatIfTest, CurveIsWithinTwoPointsOfWholeTiersAtEveryBudget) {
  HandClock clock;
  SeededRandom random(5);
  const IdHash hash(random);
  WhatIf what_if(kBudget, clock);
  Requests requests(kObjects);
  for (std::size_t i = 0; i < kRequests; ++i) {
    // 20,000 a second: more than the sample may have, so that it has to become thinner.
    if (i % 20 == 0) clock.advance(std::chrono::milliseconds(1));
    const Block block = cheap_block(requests.next(), kBlockBytes);
    what_if.asked(static_cast<std::uint32_t>(hash(block.id())), block);
  }
  const auto report = what_if.report();
  EXPECT_GT(report.one_in, 1U);
  EXPECT_DOUBLE_EQ(report.requests, kRequests);
  for (const auto& curve : report.curves) {
    if (curve.policy != GetParam()) continue;
    ASSERT_EQ(curve.points.size(), WhatIf::kEighths.size());
    for (const auto& point : curve.points) {
      EXPECT_NEAR(point.hits, real_hits(GetParam(), point.budget_bytes), 0.02)
          << point.budget_bytes;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, WhatIfTest,
                         ::testing::Values(PolicyKind::lru, PolicyKind::s3_fifo),
                         [](const auto& given) {
                           return given.param == PolicyKind::lru ? "Lru" : "S3Fifo";
                         });

TEST(WhatIfBounds, MillionsOfIdsAndMuchMemoryTakeSixteenMebibytesAtMost) {
  HandClock clock;
  SeededRandom random(5);
  const IdHash hash(random);
  WhatIf what_if(std::size_t{64} << 30, clock);
  for (std::uint64_t i = 0; i < 600'000; ++i) {
    if (i % 1'000 == 0) clock.advance(std::chrono::seconds(1));
    const Block block = cheap_block(i, 10);
    what_if.asked(static_cast<std::uint32_t>(hash(block.id())), block);
  }
  const auto report = what_if.report();
  EXPECT_LT(report.overhead_bytes, std::size_t{16} << 20);
  EXPECT_GT(report.sampled_ids, 1'000U);
}

TEST(WhatIfBounds, AnotherBudgetBeginsAnewAndKeepsWhatIsKnown) {
  HandClock clock;
  SeededRandom random(5);
  const IdHash hash(random);
  WhatIf what_if(kBudget, clock);
  const auto ask_all = [&] {
    for (std::uint64_t i = 0; i < 1'000; ++i) {
      const Block block = cheap_block(i);
      what_if.asked(static_cast<std::uint32_t>(hash(block.id())), block);
    }
  };
  ask_all();
  EXPECT_DOUBLE_EQ(what_if.report().curves[0].points.back().hits, 0);
  what_if.set_budget(2 * kBudget);
  EXPECT_DOUBLE_EQ(what_if.report().requests, 0);
  ask_all();
  const auto report = what_if.report();
  EXPECT_EQ(report.curves[0].points.back().budget_bytes, 16 * kBudget);
  EXPECT_DOUBLE_EQ(report.curves[0].points.back().hits, 1);
}

TEST(WhatIfBounds, OldRequestsCountLess) {
  HandClock clock;
  SeededRandom random(5);
  const IdHash hash(random);
  WhatIf what_if(kBudget, clock);
  const auto ask = [&](std::uint64_t number) {
    const Block block = cheap_block(number);
    what_if.asked(static_cast<std::uint32_t>(hash(block.id())), block);
  };
  for (std::uint64_t i = 0; i < 1'000; ++i) ask(i);  // Nothing but misses.
  for (int minute = 0; minute < 120; ++minute) {
    clock.advance(std::chrono::minutes(1));
    for (int i = 0; i < 10; ++i) ask(1);
  }
  EXPECT_GT(what_if.report().curves[0].points.front().hits, 0.95);
}

TEST(WhatIfBounds, WithoutMemoryNothingIsSimulated) {
  HandClock clock;
  WhatIf what_if(0, clock);
  what_if.asked(0, cheap_block(1));
  what_if.stored(0, cheap_block(2));
  const auto report = what_if.report();
  EXPECT_EQ(report.sampled_ids, 0U);
  for (const auto& point : report.curves[0].points) EXPECT_EQ(point.budget_bytes, 0U);
}

TEST(WhatIfBounds, ErasedBlocksAreMissedAndStoredOnesAreNot) {
  HandClock clock;
  WhatIf what_if(kBudget, clock);
  const Block block = cheap_block(1);
  what_if.stored(0, block);
  what_if.asked(0, block);
  EXPECT_DOUBLE_EQ(what_if.report().curves[0].points.back().hits, 1);
  what_if.erased(0, block.id());
  what_if.asked(0, block);
  EXPECT_DOUBLE_EQ(what_if.report().curves[0].points.back().hits, 0.5);
}

}  // namespace
}  // namespace cairn
