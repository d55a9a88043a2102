// Time, injected: the node runs on SystemClock, tests and the simulator on their own.
#pragma once

#include <chrono>
#include <cstdint>

namespace cairn {

/// Monotonic time that runs through suspend (CLOCK_BOOTTIME). Meaningful within one boot only.
struct MonoClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;

/// When a caller stops waiting. Every call that can wait takes one.
using Deadline = MonoTime;

/// Milliseconds since 1970-01-01 UTC.
enum class WallTime : std::int64_t {};

/// Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime mono() const = 0;
  virtual WallTime wall() const = 0;

  Deadline in(std::chrono::milliseconds wait) const { return mono() + wait; }
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  MonoTime mono() const override;
  WallTime wall() const override;
};

}  // namespace cairn
