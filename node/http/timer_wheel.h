// TimerWheel: one coarse wheel a core instead of a timer an operation. Belongs to its core's
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace cairn::http {

/// Arming and disarming is a store in the common case (a deadline that moves later); a timer fires
/// at its deadline or up to two ticks after it, never before.
class TimerWheel {
 public:
  struct Link {
    Link* previous = this;
    Link* next = this;
  };

  /// What waits. Owned by its user; disarmed by destruction.
  class Timer : private Link {
   public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer();

   private:
    friend class TimerWheel;
    /// Called by advance(); may arm or destroy any timer, itself too.
    virtual void expired() = 0;
    void unlink();

    MonoTime deadline_ = MonoTime::max();  ///< max() while disarmed.
    MonoTime linked_until_{};              ///< When the slot that it stands in is looked at.
  };

  TimerWheel(MonoTime now, std::chrono::milliseconds tick);

  /// The time of the last advance().
  MonoTime now() const { return now_; }
  /// Fires `wait` from now (the coarse now), unless armed again or disarmed before.
  void arm(Timer& timer, std::chrono::milliseconds wait);
  void disarm(Timer& timer) { timer.deadline_ = MonoTime::max(); }
  /// Fires what is due at `now`.
  void advance(MonoTime now);

 private:
  void insert(Timer& timer);
  void visit(std::size_t slot);

  const std::chrono::nanoseconds tick_;
  MonoTime now_;
  std::size_t cursor_ = 0;
  std::vector<Link> slots_;
};

}  // namespace cairn::http
