// Ticker: calls one function again and again on a thread of its own, for what must happen however
// stuck everything else is. Made and destroyed by one thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace cairn {

class Ticker {
 public:
  /// Calls `work` every `period`, first after one, on a thread named `name`.
  Ticker(const std::string& name, std::chrono::milliseconds period, std::function<void()> work);
  /// Waits for a call that is under way.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void run(const std::string& name);

  const std::chrono::milliseconds period_;
  const std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cairn
