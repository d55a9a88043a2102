// BlockReader: finds blocks in the index and reads their bodies, each checked against its id before
// anyone sees it. Any thread; the calls that may block say so.
#pragma once

#include <rocksdb/slice.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

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

/// The meta key under which the index entry of a suspect block is kept; see BlockReader::suspect().
std::string suspect_key(const IndexKey& key);

struct BlockReaderStats {
  std::uint64_t at_once = 0;  ///< Answered without the pool.
  std::uint64_t waited = 0;   ///< Look-ups and reads that were allowed to block.
  std::uint64_t corrupt = 0;  ///< Bodies that did not match their id, each time it was seen.
};

class BlockReader {
 public:
  /// All references outlive the reader. Reads which blocks are suspect.
  BlockReader(Database& database, ValueSegments& segments, Log& log);

  /// The index entry; it borrows from `raw`. Nothing only with Wait::never. Errors: not_found,
  /// corrupt, unavailable.
  std::optional<Result<IndexEntry>> look_up(const IndexKey& key, Wait wait,
                                            rocksdb::PinnableSlice& raw);

  /// The block, checked; one that is not right is reported and suspect from now on. Nothing only
  /// with Wait::never, which leaves wrong bodies to a call that may wait. Errors as look_up().
  std::optional<Result<Block>> get(const IndexKey& key, Wait wait, Caching caching = Caching::fill);

  /// Whether get() last found the body that `raw_entry` (what look_up() filled) points to wrong, in
  /// this process or an earlier one. A put then writes it again instead of calling it held. Nothing
  /// only with Wait::never.
  std::optional<bool> suspect(const IndexKey& key, std::string_view raw_entry, Wait wait);

  BlockReaderStats stats() const;

 private:
  std::optional<Result<Block>> read_body(const IndexKey& key, const IndexEntry& entry, Wait wait,
                                         Caching caching);
  Result<Block> read_from_log(const BlockId& id, const IndexEntry& entry, Caching caching);
  std::optional<Result<Block>> read_from_blob(const IndexKey& key, const IndexEntry& entry,
                                              Wait wait, Caching caching);
  Error report_corrupt(const BlockId& id, const IndexEntry& entry, const std::string& what);
  void load_suspects();
  void keep_suspect(const IndexKey& key, std::string_view raw_entry);
  void trust(const IndexKey& key);

  /// Suspects that could not be written down; beyond, they are forgotten.
  static constexpr std::size_t kMaxUnkept = 4096;

  Database& database_;
  ValueSegments& segments_;
  Log& log_;
  std::atomic<std::uint64_t> at_once_{0};
  std::atomic<std::uint64_t> waited_{0};
  std::atomic<std::uint64_t> corrupt_{0};
  std::atomic<bool> any_suspect_{false};  ///< Without it nothing else is asked.
  std::mutex mutex_;
  std::unordered_map<BlockId, std::string> unkept_;  ///< To the raw index entry.
};

}  // namespace cairn
