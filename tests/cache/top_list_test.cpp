// The list names the blocks that are asked for most, whatever else is asked, with their rates.
#include "cache/top_list.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/cache/support.h"

namespace cairn {
namespace {

TEST(TopList, NamesTheHottestWithTheirRatesAmongManyOthers) {
  HandClock clock;
  TopList top(1, clock);
  std::mt19937_64 random(11);  // NOLINT(*-msc51-cpp): the same each time.
  // A second has 1,000 requests: ids 0 to 9 get 20, 18, … 2; the rest goes to a million others.
  for (int second = 0; second < 200; ++second) {
    for (std::uint64_t id = 0; id < 10; ++id) {
      for (std::uint64_t i = 0; i < 20 - 2 * id; ++i) {
        top.count(cheap_id(id), 100, Source::memory);
      }
    }
    for (int i = 0; i < 890; ++i) {
      top.count(cheap_id(1'000 + random() % 1'000'000), 10, Source::storage);
    }
    clock.advance(std::chrono::seconds(1));
  }
  const auto list = top.top(10);
  ASSERT_EQ(list.size(), 10U);
  for (std::uint64_t id = 0; id < 8; ++id) {
    EXPECT_EQ(list[id].id, cheap_id(id));
    EXPECT_NEAR(list[id].per_second - list[id].error_per_second,
                20.0 - 2.0 * static_cast<double>(id), 2);
    EXPECT_EQ(list[id].size_bytes, 100U);
    EXPECT_EQ(list[id].source, Source::memory);
  }
  EXPECT_LE(top.top(1'000'000).size(), TopList::kEntries);
  EXPECT_NEAR(top.find(cheap_id(0)).per_second, 20, 2);
  EXPECT_EQ(top.find(cheap_id(999)).per_second, 0);
}

TEST(TopList, YesterdaysFavouritesGiveWay) {
  HandClock clock;
  TopList top(16, clock);
  for (int i = 0; i < 10'000; ++i) top.count(cheap_id(1), 1, Source::memory);
  for (int second = 0; second < 1'200; ++second) {
    clock.advance(std::chrono::seconds(1));
    top.count(cheap_id(2), 1, Source::memory);
  }
  const auto list = top.top(2);
  EXPECT_EQ(list[0].id, cheap_id(2));
  // One is counted of 16 that are asked.
  EXPECT_NEAR(list[0].per_second, 16, 2);
}

TEST(TopList, IsEmptyAtFirst) {
  HandClock clock;
  const TopList top(16, clock);
  EXPECT_TRUE(top.top(5).empty());
}

}  // namespace
}  // namespace cairn
