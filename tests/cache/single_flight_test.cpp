#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "cache/memory_tier.h"
#include "tests/cache/scripted_store.h"
#include "tests/cache/support.h"
#include "tests/fakes/memory_block_store.h"
#include "tests/fakes/run_task.h"

namespace cairn {
namespace {

class SingleFlightTest : public ::testing::Test {
 protected:
  using Answer = std::optional<Result<Found>>;

  MemoryTier::Options options() const {
    return {.budget_bytes = std::size_t{1} << 20, .max_waiters = 3};
  }
  Deadline soon() const { return clock_.in(std::chrono::seconds(60)); }

  void start(IoContext& io, Answer& answer, Deadline deadline) {
    boost::asio::co_spawn(io, await_into(tier_.get(block_.id(), deadline), answer),
                          boost::asio::detached);
    io.restart();
    io.poll();
  }
  void start(Answer& answer) { start(*io_, answer, soon()); }
  /// Runs what is ready on both loops until nothing is.
  void settle() {
    for (;;) {
      std::size_t ran = 0;
      for (IoContext* io : {io_.get(), other_io_.get()}) {
        if (io == nullptr) continue;
        io->restart();
        ran += io->poll();
      }
      if (ran == 0) return;
    }
  }
  Result<Found> found() const { return Found{block_, Source::storage}; }

  HandClock clock_;
  SeededRandom random_{7};
  const Block block_ = cheap_block(1);
  ScriptedStore next_;
  MemoryTier tier_{options(), next_, clock_, random_};
  std::unique_ptr<IoContext> io_ = std::make_unique<IoContext>(1);
  std::unique_ptr<IoContext> other_io_ = std::make_unique<IoContext>(1);
};

TEST_F(SingleFlightTest, SimultaneousMissesBecomeOneFetch) {
  Answer first, second, elsewhere;
  start(first);
  start(second);
  start(*other_io_, elsewhere, soon());
  ASSERT_EQ(next_.open(), 1U);
  EXPECT_FALSE(tier_.try_get(block_.id()).has_value());
  next_.answer_get(found());
  settle();
  for (const Answer* answer : {&first, &second, &elsewhere}) {
    ASSERT_TRUE(answer->has_value());
    EXPECT_EQ((*answer)->value().block.id(), block_.id());
    EXPECT_EQ((*answer)->value().source, Source::storage);
  }
  EXPECT_EQ(next_.open(), 0U);
  EXPECT_EQ(tier_.try_get(block_.id())->value().source, Source::memory);
  const CacheStats stats = tier_.stats();
  EXPECT_EQ(stats.misses, 3U);
  EXPECT_EQ(stats.coalesced, 2U);
  EXPECT_EQ(stats.hits, 1U);
  EXPECT_EQ(stats.fetches, 0U);
}

TEST_F(SingleFlightTest, WaiterResumesOnItsOwnLoop) {
  Answer first, elsewhere;
  start(first);
  start(*other_io_, elsewhere, soon());
  next_.answer_get(found());
  io_->restart();
  io_->poll();
  EXPECT_TRUE(first.has_value());
  EXPECT_FALSE(elsewhere.has_value());
  settle();
  EXPECT_TRUE(elsewhere.has_value());
}

TEST_F(SingleFlightTest, ErrorIsHandedToAllAndNotKept) {
  Answer first, second;
  start(first);
  start(second);
  next_.answer_get(fail(Errc::corrupt, "bad sector"));
  settle();
  EXPECT_EQ(first->error().code, Errc::corrupt);
  EXPECT_EQ(second->error().code, Errc::corrupt);
  EXPECT_EQ(second->error().detail, "bad sector");
  Answer again;
  start(again);
  ASSERT_EQ(next_.open(), 1U);
  next_.answer_get(found());
  settle();
  EXPECT_TRUE(again->has_value());
}

TEST_F(SingleFlightTest, WaiterBeyondLimitIsOverloaded) {
  std::vector<Answer> answers(5);
  for (Answer& answer : answers) start(answer);
  ASSERT_TRUE(answers[4].has_value());
  EXPECT_EQ(answers[4]->error().code, Errc::overloaded);
  next_.answer_get(found());
  settle();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(answers[i]->has_value());
  EXPECT_EQ(tier_.stats().waiters_refused, 1U);
}

TEST_F(SingleFlightTest, WaiterEndsByItsOwnDeadline) {
  Answer first, impatient, late;
  start(first);
  start(*io_, impatient, clock_.mono());
  settle();
  ASSERT_TRUE(impatient.has_value());
  EXPECT_EQ(impatient->error().code, Errc::unavailable);
  EXPECT_FALSE(first.has_value());
  // It has left: the three places are free again.
  std::vector<Answer> more(3);
  for (Answer& answer : more) start(answer);
  next_.answer_get(found());
  settle();
  for (const Answer& answer : more) EXPECT_TRUE(answer->has_value());
}

TEST_F(SingleFlightTest, LeaderOutOfTimeHandsOverToWaiter) {
  Answer hasty, patient, third;
  start(*io_, hasty, clock_.in(std::chrono::milliseconds(10)));
  start(*other_io_, patient, soon());
  start(third);
  clock_.advance(std::chrono::milliseconds(20));
  next_.answer_get(fail(Errc::unavailable));
  settle();
  EXPECT_EQ(hasty->error().code, Errc::unavailable);
  EXPECT_FALSE(patient.has_value());
  ASSERT_EQ(next_.open(), 1U);
  next_.answer_get(found());
  settle();
  EXPECT_TRUE(patient->has_value());
  EXPECT_TRUE(third->has_value());
  EXPECT_EQ(tier_.stats().handovers, 1U);
}

TEST_F(SingleFlightTest, UnavailableInTimeIsHandedToAll) {
  Answer first, second;
  start(first);
  start(second);
  next_.answer_get(fail(Errc::unavailable));
  settle();
  EXPECT_EQ(first->error().code, Errc::unavailable);
  EXPECT_EQ(second->error().code, Errc::unavailable);
  EXPECT_EQ(tier_.stats().handovers, 0U);
}

TEST_F(SingleFlightTest, CancelledLeaderHandsOverToWaiter) {
  Answer led, waited;
  boost::asio::cancellation_signal cancel;
  boost::asio::co_spawn(*io_, await_into(tier_.get(block_.id(), soon()), led),
                        boost::asio::bind_cancellation_slot(cancel.slot(), boost::asio::detached));
  io_->poll();
  start(*other_io_, waited, soon());
  const auto abandoned = next_.take();
  cancel.emit(boost::asio::cancellation_type::terminal);
  settle();
  ASSERT_EQ(next_.open(), 1U);
  next_.answer_get(found());
  settle();
  ASSERT_TRUE(waited.has_value());
  EXPECT_TRUE(waited->has_value());
}

TEST_F(SingleFlightTest, LeaderWhoseFetchThrowsHandsOverToWaiter) {
  Answer led, waited, third;
  std::exception_ptr thrown;
  boost::asio::co_spawn(*io_, await_into(tier_.get(block_.id(), soon()), led),
                        [&thrown](std::exception_ptr e) { thrown = e; });
  io_->poll();
  start(*other_io_, waited, soon());
  start(third);
  next_.throw_from_get();
  settle();
  EXPECT_TRUE(thrown);
  EXPECT_FALSE(led.has_value());
  ASSERT_EQ(next_.open(), 1U);
  next_.answer_get(found());
  settle();
  ASSERT_TRUE(waited.has_value());
  EXPECT_TRUE(waited->has_value());
  EXPECT_TRUE(third->has_value());
  EXPECT_EQ(tier_.stats().handovers, 1U);
}

TEST_F(SingleFlightTest, FetchThatThrowsWithoutWaitersLeavesNothingBehind) {
  Answer led, after;
  std::exception_ptr thrown;
  boost::asio::co_spawn(*io_, await_into(tier_.get(block_.id(), soon()), led),
                        [&thrown](std::exception_ptr e) { thrown = e; });
  io_->poll();
  next_.throw_from_get();
  settle();
  EXPECT_TRUE(thrown);
  EXPECT_EQ(tier_.stats().fetches, 0U);
  start(after);
  ASSERT_EQ(next_.open(), 1U);
  next_.answer_get(found());
  settle();
  EXPECT_TRUE(after->has_value());
}

TEST_F(SingleFlightTest, DestroyedLoopOfLeaderHandsOverToWaiter) {
  Answer led, waited;
  start(*io_, led, soon());
  start(*other_io_, waited, soon());
  next_.take();
  io_.reset();
  settle();
  EXPECT_FALSE(led.has_value());
  ASSERT_EQ(next_.open(), 1U);
  next_.answer_get(found());
  settle();
  EXPECT_TRUE(waited->has_value());
}

TEST_F(SingleFlightTest, DestroyedLoopOfChosenWaiterHandsOverToNext) {
  Answer led, chosen, last;
  IoContext third(1);
  start(third, led, soon());
  start(*other_io_, chosen, soon());
  start(*io_, last, soon());
  clock_.advance(std::chrono::minutes(2));
  // The lead is on its way to `chosen` when that one's loop ends.
  next_.answer_get(fail(Errc::unavailable));
  third.restart();
  third.poll();
  EXPECT_TRUE(led.has_value());
  other_io_.reset();
  settle();
  ASSERT_EQ(next_.open(), 1U);
  next_.answer_get(found());
  settle();
  EXPECT_TRUE(last->has_value());
}

TEST_F(SingleFlightTest, LastOneGoneLeavesNothingBehind) {
  Answer led, waited;
  start(*io_, led, soon());
  start(*other_io_, waited, soon());
  next_.take();
  other_io_.reset();
  io_.reset();
  EXPECT_EQ(tier_.stats().fetches, 0U);
}

TEST_F(SingleFlightTest, PutDuringFetchIsSeenByWhoAsksAfter) {
  Answer before, after;
  start(before);
  std::optional<Result<Stored>> stored;
  boost::asio::co_spawn(*io_, await_into(tier_.put(block_, soon()), stored), boost::asio::detached);
  io_->poll();
  const auto fetch = next_.take();
  next_.answer_put(Stored::created);
  settle();
  ASSERT_TRUE(stored.has_value());
  fetch->found = fail(Errc::not_found);
  start(after);
  ASSERT_TRUE(after.has_value());
  EXPECT_TRUE(after->has_value());
  ScriptedStore::finish(fetch);
  settle();
  EXPECT_EQ(before->error().code, Errc::not_found);
  EXPECT_TRUE(tier_.try_get(block_.id())->has_value());
}

// Real threads: each loop its own, many blocks, a store that answers from other coroutines. What
// matters is that everybody is answered; ThreadSanitizer looks at the rest.
TEST(SingleFlightThreads, EveryCallerIsAnswered) {
  constexpr int kThreads = 4;
  constexpr std::uint64_t kBlocks = 40;
  constexpr int kRounds = 60;
  SystemClock clock;
  SeededRandom random(3);
  MemoryBlockStore next(clock);
  next.set_answers_at_once(false);
  MemoryTier tier({.budget_bytes = std::size_t{200} << 10, .stripes = 4}, next, clock, random);
  IoContext setup(1);
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    ASSERT_TRUE(run_task(setup, next.put(cheap_block(i, 10'000), Deadline::max())).has_value());
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      IoContext io(1);
      std::mt19937_64 numbers(static_cast<std::uint64_t>(t));
      for (int round = 0; round < kRounds; ++round) {
        std::vector<Task<Result<Found>>> gets;
        std::vector<BlockId> ids;
        for (int i = 0; i < 20; ++i) {
          ids.push_back(cheap_id(numbers() % kBlocks));
          gets.push_back(tier.get(ids.back(), clock.in(std::chrono::seconds(60))));
        }
        const auto results = run_tasks(io, std::move(gets));
        for (std::size_t i = 0; i < ids.size(); ++i) {
          if (!results[i].has_value() || results[i].value().block.id() != ids[i]) ++wrong;
        }
        if (t == 0) tier.set_policy(round % 2 == 0 ? PolicyKind::s3_fifo : PolicyKind::lru);
        if (t == 1 && round % 4 == 0) {
          run_task(io, tier.erase(cheap_id(kBlocks + 1), Deadline::max())).value();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
  const CacheStats stats = tier.stats();
  EXPECT_EQ(stats.hits + stats.misses, std::uint64_t{kThreads} * kRounds * 20);
  EXPECT_EQ(stats.fetches, 0U);
}

}  // namespace
}  // namespace cairn
