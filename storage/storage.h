// Storage: one node's durable store in one directory. Puts its parts together, looks after them and
// takes them down in the right order. Made and destroyed by one thread; used by any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/account_store.h"
#include "base/block_store.h"
#include "base/chain_store.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/disk_space.h"
#include "storage/file.h"
#include "storage/gc_progress.h"
#include "storage/scrub_progress.h"
#include "storage/store_identity.h"

namespace rocksdb {
class Env;
}

namespace cairn {

/// The world as tests replace it; empty members mean the machine's own.
struct StorageWorld {
  SyncFile sync_file;
  AskDiskSpace disk_space;
  rocksdb::Env* env = nullptr;  ///< Outlives the Storage.
};

struct StorageOptions {
  std::filesystem::path directory;
  std::string node_name;
  /// Nothing: the store's own, made at random when the store is.
  std::optional<std::uint64_t> placement_seed;
  /// False: an acknowledgement means "handed to the kernel". Survives a crash of the process only.
  bool sync = true;
  DiskReserve reserve;
  std::size_t cache_bytes = std::size_t{64} << 20;
  std::size_t write_buffer_bytes = std::size_t{64} << 20;
  std::uint64_t log_file_bytes = 0;  ///< Database::Options::log_file_bytes
  std::size_t queue_bytes = std::size_t{128} << 20;
  std::size_t reader_threads = 4;
  std::size_t reader_queue = 4'096;
  std::uint64_t segment_bytes = std::uint64_t{1} << 30;
  std::uint64_t scrub_bytes_per_second = std::uint64_t{20} << 20;
  std::chrono::seconds scrub_interval = std::chrono::hours(24 * 7);
  /// Blocks that no link refers to are kept for so long after their last put; 0: for ever.
  std::chrono::milliseconds grace = std::chrono::hours(24);
  bool collect = true;  ///< False: nothing is trimmed or collected; for tests.
  StorageWorld world;
};

/// For metrics. Counters since the start of the process, where nothing else is said.
struct StorageStats {
  std::uint64_t blocks = 0;  ///< Held, as RocksDB estimates it.
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t disk_total_bytes = 0;
  std::uint64_t reserve_bytes = 0;
  bool full = false;     ///< Writes are refused for want of room.
  bool stopped = false;  ///< Writes are refused after a disk error.
  std::uint64_t write_batches = 0;
  std::uint64_t written_blocks = 0;  ///< Puts and erases that reached a batch.
  std::uint64_t written_bytes = 0;
  std::uint64_t failed_batches = 0;
  std::uint64_t write_busy_ns = 0;  ///< Time the writer spent in batches.
  std::size_t waiting_writes = 0;
  std::size_t waiting_write_bytes = 0;
  std::size_t waiting_reads = 0;
  std::uint64_t reads_at_once = 0;  ///< Look-ups answered without leaving the core.
  std::uint64_t reads_waited = 0;
  std::uint64_t touches = 0;  ///< Puts of blocks that were held.
  std::uint64_t erased = 0;
  std::uint64_t corrupt_reads = 0;
  std::uint64_t adopted_at_start = 0;  ///< See OpenStore::adopted.
  std::uint64_t released_bytes = 0;    ///< Given back to the file system by erases.
  std::uint64_t table_bytes = 0;       ///< RocksDB's live table files.
  std::uint64_t blob_bytes = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t cache_used_bytes = 0;
  std::uint64_t pending_compaction_bytes = 0;
  ScrubProgress scrub;
  GcProgress gc;
  std::uint64_t chains_created = 0;
  std::uint64_t appends = 0;
  std::uint64_t appended_links = 0;
  std::uint64_t append_conflicts = 0;
  std::uint64_t followers = 0;  ///< That wait now.
};

class Storage {
 public:
  /// Opens the store, or makes it. A failure leaves what was there as it was. `clock`, `random` and
  /// `log` outlive the Storage. Errors: conflict (another process has it), denied (another node's
  /// or a newer format), malformed, corrupt, full, unavailable; the detail is for a person.
  static Result<std::unique_ptr<Storage>> open(StorageOptions options, const Clock& clock,
                                               Random& random, Log& log);
  /// Finishes the writes that wait, then joins every thread. A call that is still under way must
  /// not be resumed afterwards: close the gates first, or stop the loops.
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  /// Lives as long as the Storage.
  BlockStore& blocks();
  ChainStore& chains();
  AccountStore& accounts();
  const StoreIdentity& identity() const;
  /// Costs some microseconds and no I/O.
  StorageStats stats() const;
  /// A scrub pass begins now, whatever the interval says.
  void scrub_now();
  /// A pass over the blocks that nothing refers to begins now. False when they are kept for ever.
  bool collect_now();

 private:
  class Parts;
  explicit Storage(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace cairn
