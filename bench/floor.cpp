// What this machine can do at best, measured with nothing in between: synced writes, hashing,
// memory copies, loopback TCP. A server's figure means something only beside these. Owned by the
// main thread; the loopback measures use one more.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "options.h"
#include "sha256.h"

namespace cairn::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMiB = std::size_t{1} << 20;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check(bool ok, const char* what) {
  if (!ok) throw std::system_error(errno, std::generic_category(), what);
}

class File {
 public:
  explicit File(std::string path) : path_(std::move(path)) {
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd_ >= 0, path_.c_str());
  }
  ~File() {
    close(fd_);
    unlink(path_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write_at(std::string_view bytes, std::size_t offset) const {
    while (!bytes.empty()) {
      const ssize_t wrote = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      check(wrote > 0, "pwrite");
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
      offset += static_cast<std::size_t>(wrote);
    }
  }
  void sync() const { check(fdatasync(fd_) == 0, "fdatasync"); }

 private:
  std::string path_;
  int fd_ = -1;
};

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) { check(fd >= 0, "socket"); }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string random_bytes(std::size_t count) {
  std::mt19937_64 random(std::random_device{}());
  std::string bytes(count, '\0');
  for (std::size_t at = 0; at + 8 <= count; at += 8) {
    const std::uint64_t word = random();
    std::memcpy(bytes.data() + at, &word, 8);
  }
  return bytes;
}

std::string format(const char* name, double value) {
  char text[96];
  std::snprintf(text, sizeof text, "\"%s\":%.2f", name, value);
  return text;
}

struct Pace {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

Pace summary(std::vector<double>& took_seconds, double elapsed) {
  if (took_seconds.empty()) throw std::runtime_error("too short a measure");
  std::sort(took_seconds.begin(), took_seconds.end());
  const std::size_t count = took_seconds.size();
  return {static_cast<double>(count) / elapsed, took_seconds[count / 2] * 1e6,
          took_seconds[count * 99 / 100] * 1e6};
}

enum class Growth { growing, preallocated };

// One write and one fdatasync after another, as a log would be written.
Pace synced_appends(const std::string& path, std::size_t size, Growth growth, double seconds) {
  constexpr std::size_t kPreallocatedBytes = 64 * kMiB;
  const File file(path);
  const std::string bytes = random_bytes(std::max(size, kMiB));
  if (growth == Growth::preallocated) {
    for (std::size_t at = 0; at < kPreallocatedBytes; at += kMiB) {
      file.write_at(std::string_view(bytes).substr(0, kMiB), at);
    }
    file.sync();
  }
  std::vector<double> took;
  const auto start = Clock::now();
  for (std::size_t at = 0; since(start) < seconds; at += size) {
    const std::size_t offset =
        growth == Growth::growing ? at : at % (kPreallocatedBytes - size + 1) / size * size;
    const auto before = Clock::now();
    file.write_at(std::string_view(bytes).substr(0, size), offset);
    file.sync();
    took.push_back(since(before));
  }
  return summary(took, since(start));
}

double sha256_rate(std::size_t size, double seconds) {
  const std::string bytes = random_bytes(std::max<std::size_t>(size, 8));
  Sha256 hasher;
  std::uint64_t hashed = 0;
  const auto start = Clock::now();
  while (since(start) < seconds) {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, kMiB / size); ++i) {
      hasher.digest(std::string_view(bytes).substr(0, size));
      ++hashed;
    }
  }
  return static_cast<double>(hashed) / since(start);
}

double memcpy_gb_s(double seconds) {
  const std::string from = random_bytes(256 * kMiB);
  std::string to(from.size(), '\1');
  std::uint64_t copied = 0;
  const auto start = Clock::now();
  while (since(start) < seconds) {
    std::memcpy(to.data(), from.data(), from.size());
    asm volatile("" : : "r"(to.data()) : "memory");  // the copy must happen
    copied += from.size();
  }
  return static_cast<double>(copied) / since(start) / 1e9;
}

// A connected pair over 127.0.0.1.
struct Loopback {
  Loopback()
      : listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        server(accept_one()) {
    const int on = 1;
    check(setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "nodelay");
    check(setsockopt(server.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "nodelay");
  }

  int accept_one() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    check(bind(listener.fd(), generic, sizeof address) == 0, "bind");
    check(listen(listener.fd(), 1) == 0, "listen");
    check(getsockname(listener.fd(), generic, &length) == 0, "getsockname");
    check(connect(client.fd(), generic, sizeof address) == 0, "connect");
    return accept(listener.fd(), nullptr, nullptr);
  }

  Socket listener;
  Socket client;
  Socket server;
};

// Keeps the calling thread on the first or the last core it may use, as a server and its load
// generator are kept in every row; on one core both ends share it.
enum class End { server, client };

void keep_on_own_core(End end) {
  cpu_set_t allowed;
  check(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
  std::vector<std::size_t> cores;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(end == End::server ? cores.front() : cores.back(), &own);
  check(sched_setaffinity(0, sizeof own, &own) == 0, "sched_setaffinity");
}

// Runs one end's work on a thread of its own, on its core.
template <typename Work>
std::thread on_own_core(End end, Work work) {
  return std::thread([end, work] {
    keep_on_own_core(end);
    work();
  });
}

double loopback_gb_s(double seconds) {
  const Loopback pair;
  std::thread reader = on_own_core(End::server, [&pair] {
    std::vector<char> buffer(kMiB);
    while (recv(pair.server.fd(), buffer.data(), buffer.size(), 0) > 0) {
    }
  });
  const std::string bytes = random_bytes(kMiB);
  double rate = 0;
  std::thread writer = on_own_core(End::client, [&] {
    std::uint64_t sent = 0;
    ssize_t wrote = 1;
    const auto start = Clock::now();
    while (since(start) < seconds && wrote > 0) {
      wrote = send(pair.client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (wrote > 0) sent += static_cast<std::uint64_t>(wrote);
    }
    rate = static_cast<double>(sent) / since(start) / 1e9;
    shutdown(pair.client.fd(), SHUT_WR);
  });
  writer.join();
  reader.join();
  return rate;
}

Pace loopback_round_trip(double seconds) {
  const Loopback pair;
  std::thread echo = on_own_core(End::server, [&pair] {
    char byte = 0;
    while (recv(pair.server.fd(), &byte, 1, 0) == 1 &&
           send(pair.server.fd(), &byte, 1, MSG_NOSIGNAL) == 1) {
    }
  });
  std::vector<double> took;
  bool ok = true;
  std::thread asker = on_own_core(End::client, [&] {
    char byte = 'x';
    const auto start = Clock::now();
    while (ok && since(start) < seconds) {
      const auto before = Clock::now();
      ok = send(pair.client.fd(), &byte, 1, MSG_NOSIGNAL) == 1 &&
           recv(pair.client.fd(), &byte, 1, 0) == 1;
      took.push_back(since(before));
    }
    shutdown(pair.client.fd(), SHUT_WR);
  });
  asker.join();
  echo.join();
  if (!ok) throw std::runtime_error("loopback round trip broke off");
  return summary(took, seconds);
}

std::string pace_members(const std::string& name, const Pace& figures) {
  return format((name + "_per_s").c_str(), figures.per_second) + "," +
         format((name + "_p50_us").c_str(), figures.p50_us) + "," +
         format((name + "_p99_us").c_str(), figures.p99_us);
}

std::string measure_all(const std::string& path, double seconds) {
  std::string out =
      pace_members("fdatasync_4k_growing", synced_appends(path, 4096, Growth::growing, seconds));
  out += "," + pace_members("fdatasync_4k_preallocated",
                            synced_appends(path, 4096, Growth::preallocated, seconds));
  const double one = synced_appends(path, kMiB, Growth::growing, seconds).per_second;
  out += "," + format("synced_write_1m_mb_s", one * static_cast<double>(kMiB) / 1e6);
  const double eight = synced_appends(path, 8 * kMiB, Growth::growing, seconds).per_second;
  out += "," + format("synced_write_8m_mb_s", eight * static_cast<double>(8 * kMiB) / 1e6);
  out +=
      "," + format("sha256_1m_gb_s", sha256_rate(kMiB, seconds) * static_cast<double>(kMiB) / 1e9);
  out += "," + format("sha256_100b_per_s", sha256_rate(100, seconds));
  out += "," + format("memcpy_gb_s", memcpy_gb_s(seconds));
  out += "," + format("loopback_gb_s", loopback_gb_s(seconds));
  out += "," + pace_members("loopback_round_trip", loopback_round_trip(seconds));
  return out;
}

int run(int argc, char** argv) {
  const Options options(argc, argv, {{"dir", "."}, {"seconds", "1"}, {"size", "4096"}});
  const std::string path =
      options.text("dir") + "/bench_floor." + std::to_string(getpid()) + ".tmp";
  const double seconds = options.decimal("seconds");
  std::string members;
  if (options.mode() == "all") {
    members = measure_all(path, seconds);
  } else if (options.mode() == "sync") {
    members = pace_members("sync",
                           synced_appends(path, options.number("size"), Growth::growing, seconds));
    members += "," + pace_members("loopback_round_trip", loopback_round_trip(seconds / 3));
  } else {
    throw std::invalid_argument("mode is all or sync");
  }
  std::printf("{%s}\n", members.c_str());
  return 0;
}

}  // namespace
}  // namespace cairn::bench

int main(int argc, char** argv) {
  try {
    return cairn::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr,
                 "bench_floor: %s\nusage: bench_floor all|sync [--dir DIR] [--seconds S a measure] "
                 "[--size BYTES of a synced append]\n",
                 error.what());
    return 2;
  }
}
