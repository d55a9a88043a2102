// Completion: the one who waits for a result that some other thread will have. What a coroutine
// turns into while it is in a queue. Belongs to whoever holds it.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "base/task.h"

namespace cairn {

/// Called once, from any thread: resumes the coroutine on its own executor, never inside the call.
/// Destroyed without a call, it ends the coroutine where it waits. Move-only.
template <class R>
class Completion {
 public:
  Completion() = default;
  template <class Handler>
  static Completion of(Handler handler) {
    Completion out;
    out.waiting_ = std::make_unique<Typed<Handler>>(std::move(handler));
    return out;
  }

  explicit operator bool() const { return waiting_ != nullptr; }
  void operator()(R result) { std::exchange(waiting_, nullptr)->finish(std::move(result)); }

 private:
  struct Waiting {
    virtual ~Waiting() = default;
    virtual void finish(R result) = 0;
  };
  template <class Handler>
  struct Typed final : Waiting {
    explicit Typed(Handler h)
        : handler(std::move(h)), work(boost::asio::get_associated_executor(handler)) {}
    void finish(R result) override {
      const auto executor = work.get_executor();
      boost::asio::post(executor, [h = std::move(handler), r = std::move(result)]() mutable {
        std::move(h)(std::move(r));
      });
    }
    Handler handler;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work;
  };

  std::unique_ptr<Waiting> waiting_;
};

/// Suspends the caller, hands its Completion to `start` and returns what that is called with. Name
/// `start` before the call: GCC 12 destroys a temporary with captures twice when it is awaited.
template <class R, class Start>
Task<R> complete_later(Start start) {
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                 void(R)>(
      [](auto handler, Start begin) { begin(Completion<R>::of(std::move(handler))); }, kAwait,
      std::move(start));
}

}  // namespace cairn
