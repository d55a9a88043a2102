#include "base/blocking_pool.h"

#include <pthread.h>

#include "base/assert.h"

namespace cairn {
namespace {

/// How late a caller may hear that its deadline has passed.
constexpr auto kTick = std::chrono::milliseconds(100);

Error too_late() {
  return fail(Errc::unavailable, "the disk did not answer by the deadline");
}

}  // namespace

BlockingPool::BlockingPool(const std::string& name, std::size_t threads, std::size_t queue_limit,
                           const Clock& clock)
    : clock_(clock),
      queue_limit_(queue_limit),
      running_(threads),
      expiry_(name, kTick, [this] { expire(); }) {
  CAIRN_ASSERT(threads > 0);
  threads_.reserve(threads);
  for (auto& running : running_) {
    threads_.emplace_back([this, name, &running] { work(name, running); });
  }
}

BlockingPool::~BlockingPool() {
  stop();
}

void BlockingPool::stop() {
  std::deque<std::shared_ptr<Job>> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(queue_);
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  for (auto& job : left) job->refuse(fail(Errc::unavailable, "the node is stopping"));
}

void BlockingPool::enqueue(std::shared_ptr<Job> job) {
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

void BlockingPool::work(const std::string& thread_name, std::weak_ptr<Job>& running) {
  name_this_thread(thread_name);
  for (;;) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      running = job;
    }
    if (clock_.mono() > job->deadline) {
      job->refuse(too_late());
    } else {
      job->run();
    }
  }
}

void BlockingPool::expire() {
  std::vector<std::shared_ptr<Job>> late;
  {
    const std::lock_guard lock(mutex_);
    const MonoTime now = clock_.mono();
    std::erase_if(queue_, [&](std::shared_ptr<Job>& job) {
      if (job->deadline >= now) return false;
      late.push_back(std::move(job));
      return true;
    });
    for (const auto& running : running_) {
      auto job = running.lock();
      if (job != nullptr && job->deadline < now) late.push_back(std::move(job));
    }
  }
  for (const auto& job : late) job->refuse(too_late());
}

std::size_t BlockingPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace cairn
