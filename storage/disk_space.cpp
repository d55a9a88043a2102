#include "storage/disk_space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "storage/file.h"

namespace cairn {

Result<DiskSpace> disk_space_of(const std::filesystem::path& directory) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0) return io_error("statvfs", directory, errno);
  const std::uint64_t unit = status.f_frsize;
  return DiskSpace{status.f_bavail * unit, status.f_blocks * unit};
}

std::uint64_t DiskReserve::bytes_of(std::uint64_t total_bytes) const {
  return std::max(bytes,
                  static_cast<std::uint64_t>(static_cast<double>(total_bytes) * percent / 100.0));
}

SpaceWatch::SpaceWatch(std::filesystem::path directory, DiskReserve reserve, AskDiskSpace ask,
                       Log& log)
    : directory_(std::move(directory)), reserve_(reserve), ask_(std::move(ask)), log_(log) {}

void SpaceWatch::refresh() {
  const auto answer = ask_(directory_);
  if (answer.has_error()) {
    log_.event(LogLevel::warn, "storage_space_unknown", {{"reason", answer.error().detail}});
    return;
  }
  const DiskSpace space = answer.value();
  free_.store(space.free_bytes, std::memory_order_relaxed);
  total_.store(space.total_bytes, std::memory_order_relaxed);
  const std::uint64_t reserve = reserve_.bytes_of(space.total_bytes);
  const bool was_full = full();
  const bool is_full = space.free_bytes < (was_full ? reserve + reserve / 64 : reserve);
  if (is_full == was_full) return;
  full_.store(is_full, std::memory_order_relaxed);
  log_.event(is_full ? LogLevel::error : LogLevel::info,
             is_full ? "storage_full" : "storage_has_room",
             {{"free_bytes", space.free_bytes}, {"reserve_bytes", reserve}});
}

}  // namespace cairn
