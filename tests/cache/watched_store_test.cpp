// Watching changes no answer, and sees each once.
#include "cache/watched_store.h"

#include "cache/memory_tier.h"
#include "tests/cache/support.h"
#include "tests/conformance/block_store_suite.h"
#include "tests/fakes/memory_block_store.h"
#include "tests/fakes/run_task.h"

namespace cairn {
namespace {

struct WatchedHarness {
  BlockStore& store() { return watched; }

  SystemClock clock;
  SeededRandom random{1};
  MemoryBlockStore next{clock};
  MemoryTier tier{{.budget_bytes = std::size_t{1} << 20}, next, clock, random};
  WatchedStore watched{tier, std::size_t{1} << 20, clock, random};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Watched, BlockStoreSuite, WatchedHarness);

TEST(WatchedStore, CountsEachAnswerByItsSource) {
  WatchedHarness given;
  boost::asio::io_context io;
  const Deadline soon = given.clock.in(std::chrono::seconds(60));
  const Block block = make_test_block(1, 1'000);
  given.next.set_answers_at_once(false);
  ASSERT_TRUE(run_task(io, given.next.put(block, soon)).has_value());
  EXPECT_FALSE(given.watched.try_get(block.id()).has_value());
  ASSERT_TRUE(run_task(io, given.watched.get(block.id(), soon)).has_value());
  for (int i = 0; i < 999; ++i) ASSERT_TRUE(given.watched.try_get(block.id()).has_value());
  EXPECT_TRUE(run_task(io, given.watched.get(make_test_block(2, 1).id(), soon)).has_error());
  const auto sources = given.watched.sources();
  EXPECT_EQ(sources[static_cast<std::size_t>(Source::storage)].requests, 1U);
  const auto& memory = sources[static_cast<std::size_t>(Source::memory)];
  EXPECT_EQ(memory.requests, 999U);
  EXPECT_EQ(memory.bytes, 999'000U);
  EXPECT_GT(percentile_us(memory, 0.5), 0);
  EXPECT_GT(given.watched.top().find(block.id()).per_second, 100);
  EXPECT_DOUBLE_EQ(given.watched.what_if().requests, 1'000);
}

TEST(SourceMeter, TimesFallIntoTheirBuckets) {
  SourceMeter meter;
  using std::chrono::microseconds;
  for (const int us : {1, 2, 3, 200'000, 200'001}) meter.timed(Source::disk, microseconds(us));
  meter.timed(Source::disk, std::chrono::nanoseconds(1'001));
  const auto figures = meter.snapshot()[static_cast<std::size_t>(Source::disk)];
  EXPECT_EQ(figures.latency[0], 1U);
  EXPECT_EQ(figures.latency[1], 2U);
  EXPECT_EQ(figures.latency[2], 1U);
  EXPECT_EQ(figures.latency[14], 1U);
  EXPECT_EQ(figures.latency[15], 1U);
  EXPECT_DOUBLE_EQ(percentile_us(figures, 0.5), 2);
  EXPECT_DOUBLE_EQ(percentile_us(figures, 1), 400'000);
  EXPECT_DOUBLE_EQ(percentile_us(SourceMeter::Figures{}, 0.5), 0);
}

}  // namespace
}  // namespace cairn
