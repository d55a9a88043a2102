#include "node/doctor.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "node/config_text.h"
#include "node/listen_check.h"
#include "node/node_directory.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;
using std::chrono::duration;

/// The nearest directory that exists: the data directory itself, or where it will be made.
fs::path existing_part(const std::string& data_dir) {
  std::error_code error;
  fs::path path = fs::absolute(data_dir, error);
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path;
}

Finding examine_kernel() {
  utsname name{};
  ::uname(&name);
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH;
  const long descriptor = ::syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
  if (descriptor < 0) {
    return {Verdict::bad, "kernel",
            std::string(name.release) + " without openat2: " + std::strerror(errno),
            "Static files need Linux 5.6 or later, and openat2 not blocked by a sandbox."};
  }
  ::close(static_cast<int>(descriptor));
  return {Verdict::good, "kernel", std::string(name.release) + " with openat2", {}};
}

Finding examine_descriptors(const Config& config) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t wanted = config.limits.connections + 1024;
  const std::string found = std::to_string(limit.rlim_max) + " at most";
  if (limit.rlim_max >= wanted) return {Verdict::good, "file descriptors", found, {}};
  return {Verdict::warning, "file descriptors", found,
          "limits.connections = " + std::to_string(config.limits.connections) + " needs " +
              std::to_string(wanted) + "; raise LimitNOFILE (ulimit -n)."};
}

Finding examine_memory(const Config& config) {
  struct sysinfo info {};
  ::sysinfo(&info);
  const std::uint64_t total = std::uint64_t{info.totalram} * info.mem_unit;
  const std::uint64_t wanted = config.cache.memory_bytes + config.static_files.memory_bytes +
                               config.static_files.send_memory_bytes + config.limits.upload_bytes +
                               config.limits.answer_bytes;
  const std::string found =
      byte_size_text(wanted) + " budgeted, " + std::to_string(total / kMiB) + "MiB in the machine";
  if (wanted < total / 4 * 3) return {Verdict::good, "memory", found, {}};
  return {Verdict::warning, "memory", found,
          "Lower cache.memory, static.memory, limits.upload_bytes or limits.answer_bytes below "
          "three quarters."};
}

Finding examine_data_dir(const Config& config) {
  const std::string& path = config.node.data_dir;
  const fs::path present = existing_part(path);
  struct stat info {};
  if (::stat(present.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return {Verdict::bad, "data directory", present.string() + " is not a directory",
            "Move it away or set node.data_dir to another place."};
  }
  if (::access(present.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {Verdict::bad, "data directory", path + ": " + std::strerror(errno),
            "Give this user the directory, or run as the user that has it."};
  }
  std::error_code error;
  const bool made = fs::exists(path, error);
  const auto foreign = foreign_entry(present);
  if (made && foreign && !foreign.value().empty()) {
    return {Verdict::bad, "data directory", path + " holds other files (" + foreign.value() + ")",
            "Set node.data_dir to a directory of its own."};
  }
  if (made && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return {Verdict::warning, "data directory", path + " is open to other users",
            "chmod 700 " + path + " (serve does it at the next start)."};
  }
  return {Verdict::good, "data directory", made ? path : path + " will be made", {}};
}

Finding examine_disk(const Config& config) {
  const fs::path present = existing_part(config.node.data_dir);
  struct statvfs info {};
  if (::statvfs(present.c_str(), &info) != 0) {
    return {Verdict::bad, "disk", std::strerror(errno), "Is the disk mounted?"};
  }
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  const std::uint64_t total = std::uint64_t{info.f_blocks} * info.f_frsize;
  const DiskShare& share = config.storage.reserve;
  const std::uint64_t reserve =
      share.bytes != 0
          ? share.bytes
          : static_cast<std::uint64_t>(static_cast<double>(total) / 100 * share.percent);
  const std::string found = std::to_string(free / kMiB) + "MiB free, " +
                            std::to_string(reserve / kMiB) + "MiB kept in reserve";
  if (free <= reserve) {
    return {Verdict::bad, "disk", found, "Writes would be answered 507: free some room."};
  }
  if (free < 2 * reserve) {
    return {Verdict::warning, "disk", found, "Writes are refused once the reserve is reached."};
  }
  return {Verdict::good, "disk", found, {}};
}

struct SyncTimes {
  double write_us = -1;  ///< A write alone.
  double sync_us = -1;   ///< A write and fdatasync.
};

/// Medians of some appends of 4 KiB, with and without fdatasync.
SyncTimes time_syncs(const fs::path& directory, const Clock& clock) {
  std::string name = (directory / ".cairn-doctor-XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  if (descriptor < 0) return {};
  ::unlink(name.c_str());
  const std::array<char, 4096> page{};
  const auto median = [&](bool sync) {
    std::array<double, 15> times{};
    for (double& time : times) {
      const MonoTime start = clock.mono();
      if (::write(descriptor, page.data(), page.size()) != static_cast<ssize_t>(page.size()) ||
          (sync && ::fdatasync(descriptor) != 0)) {
        return -1.0;
      }
      time = duration<double, std::micro>(clock.mono() - start).count();
    }
    std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
    return times[times.size() / 2];
  };
  SyncTimes out;
  out.write_us = median(false);
  out.sync_us = median(true);
  ::close(descriptor);
  return out;
}

Finding examine_sync(const Config& config, const Clock& clock) {
  const fs::path present = existing_part(config.node.data_dir);
  const SyncTimes times = time_syncs(present, clock);
  if (times.sync_us < 0) {
    return {Verdict::bad, "durable writes", "cannot write to " + present.string(),
            "See the data directory above."};
  }
  const std::string found =
      std::to_string(static_cast<std::uint64_t>(times.sync_us)) + " us for a synced write of 4KiB";
  // No disk makes a write durable in the time of a system call: somebody only says so.
  if (times.sync_us < 5 || times.sync_us < 2 * times.write_us) {
    return {Verdict::warning, "durable writes", found,
            "Too quick to be true: a memory file system, or a disk that ignores syncs, loses "
            "acknowledged blocks on power loss."};
  }
  if (times.sync_us > 20'000) {
    return {Verdict::warning, "durable writes", found, "A slow disk: each single PUT takes this."};
  }
  return {Verdict::good, "durable writes", found, {}};
}

Finding examine_clock(const Clock& clock) {
  timex state{};
  const int status = ::adjtimex(&state);
  constexpr WallTime kJanuary2025{1'735'689'600'000};
  if (clock.wall() < kJanuary2025) {
    return {Verdict::bad, "clock", "the date lies in the past", "Set the clock (timedatectl)."};
  }
  if (status == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    return {Verdict::warning, "clock", "not synchronised",
            "Run a time service such as systemd-timesyncd."};
  }
  return {Verdict::good, "clock", "synchronised", {}};
}

Finding examine_address(const std::string& key, const std::string& text) {
  const auto free = check_listen_address(text);
  if (free) return {Verdict::good, key, text + " is free", {}};
  if (free.error().code == Errc::conflict) {
    return {Verdict::warning, key, text + " is in use",
            "Fine if this node runs already; else choose another port."};
  }
  return {Verdict::bad, key, free.error().detail,
          free.error().code == Errc::denied ? "Run as a service, or behind a reverse proxy."
                                            : "Use an address of this machine."};
}

}  // namespace

std::vector<Finding> examine(const Config& config, const Clock& clock) {
  std::vector<Finding> out;
  out.push_back(examine_kernel());
  out.push_back(examine_descriptors(config));
  out.push_back(examine_memory(config));
  out.push_back(examine_data_dir(config));
  if (out.back().verdict != Verdict::bad) {
    out.push_back(examine_disk(config));
    out.push_back(examine_sync(config, clock));
  }
  out.push_back(examine_clock(clock));
  for (const std::string& address : config.listen.http) {
    out.push_back(examine_address("listen.http", address));
  }
  if (!config.listen.admin.empty()) {
    out.push_back(examine_address("listen.admin", config.listen.admin));
  }
  return out;
}

}  // namespace cairn
