// LogFilePool: a file system for RocksDB that writes its log over files of zeros made ready before.
// A sync of a log that grows writes the data and then the file's size; over room that was written
// already it writes the data alone, in half the time. Log files that RocksDB removes are filled
// with zeros again, by a thread of the pool's own, and used for the next. What follows the last
// record of a log reads as zeros, which RocksDB takes for its end; see docs/decisions. Any thread.
#pragma once

#include <rocksdb/file_system.h>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"

namespace cairn {

class LogFilePool final : public rocksdb::FileSystemWrapper {
 public:
  /// How many files are kept ready at most.
  static constexpr std::size_t kFiles = 2;

  /// RocksDB's files lie in `directory`, and so do the pool's. `file_bytes`, a multiple of 1 MiB,
  /// is the room of each: a log that outgrows it goes on as any file does.
  LogFilePool(const std::shared_ptr<rocksdb::FileSystem>& target, std::filesystem::path directory,
              std::uint64_t file_bytes);
  /// Ends what is being filled at the next MiB.
  ~LogFilePool() override;

  /// Finds the files of the run before, and makes one where there is none: a new store's first log
  /// has its room too. Before the database is opened. Errors: full (the disk has not eight times
  /// a file's room left: what there is is for data), unavailable; the pool then does no harm.
  Result<void> prepare();

  const char* Name() const override { return "LogFilePool"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

  /// Until nothing is being filled; for tests.
  void wait_until_filled();

 private:
  using Number = std::size_t;

  std::filesystem::path ready_path(Number number) const;
  std::filesystem::path filling_path(Number number) const;
  bool disk_has_room() const;
  Result<void> fill(Number number);
  void run();

  enum class State : std::uint8_t { absent, filling, ready };

  const std::filesystem::path directory_;
  const std::uint64_t file_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<State, kFiles> states_{};
  bool stopping_ = false;
  std::thread thread_;  ///< Fills whatever is in the state `filling`.
};

}  // namespace cairn
