// EventLog: the node's Log, which can be opened anew (log rotation) and change its level while it
// is in use. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"

namespace cairn {

class EventLog final : public Log {
 public:
  /// As make_json_log(); throws std::runtime_error likewise. `clock` outlives the log.
  EventLog(const std::string& destination, LogLevel least, const Clock& clock);

  void event(LogLevel level, std::string_view name,
             std::initializer_list<LogField> fields = {}) override;

  /// Goes on with a freshly opened destination; keeps the old when that fails. An error line, or
  /// nothing.
  std::string reopen(const std::string& destination, LogLevel least);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::shared_ptr<Log> log_;
};

/// "debug", "info", "warn" or "error", as the schema has checked.
LogLevel log_level_of(std::string_view name);

}  // namespace cairn
