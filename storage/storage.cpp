#include "storage/storage.h"

#include <unistd.h>

#include <algorithm>

#include "base/ticker.h"
#include "storage/block_holds.h"
#include "storage/block_reader.h"
#include "storage/block_writer.h"
#include "storage/collector.h"
#include "storage/database.h"
#include "storage/grace.h"
#include "storage/open_store.h"
#include "storage/rocks_account_store.h"
#include "storage/rocks_block_store.h"
#include "storage/rocks_chain_store.h"
#include "storage/scrubber.h"
#include "storage/trim_list.h"

namespace cairn {
namespace {

/// How late the caller of a write hears that its deadline has passed.
constexpr auto kExpiryPeriod = std::chrono::milliseconds(100);
constexpr auto kUpkeepPeriod = std::chrono::seconds(1);
/// Upkeeps from one attempt to write again to the next, at most: an attempt may itself need room.
constexpr int kLongestPause = 16;
/// Signatures of links are checked by so many threads; a check of 256 links takes some 20 ms of
/// one.
constexpr std::size_t kCheckThreads = 2;

ValueLogWriter::Options log_options(const StorageOptions& options) {
  ValueLogWriter::Options log;
  log.segment_bytes = options.segment_bytes;
  log.sync = options.sync;
  log.sync_file = options.world.sync_file
                      ? options.world.sync_file
                      : SyncFile([](int descriptor) { return ::fdatasync(descriptor); });
  return log;
}

BlockWriter::Options writer_options(const StorageOptions& options) {
  BlockWriter::Options writer;
  writer.queue_bytes = options.queue_bytes;
  writer.sync = options.sync;
  return writer;
}

/// Nine eighths of the grace and one pass are the longest that a block stays: often enough, but a
/// short grace must not keep the disk busy.
Collector::Options collector_options(const StorageOptions& options) {
  constexpr std::chrono::milliseconds kLeast = std::chrono::seconds(1);
  constexpr std::chrono::milliseconds kMost = std::chrono::hours(1);
  Collector::Options out;
  out.rest = std::clamp(options.grace / 8, kLeast, kMost);
  return out;
}

}  // namespace

/// Declared in the order in which the parts stand on each other; destroyed the other way round.
class Storage::Parts {
 public:
  Parts(const StorageOptions& options, OpenStore opened, const Clock& clock, Log& log)
      : store_(std::move(opened)),
        space_(options.directory, options.reserve,
               options.world.disk_space ? options.world.disk_space : AskDiskSpace(disk_space_of),
               log),
        reader_(*store_.database, *store_.segments, log),
        writer_(*store_.database, *store_.segments,
                std::make_unique<ValueLogWriter>(*store_.segments, log_options(options),
                                                 store_.log_next),
                space_, writer_options(options), clock, log),
        pool_("storage-read", options.reader_threads, options.reader_queue, clock),
        grace_(options.grace, clock),
        blocks_(*store_.database, reader_, writer_, *store_.segments, pool_, holds_, grace_,
                store_.identity.placement_seed, log),
        checks_("chain-check", kCheckThreads, options.reader_queue, clock),
        chains_(*store_.database, writer_, checks_, pool_, holds_, trims_,
                store_.identity.placement_seed, clock),
        accounts_(*store_.database, writer_, checks_, clock),
        collector_(*store_.database, reader_, writer_, *store_.segments, holds_, trims_, grace_,
                   store_.identity.placement_seed, collector_options(options), clock, log),
        scrubber_(*store_.database, reader_, *store_.segments, store_.identity.placement_seed,
                  {options.scrub_bytes_per_second, options.scrub_interval}, clock, log),
        expiry_("storage-expiry", kExpiryPeriod, [this] { expire_overdue(); }),
        upkeep_("storage-upkeep", kUpkeepPeriod, [this] { look_after_disk(); }) {
    space_.refresh();
    scrubber_.start();
    if (options.collect) collector_.start();
  }
  ~Parts() {
    // A call that outlives its deadline also outlives whoever asked: it borrows the stores.
    checks_.stop();
    pool_.stop();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  BlockStore& blocks() { return blocks_; }
  ChainStore& chains() { return chains_; }
  AccountStore& accounts() { return accounts_; }
  const StoreIdentity& identity() const { return store_.identity; }
  void scrub_now() { scrubber_.begin_now(); }
  bool collect_now() { return collector_.begin_now(); }
  StorageStats stats();

 private:
  void expire_overdue();
  void look_after_disk();
  void add_disk_stats(StorageStats& stats);

  OpenStore store_;
  SpaceWatch space_;
  BlockReader reader_;
  BlockWriter writer_;
  BlockingPool pool_;
  const Grace grace_;
  BlockHolds holds_;
  TrimList trims_;
  RocksBlockStore blocks_;
  BlockingPool checks_;
  RocksChainStore chains_;
  RocksAccountStore accounts_;
  Collector collector_;
  Scrubber scrubber_;
  // The upkeep's own:
  int pause_ = 1;
  int upkeeps_to_resume_ = 1;
  Ticker expiry_;
  Ticker upkeep_;  ///< Apart from the expiry: it may get stuck on the disk.
};

void Storage::Parts::expire_overdue() {
  writer_.expire();
  chains_.expire();
  accounts_.expire();
}

void Storage::Parts::look_after_disk() {
  space_.refresh();
  // Also below the reserve: only a store that writes can erase, and so make room.
  if (!store_.database->stopped()) {
    pause_ = upkeeps_to_resume_ = 1;
    store_.database->collect_blob_garbage();
  } else if (--upkeeps_to_resume_ <= 0) {
    static_cast<void>(store_.database->try_resume());  // Tried again after a longer pause.
    pause_ = std::min(2 * pause_, kLongestPause);
    upkeeps_to_resume_ = pause_;
  }
}

void Storage::Parts::add_disk_stats(StorageStats& stats) {
  Database& database = *store_.database;
  std::uint64_t blocks = 0;
  database.db().GetIntProperty(database.index(), rocksdb::DB::Properties::kEstimateNumKeys,
                               &blocks);
  stats.blocks = blocks;
  stats.disk_free_bytes = space_.free_bytes();
  stats.disk_total_bytes = space_.total_bytes();
  stats.reserve_bytes = space_.reserve_bytes();
  stats.stopped = database.stopped();
  stats.full = space_.full() || (stats.stopped && database.out_of_space());
  stats.table_bytes = database.property(rocksdb::DB::Properties::kLiveSstFilesSize);
  stats.blob_bytes = database.property(rocksdb::DB::Properties::kLiveBlobFileSize);
  stats.memtable_bytes = database.property(rocksdb::DB::Properties::kCurSizeAllMemTables);
  stats.pending_compaction_bytes =
      database.property(rocksdb::DB::Properties::kEstimatePendingCompactionBytes);
  stats.cache_used_bytes = database.cache_used_bytes();
  stats.released_bytes = store_.segments->released_bytes();
}

StorageStats Storage::Parts::stats() {
  StorageStats stats;
  add_disk_stats(stats);
  const BlockWriterStats writer = writer_.stats();
  stats.write_batches = writer.batches;
  stats.written_blocks = writer.requests;
  stats.written_bytes = writer.bytes;
  stats.failed_batches = writer.failed_batches;
  stats.write_busy_ns = writer.busy_ns;
  stats.waiting_writes = writer.waiting_requests;
  stats.waiting_write_bytes = writer.waiting_bytes;
  const BlockReaderStats reader = reader_.stats();
  stats.reads_at_once = reader.at_once;
  stats.reads_waited = reader.waited;
  stats.corrupt_reads = reader.corrupt;
  stats.waiting_reads = pool_.waiting();
  const RocksBlockStoreStats blocks = blocks_.stats();
  stats.touches = blocks.touches;
  stats.erased = blocks.erased;
  stats.adopted_at_start = store_.adopted;
  stats.scrub = scrubber_.progress();
  stats.gc = collector_.progress();
  const RocksChainStoreStats chains = chains_.stats();
  stats.chains_created = chains.created;
  stats.appends = chains.appends;
  stats.appended_links = chains.links;
  stats.append_conflicts = chains.conflicts;
  stats.followers = chains.followers;
  return stats;
}

Result<std::unique_ptr<Storage>> Storage::open(StorageOptions options, const Clock& clock,
                                               Random& random, Log& log) {
  Database::Options database;
  database.cache_bytes = options.cache_bytes;
  database.write_buffer_bytes = options.write_buffer_bytes;
  database.log_file_bytes = options.log_file_bytes;
  database.env = options.world.env;
  CAIRN_TRY(auto opened, open_store(options.directory, {options.node_name, options.placement_seed},
                                    database, random, log));
  return std::unique_ptr<Storage>(
      new Storage(std::make_unique<Parts>(options, std::move(opened), clock, log)));
}

Storage::Storage(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Storage::~Storage() = default;

BlockStore& Storage::blocks() {
  return parts_->blocks();
}
AccountStore& Storage::accounts() {
  return parts_->accounts();
}
ChainStore& Storage::chains() {
  return parts_->chains();
}
const StoreIdentity& Storage::identity() const {
  return parts_->identity();
}
StorageStats Storage::stats() const {
  return parts_->stats();
}
bool Storage::collect_now() {
  return parts_->collect_now();
}
void Storage::scrub_now() {
  parts_->scrub_now();
}

}  // namespace cairn
