// Opening a store's directory in the right order: lock, identity, RocksDB, value log. Shared by the
// node and by fsck. Start-up only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/database.h"
#include "storage/store_identity.h"
#include "storage/value_segments.h"

namespace cairn {

struct StorePaths {
  explicit StorePaths(const std::filesystem::path& directory)
      : root(directory),
        index(directory / "index"),
        values(directory / "values"),
        quarantine(directory / "quarantine") {}

  std::filesystem::path root;
  std::filesystem::path index;       ///< RocksDB.
  std::filesystem::path values;      ///< The value log.
  std::filesystem::path quarantine;  ///< What fsck took out.
};

/// Destroyed in reverse: the lock goes last.
struct OpenStore {
  DirectoryLock lock;
  StoreIdentity identity;
  std::unique_ptr<Database> database;
  std::unique_ptr<ValueSegments> segments;
  /// Where the value log goes on; only with write access.
  LogPosition log_next;
  /// Blocks whose pointers were lost with the machine and found again in the value log.
  std::uint64_t adopted = 0;
};

/// Opens the store for writing, makes it where `directory` is empty or absent, and indexes again
/// what the value log holds beyond the index. A failure loses nothing that was there. Errors:
/// conflict (in use), denied (another node's, newer), malformed, corrupt, full, unavailable.
Result<OpenStore> open_store(const std::filesystem::path& directory,
                             const ExpectedIdentity& expected, const Database::Options& database,
                             Random& random, Log& log);

/// Opens an existing store of any node without writing to it. Errors as open_store(); not_found.
Result<OpenStore> open_store_read_only(const std::filesystem::path& directory, Log& log);

/// The position up to which the index covers the value log. Errors: corrupt, unavailable.
Result<LogPosition> covered_log_position(Database& database);

}  // namespace cairn
