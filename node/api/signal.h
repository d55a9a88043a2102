// Signal: one Task waits for what another Task of the same core will have done. One core only.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "base/task.h"

namespace cairn::api {

class Signal {
 public:
  /// Ends every wait, now and later.
  void fire() {
    fired_ = true;
    if (auto waiter = std::exchange(waiter_, nullptr)) waiter->resume();
  }
  bool fired() const { return fired_; }

  /// Returns once fire() was called. One waiter at a time; whoever fires bounds the wait.
  Task<void> wait() {
    if (fired_) co_return;
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void()>(
        [this](auto handler) {
          waiter_ = std::make_unique<TypedWaiter<decltype(handler)>>(std::move(handler));
        },
        kAwait);
  }

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct TypedWaiter final : Waiter {
    explicit TypedWaiter(Handler h)
        : handler(std::move(h)), guard(boost::asio::get_associated_executor(handler)) {}
    void resume() override {
      const auto executor = guard.get_executor();
      boost::asio::post(executor, std::move(handler));
    }
    Handler handler;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard;
  };

  std::unique_ptr<Waiter> waiter_;
  bool fired_ = false;
};

}  // namespace cairn::api
