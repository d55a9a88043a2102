#include "storage/collector.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <memory>

#include "base/blocking_pool.h"
#include "base/little_endian.h"
#include "crypto/hash.h"
#include "crypto/link.h"
#include "storage/chain_records.h"

namespace cairn {
namespace {

constexpr std::size_t kStepEntries = 2'048;
/// Erased with one submission.
constexpr std::size_t kStepErases = 256;
constexpr std::size_t kStepLinks = 64;
constexpr auto kWriteDeadline = std::chrono::seconds(60);
/// Without anything to do it looks again after this.
constexpr auto kIdle = std::chrono::milliseconds(500);

/// Awaits what the writer answers; the collector's thread waits for it.
Task<void> submit_into(BlockWriter& writer, std::vector<WriteRequest> requests, Deadline deadline,
                       std::vector<Result<Stored>>& out) {
  out = co_await writer.submit(std::move(requests), deadline);
}

std::unique_ptr<rocksdb::Iterator> iterate(Database& database,
                                           rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(database.db().NewIterator(options, family));
}

std::optional<WallTime> read_time(std::string_view raw) {
  std::uint64_t ms = 0;
  if (!take_le(raw, ms) || !raw.empty()) return std::nullopt;
  return WallTime{static_cast<std::int64_t>(ms)};
}

}  // namespace

Collector::Collector(Database& database, BlockReader& reader, BlockWriter& writer,
                     ValueSegments& segments, BlockHolds& holds, TrimList& trims,
                     const Grace& grace, std::uint64_t placement_seed, Options options,
                     const Clock& clock, Log& log)
    : database_(database),
      reader_(reader),
      writer_(writer),
      segments_(segments),
      holds_(holds),
      trims_(trims),
      grace_(grace),
      placement_seed_(placement_seed),
      options_(options),
      clock_(clock),
      log_(log) {
  progress_.on = grace.on();
  progress_.grace_ms = static_cast<std::uint64_t>(grace.period().count());
  // What a store held before it collected anything begins its grace now.
  const auto kept = database_.meta_value(kGcSinceKey);
  const auto since =
      kept.has_value() && kept.value() ? read_time(*kept.value()) : std::optional<WallTime>();
  since_ = since.value_or(grace_.now());
  rocksdb::WriteBatch batch;
  std::string value;
  append_le(static_cast<std::uint64_t>(since_), value);
  if (grace.on() && !since) batch.Put(database_.meta(), to_slice(kGcSinceKey), value);
  if (!grace.on()) batch.Delete(database_.meta(), to_slice(kGcSinceKey));
  // Not kept, it is written at the next start: blocks stay longer.
  static_cast<void>(database_.write(batch, false));
}

Collector::~Collector() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Collector::start() {
  thread_ = std::thread([this] { run(); });
}

bool Collector::begin_now() {
  if (!grace_.on()) return false;
  {
    const std::lock_guard lock(mutex_);
    begin_now_ = true;
    progress_.under_way = true;
  }
  wake_.notify_all();
  return true;
}

GcProgress Collector::progress() const {
  const std::lock_guard lock(mutex_);
  GcProgress out = progress_;
  out.trims_waiting = trims_.size();
  return out;
}

void Collector::run() {
  name_this_thread("storage-gc");
  while (!stopping()) {
    const std::size_t entries = step();
    const auto pause =
        entries == 0
            ? std::chrono::nanoseconds(kIdle)
            : std::chrono::nanoseconds(entries * 1'000'000'000 / options_.entries_per_second);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause,
                   [this, entries] { return stopping() || (entries == 0 && begin_now_); });
  }
}

std::size_t Collector::step() {
  const std::size_t trimmed = trim();
  return trimmed > 0 ? trimmed : sweep();
}

std::vector<Result<Stored>> Collector::write(std::vector<WriteRequest> requests) {
  std::vector<Result<Stored>> out;
  io_.restart();
  boost::asio::co_spawn(io_,
                        submit_into(writer_, std::move(requests), clock_.in(kWriteDeadline), out),
                        [](const std::exception_ptr& bug) {
                          if (bug) std::rethrow_exception(bug);
                        });
  io_.run();
  return out;
}

std::size_t Collector::trim() {
  const auto next = trims_.any();
  if (!next) return 0;
  const ChainKeys keys(slot_of(next->chain, placement_seed_), next->chain);
  std::string raw;
  const rocksdb::Status status =
      database_.db().Get(rocksdb::ReadOptions(), database_.chain(), keys.state(), &raw);
  const auto state = status.ok() ? decode_chain_state(raw, next->chain) : std::nullopt;
  if (!state) {
    log_.event(LogLevel::error, "trim_left", {{"chain", next->chain.text()}});
    trims_.remove(*next);
    return 1;
  }
  WriteRequest request;
  request.kind = WriteRequest::Kind::records;
  request.room = Room::spared;
  std::size_t links = 0;
  const auto records = iterate(database_, database_.chain());
  for (records->Seek(keys.link(0)); records->Valid() && links < kStepLinks; records->Next()) {
    const auto seq = keys.seq_of(to_view(records->key()));
    if (!seq || *seq >= state->first_kept) break;
    if (*seq == state->rotated_at) continue;
    ++links;
    add_removal(keys, *seq, as_bytes(to_view(records->value())), placement_seed_, request.records);
  }
  // What cannot be read is left for the next start.
  const bool whole = records->status().ok() && links < kStepLinks;
  if (whole) {
    request.records.push_back({RecordChange::Family::meta, trim_key(keys), std::nullopt});
    request.confirm = [this, entry = *next] { return trims_.unchanged(entry); };
  }
  std::vector<WriteRequest> requests;
  requests.push_back(std::move(request));
  const auto written = write(std::move(requests));
  const bool done = written.front().has_value();
  const bool again = written.front().has_error() && written.front().error().code == Errc::conflict;
  if (!done && !again) return 0;
  if (done && whole) trims_.remove(*next);
  if (!records->status().ok()) trims_.remove(*next);
  const std::lock_guard lock(mutex_);
  if (done) progress_.trimmed_links += links;
  return links + 1;
}

void Collector::begin_pass() {
  begin_now_ = false;
  cursor_.clear();
  const std::lock_guard lock(mutex_);
  progress_.under_way = true;
  progress_.pass_started = clock_.wall();
  progress_.pass_blocks = progress_.pass_candidates = progress_.pass_pinned = 0;
}

void Collector::finish_pass() {
  rest_until_ = clock_.in(options_.rest);
  GcProgress now;
  {
    const std::lock_guard lock(mutex_);
    progress_.under_way = begin_now_;
    progress_.passes += 1;
    progress_.pass_finished = clock_.wall();
    now = progress_;
  }
  log_.event(LogLevel::info, "gc_pass_finished",
             {{"blocks", now.pass_blocks},
              {"candidates", now.pass_candidates},
              {"pinned", now.pass_pinned},
              {"erased_blocks", now.erased_blocks},
              {"erased_bytes", now.erased_bytes}});
}

std::size_t Collector::sweep() {
  if (!grace_.on()) return 0;
  if (cursor_.empty()) {
    if (!begin_now_ && clock_.mono() < rest_until_) return 0;
    begin_pass();
  }
  std::size_t looked_at = 0;
  const std::vector<IndexKey> old = old_blocks(looked_at);
  std::vector<Candidate> candidates;
  for (const IndexKey& key : old) {
    if (stopping()) break;
    if (auto candidate = confirmed(key)) candidates.push_back(*candidate);
    if (candidates.size() == kStepErases) {
      erase(candidates);
      candidates.clear();
    }
  }
  if (!candidates.empty()) erase(candidates);
  if (cursor_.empty()) finish_pass();
  return looked_at + 1;
}

/// Moves the cursor on.
std::vector<IndexKey> Collector::old_blocks(std::size_t& looked_at) {
  std::vector<IndexKey> out;
  const auto entries = iterate(database_, database_.index());
  for (entries->Seek(cursor_); entries->Valid() && looked_at < kStepEntries; entries->Next()) {
    ++looked_at;
    cursor_ = entries->key().ToString() + '\0';
    const auto key = IndexKey::from(to_view(entries->key()));
    const auto entry = IndexEntry::decode(to_view(entries->value()));
    if (!key || !entry || !grace_.over(std::max(entry->stored_at, since_))) continue;
    out.push_back(*key);
  }
  // At the end, and where it cannot be read on: the next pass may get further.
  if (!entries->Valid()) cursor_.clear();
  const std::lock_guard lock(mutex_);
  progress_.pass_blocks += looked_at;
  progress_.pass_candidates += out.size();
  return out;
}

/// Whether a link pins the block or a put has renewed its note; also when that cannot be read.
bool Collector::spared(const IndexKey& key) {
  const auto pins = iterate(database_, database_.pin());
  pins->Seek(to_slice(key.view()));
  if (pins->Valid() && to_view(pins->key()) == key.view()) {
    const auto renewed = read_time(to_view(pins->value()));
    if (!renewed || !grace_.over(*renewed)) return true;
    pins->Next();
  }
  if (!pins->status().ok()) return true;
  if (!pins->Valid() || !to_view(pins->key()).starts_with(key.view())) return false;
  const std::lock_guard lock(mutex_);
  progress_.pass_pinned += 1;
  return true;
}

/// Everything is looked at after the watch has begun: what changes from then on takes a hold.
std::optional<Collector::Candidate> Collector::confirmed(const IndexKey& key) {
  if (!holds_.watch(key.id())) return std::nullopt;
  rocksdb::PinnableSlice raw;
  const auto entry = reader_.look_up(key, Wait::allowed, raw);
  if (!entry->has_value() || !grace_.over(std::max(entry->value().stored_at, since_)) ||
      spared(key)) {
    holds_.forget(key.id());
    return std::nullopt;
  }
  Candidate out{key, entry->value(), *reader_.suspect(key, to_view(raw), Wait::allowed)};
  out.entry.body = {};
  return out;
}

void Collector::erase(const std::vector<Candidate>& candidates) {
  std::vector<WriteRequest> requests;
  for (const Candidate& candidate : candidates) {
    WriteRequest request;
    request.kind = WriteRequest::Kind::erase;
    request.key = candidate.key;
    request.suspect = candidate.suspect;
    request.confirm = [this, id = candidate.key.id()] { return holds_.close(id); };
    requests.push_back(std::move(request));
  }
  const auto results = write(std::move(requests));
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    holds_.forget(candidates[i].key.id());
    if (!results[i].has_value()) continue;
    blocks += 1;
    bytes += candidates[i].entry.size_bytes;
    if (candidates[i].entry.place != Place::log) continue;
    // What fails here is found by the scrub's sweep of records without an entry.
    static_cast<void>(
        segments_.release(candidates[i].entry.position, candidates[i].entry.size_bytes));
  }
  const std::lock_guard lock(mutex_);
  progress_.erased_blocks += blocks;
  progress_.erased_bytes += bytes;
}

}  // namespace cairn
