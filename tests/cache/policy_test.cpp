#include "cache/policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/cache/support.h"

namespace cairn {
namespace {

/// A table under a policy, as a stripe has it, with blocks named by numbers that are their tags.
class Ordered {
 public:
  explicit Ordered(PolicyKind kind) : policy_(make_policy(kind)) {}

  void add(std::uint32_t number) {
    table_.insert(number, cheap_block(number, 1), 48, policy_->list_for(number), 0);
  }
  void add(std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t number = from; number < to; ++number) add(number);
  }
  void hit(std::uint32_t number, int times = 1) {
    const CacheIndex i = table_.find(number, cheap_id(number));
    ASSERT_NE(i, kNoIndex);
    for (int k = 0; k < times; ++k) policy_->hit(table_, table_.find(number, cheap_id(number)), 0);
  }
  /// Evicts one and tells its number.
  std::uint32_t evict() {
    CacheIndex i = kNoIndex;
    while (i == kNoIndex) i = policy_->victim(table_, 0);
    const std::uint32_t number = table_[i].tag;
    const auto list = static_cast<CacheList>(table_[i].list);
    table_.erase(i);
    policy_->evicted(number, list, table_.size());
    return number;
  }
  std::vector<std::uint32_t> evict(int count) {
    std::vector<std::uint32_t> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(evict());
    return numbers;
  }
  bool holds(std::uint32_t number) { return table_.find(number, cheap_id(number)) != kNoIndex; }
  bool on(CacheList list, std::uint32_t number) {
    const CacheIndex i = table_.find(number, cheap_id(number));
    return i != kNoIndex && table_[i].list == static_cast<std::uint32_t>(list);
  }
  void change(PolicyKind kind) { policy_ = make_policy(kind); }
  CachePolicy& policy() { return *policy_; }
  EntryTable& table() { return table_; }

 private:
  EntryTable table_;
  std::unique_ptr<CachePolicy> policy_;
};

TEST(PolicyName, RoundTripsAndRefusesOthers) {
  EXPECT_EQ(policy_from_name("lru"), PolicyKind::lru);
  EXPECT_EQ(policy_from_name("s3-fifo"), PolicyKind::s3_fifo);
  EXPECT_EQ(policy_from_name("S3-FIFO"), std::nullopt);
  EXPECT_EQ(name_of(PolicyKind::lru), "lru");
  EXPECT_EQ(name_of(PolicyKind::s3_fifo), "s3-fifo");
}

TEST(LruPolicy, LeastRecentlyServedLeavesFirst) {
  Ordered cache(PolicyKind::lru);
  cache.add(0, 5);
  cache.hit(1);
  cache.hit(0);
  cache.hit(1);
  EXPECT_EQ(cache.evict(5), (std::vector<std::uint32_t>{2, 3, 4, 0, 1}));
}

TEST(LruPolicy, EmptyTableHasNoVictim) {
  Ordered cache(PolicyKind::lru);
  EXPECT_EQ(cache.policy().victim(cache.table(), 0), kNoIndex);
}

TEST(S3FifoPolicy, OneHitWondersLeaveFirstInOrder) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 20);
  for (std::uint32_t number = 0; number < 10; ++number) cache.hit(number, 2);
  EXPECT_EQ(cache.evict(5), (std::vector<std::uint32_t>{10, 11, 12, 13, 14}));
  for (std::uint32_t number = 0; number < 10; ++number) {
    EXPECT_TRUE(cache.on(CacheList::main, number)) << number;
  }
}

TEST(S3FifoPolicy, HitDoesNotReorderTheSmallQueue) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 10);
  cache.hit(0);
  EXPECT_EQ(cache.evict(), 0U);
}

TEST(S3FifoPolicy, GhostReturnsToTheMainQueue) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 20);
  EXPECT_EQ(cache.evict(), 0U);
  cache.add(0);
  EXPECT_TRUE(cache.on(CacheList::main, 0));
  cache.add(100);
  EXPECT_TRUE(cache.on(CacheList::small, 100));
}

TEST(S3FifoPolicy, GhostIsForgottenAfterAsManyEvictionsAsAreHeld) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 20);
  EXPECT_EQ(cache.evict(), 0U);
  for (std::uint32_t number = 100; number < 120; ++number) {
    cache.add(number);
    cache.evict();
  }
  cache.add(0);
  EXPECT_TRUE(cache.on(CacheList::small, 0));
}

TEST(S3FifoPolicy, MainQueueGivesWhenSmallIsBelowATenth) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 20);
  for (std::uint32_t number = 0; number < 20; ++number) cache.hit(number, 2);
  // All move to main with their counters at 0; then the oldest of them leaves.
  EXPECT_EQ(cache.evict(), 0U);
  cache.add(50);
  EXPECT_EQ(cache.evict(), 1U);
  EXPECT_TRUE(cache.on(CacheList::small, 50));
}

TEST(S3FifoPolicy, MainQueueReinsertsWhatWasServedOncePerHit) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 20);
  for (std::uint32_t number = 0; number < 20; ++number) cache.hit(number, 2);
  EXPECT_EQ(cache.evict(), 0U);
  cache.hit(1);
  cache.hit(2, 9);
  EXPECT_EQ(cache.evict(), 3U);
  std::vector<std::uint32_t> rest = cache.evict(18);
  const auto place_of = [&](std::uint32_t number) { return std::ranges::find(rest, number); };
  EXPECT_LT(place_of(18), place_of(1));
  EXPECT_LT(place_of(1), place_of(2));
  EXPECT_EQ(rest.back(), 2U);
}

TEST(S3FifoPolicy, SearchIsBoundedAndGoesOnWhenAskedAgain) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 1000);
  for (std::uint32_t number = 0; number < 1000; ++number) cache.hit(number, 3);
  EXPECT_EQ(cache.policy().victim(cache.table(), 0), kNoIndex);
  EXPECT_EQ(cache.evict(), 0U);
}

TEST(CachePolicy, LruTakesOverFromS3Fifo) {
  Ordered cache(PolicyKind::s3_fifo);
  cache.add(0, 20);
  for (std::uint32_t number = 0; number < 10; ++number) cache.hit(number, 2);
  EXPECT_EQ(cache.evict(), 10U);  // 0 to 9 are in main, 11 to 19 in small now.
  cache.change(PolicyKind::lru);
  cache.hit(11);
  EXPECT_EQ(cache.evict(8), (std::vector<std::uint32_t>{12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_EQ(cache.evict(11), (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11}));
}

TEST(CachePolicy, S3FifoTakesOverFromLru) {
  Ordered cache(PolicyKind::lru);
  cache.add(0, 20);
  cache.change(PolicyKind::s3_fifo);
  cache.hit(0);
  cache.add(20, 24);
  EXPECT_EQ(cache.evict(3), (std::vector<std::uint32_t>{20, 21, 1}));
  EXPECT_TRUE(cache.holds(0));
}

}  // namespace
}  // namespace cairn
