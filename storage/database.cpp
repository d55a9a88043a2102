#include "storage/database.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/log_file_pool.h"

namespace cairn {
namespace {

constexpr int kFilterBitsAKey = 10;
constexpr int kOpenTableFiles = 256;

/// Index blocks and filters are in pieces of their own that live in the bounded cache, so memory
/// does not grow with the number of blocks; only the small top level is pinned.
rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 8192;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsAKey));
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = 4096;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_top_level_index_and_filter = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // Filters of what was just written are asked for by the next puts.
  table.prepopulate_block_cache =
      rocksdb::BlockBasedTableOptions::PrepopulateBlockCache::kFlushOnly;
  return table;
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::size_t write_buffer_bytes) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(cache)));
  // What comes in is ciphertext: compressing it costs time and gains nothing.
  family.compression = rocksdb::kNoCompression;
  family.write_buffer_size = write_buffer_bytes;
  family.max_write_buffer_number = 4;
  family.level_compaction_dynamic_level_bytes = true;
  family.level0_file_num_compaction_trigger = 6;
  family.level0_slowdown_writes_trigger = 30;
  family.level0_stop_writes_trigger = 48;
  // Most puts ask for what is not there: the filter answers without a walk through the memtable.
  family.memtable_whole_key_filtering = true;
  family.memtable_prefix_bloom_size_ratio = 0.02;
  return family;
}

/// Garbage among the bodies, in percent, from which compactions give room back, and below which
/// they do not any more.
constexpr std::uint64_t kMuchGarbage = 25;
constexpr std::uint64_t kLittleGarbage = 10;

/// Bodies lie in blob files, so that compaction moves keys only. Files of which half is erased are
/// rewritten, while collect_blob_garbage() lets them.
void keep_values_in_blob_files(rocksdb::ColumnFamilyOptions& family) {
  family.enable_blob_files = true;
  family.min_blob_size = 0;
  family.blob_file_size = std::uint64_t{128} << 20;
  family.enable_blob_garbage_collection = false;
  family.blob_garbage_collection_age_cutoff = 0.25;
  family.blob_garbage_collection_force_threshold = 0.5;
}

bool has_direct_io(const std::filesystem::path& directory) {
  const auto probe = directory / "direct-io-probe";
  const bool has = File::open(probe, O_RDWR | O_CREAT | O_DIRECT).has_value();
  ::unlink(probe.c_str());
  return has;
}

rocksdb::DBOptions database_options(const Database::Options& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  if (options.env != nullptr) db.env = options.env;
  // A torn tail ends the log, a hole before it does not pass. Recycled log files cannot be told
  // from a torn tail in this mode, and RocksDB 7.8 switches them off; see the decision record.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.recycle_log_file_num = 0;
  db.max_total_wal_size = 4 * options.write_buffer_bytes;
  db.db_write_buffer_size = options.write_buffer_bytes;
  db.allow_concurrent_memtable_write = false;  // One writer.
  db.max_open_files = kOpenTableFiles;
  db.skip_stats_update_on_db_open = true;
  db.skip_checking_sst_file_sizes_on_db_open = true;
  db.avoid_flush_during_shutdown = true;
  db.avoid_unnecessary_blocking_io = true;
  db.max_background_jobs = 2;
  db.bytes_per_sync = std::uint64_t{1} << 20;
  db.use_direct_io_for_flush_and_compaction =
      options.access == Database::Access::write && has_direct_io(options.directory);
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.max_log_file_size = std::size_t{1} << 20;
  db.keep_log_file_num = 4;
  return db;
}

}  // namespace

Error to_error(const rocksdb::Status& status) {
  const std::string text = "RocksDB: " + status.ToString();
  if (status.IsNotFound()) return fail(Errc::not_found, text);
  if (status.IsNoSpace()) return fail(Errc::full, text);
  if (status.IsCorruption()) return fail(Errc::corrupt, text);
  if (status.IsBusy() || status.IsTryAgain()) return fail(Errc::overloaded, text);
  return fail(Errc::unavailable, text);
}

/// Hears of errors on RocksDB's own threads.
class Database::Listener final : public rocksdb::EventListener {
 public:
  explicit Listener(Database& database) : database_(database) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    database_.stop(*status);
    database_.log_.event(LogLevel::error, "storage_write_stopped",
                         {{"reason", status->ToString()}});
  }

 private:
  Database& database_;
};

void Database::stop(const rocksdb::Status& status) {
  out_of_space_.store(status.IsNoSpace(), std::memory_order_release);
  stopped_.store(true, std::memory_order_release);
}

void Database::go_on() {
  out_of_space_.store(false, std::memory_order_release);
  if (stopped_.exchange(false, std::memory_order_acq_rel)) {
    log_.event(LogLevel::info, "storage_write_resumed");
  }
}

void Database::keep_log_files_ready(const Options& options) {
  auto target =
      options.env != nullptr ? options.env->GetFileSystem() : rocksdb::FileSystem::Default();
  auto pool =
      std::make_shared<LogFilePool>(std::move(target), options.directory, options.log_file_bytes);
  if (auto prepared = pool->prepare(); prepared.has_error()) {
    // Writes are slower, nothing else.
    log_.event(LogLevel::warn, "no_log_files_ready", {{"reason", prepared.error().detail}});
    return;
  }
  env_ = rocksdb::NewCompositeEnv(pool);
}

Result<std::unique_ptr<Database>> Database::open(Options options, Log& log) {
  std::unique_ptr<Database> database(new Database(log));
  database->cache_ = rocksdb::NewLRUCache(options.cache_bytes, 4, false, 0.5);
  database->listener_ = std::make_shared<Listener>(*database);
  rocksdb::DBOptions db = database_options(options);
  db.listeners.push_back(database->listener_);
  if (options.log_file_bytes > 0 && options.access == Access::write) {
    database->keep_log_files_ready(options);
    if (database->env_ != nullptr) db.env = database->env_.get();
  }
  const std::size_t share = options.write_buffer_bytes / 2;
  const auto index = family_options(database->cache_, share);
  auto body = family_options(database->cache_, share);
  keep_values_in_blob_files(body);
  auto meta = family_options(database->cache_, std::size_t{1} << 20);
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, meta},
      {"index", index},
      {"body", body},
      {"chain", index},
      {"pin", index}};
  rocksdb::DB* raw = nullptr;
  const std::string path = options.directory.string();
  const rocksdb::Status status =
      options.access == Access::read_only
          ? rocksdb::DB::OpenForReadOnly(db, path, families, &database->handles_, &raw)
          : rocksdb::DB::Open(db, path, families, &database->handles_, &raw);
  if (!status.ok()) return to_error(status);
  database->db_.reset(raw);
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
}

Result<void> Database::write(rocksdb::WriteBatch& batch, bool sync) {
  if (stopped()) {
    return out_of_space() ? fail(Errc::full, "no room on the disk")
                          : fail(Errc::unavailable, "storage does not write after a disk error");
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  const rocksdb::Status status = db_->Write(options, &batch);
  if (status.ok()) return ok();
  stop(status);
  return to_error(status);
}

Result<std::optional<std::string>> Database::meta_value(std::string_view key) {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), meta(), to_slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return to_error(status);
  return std::optional<std::string>(std::move(value));
}

bool Database::try_resume() {
  if (!db_->Resume().ok() || !begin_new_log()) return false;
  go_on();
  return true;
}

/// RocksDB must not touch a log file again that a write has failed on: where it was built with its
/// assertions, as Debian's is, it ends the process. Resume() begins another only where there is
/// something to flush.
bool Database::begin_new_log() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  if (!db_->Put(options, meta(), "resumed", rocksdb::Slice()).ok()) return false;
  return db_->Flush(rocksdb::FlushOptions(), meta()).ok();
}

std::uint64_t Database::property(const std::string& name) {
  std::uint64_t sum = 0;
  for (auto* handle : handles_) {
    std::uint64_t value = 0;
    if (db_->GetIntProperty(handle, name, &value)) sum += value;
  }
  return sum;
}

std::uint64_t Database::cache_used_bytes() const {
  return cache_->GetUsage();
}

void Database::collect_blob_garbage() {
  using Properties = rocksdb::DB::Properties;
  std::uint64_t garbage = 0;
  std::uint64_t all = 0;
  if (!db_->GetIntProperty(body(), Properties::kLiveBlobFileGarbageSize, &garbage) ||
      !db_->GetIntProperty(body(), Properties::kLiveBlobFileSize, &all)) {
    return;
  }
  const std::uint64_t limit = collects_garbage_ ? kLittleGarbage : kMuchGarbage;
  const bool much = all > 0 && garbage * 100 >= all * limit;
  if (much == collects_garbage_) return;
  const rocksdb::Status status =
      db_->SetOptions(body(), {{"enable_blob_garbage_collection", much ? "true" : "false"}});
  if (status.ok()) collects_garbage_ = much;
}

Result<void> Database::flush() {
  rocksdb::FlushOptions options;
  const rocksdb::Status status = db_->Flush(options, handles_);
  if (!status.ok()) return to_error(status);
  return ok();
}

}  // namespace cairn
