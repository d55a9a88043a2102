// ScriptedStore: a BlockStore whose every waiting call stays open until the test answers it, so
// that each order in which calls may meet can be tried. try_get() answers from a table or not at
// all. Calls may come from several threads; the test answers from one.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/block_store.h"

namespace cairn {

class ScriptedStore final : public BlockStore {
 public:
  enum class Kind { get, put, erase };

  /// One call that waits.
  struct Call {
    using Timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
    Call(Kind k, const BlockId& i, Deadline d, const Executor& executor)
        : kind(k), id(i), deadline(d), timer(executor, Timer::time_point::max()) {}
    const Kind kind;
    const BlockId id;
    const Deadline deadline;
    Timer timer;
    Result<Found> found = fail(Errc::unavailable);
    bool thrown = false;  ///< The get() ends by an exception instead.
    Result<Stored> stored = fail(Errc::unavailable);
    Result<void> erased = fail(Errc::unavailable);
  };

  /// Calls that have come in and were not answered, oldest first.
  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }
  /// The oldest open call, which the caller answers with one of the below.
  std::shared_ptr<Call> take() {
    const std::lock_guard lock(mutex_);
    auto call = calls_.at(0);
    calls_.erase(calls_.begin());
    return call;
  }
  void answer_get(Result<Found> found) {
    const auto call = take();
    call->found = std::move(found);
    finish(call);
  }
  void throw_from_get() {
    const auto call = take();
    call->thrown = true;
    finish(call);
  }
  void answer_put(Result<Stored> stored) {
    const auto call = take();
    call->stored = std::move(stored);
    finish(call);
  }
  void answer_erase() {
    const auto call = take();
    call->erased = ok();
    finish(call);
  }
  /// Lets the call's task go on; its result has been set.
  static void finish(const std::shared_ptr<Call>& call) {
    boost::asio::post(call->timer.get_executor(), [call] { call->timer.cancel(); });
  }

  /// What try_get() answers for an id; nothing for ids that are not in it.
  std::map<BlockId, Result<Found>> at_once;

  std::optional<Result<Found>> try_get(const BlockId& id) override {
    const auto at = at_once.find(id);
    if (at == at_once.end()) return std::nullopt;
    return at->second;
  }
  Task<Result<Found>> get(BlockId id, Deadline deadline) override {
    const auto call = co_await wait(Kind::get, id, deadline);
    if (call->thrown) throw std::runtime_error("the test wants it so");
    co_return call->found;
  }
  Task<Result<BlockStat>> stat(BlockId id, Deadline deadline) override {
    const auto call = co_await wait(Kind::get, id, deadline);
    if (!call->found.has_value()) co_return call->found.error();
    co_return BlockStat{call->found.value().block.size_bytes(), call->found.value().source};
  }
  Task<Result<Stored>> put(Block block, Deadline deadline) override {
    const auto call = co_await wait(Kind::put, block.id(), deadline);
    co_return call->stored;
  }
  Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks,
                                             Deadline deadline) override {
    std::vector<Result<Stored>> results;
    for (const Block& block : blocks) {
      const Result<Stored> stored = co_await put(block, deadline);
      results.push_back(stored);
    }
    co_return results;
  }
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId> ids, Deadline) override {
    co_return ids;
  }
  Task<Result<void>> erase(BlockId id, Deadline deadline) override {
    const auto call = co_await wait(Kind::erase, id, deadline);
    co_return call->erased;
  }

 private:
  Task<std::shared_ptr<Call>> wait(Kind kind, BlockId id, Deadline deadline) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    auto call = std::make_shared<Call>(kind, id, deadline, executor);
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(call);
    }
    boost::system::error_code ended;
    co_await call->timer.async_wait(boost::asio::redirect_error(kAwait, ended));
    co_return call;
  }

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Call>> calls_;
};

}  // namespace cairn
