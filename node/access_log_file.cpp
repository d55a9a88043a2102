#include "node/access_log_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "base/blocking_pool.h"

namespace cairn {
namespace {

constexpr std::chrono::seconds kFlushInterval{1};
constexpr mode_t kFileMode = 0640;

int open_destination(const std::string& destination) {
  if (destination == "stdout") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  // A named pipe that nobody reads is an error, not a wait.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;
  const int made = ::open(destination.c_str(), kFlags | O_EXCL, kFileMode);
  if (made < 0) return ::open(destination.c_str(), kFlags, kFileMode);
  // Who reads logs is in the group; the process's umask lets no group in.
  ::fchmod(made, kFileMode);
  return made;
}

/// Whether a write would go on at once, waiting until `deadline` for it.
bool can_write(int descriptor, const Clock& clock, Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.mono()).count();
  pollfd wanted{descriptor, POLLOUT, 0};
  return ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0;
}

/// The lines at the beginning of `lines` that a pipe takes as one, else a part of the first.
std::string_view next_piece(std::string_view lines) {
  const std::string_view piece = lines.substr(0, PIPE_BUF);
  const std::size_t end = piece.rfind('\n');
  return end == std::string_view::npos ? piece : piece.substr(0, end + 1);
}

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
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
  const Deadline deadline = clock_.in(kPatience);
  for (auto& core : cores_) write_core(*core, deadline);
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

void AccessLogFile::write_core(PerCore& core, Deadline deadline) {
  {
    const std::lock_guard lock(core.mutex);
    spare_.swap(core.lines);
  }
  if (!spare_.empty()) write_all(spare_, deadline);
  spare_.clear();
  // A burst's memory is given back; an ordinary second's is kept.
  if (spare_.capacity() > kCoreBytes / 8) spare_.shrink_to_fit();
}

void AccessLogFile::write_all(std::string_view lines, Deadline deadline) {
  const std::uint64_t count = lines_in(lines);
  std::string reason;
  while (!lines.empty() && reason.empty()) {
    if (!can_write(descriptor_, clock_, deadline)) {
      reason = "its reader has stalled";
      break;
    }
    const std::string_view piece = next_piece(lines);
    const ssize_t wrote = ::write(descriptor_, piece.data(), piece.size());
    if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (wrote <= 0) reason = std::strerror(errno);
    lines.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(wrote, 0)));
  }
  const std::uint64_t left = lines_in(lines);
  written_.fetch_add(count - left, std::memory_order_relaxed);
  dropped_.fetch_add(left, std::memory_order_relaxed);
  if (!reason.empty() && !failing_) {
    log_.event(LogLevel::error, "access_log_failed", {{"reason", std::string_view(reason)}});
  }
  failing_ = !reason.empty();
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
