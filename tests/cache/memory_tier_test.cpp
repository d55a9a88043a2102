#include "cache/memory_tier.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <list>

#include "tests/cache/maker_store.h"
#include "tests/cache/support.h"
#include "tests/fakes/memory_block_store.h"
#include "tests/fakes/run_task.h"

namespace cairn {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

class MemoryTierTest : public ::testing::Test {
 protected:
  Deadline soon() const { return clock_.in(std::chrono::seconds(60)); }
  Result<Stored> put(MemoryTier& tier, const Block& block) {
    return run_task(io_, tier.put(block, soon()));
  }
  Result<Found> get(MemoryTier& tier, const BlockId& id) {
    return run_task(io_, tier.get(id, soon()));
  }
  /// Without changing the order.
  bool held(MemoryTier& tier, std::uint64_t number) {
    return run_task(io_, tier.stat(cheap_id(number), soon())).value().source == Source::memory;
  }

  SystemClock clock_;
  SeededRandom random_{5};
  MemoryBlockStore next_{clock_};
  IoContext io_{1};
  const Block block_ = cheap_block(1);
};

TEST_F(MemoryTierTest, MissOfTryGetFillsMemory) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  ASSERT_TRUE(run_task(io_, next_.put(block_, soon())).has_value());
  EXPECT_EQ(tier.try_get(block_.id())->value().source, Source::storage);
  const auto again = tier.try_get(block_.id());
  EXPECT_EQ(again->value().source, Source::memory);
  EXPECT_EQ(again->value().block.bytes().data(), block_.bytes().data());
  EXPECT_EQ(next_.calls().try_get, 1U);
}

TEST_F(MemoryTierTest, MissOfGetFillsMemory) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  next_.set_answers_at_once(false);
  ASSERT_TRUE(run_task(io_, next_.put(block_, soon())).has_value());
  EXPECT_FALSE(tier.try_get(block_.id()).has_value());
  EXPECT_EQ(get(tier, block_.id()).value().source, Source::storage);
  EXPECT_EQ(get(tier, block_.id()).value().source, Source::memory);
  EXPECT_EQ(tier.try_get(block_.id())->value().source, Source::memory);
  EXPECT_EQ(next_.calls().get, 1U);
}

TEST_F(MemoryTierTest, AbsentBlockIsAnsweredAtOnceAndNotKept) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  EXPECT_EQ(tier.try_get(block_.id())->error().code, Errc::not_found);
  ASSERT_TRUE(run_task(io_, next_.put(block_, soon())).has_value());
  EXPECT_TRUE(tier.try_get(block_.id())->has_value());
}

TEST_F(MemoryTierTest, CorruptBlockIsNotKept) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  ASSERT_TRUE(run_task(io_, next_.put(block_, soon())).has_value());
  next_.spoil(block_.id());
  EXPECT_EQ(tier.try_get(block_.id())->error().code, Errc::corrupt);
  EXPECT_EQ(get(tier, block_.id()).error().code, Errc::corrupt);
  EXPECT_EQ(tier.stats().objects, 0U);
}

TEST_F(MemoryTierTest, AcknowledgedPutIsServedFromMemory) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  EXPECT_EQ(put(tier, block_).value(), Stored::created);
  EXPECT_EQ(tier.try_get(block_.id())->value().source, Source::memory);
  EXPECT_EQ(put(tier, block_).value(), Stored::held);
  EXPECT_EQ(next_.calls().put, 2U);
  EXPECT_EQ(tier.stats().objects, 1U);
}

TEST_F(MemoryTierTest, RefusedPutIsNotKept) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  next_.set_failure(Errc::full);
  EXPECT_EQ(put(tier, block_).error().code, Errc::full);
  EXPECT_EQ(tier.stats().objects, 0U);
}

TEST_F(MemoryTierTest, PutManyKeepsOnlyWhatWasAcknowledged) {
  MemoryBlockStore narrow(clock_, Source::storage, 250);
  MemoryTier tier({.budget_bytes = kMiB}, narrow, clock_, random_);
  const std::vector<Block> blocks{cheap_block(1), cheap_block(2), cheap_block(3)};
  const auto stored = run_task(io_, tier.put_many(blocks, soon()));
  EXPECT_TRUE(stored[1].has_value());
  EXPECT_EQ(stored[2].error().code, Errc::full);
  EXPECT_EQ(tier.stats().objects, 2U);
  EXPECT_EQ(tier.try_get(cheap_id(2))->value().source, Source::memory);
}

TEST_F(MemoryTierTest, PutIsNotKeptWhenToldSo) {
  MemoryTier tier({.budget_bytes = kMiB, .admit_puts = false}, next_, clock_, random_);
  ASSERT_TRUE(put(tier, block_).has_value());
  EXPECT_EQ(tier.stats().objects, 0U);
}

TEST_F(MemoryTierTest, MissingIsAlwaysAskedOfNext) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  ASSERT_TRUE(put(tier, block_).has_value());
  // What storage lost (or collected) must be sent again, although memory still has it.
  ASSERT_TRUE(run_task(io_, next_.erase(block_.id(), soon())).has_value());
  EXPECT_EQ(run_task(io_, tier.missing({block_.id()}, soon())).value(),
            std::vector<BlockId>{block_.id()});
}

TEST_F(MemoryTierTest, StatIsAnsweredFromMemoryWithoutCounting) {
  MemoryTier tier({.budget_bytes = kMiB}, next_, clock_, random_);
  ASSERT_TRUE(put(tier, block_).has_value());
  const auto known = run_task(io_, tier.stat(block_.id(), soon())).value();
  EXPECT_EQ(known.source, Source::memory);
  EXPECT_EQ(known.size_bytes, 100U);
  EXPECT_EQ(next_.calls().stat, 0U);
  EXPECT_EQ(tier.stats().hits, 0U);
}

TEST_F(MemoryTierTest, WithoutBudgetEverythingPassesThrough) {
  MemoryTier tier({.budget_bytes = 0}, next_, clock_, random_);
  ASSERT_TRUE(put(tier, block_).has_value());
  EXPECT_EQ(tier.try_get(block_.id())->value().source, Source::storage);
  EXPECT_EQ(tier.try_get(block_.id())->value().source, Source::storage);
  EXPECT_EQ(get(tier, block_.id()).value().source, Source::storage);
  EXPECT_EQ(tier.stats().objects, 0U);
}

TEST_F(MemoryTierTest, StatsTellWhatHappened) {
  HandClock clock;
  MakerStore maker([](std::uint64_t) { return std::size_t{10'000}; });
  MemoryTier tier({.budget_bytes = kMiB, .stripes = 1}, maker, clock, random_);
  tier.try_get(cheap_id(0));
  tier.try_get(cheap_id(0));
  tier.try_get(cheap_id(0));
  clock.advance(std::chrono::milliseconds(500));
  for (std::uint64_t number = 1; tier.stats().evictions < 2; ++number) {
    tier.try_get(cheap_id(number));
  }
  const CacheStats stats = tier.stats();
  EXPECT_EQ(stats.hits, 2U);
  EXPECT_EQ(stats.hit_bytes, 20'000U);
  EXPECT_EQ(stats.misses, stats.inserts);
  EXPECT_EQ(stats.inserted_bytes, stats.inserts * 10'000);
  EXPECT_EQ(stats.objects, stats.inserts - 2);
  EXPECT_EQ(stats.evicted_bytes, 20'000U);
  EXPECT_EQ(stats.evicted_unread, 1U);
  EXPECT_EQ(stats.evicted_age_ms_total, 500U);
  EXPECT_EQ(stats.budget_bytes, kMiB);
}

TEST_F(MemoryTierTest, OldestOfAllStripesLeavesFirst) {
  // Few blocks over many stripes: order must hold between stripes, not only within each.
  HandClock clock;
  MakerStore maker([](std::uint64_t) { return std::size_t{100'000}; });
  MemoryTier tier({.budget_bytes = kMiB, .stripes = 4}, maker, clock, random_);
  std::uint64_t number = 0;
  for (; tier.stats().evictions == 0; ++number) {
    tier.try_get(cheap_id(number));
    tier.try_get(cheap_id(0));
    clock.advance(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(held(tier, 1));
  for (std::uint64_t each = 2; each < number; ++each) EXPECT_TRUE(held(tier, each)) << each;
  EXPECT_TRUE(held(tier, 0));
}

TEST_F(MemoryTierTest, LruInOneStripeAgreesWithAModel) {
  EXPECT_TRUE(rc::check([this] {
    MakerStore maker([](std::uint64_t number) { return 1000 + number * 37; });
    MemoryTier tier({.budget_bytes = 100'000, .stripes = 1}, maker, clock_, random_);
    std::list<std::uint64_t> model;  // Front: served last.
    const int steps = *rc::gen::inRange(0, 400);
    for (int step = 0; step < steps; ++step) {
      const auto number = *rc::gen::inRange<std::uint64_t>(0, 100);
      if (*rc::gen::inRange(0, 12) == 0) {
        run_task(io_, tier.erase(cheap_id(number), soon())).value();
        model.remove(number);
        continue;
      }
      const bool held = std::find(model.begin(), model.end(), number) != model.end();
      const Source source = tier.try_get(cheap_id(number))->value().source;
      RC_ASSERT((source == Source::memory) == held);
      model.remove(number);
      model.push_front(number);
      // How many fit is the budget's business; which ones remain is the policy's.
      const std::size_t objects = tier.stats().objects;
      RC_ASSERT(objects <= model.size() && objects > 0);
      model.resize(objects);
    }
  }));
}

}  // namespace
}  // namespace cairn
