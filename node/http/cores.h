// Cores: one io_context and one thread a core, each with its wheel and its ready-made Date line.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "base/timer.h"
#include "node/http/timer_wheel.h"

namespace cairn::http {

/// What connections of one core share. Used by that core's thread only, but for io().
class Core {
 public:
  Core(std::size_t index, const Clock& clock);

  std::size_t index() const { return index_; }
  IoContext& io() { return io_; }
  Executor executor() { return io_.get_executor(); }
  TimerWheel& wheel() { return wheel_; }
  const Clock& clock() const { return clock_; }
  /// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", at most a tick late.
  std::string_view date_line() const { return date_line_; }

  /// Runs the loop in the calling thread until stop().
  void run();
  /// Any thread.
  void stop();

 private:
  void tick();

  const std::size_t index_;
  const Clock& clock_;
  IoContext io_{1};
  boost::asio::executor_work_guard<Executor> work_;
  Timer ticker_;
  TimerWheel wheel_;
  std::string date_line_;
};

/// Starts `count` cores (at least 1) with a thread each; stops and joins them at destruction.
class Cores {
 public:
  Cores(std::size_t count, const Clock& clock);
  ~Cores();
  Cores(const Cores&) = delete;
  Cores& operator=(const Cores&) = delete;

  std::size_t count() const { return cores_.size(); }
  Core& operator[](std::size_t index) { return *cores_[index]; }
  void start();
  /// Ends the loops and joins the threads; what still waits on them is destroyed with the Cores.
  void stop();

 private:
  std::vector<std::unique_ptr<Core>> cores_;
  std::vector<std::thread> threads_;
};

}  // namespace cairn::http
