// A Log that keeps what was said, for tests that ask whether it was. Any thread.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace cairn {

class RecordingLog final : public Log {
 public:
  void event(LogLevel, std::string_view name, std::initializer_list<LogField>) override {
    const std::lock_guard lock(mutex_);
    names_.emplace_back(name);
  }

  /// How often an event of this name came.
  std::size_t count(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(names_, name));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

}  // namespace cairn
