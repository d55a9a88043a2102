#include "base/blocking_pool.h"

#include <pthread.h>

#include "base/assert.h"

namespace cairn {

BlockingPool::BlockingPool(const std::string& name, std::size_t threads, std::size_t queue_limit,
                           const Clock& clock)
    : clock_(clock), queue_limit_(queue_limit) {
  CAIRN_ASSERT(threads > 0);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, name] { work(name); });
}

BlockingPool::~BlockingPool() {
  std::deque<std::unique_ptr<Job>> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(queue_);
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  for (auto& job : left) job->refuse(fail(Errc::unavailable, "the node is stopping"));
}

void BlockingPool::enqueue(std::unique_ptr<Job> job) {
  std::unique_lock lock(mutex_);
  if (stopping_ || queue_.size() >= queue_limit_) {
    lock.unlock();
    job->refuse(fail(Errc::overloaded, "too many blocking calls wait; try again"));
    return;
  }
  queue_.push_back(std::move(job));
  lock.unlock();
  wake_.notify_one();
}

void BlockingPool::work(const std::string& thread_name) {
  name_this_thread(thread_name);
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    if (clock_.mono() > job->deadline) {
      job->refuse(fail(Errc::unavailable, "the deadline passed before a thread was free"));
    } else {
      job->run();
    }
  }
}

std::size_t BlockingPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace cairn
