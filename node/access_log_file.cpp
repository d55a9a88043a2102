#include "node/access_log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "base/blocking_pool.h"

namespace cairn {
namespace {

constexpr std::chrono::seconds kFlushInterval{1};

int open_destination(const std::string& destination) {
  if (destination == "stdout") return ::dup(STDOUT_FILENO);
  return ::open(destination.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

void append_number(std::string& out, std::uint64_t number) {
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  out.append(text, end);
}

}  // namespace

Result<std::unique_ptr<AccessLogFile>> AccessLogFile::open(std::string destination,
                                                           std::size_t cores, const Clock& clock,
                                                           Log& log) {
  const int descriptor = open_destination(destination);
  if (descriptor < 0) {
    return fail(Errc::unavailable, destination + ": " + std::strerror(errno));
  }
  return std::unique_ptr<AccessLogFile>(
      new AccessLogFile(std::move(destination), descriptor, cores, clock, log));
}

AccessLogFile::AccessLogFile(std::string destination, int descriptor, std::size_t cores,
                             const Clock& clock, Log& log)
    : destination_(std::move(destination)), clock_(clock), log_(log), descriptor_(descriptor) {
  for (std::size_t i = 0; i < cores; ++i) cores_.push_back(std::make_unique<PerCore>());
  writer_ = std::thread([this] { run(); });
}

AccessLogFile::~AccessLogFile() {
  {
    const std::lock_guard lock(stop_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  writer_.join();
  flush();
  ::close(descriptor_);
}

void AccessLogFile::record(std::size_t core, const http::AccessRecord& record) {
  PerCore& mine = *cores_[core];
  const std::lock_guard lock(mine.mutex);
  if (mine.lines.size() >= kCoreBytes) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  append(mine, record);
  ++mine.count;
}

void AccessLogFile::append(PerCore& core, const http::AccessRecord& record) {
  const auto wall = static_cast<std::int64_t>(clock_.wall());
  const std::int64_t second = wall / 1000;
  if (second != core.second) {
    const std::time_t time = second;
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[32];
    core.second_text.assign(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc));
    core.second = second;
  }
  std::string& out = core.lines;
  const auto ms = static_cast<unsigned>(wall % 1000);
  const char fraction[5] = {'.', static_cast<char>('0' + ms / 100),
                            static_cast<char>('0' + ms / 10 % 10), static_cast<char>('0' + ms % 10),
                            'Z'};
  out += "{\"time\":\"";
  out += core.second_text;
  out.append(fraction, sizeof fraction);
  out += "\",\"method\":\"";
  out += record.method;
  out += "\",\"host\":";
  append_json_string(out, record.host);
  out += ",\"path\":";
  append_json_string(out, record.path);
  out += ",\"status\":";
  append_number(out, record.status);
  out += ",\"bytes\":";
  append_number(out, record.body_bytes);
  out += ",\"duration_us\":";
  append_number(out, static_cast<std::uint64_t>(record.duration.count()) / 1000);
  out += ",\"client\":";
  append_json_string(out, record.client);
  out += ",\"answered_by\":";
  append_json_string(out, record.answered_by);
  out += "}\n";
}

void AccessLogFile::reopen() {
  reopen_.store(true, std::memory_order_relaxed);
  wake_.notify_one();
}

void AccessLogFile::flush() {
  const std::lock_guard lock(writing_);
  if (reopen_.exchange(false)) reopen_now();
  for (auto& core : cores_) write_core(*core);
}

void AccessLogFile::run() {
  name_this_thread("access-log");
  std::unique_lock lock(stop_mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kFlushInterval);
    lock.unlock();
    flush();
    lock.lock();
  }
}

void AccessLogFile::write_core(PerCore& core) {
  std::uint64_t count = 0;
  {
    const std::lock_guard lock(core.mutex);
    spare_.swap(core.lines);
    count = std::exchange(core.count, 0);
  }
  if (!spare_.empty()) write_all(spare_, count);
  spare_.clear();
  // A burst's memory is given back; an ordinary second's is kept.
  if (spare_.capacity() > kCoreBytes / 8) spare_.shrink_to_fit();
}

void AccessLogFile::write_all(const std::string& lines, std::uint64_t count) {
  std::size_t done = 0;
  while (done < lines.size()) {
    const ssize_t wrote = ::write(descriptor_, lines.data() + done, lines.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const std::string reason = std::strerror(errno);
      if (dropped_.fetch_add(count, std::memory_order_relaxed) == 0) {
        log_.event(LogLevel::error, "access_log_failed", {{"reason", std::string_view(reason)}});
      }
      return;
    }
    done += static_cast<std::size_t>(wrote);
  }
  written_.fetch_add(count, std::memory_order_relaxed);
}

void AccessLogFile::reopen_now() {
  const int fresh = open_destination(destination_);
  if (fresh < 0) {
    const std::string reason = std::strerror(errno);
    log_.event(LogLevel::error, "access_log_reopen_failed", {{"reason", std::string_view(reason)}});
    return;
  }
  ::close(descriptor_);
  descriptor_ = fresh;
}

}  // namespace cairn
