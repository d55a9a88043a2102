// BlockingPool: the few threads on which blocking calls (RocksDB, files) run, so that no loop ever
// waits for a disk. Bounded: beyond the queue's limit work is refused, not gathered, and every
// caller is answered by its deadline even when all threads are stuck. Any thread.
#pragma once

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "base/ticker.h"

namespace cairn {

class BlockingPool {
 public:
  /// Starts `threads` threads named `name` and one that looks after deadlines; at most
  /// `queue_limit` calls wait. `clock` outlives the pool.
  BlockingPool(const std::string& name, std::size_t threads, std::size_t queue_limit,
               const Clock& clock);
  /// Stops, if stop() was not called.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Runs `call` (which returns a Result) on a pool thread; the Task resumes on its own executor.
  /// Errors beside those of `call`: overloaded when the queue is full, unavailable when the
  /// deadline has passed, which is said at most 0.1 s late. A call that has started is not
  /// interrupted: it may outlive the Task, so it borrows only what outlives the pool.
  template <class Call>
  Task<std::invoke_result_t<Call&>> run(Call call, Deadline deadline) {
    using R = std::invoke_result_t<Call&>;
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                   void(R)>(
        [this](auto handler, Call work, Deadline until) {
          enqueue(std::make_shared<TypedJob<Call, decltype(handler)>>(std::move(work),
                                                                      std::move(handler), until));
        },
        kAwait, std::move(call), deadline);
  }

  /// Calls that still wait are answered Errc::unavailable, as are all that come later; returns when
  /// those that run are finished. For owners of what calls borrow.
  void stop();

  /// Calls that wait for a thread now.
  std::size_t waiting() const;

 private:
  /// Answered once: by the thread that ran it, or by whoever refuses it first.
  struct Job {
    explicit Job(Deadline until) : deadline(until) {}
    virtual ~Job() = default;
    virtual void run() = 0;
    virtual void refuse(Error error) = 0;
    bool claim() { return !answered.exchange(true, std::memory_order_acq_rel); }
    const Deadline deadline;
    std::atomic<bool> answered{false};
  };

  template <class Call, class Handler>
  struct TypedJob final : Job {
    using R = std::invoke_result_t<Call&>;
    TypedJob(Call work, Handler h, Deadline until)
        : Job(until),
          call(std::move(work)),
          handler(std::move(h)),
          guard(boost::asio::get_associated_executor(handler)) {}
    void run() override {
      R result = call();
      if (claim()) complete(std::move(result));
    }
    void refuse(Error error) override {
      if (claim()) complete(R(std::move(error)));
    }
    void complete(R result) {
      // The handler must run on its own executor, also when it was refused while being initiated.
      const auto executor = guard.get_executor();
      boost::asio::post(executor, [h = std::move(handler), r = std::move(result)]() mutable {
        std::move(h)(std::move(r));
      });
      guard.reset();
    }
    Call call;
    Handler handler;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard;
  };

  void enqueue(std::shared_ptr<Job> job);
  void work(const std::string& thread_name, std::weak_ptr<Job>& running);
  void expire();

  const Clock& clock_;
  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::vector<std::weak_ptr<Job>> running_;  ///< Of each thread, the last that it began.
  bool stopping_ = false;
  std::vector<std::thread> threads_;
  Ticker expiry_;
};

/// Names the calling thread for debuggers and /proc (15 characters at most are kept).
void name_this_thread(const std::string& name);

}  // namespace cairn
