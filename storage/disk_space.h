// The room on the disk that storage writes to, and the reserve below which it stops: reads, deletes
// and the bookkeeping of both need some room too. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/log.h"
#include "base/result.h"

namespace cairn {

struct DiskSpace {
  std::uint64_t free_bytes = 0;  ///< What an ordinary user may still take.
  std::uint64_t total_bytes = 0;
};

/// Asks the file system (statvfs). Errors: unavailable.
Result<DiskSpace> disk_space_of(const std::filesystem::path& directory);

using AskDiskSpace = std::function<Result<DiskSpace>(const std::filesystem::path& directory)>;

/// What is kept free: the larger of the two.
struct DiskReserve {
  std::uint64_t bytes = 0;
  double percent = 5.0;

  std::uint64_t bytes_of(std::uint64_t total_bytes) const;
};

class SpaceWatch {
 public:
  /// `log` outlives the watch. Has an opinion only after the first refresh().
  SpaceWatch(std::filesystem::path directory, DiskReserve reserve, AskDiskSpace ask, Log& log);

  /// Asks again; full() changes here and nowhere else. Keeps its opinion when the answer fails.
  void refresh();
  /// Room is below the reserve. Ends only a little above it, so that it does not flutter.
  bool full() const { return full_.load(std::memory_order_relaxed); }

  std::uint64_t free_bytes() const { return free_.load(std::memory_order_relaxed); }
  std::uint64_t total_bytes() const { return total_.load(std::memory_order_relaxed); }
  std::uint64_t reserve_bytes() const { return reserve_.bytes_of(total_bytes()); }
  /// What may still be written before the reserve is reached.
  std::uint64_t headroom_bytes() const {
    const std::uint64_t free = free_bytes();
    const std::uint64_t reserve = reserve_bytes();
    return free > reserve ? free - reserve : 0;
  }

 private:
  const std::filesystem::path directory_;
  const DiskReserve reserve_;
  const AskDiskSpace ask_;
  Log& log_;
  std::atomic<std::uint64_t> free_{0};
  std::atomic<std::uint64_t> total_{0};
  std::atomic<bool> full_{false};
};

}  // namespace cairn
