// BlockStore: the one interface through which blocks are read and written. Storage, every cache
// tier and the remote stores implement it; each tier holds the next one down as a BlockStore& and
// nobody calls up.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/block.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace cairn {

/// Which tier answered.
enum class Source : std::uint8_t { memory, disk, storage, peer };

/// Stable name for headers and metrics: memory, disk, storage, peer.
std::string_view name_of(Source source);

/// A block that was found, and where.
struct Found {
  Block block;
  Source source = Source::storage;
};

/// What is known of a block without reading its bytes.
struct BlockStat {
  std::uint32_t size_bytes = 0;
  Source source = Source::storage;
};

/// How an acknowledged put ended. Both mean: durable now.
enum class Stored : std::uint8_t {
  created,  ///< Not held before.
  held,     ///< Held already; this put counts as a touch.
};

/// Implementations are safe to call from any thread. A Task resumes on the caller's executor.
/// Blocks that go in have been checked against their id by the caller (they crossed trust there);
/// blocks that come out have been checked since they last crossed trust (disk, peer). Every call
/// ends by its deadline, with Errc::unavailable if need be; after that error a put or an erase may
/// or may not have happened.
class BlockStore {
 public:
  virtual ~BlockStore() = default;

  /// Answers at once, without blocking, allocating a coroutine frame or waiting for a lock longer
  /// than a look-up; nothing when that is not possible and get() must be asked. Errors: not_found
  /// (certain), corrupt.
  virtual std::optional<Result<Found>> try_get(const BlockId& id) = 0;

  /// Errors: not_found (certain), corrupt, unavailable, overloaded.
  virtual Task<Result<Found>> get(BlockId id, Deadline deadline) = 0;

  /// Size without the bytes. Errors as get().
  virtual Task<Result<BlockStat>> stat(BlockId id, Deadline deadline) = 0;

  /// Returns after the block is durable. Errors: full, overloaded, unavailable.
  virtual Task<Result<Stored>> put(Block block, Deadline deadline) = 0;

  /// Puts each block by itself; results in the order of `blocks`. Cheaper than as many puts.
  virtual Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks,
                                                     Deadline deadline) = 0;

  /// Those of `ids` that are not held, in the order given. At most kMaxIdsPerCall ids.
  /// Errors: unavailable, overloaded.
  virtual Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId> ids,
                                                     Deadline deadline) = 0;

  /// Durably forgets the block; succeeds when it was not held. Errors: unavailable, overloaded.
  virtual Task<Result<void>> erase(BlockId id, Deadline deadline) = 0;
};

}  // namespace cairn
