// Runs one Task to its end on a loop that has nothing else to do: how a command that works step by
// step calls what is made of coroutines. The calling thread waits.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "base/task.h"

namespace cairn::cli {

template <class T>
Task<void> keep_result(Task<T> task, std::optional<T>& out) {
  T result = co_await std::move(task);
  out.emplace(std::move(result));
}

/// What `task` returns; what it throws is thrown.
template <class T>
T run_to_end(IoContext& loop, Task<T> task) {
  std::optional<T> out;
  boost::asio::co_spawn(loop, keep_result(std::move(task), out), [](const std::exception_ptr& bug) {
    if (bug) std::rethrow_exception(bug);
  });
  loop.restart();
  loop.run();
  return std::move(*out);
}

}  // namespace cairn::cli
