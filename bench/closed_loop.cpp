// See closed_loop.h.
#include "closed_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <system_error>

namespace cairn::bench {
namespace {

constexpr std::size_t kFirstBufferBytes = 4096;
constexpr std::size_t kDroppedBytes = 256 * 1024;
constexpr double kLatencyUnitsPerUs = 16;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int open_connection(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw_errno("socket");
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    throw_errno("connect");
  }
  const int on = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    close(fd);
    throw_errno("TCP_NODELAY");
  }
  return fd;
}

std::string json_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  return out;
}

}  // namespace

double process_cpu_seconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) throw_errno("getrusage");
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double LoadFigures::percentile_us(double share) const {
  if (latency_us_x16.empty()) return 0;
  const auto count = static_cast<double>(latency_us_x16.size());
  const auto rank = static_cast<std::size_t>(std::ceil(share * count));
  return latency_us_x16[std::max<std::size_t>(rank, 1) - 1] / kLatencyUnitsPerUs;
}

std::string LoadFigures::json(std::string_view extra) const {
  char line[512];
  std::snprintf(line, sizeof line,
                "{\"requests\":%llu,\"errors\":%llu,\"seconds\":%.6f,\"rate\":%.2f,"
                "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
                "\"load_cpu_seconds\":%.4f,\"exhausted\":%s,\"first_error\":\"",
                static_cast<unsigned long long>(requests), static_cast<unsigned long long>(errors),
                seconds, seconds > 0 ? static_cast<double>(requests) / seconds : 0.0,
                percentile_us(0.5), percentile_us(0.99), percentile_us(0.999), percentile_us(1),
                cpu_seconds, exhausted ? "true" : "false");
  return line + json_escaped(first_error) + "\"" + std::string(extra) + "}";
}

ClosedLoop::ClosedLoop(const std::string& address, std::uint16_t port, std::size_t connections)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), connections_(connections), dropped_(kDroppedBytes) {
  if (epoll_ < 0) throw_errno("epoll_create1");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) {
    errno = EINVAL;
    throw_errno("address");
  }
  for (std::size_t i = 0; i < connections; ++i) {
    connections_[i].fd = open_connection(to);
    connections_[i].buffer.resize(kFirstBufferBytes);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;  // edges: no epoll_ctl a request
    event.data.u64 = i;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].fd, &event) != 0) throw_errno("epoll_ctl");
  }
}

ClosedLoop::~ClosedLoop() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) close(connection.fd);
  }
  if (epoll_ >= 0) close(epoll_);
}

LoadFigures ClosedLoop::run(Workload& workload, const LoadLimits& limits) {
  figures_ = {};
  const auto span = [](double seconds) {
    return std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
  };
  const double cpu_before = process_cpu_seconds();
  const Time start = std::chrono::steady_clock::now();
  deadline_ = start + span(limits.seconds);
  last_answer_ = start;
  for (std::size_t i = 0; i < connections_.size(); ++i) start_next(i, workload);
  const Time give_up = deadline_ + span(limits.patience_seconds);
  while (under_way_ > 0) {
    if (std::chrono::steady_clock::now() > give_up) {
      for (std::size_t i = 0; i < connections_.size(); ++i) {
        if (connections_[i].waiting) fail(i, "no answer in time");
      }
      break;
    }
    wait_once(workload);
  }
  figures_.seconds = std::chrono::duration<double>(last_answer_ - start).count();
  figures_.cpu_seconds = process_cpu_seconds() - cpu_before;
  std::sort(figures_.latency_us_x16.begin(), figures_.latency_us_x16.end());
  return figures_;
}

void ClosedLoop::wait_once(Workload& workload) {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
  if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
    const std::uint32_t happened = events[static_cast<std::size_t>(i)].events;
    Connection& connection = connections_[index];
    const bool unsent = connection.waiting && connection.first_unsent < connection.unsent.count;
    if ((happened & EPOLLOUT) != 0 && connection.fd >= 0 && unsent) write_more(index);
    if ((happened & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && connection.fd >= 0) {
      read_more(index, workload);
    }
  }
}

void ClosedLoop::start_next(std::size_t index, Workload& workload) {
  Connection& connection = connections_[index];
  const Time now = std::chrono::steady_clock::now();
  if (now >= deadline_) return;
  connection.unsent = {};
  connection.first_unsent = 0;
  if (!workload.next(index, connection.unsent)) {
    figures_.exhausted = true;
    return;
  }
  connection.sent_at = now;
  connection.waiting = true;
  ++under_way_;
  write_more(index);
}

void ClosedLoop::write_more(std::size_t index) {
  Connection& connection = connections_[index];
  Outgoing& out = connection.unsent;
  while (connection.first_unsent < out.count) {
    msghdr message{};
    message.msg_iov = &out.pieces[static_cast<std::size_t>(connection.first_unsent)];
    message.msg_iovlen = static_cast<std::size_t>(out.count - connection.first_unsent);
    const ssize_t sent = sendmsg(connection.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {
        return;  // the edge tells when there is room
      }
      fail(index, "send: " + std::generic_category().message(errno));
      return;
    }
    auto left = static_cast<std::size_t>(sent);
    while (connection.first_unsent < out.count) {
      iovec& piece = out.pieces[static_cast<std::size_t>(connection.first_unsent)];
      const std::size_t taken = std::min(left, piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + taken;
      piece.iov_len -= taken;
      left -= taken;
      if (piece.iov_len > 0) break;
      ++connection.first_unsent;
    }
  }
}

void ClosedLoop::read_more(std::size_t index, Workload& workload) {
  Connection& connection = connections_[index];
  while (connection.fd >= 0) {
    const bool dropping = connection.to_drop > 0;
    if (!dropping && connection.filled == connection.buffer.size()) {
      connection.buffer.resize(2 * connection.buffer.size());
    }
    char* to = dropping ? dropped_.data() : connection.buffer.data() + connection.filled;
    const std::size_t room = dropping ? std::min(dropped_.size(), connection.to_drop)
                                      : connection.buffer.size() - connection.filled;
    const ssize_t got = recv(connection.fd, to, room, MSG_DONTWAIT);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) fail(index, "recv: " + std::generic_category().message(errno));
      return;
    }
    if (got == 0) {
      fail(index, "the server closed the connection");
      return;
    }
    const auto count = static_cast<std::size_t>(got);
    if (dropping) {
      connection.to_drop -= count;
      if (connection.to_drop == 0) finish(index, workload);
    } else {
      connection.filled += count;
      judge(index, workload);
    }
    if (count < room) return;  // nothing more is there: the next edge tells
  }
}

void ClosedLoop::judge(std::size_t index, Workload& workload) {
  Connection& connection = connections_[index];
  if (!connection.waiting) {
    fail(index, "bytes without a request");
    return;
  }
  std::optional<Workload::Answer> answer;
  try {
    answer = workload.read(index, {connection.buffer.data(), connection.filled});
  } catch (const std::exception& error) {
    fail(index, error.what());
    return;
  }
  if (!answer) return;
  if (answer->bytes < connection.filled) {
    fail(index, "bytes after the answer");
    return;
  }
  connection.error = std::move(answer->error);
  connection.to_drop = answer->bytes - connection.filled;
  if (connection.to_drop == 0) finish(index, workload);
}

void ClosedLoop::finish(std::size_t index, Workload& workload) {
  Connection& connection = connections_[index];
  last_answer_ = std::chrono::steady_clock::now();
  connection.filled = 0;
  connection.waiting = false;
  --under_way_;
  if (connection.error.empty()) {
    ++figures_.requests;
    const double us =
        std::chrono::duration<double, std::micro>(last_answer_ - connection.sent_at).count();
    const double units =
        std::min<double>(us * kLatencyUnitsPerUs, std::numeric_limits<std::uint32_t>::max());
    figures_.latency_us_x16.push_back(static_cast<std::uint32_t>(units));
  } else {
    ++figures_.errors;
    if (figures_.first_error.empty()) figures_.first_error = connection.error;
  }
  start_next(index, workload);
}

void ClosedLoop::fail(std::size_t index, const std::string& why) {
  Connection& connection = connections_[index];
  if (connection.waiting) {
    --under_way_;
    connection.waiting = false;
  }
  ++figures_.errors;
  if (figures_.first_error.empty()) figures_.first_error = why;
  close(connection.fd);
  connection.fd = -1;
}

}  // namespace cairn::bench
