// Database: the RocksDB instance of a store, its column families and how they are tuned. Safe to
// use from any thread; BlockWriter is the only one that writes blocks.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace cairn {

/// A RocksDB status as an Error: not_found, corrupt, full, overloaded or unavailable.
Error to_error(const rocksdb::Status& status);

class Database {
 public:
  enum class Access : std::uint8_t { write, read_only };

  struct Options {
    std::filesystem::path directory;
    Access access = Access::write;
    /// Bounds index blocks, filters and small bodies that RocksDB keeps; block bodies are cached
    /// above storage.
    std::size_t cache_bytes = std::size_t{64} << 20;
    /// Bounds what is written and not yet in a table file, all column families together.
    std::size_t write_buffer_bytes = std::size_t{64} << 20;
    /// Room of each log file that is kept ready (log_file_pool.h), a multiple of 1 MiB; 0: none is.
    std::uint64_t log_file_bytes = 0;
    /// Tests inject failures here; nothing means the machine's. Outlives the Database.
    rocksdb::Env* env = nullptr;
  };

  /// Opens, or makes what is not there (never with read_only). `log` outlives the Database. Errors:
  /// conflict (in use), corrupt, full, unavailable.
  static Result<std::unique_ptr<Database>> open(Options options, Log& log);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() { return *db_; }
  /// Few small keys: what the store remembers about itself.
  rocksdb::ColumnFamilyHandle* meta() { return handles_[0]; }
  /// IndexKey -> IndexEntry.
  rocksdb::ColumnFamilyHandle* index() { return handles_[1]; }
  /// IndexKey -> body, for those whose place is blob.
  rocksdb::ColumnFamilyHandle* body() { return handles_[2]; }
  /// What is kept of chains, and which blocks their links refer to: chain_records.h.
  rocksdb::ColumnFamilyHandle* chain() { return handles_[3]; }
  rocksdb::ColumnFamilyHandle* pin() { return handles_[4]; }

  /// `sync`: returns when the batch, and so every batch before it, is durable. Refused as
  /// unavailable while stopped().
  Result<void> write(rocksdb::WriteBatch& batch, bool sync);

  /// The meta value of `key`; nothing when there is none. Errors: corrupt, unavailable.
  Result<std::optional<std::string>> meta_value(std::string_view key);

  /// Whether RocksDB has stopped writing after an error, and for want of room. A write that fails
  /// sets both, so that an error is not missed that came while writes were resumed.
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  bool out_of_space() const { return out_of_space_.load(std::memory_order_acquire); }
  /// Asks RocksDB to go on after such an error. Blocks; true when writes work again. False for some
  /// seconds while it looks for room by itself.
  bool try_resume();

  /// Lets compactions rewrite blob files while much of them is garbage, and not else: they move a
  /// quarter of all live bodies for nothing. To be called every now and then, by one thread; asks
  /// for no disk unless it changes something. Best effort.
  void collect_blob_garbage();

  /// A RocksDB integer property summed over the column families; 0 when unknown.
  std::uint64_t property(const std::string& name);
  std::uint64_t cache_used_bytes() const;

  /// Copies what is in memory to table files. Errors as write().
  Result<void> flush();

 private:
  class Listener;

  explicit Database(Log& log) : log_(log) {}
  void keep_log_files_ready(const Options& options);
  void stop(const rocksdb::Status& status);
  void go_on();
  bool begin_new_log();

  Log& log_;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::shared_ptr<Listener> listener_;
  std::unique_ptr<rocksdb::Env> env_;  ///< With a pool of log files; else none.
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  bool collects_garbage_ = false;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> out_of_space_{false};
};

/// rocksdb::Slice and std::string_view are the same thing by two names.
inline rocksdb::Slice to_slice(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view to_view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

}  // namespace cairn
