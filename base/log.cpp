#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <ctime>
#include <stdexcept>

#include "base/utf8.h"

namespace cairn {
namespace {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
  }
  return "error";
}

void append_time(std::string& out, WallTime wall) {
  const auto ms = static_cast<std::int64_t>(wall);
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  fmt::format_to(std::back_inserter(out), "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\"",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                 utc.tm_sec, ms % 1000);
}

void append_value(std::string& out, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_json_string(out, *text);
  } else {
    std::visit(
        [&](const auto& value) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::string_view>) {
            fmt::format_to(std::back_inserter(out), "{}", value);
          }
        },
        field.value);
  }
}

class JsonLog final : public Log {
 public:
  JsonLog(spdlog::sink_ptr sink, LogLevel least, const Clock& clock)
      : logger_("events", std::move(sink)), least_(least), clock_(clock) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::trace);
  }

  void event(LogLevel level, std::string_view name,
             std::initializer_list<LogField> fields) override {
    if (level < least_) return;
    std::string line = "{\"time\":";
    append_time(line, clock_.wall());
    line += ",\"level\":\"";
    line += level_name(level);
    line += "\",\"event\":";
    append_json_string(line, name);
    for (const LogField& field : fields) {
      line += ',';
      append_json_string(line, field.key);
      line += ':';
      append_value(line, field);
    }
    line += '}';
    logger_.info(spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  spdlog::logger logger_;
  const LogLevel least_;
  const Clock& clock_;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  out += '"';
}

std::unique_ptr<Log> make_json_log(const std::string& destination, LogLevel least,
                                   const Clock& clock) {
  spdlog::sink_ptr sink;
  if (destination == "stderr") {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else if (destination == "stdout") {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  } else {
    try {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(destination);
    } catch (const spdlog::spdlog_ex& error) {
      throw std::runtime_error(error.what());
    }
  }
  return std::make_unique<JsonLog>(std::move(sink), least, clock);
}

}  // namespace cairn
