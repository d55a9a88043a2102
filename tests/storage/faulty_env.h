// RocksDB Envs whose write-ahead log fails, or whose reads do, when told to: a disk that breaks,
// hangs or runs full.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>

namespace cairn {

enum class LogFault : int { none, sync_error, no_space };

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(std::atomic<LogFault>& fault)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), fault_(fault) {}

  const char* Name() const override { return "FaultyFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    auto status = target()->NewWritableFile(name, options, file, debug);
    if (status.ok() && name.ends_with(".log")) {
      *file = std::make_unique<LogFile>(std::move(*file), fault_);
    }
    return status;
  }
  rocksdb::IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    auto status = target()->ReuseWritableFile(name, old_name, options, file, debug);
    if (status.ok()) *file = std::make_unique<LogFile>(std::move(*file), fault_);
    return status;
  }

 private:
  class LogFile final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    LogFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::atomic<LogFault>& fault)
        : FSWritableFileOwnerWrapper(std::move(file)), fault_(fault) {}

    rocksdb::IOStatus Append(const rocksdb::Slice& bytes, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      if (fault_ == LogFault::no_space) return rocksdb::IOStatus::NoSpace("the test wants it so");
      return FSWritableFileOwnerWrapper::Append(bytes, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
      if (fault_ == LogFault::sync_error) return rocksdb::IOStatus::IOError("the test wants it so");
      return FSWritableFileOwnerWrapper::Sync(options, debug);
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      if (fault_ == LogFault::sync_error) return rocksdb::IOStatus::IOError("the test wants it so");
      return FSWritableFileOwnerWrapper::Fsync(options, debug);
    }

   private:
    std::atomic<LogFault>& fault_;
  };

  std::atomic<LogFault>& fault_;
};

enum class ReadFault : int { none, hang, io_error };

/// What happens to reads of table files and blob files. A hang ends with set(none).
struct ReadFaults {
  std::atomic<ReadFault> tables{ReadFault::none};
  std::atomic<ReadFault> blobs{ReadFault::none};

  void set(ReadFault fault) {
    for (auto* each : {&tables, &blobs}) {
      *each = fault;
      each->notify_all();
    }
  }
};

class FaultyReadFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyReadFileSystem(ReadFaults& faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}

  const char* Name() const override { return "FaultyReadFileSystem"; }

  rocksdb::IOStatus NewRandomAccessFile(const std::string& name,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override {
    auto status = target()->NewRandomAccessFile(name, options, file, debug);
    if (!status.ok()) return status;
    auto& fault = name.ends_with(".blob") ? faults_.blobs : faults_.tables;
    *file = std::make_unique<ReadFile>(std::move(*file), fault);
    return status;
  }

 private:
  class ReadFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
   public:
    ReadFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, const std::atomic<ReadFault>& fault)
        : FSRandomAccessFileOwnerWrapper(std::move(file)), fault_(fault) {}

    rocksdb::IOStatus Read(std::uint64_t offset, std::size_t size,
                           const rocksdb::IOOptions& options, rocksdb::Slice* result, char* scratch,
                           rocksdb::IODebugContext* debug) const override {
      fault_.wait(ReadFault::hang);
      if (fault_ == ReadFault::io_error) {
        return rocksdb::IOStatus::IOError("While pread", "Input/output error");
      }
      return FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug);
    }

   private:
    const std::atomic<ReadFault>& fault_;
  };

  ReadFaults& faults_;
};

}  // namespace cairn
