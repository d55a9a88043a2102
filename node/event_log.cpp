#include "node/event_log.h"

#include <stdexcept>

namespace cairn {

EventLog::EventLog(const std::string& destination, LogLevel least, const Clock& clock)
    : clock_(clock), log_(make_json_log(destination, least, clock)) {}

void EventLog::event(LogLevel level, std::string_view name,
                     std::initializer_list<LogField> fields) {
  std::shared_ptr<Log> log;
  {
    const std::lock_guard lock(mutex_);
    log = log_;
  }
  log->event(level, name, fields);
}

std::string EventLog::reopen(const std::string& destination, LogLevel least) {
  std::shared_ptr<Log> fresh;
  try {
    fresh = make_json_log(destination, least, clock_);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  const std::lock_guard lock(mutex_);
  log_.swap(fresh);
  return {};
}

LogLevel log_level_of(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  return LogLevel::info;
}

}  // namespace cairn
