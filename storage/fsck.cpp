#include "storage/fsck.h"

#include <memory>
#include <optional>
#include <utility>

#include "crypto/hash.h"
#include "storage/block_key.h"
#include "storage/block_reader.h"
#include "storage/open_store.h"

namespace cairn {
namespace {

constexpr auto kProgressEvery = std::chrono::milliseconds(100);

class Fsck {
 public:
  Fsck(const FsckOptions& options, OpenStore store, const Clock& clock, Log& log)
      : options_(options),
        paths_(options.directory),
        store_(std::move(store)),
        clock_(clock),
        reader_(*store_.database, *store_.segments, log) {}

  Result<FsckReport> run() {
    report_.identity = store_.identity;
    CAIRN_TRY(check_entries());
    CAIRN_TRY(check_stray_bodies());
    CAIRN_TRY(check_log());
    return std::move(report_);
  }

 private:
  Result<void> check_entries();
  Result<void> check_entry(std::string_view raw_key, std::string_view raw_entry);
  Result<void> check_stray_bodies();
  Result<void> check_stray_body(std::string_view raw_key, const rocksdb::Slice& body);
  Result<void> check_log();
  Result<void> check_segment(std::uint32_t segment);
  bool pointed_at(const ValueRecord& record);

  Result<void> add_problem(FsckFault fault, std::string_view raw_key, std::string detail);
  Result<void> take_out(std::string_view raw_key, bool body_only);
  Result<void> adopt_body(const BlockKey& key, std::size_t size_bytes);
  Result<std::optional<std::string>> raw_body(std::string_view raw_key, bool body_only);
  Result<void> quarantine(std::string_view raw_key, const std::string& bytes);
  bool go_on(FsckPhase phase, std::uint64_t done, std::uint64_t estimated);
  std::unique_ptr<rocksdb::Iterator> iterate(rocksdb::ColumnFamilyHandle* family);
  std::uint64_t estimate(rocksdb::ColumnFamilyHandle* family);

  const FsckOptions& options_;
  const StorePaths paths_;
  OpenStore store_;
  const Clock& clock_;
  BlockReader reader_;
  FsckReport report_;
  MonoTime told_{};
};

/// A key as people can name it: the id where it is one, else the raw bytes in hexadecimal.
std::string name_of_key(std::string_view raw_key) {
  const auto key = BlockKey::from(raw_key);
  return key.has_value() ? key->id().text() : to_hex(as_bytes(raw_key));
}

bool Fsck::go_on(FsckPhase phase, std::uint64_t done, std::uint64_t estimated) {
  if (!options_.on_progress || clock_.mono() - told_ < kProgressEvery) return true;
  told_ = clock_.mono();
  if (options_.on_progress({phase, done, estimated, report_.bytes})) return true;
  report_.interrupted = true;
  return false;
}

std::unique_ptr<rocksdb::Iterator> Fsck::iterate(rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(store_.database->db().NewIterator(read, family));
}

std::uint64_t Fsck::estimate(rocksdb::ColumnFamilyHandle* family) {
  std::uint64_t keys = 0;
  store_.database->db().GetIntProperty(family, rocksdb::DB::Properties::kEstimateNumKeys, &keys);
  return keys;
}

Result<void> Fsck::check_entries() {
  const std::uint64_t estimated = estimate(store_.database->index());
  const auto entries = iterate(store_.database->index());
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (!go_on(FsckPhase::entries, report_.blocks, estimated)) return ok();
    ++report_.blocks;
    CAIRN_TRY(check_entry(to_view(entries->key()), to_view(entries->value())));
  }
  if (!entries->status().ok()) return to_error(entries->status());
  return ok();
}

Result<void> Fsck::check_entry(std::string_view raw_key, std::string_view raw_entry) {
  const auto key = BlockKey::from(raw_key);
  if (!key.has_value()) return add_problem(FsckFault::bad_key, raw_key, "not slot and id");
  const auto entry = IndexEntry::decode(raw_entry);
  if (!entry.has_value()) return add_problem(FsckFault::bad_entry, raw_key, "malformed");
  if (key->slot() != slot_of(key->id(), store_.identity.placement_seed)) {
    return add_problem(
        FsckFault::wrong_slot, raw_key,
        "lies under slot " + std::to_string(static_cast<std::uint16_t>(key->slot())));
  }
  const auto block = reader_.get(*key, Wait::allowed, Caching::bypass);
  if (block->has_error()) {
    if (block->error().code != Errc::corrupt) return block->error();
    return add_problem(FsckFault::bad_body, raw_key, block->error().detail);
  }
  report_.bytes += block->value().size_bytes();
  switch (entry->place) {
    case Place::index: ++report_.in_index; break;
    case Place::blob: ++report_.in_blobs; break;
    case Place::log: ++report_.in_log; break;
  }
  return ok();
}

Result<void> Fsck::check_stray_bodies() {
  if (report_.interrupted) return ok();
  const std::uint64_t estimated = estimate(store_.database->body());
  const auto bodies = iterate(store_.database->body());
  std::uint64_t done = 0;
  for (bodies->SeekToFirst(); bodies->Valid(); bodies->Next()) {
    if (!go_on(FsckPhase::bodies, done, estimated)) return ok();
    ++done;
    CAIRN_TRY(check_stray_body(to_view(bodies->key()), bodies->value()));
  }
  if (bodies->status().ok()) return ok();
  ++report_.faults;
  if (report_.problems.size() < FsckReport::kMaxProblems) {
    report_.problems.push_back(
        {FsckFault::stray_body, "-",
         "bodies from here on not checked: " + to_error(bodies->status()).detail, false});
  }
  return ok();
}

Result<void> Fsck::check_stray_body(std::string_view raw_key, const rocksdb::Slice& body) {
  const auto key = BlockKey::from(raw_key);
  if (!key.has_value()) return add_problem(FsckFault::stray_body, raw_key, "under a bad key");
  rocksdb::PinnableSlice raw;
  const auto entry = reader_.look_up(*key, Wait::allowed, raw);
  if (entry->has_value() && entry->value().place == Place::blob) return ok();
  if (entry->has_error() && entry->error().code != Errc::not_found &&
      entry->error().code != Errc::corrupt) {
    return entry->error();
  }
  const bool right = key->slot() == slot_of(key->id(), store_.identity.placement_seed) &&
                     block_id_of(as_bytes(to_view(body))) == key->id();
  if (!right || entry->has_value()) {
    return add_problem(FsckFault::stray_body, raw_key,
                       right ? "kept twice" : "and it does not match its id");
  }
  return add_problem(FsckFault::unindexed_body, raw_key, "it is right");
}

bool Fsck::pointed_at(const ValueRecord& record) {
  rocksdb::PinnableSlice raw;
  const BlockKey key(slot_of(record.id, store_.identity.placement_seed), record.id);
  const auto entry = reader_.look_up(key, Wait::allowed, raw);
  return entry->has_value() && entry->value().place == Place::log &&
         entry->value().position == record.position;
}

Result<void> Fsck::check_segment(std::uint32_t segment) {
  SegmentWalk walk(*store_.segments, segment, kLogPageBytes);
  for (;;) {
    CAIRN_TRY(const auto record, walk.next());
    if (!record.has_value()) break;
    if (pointed_at(*record)) continue;
    ++report_.orphan_records;
    report_.orphan_bytes += record_extent_bytes(record->size_bytes);
  }
  report_.garbage_pages += walk.garbage_pages();
  return ok();
}

Result<void> Fsck::check_log() {
  if (report_.interrupted) return ok();
  CAIRN_TRY(const auto segments, store_.segments->list());
  std::uint64_t done = 0;
  for (const std::uint32_t segment : segments) {
    if (!go_on(FsckPhase::log, done, segments.size())) return ok();
    ++done;
    CAIRN_TRY(check_segment(segment));
  }
  return ok();
}

Result<void> Fsck::add_problem(FsckFault fault, std::string_view raw_key, std::string detail) {
  ++report_.faults;
  FsckProblem problem{fault, name_of_key(raw_key), std::move(detail), false};
  if (options_.repair) {
    const auto key = BlockKey::from(raw_key);
    const bool body_only = fault == FsckFault::stray_body || fault == FsckFault::unindexed_body;
    CAIRN_TRY(const auto body, raw_body(raw_key, body_only));
    const bool indexable =
        fault == FsckFault::unindexed_body && key.has_value() && body.has_value();
    if (indexable) {
      CAIRN_TRY(adopt_body(*key, body->size()));
    } else {
      if (body.has_value()) {
        CAIRN_TRY(quarantine(raw_key, *body));
      }
      CAIRN_TRY(take_out(raw_key, body_only));
    }
    problem.repaired = true;
    ++report_.repaired;
  }
  if (report_.problems.size() < FsckReport::kMaxProblems) {
    report_.problems.push_back(std::move(problem));
  }
  return ok();
}

/// Whatever bytes are held under the key, right or wrong; nothing when none can be read.
Result<std::optional<std::string>> Fsck::raw_body(std::string_view raw_key, bool body_only) {
  std::string value;
  auto& db = store_.database->db();
  rocksdb::ReadOptions read;
  if (!body_only && db.Get(read, store_.database->index(), to_slice(raw_key), &value).ok()) {
    const auto entry = IndexEntry::decode(value);
    if (!entry.has_value()) return std::optional<std::string>(std::move(value));
    if (entry->place == Place::index) return std::optional<std::string>(entry->body);
    if (entry->place == Place::log) {
      Bytes body(entry->size_bytes);
      if (store_.segments->read_body(entry->position, body).has_error()) {
        return std::optional<std::string>();
      }
      return std::optional<std::string>(as_text(body));
    }
  }
  if (!db.Get(read, store_.database->body(), to_slice(raw_key), &value).ok()) {
    return std::optional<std::string>();
  }
  return std::optional<std::string>(std::move(value));
}

Result<void> Fsck::quarantine(std::string_view raw_key, const std::string& bytes) {
  std::error_code error;
  std::filesystem::create_directories(paths_.quarantine, error);
  if (error) return io_error("make directory", paths_.quarantine, error.value());
  CAIRN_TRY(replace_file(paths_.quarantine / to_hex(as_bytes(raw_key)), bytes));
  ++report_.quarantined;
  return ok();
}

Result<void> Fsck::take_out(std::string_view raw_key, bool body_only) {
  rocksdb::WriteBatch batch;
  if (!body_only) batch.Delete(store_.database->index(), to_slice(raw_key));
  batch.Delete(store_.database->body(), to_slice(raw_key));
  return store_.database->write(batch, true);
}

Result<void> Fsck::adopt_body(const BlockKey& key, std::size_t size_bytes) {
  IndexEntry entry;
  entry.place = Place::blob;
  entry.size_bytes = static_cast<std::uint32_t>(size_bytes);
  entry.stored_at = clock_.wall();
  std::string value;
  entry.encode(value);
  rocksdb::WriteBatch batch;
  batch.Put(store_.database->index(), to_slice(key.view()), value);
  return store_.database->write(batch, true);
}

}  // namespace

std::string_view name_of(FsckFault fault) {
  switch (fault) {
    case FsckFault::bad_key: return "bad-key";
    case FsckFault::bad_entry: return "bad-entry";
    case FsckFault::wrong_slot: return "wrong-slot";
    case FsckFault::bad_body: return "bad-body";
    case FsckFault::stray_body: return "stray-body";
    case FsckFault::unindexed_body: return "unindexed-body";
  }
  return "unknown";
}

Result<FsckReport> fsck(const FsckOptions& options, const Clock& clock, Random& random, Log& log) {
  if (!options.repair) {
    CAIRN_TRY(auto store, open_store_read_only(options.directory, log));
    return Fsck(options, std::move(store), clock, log).run();
  }
  // The identity is asked for first: a repair is for a store that is there, of whatever node.
  CAIRN_TRY(const auto identity, read_identity(options.directory));
  CAIRN_TRY(auto store, open_store(options.directory, {identity.node_name, identity.placement_seed},
                                   Database::Options(), random, log));
  return Fsck(options, std::move(store), clock, log).run();
}

}  // namespace cairn
