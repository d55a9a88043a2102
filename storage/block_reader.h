// BlockReader: finds blocks in the index and reads their bodies, each checked against its id before
// anyone sees it. Any thread; the calls that may block say so.
#pragma once

#include <rocksdb/slice.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "base/block.h"
#include "base/log.h"
#include "base/result.h"
#include "storage/database.h"
#include "storage/index_entry.h"
#include "storage/index_key.h"
#include "storage/value_segments.h"

namespace cairn {

/// Whether a read may wait for the disk. With `never` an answer may stay out.
enum class Wait : std::uint8_t { never, allowed };

/// For bodies that are read once and not soon again: scrub and fsck leave the caches alone.
enum class Caching : std::uint8_t { fill, bypass };

struct BlockReaderStats {
  std::uint64_t at_once = 0;  ///< Answered without the pool.
  std::uint64_t waited = 0;   ///< Look-ups and reads that were allowed to block.
  std::uint64_t corrupt = 0;  ///< Bodies that did not match their id, each time it was seen.
};

class BlockReader {
 public:
  /// All references outlive the reader.
  BlockReader(Database& database, ValueSegments& segments, Log& log)
      : database_(database), segments_(segments), log_(log) {}

  /// The index entry; it borrows from `raw`. Nothing only with Wait::never. Errors: not_found,
  /// corrupt, unavailable.
  std::optional<Result<IndexEntry>> look_up(const IndexKey& key, Wait wait,
                                            rocksdb::PinnableSlice& raw);

  /// The block, checked. Nothing only with Wait::never. Errors as look_up().
  std::optional<Result<Block>> get(const IndexKey& key, Wait wait, Caching caching = Caching::fill);

  /// Whether get() found this block corrupt and nobody has stored it anew since. A put then writes
  /// it again instead of calling it held.
  bool suspect(const BlockId& id) const;
  void trust_again(const BlockId& id);

  BlockReaderStats stats() const;

 private:
  std::optional<Result<Block>> read_body(const IndexKey& key, const IndexEntry& entry, Wait wait,
                                         Caching caching);
  Result<Block> read_from_log(const BlockId& id, const IndexEntry& entry, Caching caching);
  std::optional<Result<Block>> read_from_blob(const IndexKey& key, const IndexEntry& entry,
                                              Wait wait, Caching caching);
  Error report_corrupt(const BlockId& id, const IndexEntry& entry, const std::string& what);

  static constexpr std::size_t kMaxSuspects = 4096;

  Database& database_;
  ValueSegments& segments_;
  Log& log_;
  std::atomic<std::uint64_t> at_once_{0};
  std::atomic<std::uint64_t> waited_{0};
  std::atomic<std::uint64_t> corrupt_{0};
  std::atomic<std::size_t> suspect_count_{0};
  mutable std::mutex mutex_;
  std::unordered_set<BlockId> suspects_;
};

}  // namespace cairn
