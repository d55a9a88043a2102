// What every BlockStore must do, as one typed suite: storage, each cache tier, the remote stores
// and the memory fake run it. An implementation's test file defines a Harness
//     struct Harness { BlockStore& store(); };
// that is made anew (with an empty store) for each test, includes this header and says
//     INSTANTIATE_TYPED_TEST_SUITE_P(Name, BlockStoreSuite, Harness);
// With `void reopen()` the store is closed and opened again, and must hold what it acknowledged.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/block_store.h"
#include "base/limits.h"
#include "tests/conformance/mixed_calls.h"
#include "tests/conformance/test_block.h"
#include "tests/fakes/run_task.h"

namespace cairn {

template <class Harness>
class BlockStoreSuite : public ::testing::Test {
 protected:
  static constexpr bool kReopens = requires(Harness h) { h.reopen(); };

  BlockStore& store() { return harness_.store(); }
  Deadline soon() const { return clock_.in(std::chrono::seconds(60)); }

  Result<Stored> put(const Block& block) { return run_task(io_, store().put(block, soon())); }
  Result<Found> get(const BlockId& id) { return run_task(io_, store().get(id, soon())); }
  Result<BlockStat> stat(const BlockId& id) { return run_task(io_, store().stat(id, soon())); }
  Result<void> erase(const BlockId& id) { return run_task(io_, store().erase(id, soon())); }
  Result<std::vector<BlockId>> missing(std::vector<BlockId> ids) {
    return run_task(io_, store().missing(std::move(ids), soon()));
  }

  /// Checks every way of asking at once: the block is there and right.
  void expect_held(const Block& block) {
    const auto found = get(block.id());
    ASSERT_TRUE(found.has_value()) << found.error().detail;
    EXPECT_EQ(found.value().block.id(), block.id());
    EXPECT_TRUE(same_bytes(found.value().block, block));
    const auto known = stat(block.id());
    ASSERT_TRUE(known.has_value()) << known.error().detail;
    EXPECT_EQ(known.value().size_bytes, block.size_bytes());
    if (const auto at_once = store().try_get(block.id())) {
      ASSERT_TRUE(at_once->has_value()) << at_once->error().detail;
      EXPECT_TRUE(same_bytes(at_once->value().block, block));
    }
    EXPECT_TRUE(missing({block.id()}).value().empty());
  }

  /// Checks every way of asking at once: the block is not there.
  void expect_not_held(const BlockId& id) {
    const auto found = get(id);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, Errc::not_found);
    const auto known = stat(id);
    ASSERT_FALSE(known.has_value());
    EXPECT_EQ(known.error().code, Errc::not_found);
    if (const auto at_once = store().try_get(id)) {
      ASSERT_FALSE(at_once->has_value());
      EXPECT_EQ(at_once->error().code, Errc::not_found);
    }
    EXPECT_EQ(missing({id}).value(), std::vector<BlockId>{id});
  }

  SystemClock clock_;
  IoContext io_{1};
  Harness harness_;
};

TYPED_TEST_SUITE_P(BlockStoreSuite);

/// Sizes around every place where an implementation may change its way of storing.
inline std::vector<std::size_t> conformance_sizes() {
  return {1,    2,     31,    100,   511,   512,   513,     4095,          4096,
          4097, 16384, 32767, 32768, 32769, 65536, 1 << 20, (1 << 20) + 1, 5'000'000};
}

TYPED_TEST_P(BlockStoreSuite, EmptyStoreHoldsNothing) {
  this->expect_not_held(make_test_block(1, 100).id());
  EXPECT_TRUE(this->missing({}).value().empty());
}

TYPED_TEST_P(BlockStoreSuite, PutOfEachSizeIsReadBack) {
  for (const std::size_t size : conformance_sizes()) {
    SCOPED_TRACE(size);
    const Block block = make_test_block(7, size);
    const auto stored = this->put(block);
    ASSERT_TRUE(stored.has_value()) << stored.error().detail;
    EXPECT_EQ(stored.value(), Stored::created);
    this->expect_held(block);
  }
  for (const std::size_t size : conformance_sizes()) this->expect_held(make_test_block(7, size));
}

TYPED_TEST_P(BlockStoreSuite, LargestBlockIsReadBack) {
  const Block block = make_test_block(8, kMaxBlockBytes);
  ASSERT_EQ(this->put(block).value(), Stored::created);
  this->expect_held(block);
}

TYPED_TEST_P(BlockStoreSuite, PutAgainIsHeld) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{4096}, std::size_t{100'000}}) {
    const Block block = make_test_block(9, size);
    EXPECT_EQ(this->put(block).value(), Stored::created);
    EXPECT_EQ(this->put(block).value(), Stored::held);
    this->expect_held(block);
  }
}

TYPED_TEST_P(BlockStoreSuite, ErasedBlockIsNotFoundAndCanBePutAgain) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{4096}, std::size_t{100'000}}) {
    const Block block = make_test_block(10, size);
    const Block other = make_test_block(11, size);
    ASSERT_TRUE(this->put(block).has_value());
    ASSERT_TRUE(this->put(other).has_value());
    ASSERT_TRUE(this->erase(block.id()).has_value());
    this->expect_not_held(block.id());
    this->expect_held(other);
    EXPECT_EQ(this->put(block).value(), Stored::created);
    this->expect_held(block);
  }
}

TYPED_TEST_P(BlockStoreSuite, EraseOfUnknownBlockSucceeds) {
  EXPECT_TRUE(this->erase(make_test_block(12, 10).id()).has_value());
}

TYPED_TEST_P(BlockStoreSuite, PutManyAnswersEachInOrder) {
  const Block held = make_test_block(20, 300);
  const Block small = make_test_block(21, 4096);
  const Block large = make_test_block(22, 200'000);
  ASSERT_TRUE(this->put(held).has_value());
  const auto results =
      run_task(this->io_, this->store().put_many({small, held, large, small}, this->soon()));
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].value(), Stored::created);
  EXPECT_EQ(results[1].value(), Stored::held);
  EXPECT_EQ(results[2].value(), Stored::created);
  EXPECT_EQ(results[3].value(), Stored::held);
  for (const Block& block : {held, small, large}) this->expect_held(block);
  EXPECT_TRUE(run_task(this->io_, this->store().put_many({}, this->soon())).empty());
}

TYPED_TEST_P(BlockStoreSuite, MissingKeepsOrderAndRepeats) {
  const Block one = make_test_block(30, 100);
  const Block two = make_test_block(31, 100'000);
  ASSERT_TRUE(this->put(one).has_value());
  ASSERT_TRUE(this->put(two).has_value());
  std::vector<BlockId> ids;
  std::vector<BlockId> expected;
  for (std::uint64_t i = 0; i + 2 < kMaxIdsPerCall / 2; ++i) {
    const BlockId absent = make_test_block(1000 + i, 8).id();
    ids.insert(ids.end(), {absent, i % 2 == 0 ? one.id() : two.id()});
    expected.push_back(absent);
  }
  ids.push_back(ids.front());
  expected.push_back(ids.front());
  EXPECT_EQ(this->missing(ids).value(), expected);
}

TYPED_TEST_P(BlockStoreSuite, EqualPutsAtOnceAllSucceed) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{4096}, std::size_t{100'000}}) {
    const Block block = make_test_block(40, size);
    std::vector<Task<Result<Stored>>> puts;
    for (int i = 0; i < 32; ++i) puts.push_back(this->store().put(block, this->soon()));
    const auto results = run_tasks(this->io_, std::move(puts));
    EXPECT_GE(
        std::ranges::count_if(results, [](const auto& r) { return r.value() == Stored::created; }),
        1);
    this->expect_held(block);
  }
}

TYPED_TEST_P(BlockStoreSuite, ThreadsAtOnceEachReadTheirOwnPuts) {
  constexpr int kThreads = 4;
  constexpr std::uint64_t kBlocks = 40;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &wrong] {
      IoContext io{1};
      for (std::uint64_t i = 0; i < kBlocks; ++i) {
        // Every second block is one that all threads put, the others are the thread's own.
        const std::uint64_t seed =
            i % 2 == 0 ? 5000 + i : 6000 + i + static_cast<std::uint64_t>(t) * 100;
        const Block block = make_test_block(seed, 1 + (i * 997) % 70'000);
        const auto stored = run_task(io, this->store().put(block, this->soon()));
        const auto found = run_task(io, this->store().get(block.id(), this->soon()));
        if (!stored.has_value() || !found.has_value() || !same_bytes(found.value().block, block)) {
          ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TYPED_TEST_P(BlockStoreSuite, ThreadsThatPutEraseAndGetTheSameBlocksAgreeInTheEnd) {
  MixedCalls calls;
  calls.run(this->store(), this->soon());
  EXPECT_EQ(calls.wrong(), 0);
  for (int look = 0; look < (TestFixture::kReopens ? 2 : 1); ++look) {
    if constexpr (TestFixture::kReopens) {
      if (look > 0) this->harness_.reopen();
    }
    for (const Block& block : calls.blocks()) {
      const bool held = this->get(block.id()).has_value();
      EXPECT_TRUE(calls.allow(block, held)) << block.size_bytes() << (held ? " held" : " not held");
      held ? this->expect_held(block) : this->expect_not_held(block.id());
    }
  }
}

TYPED_TEST_P(BlockStoreSuite, PassedDeadlineEndsTheCall) {
  const Block block = make_test_block(50, 100);
  ASSERT_TRUE(this->put(block).has_value());
  const Deadline passed = this->clock_.in(std::chrono::seconds(-1));
  const auto found = run_task(this->io_, this->store().get(block.id(), passed));
  if (found.has_value()) {
    EXPECT_TRUE(same_bytes(found.value().block, block));
  } else {
    EXPECT_EQ(found.error().code, Errc::unavailable);
  }
  const Block other = make_test_block(51, 100);
  const auto stored = run_task(this->io_, this->store().put(other, passed));
  if (stored.has_value()) {
    this->expect_held(other);
  } else {
    EXPECT_EQ(stored.error().code, Errc::unavailable);
  }
}

TYPED_TEST_P(BlockStoreSuite, RandomCallsAgreeWithAModel) {
  std::mt19937_64 numbers(20'260'101);
  std::map<std::uint64_t, bool> model;
  for (int step = 0; step < 600; ++step) {
    SCOPED_TRACE(step);
    const std::uint64_t seed = numbers() % 24;
    const Block block = make_test_block(seed, 1 + seed * seed * 150);
    const bool held = model[seed];
    switch (numbers() % 8) {
      case 0:
      case 1:
      case 2: {
        const auto stored = this->put(block);
        ASSERT_TRUE(stored.has_value()) << stored.error().detail;
        ASSERT_EQ(stored.value(), held ? Stored::held : Stored::created);
        model[seed] = true;
        break;
      }
      case 3:
        ASSERT_TRUE(this->erase(block.id()).has_value());
        model[seed] = false;
        break;
      case 4:
        if constexpr (TestFixture::kReopens) {
          if (numbers() % 8 == 0) this->harness_.reopen();
        }
        break;
      default:
        if (held) {
          this->expect_held(block);
        } else {
          this->expect_not_held(block.id());
        }
    }
  }
  for (const auto& [seed, held] : model) {
    const Block block = make_test_block(seed, 1 + seed * seed * 150);
    if (held) {
      this->expect_held(block);
    } else {
      this->expect_not_held(block.id());
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(BlockStoreSuite, EmptyStoreHoldsNothing, PutOfEachSizeIsReadBack,
                            LargestBlockIsReadBack, PutAgainIsHeld,
                            ErasedBlockIsNotFoundAndCanBePutAgain, EraseOfUnknownBlockSucceeds,
                            PutManyAnswersEachInOrder, MissingKeepsOrderAndRepeats,
                            EqualPutsAtOnceAllSucceed, ThreadsAtOnceEachReadTheirOwnPuts,
                            ThreadsThatPutEraseAndGetTheSameBlocksAgreeInTheEnd,
                            PassedDeadlineEndsTheCall, RandomCallsAgreeWithAModel);

}  // namespace cairn
