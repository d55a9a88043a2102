#include "storage/rocks_block_store.h"

#include <utility>

#include "base/limits.h"
#include "base/little_endian.h"
#include "crypto/hash.h"

namespace cairn {
namespace {

/// So many look-ups are tried on the calling core before the pool is asked; more would hold the
/// core's other connections up.
constexpr std::size_t kLookUpsOnCore = 32;

/// An erase is no matter of room: when RocksDB has none to note it, trying again later is right.
Error unavailable_if_full(Error error) {
  if (error.code == Errc::full) error.code = Errc::unavailable;
  return error;
}

}  // namespace

IndexKey RocksBlockStore::key_of(const BlockId& id) const {
  return IndexKey(slot_of(id, placement_seed_), id);
}

std::optional<Result<RocksBlockStore::Known>> RocksBlockStore::look_up(BlockReader& reader,
                                                                       const IndexKey& key,
                                                                       Wait wait) {
  rocksdb::PinnableSlice raw;
  const auto entry = reader.look_up(key, wait, raw);
  if (!entry.has_value()) return std::nullopt;
  if (entry->has_error()) return entry->error();
  const auto suspect = reader.suspect(key, to_view(raw), wait);
  if (!suspect.has_value()) return std::nullopt;
  const IndexEntry& found = entry->value();
  return Known{found.place, found.size_bytes, found.position, *suspect, found.stored_at};
}

Result<RocksBlockStore::Presence> RocksBlockStore::presence_of(const Grace& grace,
                                                               const Result<Known>& known) {
  if (known.has_value()) {
    if (known.value().suspect) return Presence::suspect;
    return grace.stale(known.value().stored_at) ? Presence::stale : Presence::held;
  }
  const Errc code = known.error().code;
  if (code != Errc::not_found && code != Errc::corrupt) return known.error();
  return Presence::absent;
}

std::optional<Result<Found>> RocksBlockStore::try_get(const BlockId& id) {
  auto block = reader_.get(key_of(id), Wait::never);
  if (!block.has_value()) return std::nullopt;
  if (block->has_error()) {
    // Anything but a certain answer is get()'s to find out.
    const Errc code = block->error().code;
    if (code != Errc::not_found && code != Errc::corrupt) return std::nullopt;
    return std::move(*block).error();
  }
  return Found{std::move(*block).value(), Source::storage};
}

Task<Result<Found>> RocksBlockStore::get(BlockId id, Deadline deadline) {
  if (auto at_once = try_get(id)) co_return std::move(*at_once);
  auto block = co_await pool_.run(
      [reader = &reader_, key = key_of(id)]() -> Result<Block> {
        return *reader->get(key, Wait::allowed);
      },
      deadline);
  if (block.has_error()) co_return std::move(block).error();
  co_return Found{std::move(block).value(), Source::storage};
}

Task<Result<RocksBlockStore::Known>> RocksBlockStore::find(IndexKey key, Deadline deadline) {
  if (auto at_once = look_up(reader_, key, Wait::never)) co_return std::move(*at_once);
  co_return co_await pool_.run(
      [reader = &reader_, key]() -> Result<Known> { return *look_up(*reader, key, Wait::allowed); },
      deadline);
}

Task<Result<BlockStat>> RocksBlockStore::stat(BlockId id, Deadline deadline) {
  const auto known = co_await find(key_of(id), deadline);
  if (known.has_error()) co_return known.error();
  if (known.value().suspect) co_return fail(Errc::corrupt, "the body was found wrong");
  co_return BlockStat{known.value().size_bytes, Source::storage};
}

void RocksBlockStore::count_touch(const Result<Stored>& result) {
  if (result.has_value() && result.value() == Stored::held) {
    touches_.fetch_add(1, std::memory_order_relaxed);
  }
}

WriteRequest RocksBlockStore::note_of_put(const IndexKey& key) const {
  std::string time;
  append_le(static_cast<std::uint64_t>(grace_.now()), time);
  WriteRequest request;
  request.kind = WriteRequest::Kind::records;
  request.room = Room::spared;
  request.records.push_back(
      {RecordChange::Family::pin, std::string(key.view()), std::optional(std::move(time))});
  return request;
}

Task<Result<Stored>> RocksBlockStore::put(Block block, Deadline deadline) {
  const IndexKey key = key_of(block.id());
  BlockHolds::Hold hold = holds_.take({block.id()});
  const auto known = co_await find(key, deadline);
  auto presence = presence_of(grace_, known);
  if (presence.has_error()) co_return presence.error();
  if (hold.leaving(block.id())) presence = Presence::absent;
  if (presence.value() == Presence::held) {
    touches_.fetch_add(1, std::memory_order_relaxed);
    co_return Stored::held;
  }
  if (presence.value() == Presence::stale) {
    std::vector<Block> one;
    one.push_back(std::move(block));
    auto results = co_await put_many(std::move(one), deadline);
    co_return std::move(results.front());
  }
  std::vector<WriteRequest> requests;
  requests.push_back(
      {WriteRequest::Kind::put, key, std::move(block), presence.value() == Presence::suspect});
  requests.back().until_settled = std::make_shared<BlockHolds::Hold>(std::move(hold));
  auto results = co_await writer_.submit(std::move(requests), deadline);
  count_touch(results.front());
  co_return std::move(results.front());
}

Task<std::vector<Result<Stored>>> RocksBlockStore::put_many(std::vector<Block> blocks,
                                                            Deadline deadline) {
  std::vector<IndexKey> keys;
  std::vector<BlockId> ids;
  for (const Block& block : blocks) {
    keys.push_back(key_of(block.id()));
    ids.push_back(block.id());
  }
  const auto hold = std::make_shared<BlockHolds::Hold>(holds_.take(std::move(ids)));
  const auto present = co_await presences_for_put(keys, *hold, deadline);
  if (present.has_error()) {
    co_return std::vector<Result<Stored>>(blocks.size(), Result<Stored>(present.error()));
  }
  std::vector<Result<Stored>> results(blocks.size(), Result<Stored>(Stored::held));
  std::vector<WriteRequest> requests;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const Presence presence = present.value()[i];
    if (presence == Presence::held) {
      touches_.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    if (presence == Presence::stale) {
      requests.push_back(note_of_put(keys[i]));
    } else {
      requests.push_back(
          {WriteRequest::Kind::put, keys[i], std::move(blocks[i]), presence == Presence::suspect});
    }
    requests.back().until_settled = hold;
    places.push_back(i);
  }
  if (requests.empty()) co_return results;
  auto written = co_await writer_.submit(std::move(requests), deadline);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const bool noted = present.value()[places[i]] == Presence::stale;
    if (noted && written[i].has_value()) written[i] = Stored::held;
    count_touch(written[i]);
    results[places[i]] = std::move(written[i]);
  }
  co_return results;
}

Result<std::vector<RocksBlockStore::Presence>> RocksBlockStore::look_for_notes(
    Database& database, const Grace& grace, const std::vector<IndexKey>& keys,
    std::vector<Presence> present) {
  std::string raw;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (present[i] != Presence::stale) continue;
    const rocksdb::Status status =
        database.db().Get(rocksdb::ReadOptions(), database.pin(), to_slice(keys[i].view()), &raw);
    if (status.IsNotFound()) continue;
    if (!status.ok()) return to_error(status);
    std::string_view rest = raw;
    std::uint64_t ms = 0;
    if (!take_le(rest, ms) || grace.stale(WallTime{static_cast<std::int64_t>(ms)})) continue;
    present[i] = Presence::held;
  }
  return present;
}

Task<Result<std::vector<RocksBlockStore::Presence>>> RocksBlockStore::presences_for_put(
    std::vector<IndexKey> keys, const BlockHolds::Hold& hold, Deadline deadline) {
  auto present = co_await presences(keys, deadline);
  if (present.has_error()) co_return present;
  bool any_stale = false;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Presence& presence = present.value()[i];
    if (hold.leaving(keys[i].id())) presence = Presence::absent;
    any_stale = any_stale || presence == Presence::stale;
  }
  if (!any_stale) co_return present;
  auto ask = [database = &database_, grace = &grace_, keys = std::move(keys),
              found = std::move(present).value()]() mutable -> Result<std::vector<Presence>> {
    return look_for_notes(*database, *grace, keys, std::move(found));
  };
  co_return co_await pool_.run(std::move(ask), deadline);
}

Task<Result<std::vector<RocksBlockStore::Presence>>> RocksBlockStore::presences(
    std::vector<IndexKey> keys, Deadline deadline) {
  std::vector<Presence> answers(keys.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto known = i < kLookUpsOnCore ? look_up(reader_, keys[i], Wait::never)
                                          : std::optional<Result<Known>>();
    if (!known.has_value()) {
      open.push_back(i);
      continue;
    }
    const auto presence = presence_of(grace_, *known);
    if (presence.has_error()) co_return presence.error();
    answers[i] = presence.value();
  }
  if (open.empty()) co_return answers;
  // A named call: GCC 12 destroys a temporary with captures twice when it is awaited.
  auto ask = [reader = &reader_, grace = &grace_, keys = std::move(keys), open = std::move(open),
              answers = std::move(answers)]() mutable -> Result<std::vector<Presence>> {
    for (const std::size_t i : open) {
      CAIRN_TRY(const Presence presence,
                presence_of(*grace, *look_up(*reader, keys[i], Wait::allowed)));
      answers[i] = presence;
    }
    return std::move(answers);
  };
  co_return co_await pool_.run(std::move(ask), deadline);
}

Task<Result<std::vector<BlockId>>> RocksBlockStore::missing(std::vector<BlockId> ids,
                                                            Deadline deadline) {
  std::vector<IndexKey> keys;
  keys.reserve(ids.size());
  for (const BlockId& id : ids) keys.push_back(key_of(id));
  const auto present = co_await presences(std::move(keys), deadline);
  if (present.has_error()) co_return present.error();
  std::vector<BlockId> absent;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Presence presence = present.value()[i];
    if (presence != Presence::held && presence != Presence::stale) absent.push_back(ids[i]);
  }
  co_return absent;
}

Task<Result<void>> RocksBlockStore::erase(BlockId id, Deadline deadline) {
  const IndexKey key = key_of(id);
  const auto known = co_await find(key, deadline);
  const bool unknown = known.has_error() && known.error().code == Errc::not_found;
  if (unknown && !writer_.unsettled()) co_return ok();
  if (known.has_error() && !unknown && known.error().code != Errc::corrupt) {
    co_return known.error();
  }
  std::vector<WriteRequest> requests;
  const bool suspect = known.has_value() && known.value().suspect;
  requests.push_back({WriteRequest::Kind::erase, key, Block(), suspect});
  const auto results = co_await writer_.submit(std::move(requests), deadline);
  if (results.front().has_error()) co_return unavailable_if_full(results.front().error());
  erased_.fetch_add(1, std::memory_order_relaxed);
  if (known.has_error() || known.value().place != Place::log) co_return ok();
  // The block is gone; giving its pages back can fail or come too late: the sweep does it then.
  const auto released = co_await pool_.run(
      [segments = &segments_, gone = known.value()]() -> Result<void> {
        return segments->release(gone.position, gone.size_bytes);
      },
      deadline);
  if (released.has_error()) {
    log_.event(LogLevel::warn, "release_deferred", {{"reason", released.error().detail}});
  }
  co_return ok();
}

RocksBlockStoreStats RocksBlockStore::stats() const {
  return {touches_.load(std::memory_order_relaxed), erased_.load(std::memory_order_relaxed)};
}

}  // namespace cairn
