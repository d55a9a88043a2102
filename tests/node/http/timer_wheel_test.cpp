#include "node/http/timer_wheel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

namespace cairn::http {
namespace {

using namespace std::chrono_literals;

class CountingTimer final : public TimerWheel::Timer {
 public:
  int fired = 0;

 private:
  void expired() override { ++fired; }
};

class TimerWheelTest : public ::testing::Test {
 protected:
  static constexpr auto kTick = 250ms;
  MonoTime start_{std::chrono::hours(1)};
  TimerWheel wheel_{start_, kTick};
};

TEST_F(TimerWheelTest, FiresNeverEarlyAndAtMostTwoTicksLate) {
  for (const auto wait : {0ms, 1ms, 250ms, 999ms, 10'000ms, 75'000ms, 200'000ms, 1'000'000ms}) {
    TimerWheel wheel(start_, kTick);
    CountingTimer timer;
    wheel.arm(timer, wait);
    auto now = start_;
    while (timer.fired == 0 && now < start_ + wait + 10s) {
      now += 50ms;
      wheel.advance(now);
    }
    EXPECT_EQ(timer.fired, 1);
    EXPECT_GE(now, start_ + wait);
    EXPECT_LE(now, start_ + wait + 2 * kTick) << wait.count();
  }
}

TEST_F(TimerWheelTest, DisarmedTimerNeverFires) {
  CountingTimer timer;
  wheel_.arm(timer, 1s);
  wheel_.disarm(timer);
  wheel_.advance(start_ + 1h);
  EXPECT_EQ(timer.fired, 0);
}

TEST_F(TimerWheelTest, ArmingAgainMovesDeadlineBothWays) {
  CountingTimer later;
  CountingTimer sooner;
  wheel_.arm(later, 1s);
  wheel_.arm(later, 5s);
  wheel_.arm(sooner, 5s);
  wheel_.arm(sooner, 1s);
  wheel_.advance(start_ + 2s);
  EXPECT_EQ(later.fired, 0);
  EXPECT_EQ(sooner.fired, 1);
  wheel_.advance(start_ + 6s);
  EXPECT_EQ(later.fired, 1);
  EXPECT_EQ(sooner.fired, 1);
}

TEST_F(TimerWheelTest, StalledLoopFiresEverythingDueOnce) {
  std::vector<CountingTimer> timers(100);
  for (std::size_t i = 0; i < timers.size(); ++i) {
    wheel_.arm(timers[i], std::chrono::milliseconds(i * 1000));
  }
  wheel_.advance(start_ + 24h);
  for (const auto& timer : timers) EXPECT_EQ(timer.fired, 1);
}

class DestroyingTimer final : public TimerWheel::Timer {
 public:
  explicit DestroyingTimer(std::unique_ptr<CountingTimer>& victim) : victim_(victim) {}

 private:
  void expired() override { victim_.reset(); }
  std::unique_ptr<CountingTimer>& victim_;
};

TEST_F(TimerWheelTest, CallbackMayDestroyAnotherDueTimer) {
  auto victim = std::make_unique<CountingTimer>();
  DestroyingTimer killer(victim);
  wheel_.arm(killer, 1s);
  wheel_.arm(*victim, 1s);
  wheel_.advance(start_ + 2s);
  EXPECT_EQ(victim, nullptr);
}

class RearmingTimer final : public TimerWheel::Timer {
 public:
  explicit RearmingTimer(TimerWheel& wheel) : wheel_(wheel) {}
  int fired = 0;

 private:
  void expired() override {
    ++fired;
    wheel_.arm(*this, 1s);
  }
  TimerWheel& wheel_;
};

TEST_F(TimerWheelTest, CallbackMayArmItselfAgain) {
  RearmingTimer timer(wheel_);
  wheel_.arm(timer, 1s);
  for (auto now = start_; now <= start_ + 10s; now += kTick) wheel_.advance(now);
  EXPECT_GE(timer.fired, 6);
  EXPECT_LE(timer.fired, 9);
}

}  // namespace
}  // namespace cairn::http
