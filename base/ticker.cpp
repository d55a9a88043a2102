#include "base/ticker.h"

#include <utility>

#include "base/blocking_pool.h"

namespace cairn {

Ticker::Ticker(const std::string& name, std::chrono::milliseconds period,
               std::function<void()> work)
    : period_(period), work_(std::move(work)), thread_([this, name] { run(name); }) {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Ticker::run(const std::string& name) {
  name_this_thread(name);
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, period_, [this] { return stopping_; })) {
    lock.unlock();
    work_();
    lock.lock();
  }
}

}  // namespace cairn
