// An erased block does not come back through the cache, in whichever order a fetch or a put and the
// erase meet; each order is played by hand.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "cache/memory_tier.h"
#include "tests/cache/scripted_store.h"
#include "tests/cache/support.h"
#include "tests/fakes/run_task.h"

namespace cairn {
namespace {

class EraseRaceTest : public ::testing::Test {
 protected:
  Deadline soon() const { return clock_.in(std::chrono::seconds(60)); }
  template <class T>
  void start(Task<T> task, std::optional<T>& result) {
    boost::asio::co_spawn(io_, await_into(std::move(task), result), boost::asio::detached);
    settle();
  }
  void settle() {
    io_.restart();
    io_.poll();
  }
  void start_get() { start(tier_.get(block_.id(), soon()), found_); }
  void start_put() { start(tier_.put(block_, soon()), stored_); }
  void start_erase() { start(tier_.erase(block_.id(), soon()), erased_); }
  void finish_get(const std::shared_ptr<ScriptedStore::Call>& call) {
    call->found = Found{block_, Source::storage};
    finish(call);
  }
  void finish_put(const std::shared_ptr<ScriptedStore::Call>& call) {
    call->stored = Stored::created;
    finish(call);
  }
  void finish_erase(const std::shared_ptr<ScriptedStore::Call>& call) {
    call->erased = ok();
    finish(call);
  }
  void finish(const std::shared_ptr<ScriptedStore::Call>& call) {
    ScriptedStore::finish(call);
    settle();
  }
  bool in_memory() { return tier_.try_get(block_.id()).has_value(); }

  HandClock clock_;
  SeededRandom random_{7};
  const Block block_ = cheap_block(1);
  ScriptedStore next_;
  MemoryTier tier_{{.budget_bytes = std::size_t{1} << 20}, next_, clock_, random_};
  IoContext io_{1};
  std::optional<Result<Found>> found_;
  std::optional<Result<Stored>> stored_;
  std::optional<Result<void>> erased_;
};

TEST_F(EraseRaceTest, EraseForgetsBeforeNextDoes) {
  start_put();
  finish_put(next_.take());
  ASSERT_TRUE(in_memory());
  start_erase();
  EXPECT_FALSE(in_memory());
  finish_erase(next_.take());
  EXPECT_TRUE(erased_->has_value());
  EXPECT_FALSE(in_memory());
}

TEST_F(EraseRaceTest, FetchThatBeganBeforeAndEndsAfterIsNotKept) {
  start_get();
  const auto fetch = next_.take();
  start_erase();
  finish_erase(next_.take());
  finish_get(fetch);
  EXPECT_TRUE(found_->has_value());
  EXPECT_FALSE(in_memory());
}

TEST_F(EraseRaceTest, FetchThatBeganBeforeAndEndsDuringIsNotKept) {
  start_get();
  const auto fetch = next_.take();
  start_erase();
  finish_get(fetch);
  EXPECT_FALSE(in_memory());
  finish_erase(next_.take());
  EXPECT_FALSE(in_memory());
}

TEST_F(EraseRaceTest, FetchWithinTheEraseIsForgottenAtItsEnd) {
  start_erase();
  const auto erase = next_.take();
  start_get();
  finish_get(next_.take());
  EXPECT_TRUE(in_memory());
  finish_erase(erase);
  EXPECT_FALSE(in_memory());
}

TEST_F(EraseRaceTest, FetchThatBeganDuringAndEndsAfterIsNotKept) {
  start_erase();
  const auto erase = next_.take();
  start_get();
  const auto fetch = next_.take();
  finish_erase(erase);
  finish_get(fetch);
  EXPECT_FALSE(in_memory());
}

TEST_F(EraseRaceTest, NobodyJoinsAFetchFromBeforeTheErase) {
  start_get();
  const auto fetch = next_.take();
  start_erase();
  finish_erase(next_.take());
  std::optional<Result<Found>> after;
  start(tier_.get(block_.id(), soon()), after);
  ASSERT_EQ(next_.open(), 1U);
  finish_get(fetch);
  EXPECT_FALSE(after.has_value());
  next_.answer_get(fail(Errc::not_found));
  settle();
  EXPECT_EQ(after->error().code, Errc::not_found);
}

TEST_F(EraseRaceTest, PutAcknowledgedAfterTheEraseIsNotKept) {
  start_put();
  const auto put = next_.take();
  start_erase();
  finish_erase(next_.take());
  finish_put(put);
  EXPECT_TRUE(stored_->has_value());
  EXPECT_FALSE(in_memory());
}

TEST_F(EraseRaceTest, EraseThatIsNeverAnsweredForgetsAtItsEnd) {
  auto io = std::make_unique<IoContext>(1);
  boost::asio::co_spawn(*io, await_into(tier_.erase(block_.id(), soon()), erased_),
                        boost::asio::detached);
  io->poll();
  next_.take();
  start_get();
  finish_get(next_.take());
  ASSERT_TRUE(in_memory());
  io.reset();
  EXPECT_FALSE(in_memory());
}

TEST_F(EraseRaceTest, PutAfterEraseIsKept) {
  start_erase();
  finish_erase(next_.take());
  start_put();
  finish_put(next_.take());
  EXPECT_TRUE(in_memory());
}

}  // namespace
}  // namespace cairn
