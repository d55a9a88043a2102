#include "tests/fakes/memory_block_store.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "tests/conformance/block_store_suite.h"

namespace cairn {
namespace {

struct MemoryHarness {
  BlockStore& store() { return store_; }
  SystemClock clock_;
  MemoryBlockStore store_{clock_};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, BlockStoreSuite, MemoryHarness);

class MemoryBlockStoreTest : public ::testing::Test {
 protected:
  Deadline soon() const { return clock_.in(std::chrono::seconds(30)); }
  SystemClock clock_;
  IoContext io_{1};
};

TEST_F(MemoryBlockStoreTest, PutBeyondCapacityIsFull) {
  MemoryBlockStore store(clock_, Source::disk, 150);
  const Block first = make_test_block(1, 100);
  ASSERT_TRUE(run_task(io_, store.put(first, soon())).has_value());
  const auto second = run_task(io_, store.put(make_test_block(2, 100), soon()));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::full);
  EXPECT_EQ(store.count(), 1U);
  EXPECT_EQ(run_task(io_, store.get(first.id(), soon())).value().source, Source::disk);
}

TEST_F(MemoryBlockStoreTest, FailureIsAnsweredUntilCleared) {
  MemoryBlockStore store(clock_);
  const Block block = make_test_block(1, 100);
  ASSERT_TRUE(run_task(io_, store.put(block, soon())).has_value());
  store.set_failure(Errc::unavailable);
  EXPECT_FALSE(store.try_get(block.id()).has_value());
  EXPECT_EQ(run_task(io_, store.get(block.id(), soon())).error().code, Errc::unavailable);
  store.set_failure(std::nullopt);
  EXPECT_TRUE(run_task(io_, store.get(block.id(), soon())).has_value());
}

TEST_F(MemoryBlockStoreTest, SpoiledBlockIsCorruptUntilPutAgain) {
  MemoryBlockStore store(clock_);
  const Block block = make_test_block(1, 100);
  ASSERT_TRUE(run_task(io_, store.put(block, soon())).has_value());
  store.spoil(block.id());
  EXPECT_EQ(run_task(io_, store.get(block.id(), soon())).error().code, Errc::corrupt);
  EXPECT_EQ(run_task(io_, store.put(block, soon())).value(), Stored::created);
  EXPECT_TRUE(run_task(io_, store.get(block.id(), soon())).has_value());
}

TEST_F(MemoryBlockStoreTest, HeldGetsWaitForRelease) {
  MemoryBlockStore store(clock_);
  const Block block = make_test_block(1, 100);
  ASSERT_TRUE(run_task(io_, store.put(block, soon())).has_value());
  store.hold_gets();
  EXPECT_FALSE(store.try_get(block.id()).has_value());
  std::optional<Result<Found>> out;
  boost::asio::co_spawn(io_, await_into(store.get(block.id(), soon()), out), boost::asio::detached);
  io_.restart();
  io_.poll();
  EXPECT_EQ(store.held_gets(), 1U);
  EXPECT_FALSE(out.has_value());
  store.release_gets();
  io_.run();
  ASSERT_TRUE(out.has_value());
  EXPECT_TRUE(out->has_value());
}

}  // namespace
}  // namespace cairn
