#include "node/http/timer_wheel.h"

#include <algorithm>

namespace cairn::http {
namespace {
/// 128 s at the usual tick of 250 ms; longer waits go round more than once.
constexpr std::size_t kSlots = 512;
}  // namespace

TimerWheel::Timer::~Timer() {
  unlink();
}

void TimerWheel::Timer::unlink() {
  previous->next = next;
  next->previous = previous;
  previous = next = this;
}

TimerWheel::TimerWheel(MonoTime now, std::chrono::milliseconds tick)
    : tick_(tick), now_(now), slots_(kSlots) {}

void TimerWheel::arm(Timer& timer, std::chrono::milliseconds wait) {
  // One tick more: `now_` may be almost a tick behind.
  timer.deadline_ = now_ + wait + tick_;
  const bool linked = timer.next != &timer;
  if (linked && timer.linked_until_ <= timer.deadline_) return;
  timer.unlink();
  insert(timer);
}

void TimerWheel::insert(Timer& timer) {
  const auto ticks = (timer.deadline_ - now_ + tick_ - std::chrono::nanoseconds(1)) / tick_;
  const auto ahead = std::clamp<std::int64_t>(ticks, 1, static_cast<std::int64_t>(kSlots) - 1);
  timer.linked_until_ = now_ + ahead * tick_;
  Link& slot = slots_[(cursor_ + static_cast<std::size_t>(ahead)) % kSlots];
  timer.previous = slot.previous;
  timer.next = &slot;
  slot.previous->next = &timer;
  slot.previous = &timer;
}

void TimerWheel::advance(MonoTime now) {
  if (now - now_ >= tick_ * static_cast<std::int64_t>(kSlots)) {
    // The loop stood still for a whole turn: every slot is due once.
    now_ = now - tick_ * static_cast<std::int64_t>(kSlots);
  }
  while (now - now_ >= tick_) {
    now_ += tick_;
    cursor_ = (cursor_ + 1) % kSlots;
    visit(cursor_);
  }
}

void TimerWheel::visit(std::size_t slot) {
  // Moved to a list of its own first, so that what a callback arms anew is not visited again.
  Link due;
  Link& from = slots_[slot];
  if (from.next == &from) return;
  due.next = from.next;
  due.previous = from.previous;
  due.next->previous = due.previous->next = &due;
  from.next = from.previous = &from;

  while (due.next != &due) {
    auto& timer = static_cast<Timer&>(*due.next);
    timer.unlink();
    if (timer.deadline_ <= now_) {
      timer.deadline_ = MonoTime::max();
      timer.expired();
    } else if (timer.deadline_ != MonoTime::max()) {
      insert(timer);
    }
  }
}

}  // namespace cairn::http
