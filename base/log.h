// Event log: what happened, as one JSON object a line. Any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace cairn {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// One key and its value. Borrowed text must live until event() returns.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;
};

/// Never throws, never blocks for long, never takes secrets (tokens, keys, capability strings).
class Log {
 public:
  virtual ~Log() = default;
  /// `name` is a stable snake_case word; `fields` say the rest.
  virtual void event(LogLevel level, std::string_view name,
                     std::initializer_list<LogField> fields = {}) = 0;
};

/// Drops everything; for tests and tools.
class NullLog final : public Log {
 public:
  void event(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

/// Appends `text` as a JSON string with quotes; invalid UTF-8 becomes U+FFFD, so that a line is
/// always JSON.
void append_json_string(std::string& out, std::string_view text);

/// A Log that writes lines at or above `least` to `destination`: "stderr", "stdout" or a file
/// (appended to). Throws std::runtime_error when the file cannot be opened. `clock` outlives the
/// log.
std::unique_ptr<Log> make_json_log(const std::string& destination, LogLevel least,
                                   const Clock& clock);

}  // namespace cairn
