#include "storage/open_store.h"

#include <algorithm>
#include <system_error>

#include "crypto/hash.h"
#include "storage/block_writer.h"
#include "storage/index_key.h"
#include "storage/value_log_recovery.h"

namespace cairn {
namespace {

constexpr std::string_view kStoreIdKey = "store_id";
constexpr std::size_t kAdoptBatch = 256;

/// An index without its STORE file, or the other way round, is half a store: never filled up with
/// fresh parts, which would hide the loss. values/ is made after the index, so even an empty one
/// says that there was an index.
Result<void> refuse_half_a_store(const StorePaths& paths) {
  std::error_code error;
  const bool has_identity = std::filesystem::exists(paths.root / "STORE", error);
  const bool has_index = std::filesystem::exists(paths.index / "CURRENT", error);
  const bool has_values = std::filesystem::exists(paths.values, error);
  if (error) return io_error("look at", paths.root, error.value());
  if (has_index && !has_identity) {
    return fail(Errc::malformed,
                paths.root.string() + " has an index and no file STORE: restore it");
  }
  if (has_values && !has_index) {
    return fail(Errc::malformed, paths.root.string() + " has lost its index: restore it");
  }
  return ok();
}

/// The database remembers which store it belongs to, so that no two can be mixed up.
Result<void> check_store_id(Database& database, const StoreIdentity& identity, bool may_write) {
  const std::string expected = to_hex(identity.store_id);
  CAIRN_TRY(const auto present, database.meta_value(kStoreIdKey));
  if (present.has_value()) {
    if (*present == expected) return ok();
    return fail(Errc::denied,
                "the index belongs to store " + *present + ", the file STORE to " + expected);
  }
  if (!may_write) return fail(Errc::malformed, "the index names no store");
  rocksdb::WriteBatch batch;
  batch.Put(database.meta(), to_slice(kStoreIdKey), expected);
  return database.write(batch, true);
}

/// Indexes recovered records in batches. An entry that points elsewhere is older than the record,
/// which a repair of a rotten body may have put in its place.
class Adopter {
 public:
  Adopter(Database& database, std::uint64_t placement_seed)
      : database_(database), placement_seed_(placement_seed) {}

  Result<void> adopt(const ValueRecord& record) {
    const IndexKey key(slot_of(record.id, placement_seed_), record.id);
    std::string value;
    const rocksdb::Status status =
        database_.db().Get(rocksdb::ReadOptions(), database_.index(), to_slice(key.view()), &value);
    if (!status.ok() && !status.IsNotFound()) return to_error(status);
    if (status.ok() && points_to(value, record.position)) return ok();
    IndexEntry entry;
    entry.place = Place::log;
    entry.size_bytes = record.size_bytes;
    entry.stored_at = record.stored_at;
    entry.position = record.position;
    value.clear();
    entry.encode(value);
    batch_.Put(database_.index(), to_slice(key.view()), value);
    ++adopted_;
    if (batch_.Count() < kAdoptBatch) return ok();
    CAIRN_TRY(database_.write(batch_, false));
    batch_.Clear();
    return ok();
  }

  Result<void> finish(const LogPosition& covered) {
    std::string value;
    append_log_position(covered, value);
    batch_.Put(database_.meta(), to_slice(kLogTailKey), value);
    return database_.write(batch_, true);
  }

  std::uint64_t adopted() const { return adopted_; }

 private:
  static bool points_to(std::string_view raw_entry, const LogPosition& position) {
    const auto entry = IndexEntry::decode(raw_entry);
    return entry.has_value() && entry->place == Place::log && entry->position == position;
  }

  Database& database_;
  const std::uint64_t placement_seed_;
  rocksdb::WriteBatch batch_;
  std::uint64_t adopted_ = 0;
};

Result<void> recover_log(OpenStore& store, Log& log) {
  CAIRN_TRY(const LogPosition covered, covered_log_position(*store.database));
  Adopter adopter(*store.database, store.identity.placement_seed);
  CAIRN_TRY(const RecoveredTail tail,
            recover_tail(*store.segments, covered,
                         [&adopter](const ValueRecord& record) { return adopter.adopt(record); }));
  store.log_next = tail.next;
  store.adopted = adopter.adopted();
  if (tail.records > 0 || tail.garbage_pages > 0 || tail.unreadable > 0) {
    log.event(tail.unreadable > 0 ? LogLevel::error : LogLevel::info, "value_log_recovered",
              {{"records", tail.records},
               {"adopted", store.adopted},
               {"garbage_pages", tail.garbage_pages},
               {"unreadable", tail.unreadable}});
  }
  if (tail.next == covered) return ok();
  return adopter.finish(tail.next);
}

}  // namespace

Result<LogPosition> covered_log_position(Database& database) {
  CAIRN_TRY(const auto value, database.meta_value(kLogTailKey));
  LogPosition position{0, kLogPageBytes};
  if (!value.has_value()) return position;
  std::string_view rest = *value;
  if (!take_log_position(rest, position) || !rest.empty() || position.offset % kLogPageBytes != 0) {
    return fail(Errc::corrupt, "the index's position in the value log is malformed");
  }
  return position;
}

Result<OpenStore> open_store(const std::filesystem::path& directory,
                             const ExpectedIdentity& expected, const Database::Options& database,
                             Random& random, Log& log) {
  const StorePaths paths(directory);
  CAIRN_TRY(make_directory(paths.root));
  CAIRN_TRY(auto lock, DirectoryLock::take(paths.root));
  CAIRN_TRY(refuse_half_a_store(paths));
  CAIRN_TRY(auto identity, claim_identity(paths.root, expected, random));
  CAIRN_TRY(make_directory(paths.index));
  OpenStore store{std::move(lock), std::move(identity), nullptr, nullptr, {}, 0};
  Database::Options options = database;
  options.directory = paths.index;
  options.access = Database::Access::write;
  CAIRN_TRY(auto opened, Database::open(options, log));
  store.database = std::move(opened);
  CAIRN_TRY(check_store_id(*store.database, store.identity, true));
  CAIRN_TRY(make_directory(paths.values));
  // A start that was killed may have made either and not have synced it.
  CAIRN_TRY(sync_directory(paths.root));
  store.segments = std::make_unique<ValueSegments>(paths.values, store.identity.store_id);
  CAIRN_TRY(recover_log(store, log));
  return store;
}

Result<OpenStore> open_store_read_only(const std::filesystem::path& directory, Log& log) {
  const StorePaths paths(directory);
  std::error_code error;
  if (!std::filesystem::exists(paths.root / "STORE", error)) {
    return fail(Errc::not_found, "no store in " + directory.string());
  }
  CAIRN_TRY(auto lock, DirectoryLock::take(paths.root));
  CAIRN_TRY(refuse_half_a_store(paths));
  CAIRN_TRY(auto identity, read_identity(paths.root));
  OpenStore store{std::move(lock), std::move(identity), nullptr, nullptr, {}, 0};
  Database::Options options;
  options.directory = paths.index;
  options.access = Database::Access::read_only;
  CAIRN_TRY(auto opened, Database::open(options, log));
  store.database = std::move(opened);
  CAIRN_TRY(check_store_id(*store.database, store.identity, false));
  store.segments = std::make_unique<ValueSegments>(paths.values, store.identity.store_id);
  return store;
}

}  // namespace cairn
