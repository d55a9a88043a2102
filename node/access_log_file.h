// AccessLogFile: one JSON line a request, gathered per core and written by a thread of its own, so
// that a slow disk or reader never holds a connection. What does not fit is dropped and counted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "node/http/access_log.h"

namespace cairn {

class AccessLogFile final : public http::AccessLog {
 public:
  /// Lines beyond this that wait for the disk are dropped, a core.
  static constexpr std::size_t kCoreBytes = std::size_t{4} << 20;
  /// How long a flush waits for a pipe's reader before it drops the lines at hand.
  static constexpr std::chrono::milliseconds kPatience{2000};

  /// Opens `destination`: "stdout" or a file to append to (made with mode 0640, whatever the
  /// umask). `clock` and `log` outlive the access log. Errors: unavailable.
  static Result<std::unique_ptr<AccessLogFile>> open(std::string destination, std::size_t cores,
                                                     const Clock& clock, Log& log);
  /// Writes what waits, as flush().
  ~AccessLogFile() override;
  AccessLogFile(const AccessLogFile&) = delete;
  AccessLogFile& operator=(const AccessLogFile&) = delete;

  void record(std::size_t core, const http::AccessRecord& record) override;

  /// Opens the file anew before the next write, as log rotation asks. Any thread.
  void reopen();
  /// Writes what waits now; blocks for kPatience and another flush at most, where it is a pipe.
  /// Any thread but a core's.
  void flush();

  /// Lines that were not written: the disk or the reader was too slow, or refused.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) PerCore {
    std::mutex mutex;  ///< Held for one line, or for a swap.
    std::string lines;
    std::int64_t second = -1;
    std::string second_text;  ///< "2026-01-31T23:59:59", made once a second.
  };

  AccessLogFile(std::string destination, int descriptor, std::size_t cores, const Clock& clock,
                Log& log);
  void append(PerCore& core, const http::AccessRecord& record);
  void run();
  void write_core(PerCore& core, Deadline deadline);
  void write_all(std::string_view lines, Deadline deadline);
  void reopen_now();

  const std::string destination_;
  const Clock& clock_;
  Log& log_;
  std::vector<std::unique_ptr<PerCore>> cores_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<bool> reopen_{false};

  std::mutex writing_;  ///< Guards the descriptor and the order of lines.
  int descriptor_;
  std::string spare_;
  bool failing_ = false;  ///< The last write failed, and that has been told.
  std::mutex stop_mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace cairn
