// RocksBlockStore: the BlockStore of a storage node, over the index, the blob files and the value
// log. Any thread; a Task resumes on the caller's executor.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/block_store.h"
#include "base/blocking_pool.h"
#include "storage/block_holds.h"
#include "storage/block_reader.h"
#include "storage/block_writer.h"
#include "storage/grace.h"

namespace cairn {

struct RocksBlockStoreStats {
  std::uint64_t touches = 0;  ///< Puts of blocks that were held already.
  std::uint64_t erased = 0;
};

class RocksBlockStore final : public BlockStore {
 public:
  /// All references outlive the store.
  RocksBlockStore(Database& database, BlockReader& reader, BlockWriter& writer,
                  ValueSegments& segments, BlockingPool& pool, BlockHolds& holds,
                  const Grace& grace, std::uint64_t placement_seed, Log& log)
      : database_(database),
        reader_(reader),
        writer_(writer),
        segments_(segments),
        pool_(pool),
        holds_(holds),
        grace_(grace),
        placement_seed_(placement_seed),
        log_(log) {}

  std::optional<Result<Found>> try_get(const BlockId& id) override;
  Task<Result<Found>> get(BlockId id, Deadline deadline) override;
  Task<Result<BlockStat>> stat(BlockId id, Deadline deadline) override;
  Task<Result<Stored>> put(Block block, Deadline deadline) override;
  Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks, Deadline deadline) override;
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId> ids, Deadline deadline) override;
  Task<Result<void>> erase(BlockId id, Deadline deadline) override;

  RocksBlockStoreStats stats() const;

 private:
  /// What an index entry says, without what it borrows.
  struct Known {
    Place place = Place::index;
    std::uint32_t size_bytes = 0;
    LogPosition position;
    bool suspect = false;
    WallTime stored_at{};
  };
  /// stale: held, and the note of its last put too old to acknowledge another by it.
  enum class Presence : std::uint8_t { absent, held, stale, suspect };

  IndexKey key_of(const BlockId& id) const;
  /// Static, as whatever runs in the pool: a call there may outlive its Task, and so the store.
  static std::optional<Result<Known>> look_up(BlockReader& reader, const IndexKey& key, Wait wait);
  static Result<Presence> presence_of(const Grace& grace, const Result<Known>& known);
  /// Calls held what has been put since its entry was written, lately enough.
  static Result<std::vector<Presence>> look_for_notes(Database& database, const Grace& grace,
                                                      const std::vector<IndexKey>& keys,
                                                      std::vector<Presence> present);
  /// As presences(), for puts: blocks that `hold` says are leaving are absent.
  Task<Result<std::vector<Presence>>> presences_for_put(std::vector<IndexKey> keys,
                                                        const BlockHolds::Hold& hold,
                                                        Deadline deadline);
  WriteRequest note_of_put(const IndexKey& key) const;
  Task<Result<Known>> find(IndexKey key, Deadline deadline);
  Task<Result<std::vector<Presence>>> presences(std::vector<IndexKey> keys, Deadline deadline);
  void count_touch(const Result<Stored>& result);

  Database& database_;
  BlockReader& reader_;
  BlockWriter& writer_;
  ValueSegments& segments_;
  BlockingPool& pool_;
  BlockHolds& holds_;
  const Grace& grace_;
  const std::uint64_t placement_seed_;
  Log& log_;
  std::atomic<std::uint64_t> touches_{0};
  std::atomic<std::uint64_t> erased_{0};
};

}  // namespace cairn
