#include "storage/log_file_pool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#include "base/blocking_pool.h"
#include "storage/disk_space.h"
#include "storage/file.h"

namespace cairn {
namespace {

constexpr std::size_t kStepBytes = std::size_t{1} << 20;
/// Of a disk with less than so many files' room free nothing is taken for spare files.
constexpr std::uint64_t kRoomOnDisk = 8;

bool is_log(const std::string& name) {
  return name.ends_with(".log");
}

/// Room that is there is not asked for again: RocksDB's file would cut it off when it closes.
class PooledLogFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
  void PrepareWrite(size_t, size_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {}
};

}  // namespace

LogFilePool::LogFilePool(const std::shared_ptr<rocksdb::FileSystem>& target,
                         std::filesystem::path directory, std::uint64_t file_bytes)
    : FileSystemWrapper(target),
      directory_(std::move(directory)),
      file_bytes_(file_bytes / kStepBytes * kStepBytes) {}

LogFilePool::~LogFilePool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::filesystem::path LogFilePool::ready_path(Number number) const {
  return directory_ / ("spare-log-" + std::to_string(number));
}
std::filesystem::path LogFilePool::filling_path(Number number) const {
  return directory_ / ("spare-log-" + std::to_string(number) + ".filling");
}

bool LogFilePool::disk_has_room() const {
  const auto space = disk_space_of(directory_);
  return space.has_value() && space.value().free_bytes >= kRoomOnDisk * file_bytes_;
}

/// The name says `ready` only of what is zeros on the disk.
Result<void> LogFilePool::fill(Number number) {
  const auto path = filling_path(number);
  CAIRN_TRY(File file, File::open(path, O_RDWR | O_CREAT));
  const std::vector<std::uint8_t> zeros(kStepBytes);
  for (std::uint64_t offset = 0; offset < file_bytes_; offset += kStepBytes) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return fail(Errc::unavailable, "the pool ends");
    }
    CAIRN_TRY(file.write_at(offset, zeros));
    // Written out as it goes: the sync of a log meanwhile finds no crowd before it.
    ::sync_file_range(file.descriptor(), static_cast<off_t>(offset), kStepBytes,
                      SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }
  CAIRN_TRY(file.truncate(file_bytes_));
  CAIRN_TRY(file.sync_all());
  if (::rename(path.c_str(), ready_path(number).c_str()) != 0) {
    return io_error("rename", path, errno);
  }
  return sync_directory(directory_);
}

Result<void> LogFilePool::prepare() {
  bool found = false;
  for (Number number = 0; number < kFiles; ++number) {
    ::unlink(filling_path(number).c_str());
    auto file = File::open(ready_path(number), O_RDONLY);
    if (file.has_error()) continue;
    const auto size = file.value().size();
    if (size.has_error() || size.value() != file_bytes_) {
      ::unlink(ready_path(number).c_str());
      continue;
    }
    states_.at(number) = State::ready;
    found = true;
  }
  if (!found) {
    if (!disk_has_room()) return fail(Errc::full, "the disk has no room to spare");
    if (auto filled = fill(0); filled.has_error()) {
      ::unlink(filling_path(0).c_str());
      return filled;
    }
    states_.at(0) = State::ready;
  }
  thread_ = std::thread([this] { run(); });
  return ok();
}

void LogFilePool::run() {
  name_this_thread("storage-spare");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto next = std::ranges::find(states_, State::filling);
    if (next == states_.end()) {
      changed_.wait(lock);
      continue;
    }
    const auto number = static_cast<Number>(next - states_.begin());
    lock.unlock();
    const bool filled = fill(number).has_value();
    // A full disk wants its room back.
    if (!filled) ::unlink(filling_path(number).c_str());
    lock.lock();
    states_.at(number) = filled ? State::ready : State::absent;
    changed_.notify_all();
  }
}

void LogFilePool::wait_until_filled() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [this] { return std::ranges::find(states_, State::filling) == states_.end(); });
}

rocksdb::IOStatus LogFilePool::NewWritableFile(const std::string& name,
                                               const rocksdb::FileOptions& options,
                                               std::unique_ptr<rocksdb::FSWritableFile>* result,
                                               rocksdb::IODebugContext* debug) {
  if (!is_log(name)) return target()->NewWritableFile(name, options, result, debug);
  std::string spare;
  {
    const std::lock_guard lock(mutex_);
    const auto ready = std::ranges::find(states_, State::ready);
    if (ready != states_.end()) {
      *ready = State::absent;
      spare = ready_path(static_cast<Number>(ready - states_.begin())).string();
    }
  }
  if (spare.empty()) return target()->NewWritableFile(name, options, result, debug);
  // Pages that memory has lost since would be read again one by one.
  if (auto file = File::open(spare, O_RDONLY); file.has_value()) {
    ::posix_fadvise(file.value().descriptor(), 0, 0, POSIX_FADV_WILLNEED);
  }
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const auto reused = target()->ReuseWritableFile(name, spare, options, &file, debug);
  if (!reused.ok()) {
    ::unlink(spare.c_str());
    return target()->NewWritableFile(name, options, result, debug);
  }
  // Before anything is written into it: else a power failure could bring the old name back with
  // records in it.
  if (const auto synced = sync_directory(directory_); synced.has_error()) {
    return rocksdb::IOStatus::IOError(synced.error().detail);
  }
  *result = std::make_unique<PooledLogFile>(std::move(file));
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus LogFilePool::DeleteFile(const std::string& name,
                                          const rocksdb::IOOptions& options,
                                          rocksdb::IODebugContext* debug) {
  if (is_log(name) && disk_has_room()) {
    const std::lock_guard lock(mutex_);
    const auto absent = std::ranges::find(states_, State::absent);
    if (absent != states_.end() && thread_.joinable()) {
      const auto number = static_cast<Number>(absent - states_.begin());
      if (::rename(name.c_str(), filling_path(number).c_str()) == 0) {
        *absent = State::filling;
        changed_.notify_all();
        return rocksdb::IOStatus::OK();
      }
    }
  }
  return target()->DeleteFile(name, options, debug);
}

}  // namespace cairn
