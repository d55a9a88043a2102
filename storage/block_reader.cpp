#include "storage/block_reader.h"

#include <cerrno>
#include <memory>
#include <system_error>

#include "crypto/hash.h"

namespace cairn {
namespace {

constexpr std::string_view kSuspectPrefix = "suspect/";

/// An entry may change between look-up and read (erased, stored anew); it is then looked up again.
constexpr int kMaxAttempts = 4;

rocksdb::ReadOptions read_options(Wait wait, Caching caching) {
  rocksdb::ReadOptions options;
  options.read_tier = wait == Wait::never ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
  options.fill_cache = caching == Caching::fill;
  return options;
}

std::string_view name_of_place(Place place) {
  switch (place) {
    case Place::index: return "index";
    case Place::blob: return "blob";
    case Place::log: return "log";
  }
  return "unknown";
}

/// RocksDB says Incomplete where the answer is not in memory, and where it has the table file
/// itself not open, OK with no bytes. Nothing that is stored here is empty.
bool left_open(const rocksdb::Status& status, Wait wait, const rocksdb::PinnableSlice& value) {
  return status.IsIncomplete() || (wait == Wait::never && status.ok() && value.empty());
}

/// What could not be read of a block: a bad sector is corruption, and no reason to try again later.
Error read_error(const rocksdb::Status& status) {
  Error error = to_error(status);
  const bool bad_sector =
      status.IsIOError() && error.detail.ends_with(std::generic_category().message(EIO));
  if (bad_sector) error.code = Errc::corrupt;
  return error;
}

Result<Block> checked(const BlockId& id, const IndexEntry& entry, std::string_view body) {
  const ByteView bytes = as_bytes(body);
  if (bytes.size() != entry.size_bytes) return fail(Errc::corrupt, "the body has another size");
  if (block_id_of(bytes) != id) return fail(Errc::corrupt, "the body does not match its id");
  return Block::copy_of(id, bytes);
}

}  // namespace

std::string suspect_key(const IndexKey& key) {
  return std::string(kSuspectPrefix).append(key.view());
}

BlockReader::BlockReader(Database& database, ValueSegments& segments, Log& log)
    : database_(database), segments_(segments), log_(log) {
  load_suspects();
}

std::optional<Result<IndexEntry>> BlockReader::look_up(const IndexKey& key, Wait wait,
                                                       rocksdb::PinnableSlice& raw) {
  const rocksdb::Status status = database_.db().Get(read_options(wait, Caching::fill),
                                                    database_.index(), to_slice(key.view()), &raw);
  if (left_open(status, wait, raw)) return std::nullopt;
  (wait == Wait::never ? at_once_ : waited_).fetch_add(1, std::memory_order_relaxed);
  if (status.IsNotFound()) return fail(Errc::not_found);
  if (!status.ok()) {
    Error error = read_error(status);
    if (error.code != Errc::corrupt) return error;
    return report_corrupt(key.id(), IndexEntry{}, error.detail);
  }
  const auto entry = IndexEntry::decode(to_view(raw));
  if (!entry.has_value()) {
    return report_corrupt(key.id(), IndexEntry{}, "the index entry is malformed");
  }
  return *entry;
}

std::optional<Result<Block>> BlockReader::get(const IndexKey& key, Wait wait, Caching caching) {
  std::string previous;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    rocksdb::PinnableSlice raw;
    const auto looked_up = look_up(key, wait, raw);
    if (!looked_up.has_value()) return std::nullopt;
    if (looked_up->has_error()) return looked_up->error();
    const IndexEntry& entry = looked_up->value();
    auto block = read_body(key, entry, wait, caching);
    if (!block.has_value()) return block;
    if (block->has_value()) {
      if (wait == Wait::allowed && *suspect(key, to_view(raw), wait)) trust(key);
      return block;
    }
    if (block->error().code != Errc::corrupt) return block;
    if (wait == Wait::never) return std::nullopt;
    // The same entry twice: it is not a race with an erase, the body really is wrong.
    if (attempt > 0 && previous == to_view(raw)) {
      keep_suspect(key, previous);
      return report_corrupt(key.id(), entry, block->error().detail);
    }
    previous = raw.ToString();
  }
  return fail(Errc::unavailable, "the block is being erased and stored over and over");
}

std::optional<Result<Block>> BlockReader::read_body(const IndexKey& key, const IndexEntry& entry,
                                                    Wait wait, Caching caching) {
  switch (entry.place) {
    case Place::index: return checked(key.id(), entry, entry.body);
    case Place::blob: return read_from_blob(key, entry, wait, caching);
    case Place::log:
      if (wait == Wait::never) return std::nullopt;
      return read_from_log(key.id(), entry, caching);
  }
  return fail(Errc::corrupt, "the index entry names no place");
}

std::optional<Result<Block>> BlockReader::read_from_blob(const IndexKey& key,
                                                         const IndexEntry& entry, Wait wait,
                                                         Caching caching) {
  rocksdb::PinnableSlice body;
  const rocksdb::Status status = database_.db().Get(read_options(wait, caching), database_.body(),
                                                    to_slice(key.view()), &body);
  if (left_open(status, wait, body)) return std::nullopt;
  if (status.IsNotFound()) return fail(Errc::corrupt, "the body is missing");
  if (!status.ok()) return read_error(status);
  return checked(key.id(), entry, to_view(body));
}

Result<Block> BlockReader::read_from_log(const BlockId& id, const IndexEntry& entry,
                                         Caching caching) {
  BlockBuffer buffer(entry.size_bytes);
  CAIRN_TRY(segments_.read_body(entry.position, buffer.room()));
  buffer.commit(entry.size_bytes);
  if (caching == Caching::bypass) {
    segments_.drop_from_page_cache(entry.position, entry.size_bytes);
  }
  if (block_id_of(buffer.bytes()) != id) {
    return fail(Errc::corrupt, "the body does not match its id");
  }
  return std::move(buffer).finish(id);
}

Error BlockReader::report_corrupt(const BlockId& id, const IndexEntry& entry,
                                  const std::string& what) {
  corrupt_.fetch_add(1, std::memory_order_relaxed);
  const std::string text = id.text();
  log_.event(LogLevel::error, "block_corrupt",
             {{"block", text},
              {"place", name_of_place(entry.place)},
              {"segment", std::uint64_t{entry.position.segment}},
              {"offset", entry.position.offset},
              {"reason", what}});
  return fail(Errc::corrupt, what);
}

void BlockReader::load_suspects() {
  const std::unique_ptr<rocksdb::Iterator> kept(
      database_.db().NewIterator(rocksdb::ReadOptions(), database_.meta()));
  rocksdb::WriteBatch stale;
  for (kept->Seek(to_slice(kSuspectPrefix)); kept->Valid(); kept->Next()) {
    const std::string_view name = to_view(kept->key());
    if (!name.starts_with(kSuspectPrefix)) break;
    std::string entry;
    const rocksdb::Status status =
        database_.db().Get(rocksdb::ReadOptions(), database_.index(),
                           to_slice(name.substr(kSuspectPrefix.size())), &entry);
    const bool gone = status.IsNotFound() || (status.ok() && kept->value() != entry);
    if (gone) {
      stale.Delete(database_.meta(), kept->key());
    } else {
      any_suspect_ = true;
    }
  }
  if (!kept->status().ok()) any_suspect_ = true;
  // They are no harm, so it is none when they stay.
  if (stale.Count() > 0) static_cast<void>(database_.write(stale, false));
}

std::optional<bool> BlockReader::suspect(const IndexKey& key, std::string_view raw_entry,
                                         Wait wait) {
  if (!any_suspect_.load(std::memory_order_acquire)) return false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = unkept_.find(key.id());
    if (found != unkept_.end() && found->second == raw_entry) return true;
  }
  rocksdb::PinnableSlice kept;
  const rocksdb::Status status = database_.db().Get(
      read_options(wait, Caching::fill), database_.meta(), to_slice(suspect_key(key)), &kept);
  if (left_open(status, wait, kept)) return std::nullopt;
  if (status.IsNotFound()) return false;
  // Where that cannot be read, writing the block once more is the lesser evil.
  return !status.ok() || to_view(kept) == raw_entry;
}

void BlockReader::keep_suspect(const IndexKey& key, std::string_view raw_entry) {
  const std::string name = suspect_key(key);
  const auto kept = database_.meta_value(name);
  if (kept.has_value() && kept.value() == raw_entry) return;
  rocksdb::WriteBatch batch;
  batch.Put(database_.meta(), name, to_slice(raw_entry));
  if (database_.write(batch, false).has_error()) {
    const std::lock_guard lock(mutex_);
    if (unkept_.size() < kMaxUnkept) unkept_.insert_or_assign(key.id(), std::string(raw_entry));
  }
  any_suspect_.store(true, std::memory_order_release);
}

void BlockReader::trust(const IndexKey& key) {
  {
    const std::lock_guard lock(mutex_);
    unkept_.erase(key.id());
  }
  rocksdb::WriteBatch batch;
  batch.Delete(database_.meta(), to_slice(suspect_key(key)));
  // Left as it is, the next get() tries again.
  static_cast<void>(database_.write(batch, false));
}

BlockReaderStats BlockReader::stats() const {
  return {at_once_.load(std::memory_order_relaxed), waited_.load(std::memory_order_relaxed),
          corrupt_.load(std::memory_order_relaxed)};
}

}  // namespace cairn
