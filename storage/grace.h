// Grace: how long a block is kept that no link refers to, counted from the last put that was
// acknowledged. Such a put is noted on the disk only when the note before it is older than an
// eighth of the grace; so a block goes once its note is older than nine eighths, and never before
// the whole grace has passed since it was put. Immutable; any thread.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace cairn {

class Grace {
 public:
  /// 0: blocks are kept for ever. `clock` outlives this.
  Grace(std::chrono::milliseconds period, const Clock& clock)
      : period_(period), clock_(clock), wall_(clock.wall()), mono_(clock.mono()) {}

  bool on() const { return period_.count() > 0; }
  std::chrono::milliseconds period() const { return period_; }

  /// A note of then must be renewed before a put is acknowledged.
  bool stale(WallTime then) const { return on() && age(then) > period_ / 8; }
  /// Whoever was noted then, and not since, may go.
  bool over(WallTime then) const { return on() && age(then) > period_ + period_ / 8; }

  /// A clock that is set forward while the node runs ages nothing; what is noted in the future is
  /// of now.
  WallTime now() const {
    const auto ran = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.mono() - mono_);
    const auto latest = static_cast<std::int64_t>(wall_) + ran.count() + kDrift.count();
    return WallTime{std::min(static_cast<std::int64_t>(clock_.wall()), latest)};
  }

 private:
  /// A clock may be corrected by so much.
  static constexpr std::chrono::milliseconds kDrift = std::chrono::minutes(1);

  std::chrono::milliseconds age(WallTime then) const {
    return std::chrono::milliseconds(static_cast<std::int64_t>(now()) -
                                     static_cast<std::int64_t>(then));
  }

  const std::chrono::milliseconds period_;
  const Clock& clock_;
  const WallTime wall_;
  const MonoTime mono_;
};

}  // namespace cairn
