#include "base/blocking_pool.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <future>
#include <memory>

namespace cairn {
namespace {

class BlockingPoolTest : public ::testing::Test {
 protected:
  SystemClock clock_;
  IoContext io_{1};
  Deadline soon() const { return clock_.in(std::chrono::seconds(30)); }
};

Task<void> add(BlockingPool& pool, Deadline deadline, std::thread::id& ran_on,
               std::thread::id& resumed_on, Result<int>& out) {
  out = co_await pool.run(
      [&ran_on]() -> Result<int> {
        ran_on = std::this_thread::get_id();
        return 42;
      },
      deadline);
  resumed_on = std::this_thread::get_id();
}

TEST_F(BlockingPoolTest, CallRunsOnPoolAndResumesOnLoop) {
  BlockingPool pool("test", 1, 10, clock_);
  std::thread::id ran_on;
  std::thread::id resumed_on;
  Result<int> out = 0;
  boost::asio::co_spawn(io_, add(pool, soon(), ran_on, resumed_on, out), boost::asio::detached);
  io_.run();
  EXPECT_EQ(out.value(), 42);
  EXPECT_NE(ran_on, std::this_thread::get_id());
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST_F(BlockingPoolTest, PassedDeadlineIsUnavailable) {
  BlockingPool pool("test", 1, 10, clock_);
  std::thread::id ran_on;
  std::thread::id resumed_on;
  Result<int> out = 0;
  boost::asio::co_spawn(io_,
                        add(pool, clock_.in(std::chrono::seconds(-1)), ran_on, resumed_on, out),
                        boost::asio::detached);
  io_.run();
  EXPECT_EQ(out.error().code, Errc::unavailable);
  EXPECT_EQ(ran_on, std::thread::id());
}

Task<void> wait_for(BlockingPool& pool, Deadline deadline, std::shared_future<void> until,
                    Result<int>& out) {
  // Named: GCC 12 destroys a closure that is made within a co_await twice.
  auto wait = [until]() -> Result<int> {
    until.wait();
    return 1;
  };
  out = co_await pool.run(std::move(wait), deadline);
}

TEST_F(BlockingPoolTest, FullQueueIsOverloaded) {
  BlockingPool pool("test", 1, 1, clock_);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::vector<Result<int>> results(8, Result<int>(0));
  for (auto& result : results) {
    boost::asio::co_spawn(io_, wait_for(pool, soon(), released, result), boost::asio::detached);
  }
  // Every call has been queued or refused once the loop has nothing ready.
  while (io_.poll() > 0) {
  }
  release.set_value();
  io_.run();
  const auto refused = std::count_if(results.begin(), results.end(), [](const Result<int>& r) {
    return r.has_error() && r.error().code == Errc::overloaded;
  });
  // One runs (or is about to) and one waits; how soon the thread took the first decides between 6
  // and 7.
  EXPECT_GE(refused, 6);
  EXPECT_LE(refused, 7);
}

TEST_F(BlockingPoolTest, DestructionAnswersWhatStillWaits) {
  std::vector<Result<int>> results(3, Result<int>(0));
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  {
    BlockingPool pool("test", 1, 10, clock_);
    for (auto& result : results) {
      boost::asio::co_spawn(io_, wait_for(pool, soon(), released, result), boost::asio::detached);
    }
    while (io_.poll() > 0) {
    }
    release.set_value();
  }
  io_.run();
  for (const auto& result : results) {
    EXPECT_TRUE(result.has_value() ? result.value() == 1
                                   : result.error().code == Errc::unavailable);
  }
}

TEST_F(BlockingPoolTest, StuckCallsAreAnsweredByTheirDeadline) {
  BlockingPool pool("test", 1, 10, clock_);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  // One is stuck on the only thread, the others behind it.
  std::vector<Result<int>> results(3, Result<int>(0));
  for (auto& result : results) {
    boost::asio::co_spawn(
        io_, wait_for(pool, clock_.in(std::chrono::milliseconds(20)), released, result),
        boost::asio::detached);
  }
  io_.run();
  for (const auto& result : results) {
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().code, Errc::unavailable);
  }
  EXPECT_EQ(pool.waiting(), 0U);
  release.set_value();
  std::thread::id ran_on;
  std::thread::id resumed_on;
  Result<int> out = 0;
  boost::asio::co_spawn(io_, add(pool, soon(), ran_on, resumed_on, out), boost::asio::detached);
  io_.restart();
  io_.run();
  EXPECT_EQ(out.value(), 42);
}

}  // namespace
}  // namespace cairn
