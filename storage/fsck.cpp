#include "storage/fsck.h"

#include <memory>
#include <optional>
#include <utility>

#include "crypto/hash.h"
#include "storage/block_reader.h"
#include "storage/chain_check.h"
#include "storage/index_key.h"
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
    CAIRN_TRY(check_segment_headers());
    CAIRN_TRY(check_entries());
    CAIRN_TRY(check_stray_bodies());
    CAIRN_TRY(check_log());
    CAIRN_TRY(take_out_bad_entries());
    CAIRN_TRY(check_chains());
    return std::move(report_);
  }

 private:
  Result<void> check_segment_headers();
  Result<void> check_entries();
  Result<void> check_entry(std::string_view raw_key, std::string_view raw_entry);
  Result<void> check_stray_bodies();
  Result<void> check_stray_body(std::string_view raw_key, const rocksdb::Slice& body);
  Result<void> check_log();
  Result<void> check_segment(std::uint32_t segment);
  Result<void> check_record(const ValueRecord& record);
  Result<void> take_out_bad_entries();
  Result<void> check_chains();

  void add_problem(FsckFault fault, std::string block, std::string detail, bool repaired);
  Result<void> take_out_entry(std::string_view raw_key, std::string_view raw_entry);
  Result<void> take_out_body(std::string_view raw_key, std::string_view body, std::string detail);
  Result<void> adopt(const IndexKey& key, const IndexEntry& entry, std::string detail);
  Result<void> quarantine(const std::string& name, std::string_view bytes);
  bool go_on(FsckPhase phase, std::uint64_t done, std::uint64_t estimated);
  std::unique_ptr<rocksdb::Iterator> iterate(rocksdb::ColumnFamilyHandle* family);
  std::uint64_t estimate(rocksdb::ColumnFamilyHandle* family);

  const FsckOptions& options_;
  const StorePaths paths_;
  OpenStore store_;
  const Clock& clock_;
  BlockReader reader_;
  FsckReport report_;
  std::uint64_t bad_entries_ = 0;
  MonoTime told_{};
};

/// A key as people can name it: the id where it is one, else the raw bytes in hexadecimal.
std::string name_of_key(std::string_view raw_key) {
  const auto key = IndexKey::from(raw_key);
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

Result<void> Fsck::check_segment_headers() {
  CAIRN_TRY(const auto segments, store_.segments->list());
  for (const std::uint32_t segment : segments) {
    auto header = store_.segments->check_header(segment);
    if (header.has_value()) continue;
    if (header.error().code != Errc::corrupt) return header;
    const bool repaired = options_.repair && store_.segments->write_header(segment).has_value();
    add_problem(FsckFault::bad_segment, store_.segments->path_of(segment).filename().string(),
                header.error().detail, repaired);
  }
  return ok();
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
  const auto bad = [&](FsckFault fault, std::string detail) -> Result<void> {
    if (options_.repair) {
      CAIRN_TRY(take_out_entry(raw_key, raw_entry));
    }
    add_problem(fault, name_of_key(raw_key), std::move(detail), options_.repair);
    return ok();
  };
  const auto key = IndexKey::from(raw_key);
  if (!key.has_value()) return bad(FsckFault::bad_key, "not slot and id");
  if (key->slot() != slot_of(key->id(), store_.identity.placement_seed)) {
    return bad(FsckFault::wrong_slot,
               "lies under slot " + std::to_string(static_cast<std::uint16_t>(key->slot())));
  }
  const auto entry = IndexEntry::decode(raw_entry);
  if (!entry.has_value()) {
    // Stays until its body has been looked for everywhere.
    ++bad_entries_;
    add_problem(FsckFault::bad_entry, name_of_key(raw_key), "malformed", false);
    return ok();
  }
  const auto block = reader_.get(*key, Wait::allowed, Caching::bypass);
  if (block->has_error()) {
    const Error& error = block->error();
    // RocksDB calls a blob file that the disk does not give unavailable.
    const bool lost = error.code == Errc::corrupt ||
                      (error.code == Errc::unavailable && entry->place == Place::blob);
    return lost ? bad(FsckFault::bad_body, error.detail) : Result<void>(error);
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
  if (!bodies->status().ok()) {
    add_problem(FsckFault::unreadable, "bodies", bodies->status().ToString(), false);
  }
  return ok();
}

Result<void> Fsck::check_stray_body(std::string_view raw_key, const rocksdb::Slice& body) {
  const auto key = IndexKey::from(raw_key);
  if (!key.has_value()) return take_out_body(raw_key, to_view(body), "under a bad key");
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
    return take_out_body(raw_key, to_view(body),
                         right ? "kept twice" : "and it does not match its id");
  }
  IndexEntry fresh;
  fresh.place = Place::blob;
  fresh.size_bytes = static_cast<std::uint32_t>(body.size());
  fresh.stored_at = clock_.wall();
  return adopt(*key, fresh, "it is right");
}

/// A record that no entry points to is an erased block's, unless its entry cannot be read.
Result<void> Fsck::check_record(const ValueRecord& record) {
  rocksdb::PinnableSlice raw;
  const IndexKey key(slot_of(record.id, store_.identity.placement_seed), record.id);
  const auto entry = reader_.look_up(key, Wait::allowed, raw);
  if (entry->has_value() && entry->value().place == Place::log &&
      entry->value().position == record.position) {
    return ok();
  }
  if (entry->has_error() && entry->error().code == Errc::corrupt) {
    Bytes body(record.size_bytes);
    if (store_.segments->read_body(record.position, body).has_value() &&
        block_id_of(body) == record.id) {
      IndexEntry fresh;
      fresh.place = Place::log;
      fresh.size_bytes = record.size_bytes;
      fresh.stored_at = record.stored_at;
      fresh.position = record.position;
      return adopt(key, fresh, "it is right, in the value log");
    }
  }
  ++report_.orphan_records;
  report_.orphan_bytes += record_extent_bytes(record.size_bytes);
  return ok();
}

Result<void> Fsck::check_segment(std::uint32_t segment) {
  SegmentWalk walk(*store_.segments, segment, kLogPageBytes);
  for (;;) {
    CAIRN_TRY(const auto record, walk.next());
    if (!record.has_value()) break;
    CAIRN_TRY(check_record(*record));
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

/// Those for which no right body was found.
Result<void> Fsck::take_out_bad_entries() {
  if (report_.interrupted || !options_.repair || bad_entries_ == 0) return ok();
  const auto entries = iterate(store_.database->index());
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (IndexEntry::decode(to_view(entries->value())).has_value()) continue;
    CAIRN_TRY(take_out_entry(to_view(entries->key()), to_view(entries->value())));
  }
  if (!entries->status().ok()) return to_error(entries->status());
  report_.repaired += bad_entries_;
  for (FsckProblem& problem : report_.problems) {
    problem.repaired = problem.repaired || problem.fault == FsckFault::bad_entry;
  }
  return ok();
}

void Fsck::add_problem(FsckFault fault, std::string block, std::string detail, bool repaired) {
  ++report_.faults;
  if (repaired) ++report_.repaired;
  if (report_.problems.size() >= FsckReport::kMaxProblems) return;
  report_.problems.push_back({fault, std::move(block), std::move(detail), repaired});
}

/// Sets the body that the entry speaks for aside, where it can be read, or else the entry itself.
Result<void> Fsck::take_out_entry(std::string_view raw_key, std::string_view raw_entry) {
  const std::string name = to_hex(as_bytes(raw_key));
  const auto entry = IndexEntry::decode(raw_entry);
  rocksdb::WriteBatch batch;
  batch.Delete(store_.database->index(), to_slice(raw_key));
  if (!entry.has_value()) {
    CAIRN_TRY(quarantine(name + ".entry", raw_entry));
  } else if (entry->place == Place::index) {
    CAIRN_TRY(quarantine(name, entry->body));
  } else if (entry->place == Place::log) {
    Bytes body(entry->size_bytes);
    if (store_.segments->read_body(entry->position, body).has_value()) {
      CAIRN_TRY(quarantine(name, as_text(body)));
    }
  } else {
    std::string body;
    batch.Delete(store_.database->body(), to_slice(raw_key));
    if (store_.database->db()
            .Get(rocksdb::ReadOptions(), store_.database->body(), to_slice(raw_key), &body)
            .ok()) {
      CAIRN_TRY(quarantine(name, body));
    }
  }
  return store_.database->write(batch, true);
}

Result<void> Fsck::take_out_body(std::string_view raw_key, std::string_view body,
                                 std::string detail) {
  if (options_.repair) {
    CAIRN_TRY(quarantine(to_hex(as_bytes(raw_key)), body));
    rocksdb::WriteBatch batch;
    batch.Delete(store_.database->body(), to_slice(raw_key));
    CAIRN_TRY(store_.database->write(batch, true));
  }
  add_problem(FsckFault::stray_body, name_of_key(raw_key), std::move(detail), options_.repair);
  return ok();
}

/// Indexes a right body.
Result<void> Fsck::adopt(const IndexKey& key, const IndexEntry& entry, std::string detail) {
  if (options_.repair) {
    std::string value;
    entry.encode(value);
    rocksdb::WriteBatch batch;
    batch.Put(store_.database->index(), to_slice(key.view()), value);
    CAIRN_TRY(store_.database->write(batch, true));
  }
  add_problem(FsckFault::unindexed_body, key.id().text(), std::move(detail), options_.repair);
  return ok();
}

Result<void> Fsck::quarantine(const std::string& name, std::string_view bytes) {
  CAIRN_TRY(make_directory(paths_.quarantine));
  CAIRN_TRY(replace_file(paths_.quarantine / name, std::string(bytes)));
  ++report_.quarantined;
  return ok();
}

}  // namespace

Result<void> Fsck::check_chains() {
  if (report_.interrupted) return ok();
  const auto tell = [this](ChainCheck::Fault fault, const std::string& what, std::string detail,
                           bool repaired) {
    const auto as_fsck = [fault] {
      switch (fault) {
        case ChainCheck::Fault::bad_chain: return FsckFault::bad_chain;
        case ChainCheck::Fault::dangling_ref: return FsckFault::dangling_ref;
        case ChainCheck::Fault::missing_pin: return FsckFault::missing_pin;
        case ChainCheck::Fault::stray_pin: return FsckFault::stray_pin;
      }
      return FsckFault::bad_chain;
    };
    add_problem(as_fsck(), what, std::move(detail), repaired);
  };
  const auto step = [this](std::uint64_t links) { return go_on(FsckPhase::chains, links, 0); };
  ChainCheck check(*store_.database, store_.identity.placement_seed, options_.repair, tell, step);
  CAIRN_TRY(const ChainCheck::Counts counts, check.run());
  report_.chains = counts.chains;
  report_.links = counts.links;
  return ok();
}

std::string_view name_of(FsckFault fault) {
  switch (fault) {
    case FsckFault::bad_key: return "bad-key";
    case FsckFault::bad_entry: return "bad-entry";
    case FsckFault::wrong_slot: return "wrong-slot";
    case FsckFault::bad_body: return "bad-body";
    case FsckFault::stray_body: return "stray-body";
    case FsckFault::unindexed_body: return "unindexed-body";
    case FsckFault::bad_segment: return "bad-segment";
    case FsckFault::unreadable: return "unreadable";
    case FsckFault::bad_chain: return "bad-chain";
    case FsckFault::dangling_ref: return "dangling-ref";
    case FsckFault::missing_pin: return "missing-pin";
    case FsckFault::stray_pin: return "stray-pin";
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
