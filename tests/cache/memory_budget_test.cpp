#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cmath>
#include <random>
#include <thread>

#include "cache/memory_tier.h"
#include "tests/cache/maker_store.h"
#include "tests/cache/support.h"
#include "tests/fakes/run_task.h"

namespace cairn {
namespace {

constexpr std::size_t kKiB = std::size_t{1} << 10;
constexpr std::size_t kMiB = std::size_t{1} << 20;

/// 1 B to 1 MiB, each order of magnitude as likely as the next; the same for the same number.
std::size_t mixed_size(std::uint64_t number) {
  std::mt19937_64 numbers(number);
  return static_cast<std::size_t>(std::exp2(std::uniform_real_distribution<>(0, 20)(numbers)));
}

struct Level {
  std::size_t lowest = 0;
  std::size_t highest = 0;
};

/// set_budget() with a result, for run_task().
Task<bool> set_budget_then(MemoryTier& tier, std::size_t budget_bytes, bool then) {
  co_await tier.set_budget(budget_bytes);
  co_return then;
}

class MemoryBudgetTest : public ::testing::TestWithParam<PolicyKind> {
 protected:
  MemoryTier::Options options(std::size_t budget_bytes, std::size_t stripes = 16) const {
    return {.budget_bytes = budget_bytes, .policy = GetParam(), .stripes = stripes};
  }

  /// Asks for `count` blocks, mostly new ones, and tells how full the tier was on the way.
  Level ask(MemoryTier& tier, int count, std::uint64_t first = 0) {
    Level level{tier.stats().used_bytes, tier.stats().used_bytes};
    for (int i = 0; i < count; ++i) {
      const std::uint64_t newest = first + static_cast<std::uint64_t>(i);
      const std::uint64_t number =
          numbers_() % 4 == 0 ? newest - std::min<std::uint64_t>(newest, numbers_() % 100) : newest;
      EXPECT_TRUE(tier.try_get(cheap_id(number))->has_value());
      const CacheStats stats = tier.stats();
      EXPECT_EQ(stats.used_bytes, stats.block_bytes + stats.overhead_bytes);
      level.lowest = std::min(level.lowest, stats.used_bytes);
      level.highest = std::max(level.highest, stats.used_bytes);
    }
    return level;
  }

  std::mt19937_64 numbers_{11};
  HandClock clock_;
  SeededRandom random_{5};
};

TEST_P(MemoryBudgetTest, SamePolicySetAgainKeepsWhatItRemembers) {
  MakerStore next([](std::uint64_t) { return 1000; });
  MemoryTier tier(options(256 * kKiB), next, clock_, random_);
  ask(tier, 5'000);
  const CacheStats before = tier.stats();
  tier.set_policy(GetParam());
  EXPECT_EQ(tier.stats().overhead_bytes, before.overhead_bytes);
}

TEST_P(MemoryBudgetTest, MixedSizesStayWithinTwoPercent) {
  constexpr std::size_t kBudget = 64 * kMiB;
  MakerStore next(mixed_size);
  MemoryTier tier(options(kBudget), next, clock_, random_);
  const Level filling = ask(tier, 3000);
  EXPECT_LE(filling.highest, kBudget + kBudget / 50);
  const Level full = ask(tier, 3000, 3000);
  EXPECT_LE(full.highest, kBudget + kBudget / 50);
  EXPECT_GE(full.lowest, kBudget - kBudget / 50);
}

TEST_P(MemoryBudgetTest, SmallObjectsStayWithinTwoPercent) {
  constexpr std::size_t kBudget = 4 * kMiB;
  MakerStore next([](std::uint64_t number) { return 1 + number % 200; });
  MemoryTier tier(options(kBudget), next, clock_, random_);
  ask(tier, 40'000);
  const Level full = ask(tier, 20'000, 40'000);
  EXPECT_LE(full.highest, kBudget + kBudget / 50);
  EXPECT_GE(full.lowest, kBudget - kBudget / 50);
}

TEST_P(MemoryBudgetTest, FewLargeBlocksInManyStripesFillTheBudget) {
  // Four blocks of 1 MiB in 4 MiB; their bookkeeping alone is what goes over.
  constexpr std::size_t kBudget = 4 * kMiB;
  MakerStore next([](std::uint64_t) { return kMiB; });
  MemoryTier tier(options(kBudget), next, clock_, random_);
  ask(tier, 20);
  const Level full = ask(tier, 200, 20);
  EXPECT_LE(full.highest, kBudget + kBudget / 50);
  EXPECT_GE(full.lowest, kBudget - kBudget / 50);
  EXPECT_EQ(tier.stats().objects, 4U);
}

TEST_P(MemoryBudgetTest, LargeBlocksAmongSmallOnesStayBelowTheLimit) {
  constexpr std::size_t kBudget = 4 * kMiB;
  MakerStore next(mixed_size);
  MemoryTier tier(options(kBudget, 64), next, clock_, random_);
  const Level level = ask(tier, 5000);
  EXPECT_LE(level.highest, kBudget + kBudget / 50);
  EXPECT_GE(level.highest, kBudget - kBudget / 50);
}

TEST_P(MemoryBudgetTest, BlockAboveAQuarterOfTheBudgetIsNotKept) {
  MakerStore next([](std::uint64_t number) { return number; });
  MemoryTier tier(options(kMiB), next, clock_, random_);
  tier.try_get(cheap_id(kMiB / 4 + 1));
  EXPECT_EQ(tier.stats().objects, 0U);
  EXPECT_EQ(tier.stats().refused, 1U);
  tier.try_get(cheap_id(kMiB / 4));
  EXPECT_EQ(tier.stats().objects, 1U);
}

TEST_P(MemoryBudgetTest, LargeBlockDoesNotEvictWithoutEnd) {
  // A block worth ten thousand others is refused at first, and fits when asked for again.
  MakerStore next([](std::uint64_t number) { return number == 1 ? 4 * kMiB : 1; });
  MemoryTier tier(options(16 * kMiB), next, clock_, random_);
  for (std::uint64_t number = 2; tier.stats().evictions == 0; ++number) {
    tier.try_get(cheap_id(number));
  }
  const std::uint64_t before = tier.stats().evictions;
  tier.try_get(cheap_id(1));
  EXPECT_EQ(tier.stats().refused, 1U);
  EXPECT_LE(tier.stats().evictions - before, 4200U);
  int asked = 1;
  while (tier.try_get(cheap_id(1))->value().source != Source::memory) ASSERT_LT(++asked, 20);
}

TEST_P(MemoryBudgetTest, MetadataIsAtMost64BytesAnObject) {
  MakerStore next([](std::uint64_t) { return std::size_t{100}; });
  MemoryTier tier(options(8 * kMiB), next, clock_, random_);
  for (std::uint64_t number = 0; number < 100'000; ++number) tier.try_get(cheap_id(number));
  const CacheStats stats = tier.stats();
  ASSERT_GT(stats.evictions, stats.objects);
  const double each =
      static_cast<double>(stats.overhead_bytes) / static_cast<double>(stats.objects);
  RecordProperty("metadata_bytes_an_object", std::to_string(each));
  EXPECT_LE(each, 64.0);
  EXPECT_GE(each, 36.0);  // An entry and its bucket: less would mean that something is not counted.
}

TEST_P(MemoryBudgetTest, ShrinkingGivesBackBlocksAndTables) {
  MakerStore next([](std::uint64_t) { return std::size_t{100}; });
  MemoryTier tier(options(12 * kMiB), next, clock_, random_);
  for (std::uint64_t number = 0; number < 80'000; ++number) tier.try_get(cheap_id(number));
  IoContext io(1);
  run_task(io, set_budget_then(tier, 2 * kMiB, true));
  const CacheStats stats = tier.stats();
  EXPECT_LE(stats.used_bytes, 2 * kMiB);
  EXPECT_GE(stats.used_bytes, 2 * kMiB - 2 * kMiB / 50);
  EXPECT_EQ(stats.budget_bytes, 2 * kMiB);
  EXPECT_LE(stats.overhead_bytes, stats.objects * 80);
}

TEST_P(MemoryBudgetTest, ShrinkingLetsTheLoopRunBetweenSteps) {
  MakerStore next([](std::uint64_t) { return std::size_t{100}; });
  MemoryTier tier(options(8 * kMiB), next, clock_, random_);
  for (std::uint64_t number = 0; number < 45'000; ++number) tier.try_get(cheap_id(number));
  const std::uint64_t before = tier.stats().evictions;
  IoContext io(1);
  std::optional<bool> done;
  boost::asio::co_spawn(io, await_into(set_budget_then(tier, 0, true), done),
                        boost::asio::detached);
  std::uint64_t largest = 0;
  std::uint64_t last = before;
  while (io.poll_one() > 0) {
    largest = std::max(largest, tier.stats().evictions - last);
    last = tier.stats().evictions;
  }
  EXPECT_TRUE(done.has_value());
  EXPECT_LE(largest, 300U);
  EXPECT_GT(last - before, 10'000U);
  EXPECT_EQ(tier.stats().objects, 0U);
}

TEST_P(MemoryBudgetTest, GrowingTakesEffectAtOnce) {
  MakerStore next([](std::uint64_t) { return 10 * kKiB; });
  MemoryTier tier(options(0), next, clock_, random_);
  EXPECT_EQ(ask(tier, 100).highest, tier.stats().overhead_bytes);
  EXPECT_EQ(tier.stats().objects, 0U);
  IoContext io(1);
  run_task(io, set_budget_then(tier, 8 * kMiB, true));
  ask(tier, 2000, 100);
  EXPECT_GE(tier.stats().used_bytes, 8 * kMiB - 8 * kMiB / 50);
}

TEST_P(MemoryBudgetTest, ThreadsAtOnceStayWithinTwoPercent) {
  constexpr std::size_t kBudget = 16 * kMiB;
  MakerStore next([](std::uint64_t number) { return std::size_t{1} << (number % 18); });
  SystemClock clock;
  MemoryTier tier(options(kBudget), next, clock, random_);
  std::atomic<std::size_t> highest{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 numbers(t);
      for (int i = 0; i < 4000; ++i) {
        tier.try_get(cheap_id(numbers() % 4000));
        if (i % 100 == 0) {
          const std::size_t used = tier.stats().used_bytes;
          std::size_t known = highest.load();
          while (used > known && !highest.compare_exchange_weak(known, used)) {
          }
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(highest.load(), kBudget + kBudget / 50);
  const CacheStats stats = tier.stats();
  EXPECT_EQ(stats.used_bytes, stats.block_bytes + stats.overhead_bytes);
  EXPECT_GE(stats.used_bytes, kBudget - kBudget / 50);
}

INSTANTIATE_TEST_SUITE_P(Policies, MemoryBudgetTest,
                         ::testing::Values(PolicyKind::lru, PolicyKind::s3_fifo),
                         [](const auto& kind) {
                           return kind.param == PolicyKind::lru ? "Lru" : "S3Fifo";
                         });

}  // namespace
}  // namespace cairn
