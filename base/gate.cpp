#include "base/gate.h"

#include "base/assert.h"

namespace cairn {

Gate::~Gate() {
  CAIRN_ASSERT(inside_ == 0);
}

Gate::Pass Gate::enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return {};
  ++inside_;
  return Pass(this);
}

void Gate::leave() {
  const std::lock_guard lock(mutex_);
  // Notified under the lock: the waiter may destroy the gate as soon as it sees zero.
  if (--inside_ == 0) empty_.notify_all();
}

void Gate::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool Gate::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::size_t Gate::inside() const {
  const std::lock_guard lock(mutex_);
  return inside_;
}

bool Gate::wait_empty(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  return empty_.wait_for(lock, wait, [this] { return inside_ == 0; });
}

}  // namespace cairn
