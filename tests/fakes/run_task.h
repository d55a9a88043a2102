// Runs Tasks to their end on the calling thread: how tests call coroutine interfaces.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/task.h"

namespace cairn {

/// Awaits `task` into `out`. Results have no default value, so co_spawn cannot hand them out.
template <class T>
Task<void> await_into(Task<T> task, std::optional<T>& out) {
  T value = co_await std::move(task);
  out.emplace(std::move(value));
}

/// Starts all `tasks` at once on `io` and returns their results in order. What a task throws is
/// thrown here. `io` must have nothing else that never ends.
template <class T>
std::vector<T> run_tasks(IoContext& io, std::vector<Task<T>> tasks) {
  std::vector<std::optional<T>> results(tasks.size());
  std::exception_ptr failure;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    boost::asio::co_spawn(io, await_into(std::move(tasks[i]), results[i]),
                          [&failure](std::exception_ptr e) {
                            if (e) failure = e;
                          });
  }
  io.restart();
  io.run();
  if (failure) std::rethrow_exception(failure);
  std::vector<T> out;
  out.reserve(results.size());
  for (auto& result : results) {
    if (!result.has_value()) throw std::logic_error("a task never ended");
    out.push_back(std::move(*result));
  }
  return out;
}

/// The result of one task; see run_tasks().
template <class T>
T run_task(IoContext& io, Task<T> task) {
  std::vector<Task<T>> tasks;
  tasks.push_back(std::move(task));
  return std::move(run_tasks(io, std::move(tasks)).front());
}

}  // namespace cairn
