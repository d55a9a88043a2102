#include "storage/scrubber.h"

#include <algorithm>

#include "base/blocking_pool.h"
#include "base/little_endian.h"
#include "crypto/hash.h"
#include "storage/open_store.h"

namespace cairn {
namespace {

constexpr std::string_view kStateKey = "scrub_state";
constexpr std::size_t kStepBlocks = 256;
constexpr std::uint64_t kStepBytes = std::uint64_t{4} << 20;
/// What a look-up is taken to cost beside the body's bytes.
constexpr std::uint64_t kLookUpBytes = 512;
constexpr auto kSaveEvery = std::chrono::seconds(10);
constexpr auto kRest = std::chrono::seconds(60);

struct Pick {
  std::vector<IndexKey> keys;
  std::string next;        ///< Empty at the end of the index.
  rocksdb::Status status;  ///< Not ok: the index could not be read from `next` on.
};

/// The keys of the next few blocks. The iterator is not kept: it would hold deleted files on disk.
/// What the index could not give is told in `status`.
Pick pick_blocks(Database& database, const std::string& from) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> entries(
      database.db().NewIterator(options, database.index()));
  Pick pick{{}, from, {}};
  std::uint64_t bytes = 0;
  for (entries->Seek(from); entries->Valid(); entries->Next()) {
    if (pick.keys.size() >= kStepBlocks || bytes >= kStepBytes) {
      pick.next = entries->key().ToString();
      return pick;
    }
    pick.next = entries->key().ToString() + '\0';
    const auto key = IndexKey::from(to_view(entries->key()));
    const auto entry = IndexEntry::decode(to_view(entries->value()));
    if (key.has_value()) pick.keys.push_back(*key);
    if (entry.has_value()) bytes += entry->size_bytes;
  }
  pick.status = entries->status();
  if (pick.status.ok()) pick.next.clear();
  return pick;
}

}  // namespace

Scrubber::Scrubber(Database& database, BlockReader& reader, ValueSegments& segments,
                   std::uint64_t placement_seed, Options options, const Clock& clock, Log& log)
    : database_(database),
      reader_(reader),
      segments_(segments),
      placement_seed_(placement_seed),
      options_(options),
      clock_(clock),
      log_(log) {
  load_state();
}

Scrubber::~Scrubber() {
  stopping_.store(true, std::memory_order_relaxed);
  { const std::lock_guard lock(mutex_); }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (phase_ != Phase::resting) save_state();
}

void Scrubber::start() {
  if (options_.bytes_per_second > 0) thread_ = std::thread([this] { run(); });
}

void Scrubber::begin_now() {
  {
    const std::lock_guard lock(mutex_);
    begin_now_ = true;
  }
  wake_.notify_all();
}

void Scrubber::run() {
  name_this_thread("storage-scrub");
  while (!stopping()) {
    const std::uint64_t bytes = step();
    const auto pause =
        bytes == 0 ? std::chrono::nanoseconds(kRest)
                   : std::chrono::nanoseconds(bytes * 1'000'000'000 / options_.bytes_per_second);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause,
                   [this] { return stopping() || (phase_ == Phase::resting && begin_now_); });
  }
}

bool Scrubber::due() const {
  const std::lock_guard lock(mutex_);
  if (begin_now_) return true;
  const std::int64_t interval_ms = std::chrono::milliseconds(options_.interval).count();
  const auto since =
      static_cast<std::int64_t>(clock_.wall()) - static_cast<std::int64_t>(progress_.pass_started);
  // A clock that was set back must not keep the scrub from ever running.
  return since >= interval_ms || since < 0;
}

std::uint64_t Scrubber::step() {
  if (phase_ == Phase::resting) {
    if (!due()) return 0;
    begin_pass();
  }
  const std::uint64_t bytes = phase_ == Phase::bodies ? step_bodies() : step_orphans();
  if (clock_.mono() - saved_at_ >= kSaveEvery) save_state();
  return bytes;
}

void Scrubber::begin_pass() {
  phase_ = Phase::bodies;
  cursor_.clear();
  const std::lock_guard lock(mutex_);
  begin_now_ = false;
  progress_.under_way = true;
  progress_.pass_started = clock_.wall();
  progress_.slot = 0;
  progress_.pass_blocks = progress_.pass_bytes = progress_.pass_corrupt = 0;
}

std::uint64_t Scrubber::step_bodies() {
  Pick pick = pick_blocks(database_, cursor_);
  std::uint64_t cost = kLookUpBytes;
  for (const IndexKey& key : pick.keys) {
    if (stopping()) return cost;
    check(key, cost);
  }
  cursor_ = std::move(pick.next);
  if (!pick.status.ok()) {
    count_unreadable("index", to_error(pick.status));
    return 0;
  }
  if (cursor_.empty()) begin_sweep();
  return cost;
}

void Scrubber::check(const IndexKey& key, std::uint64_t& cost) {
  const auto block = reader_.get(key, Wait::allowed, Caching::bypass);
  // A body that cannot be read is as lost as one that is wrong; erased meanwhile is neither.
  const bool lost = block->has_error() && block->error().code != Errc::not_found;
  const std::uint64_t bytes = block->has_value() ? block->value().size_bytes() : 0;
  cost += kLookUpBytes + bytes;
  const std::lock_guard lock(mutex_);
  progress_.slot = static_cast<std::uint32_t>(key.slot());
  progress_.pass_blocks += 1;
  progress_.pass_bytes += bytes;
  progress_.pass_corrupt += lost ? 1 : 0;
}

void Scrubber::count_unreadable(std::string_view what, const Error& error) {
  log_.event(LogLevel::error, "scrub_unreadable", {{"what", what}, {"reason", error.detail}});
  const std::lock_guard lock(mutex_);
  progress_.pass_corrupt += 1;
}

void Scrubber::begin_sweep() {
  phase_ = Phase::orphans;
  // Up to here every record's pointer is in the index, if there is one. Younger segments may hold
  // records whose batch is still under way.
  const auto covered = covered_log_position(database_);
  const auto sealed = segments_.list();
  sweep_.clear();
  if (covered.has_error()) return count_unreadable("index", covered.error());
  if (sealed.has_error()) return count_unreadable("values", sealed.error());
  for (const std::uint32_t segment : sealed.value()) {
    if (segment < covered.value().segment && segment < segments_.active()) {
      sweep_.push_back(segment);
    }
  }
  std::ranges::reverse(sweep_);
}

std::uint64_t Scrubber::step_orphans() {
  std::uint64_t cost = kLookUpBytes;
  for (std::size_t i = 0; i < kStepBlocks; ++i) {
    if (stopping()) return cost;
    if (walk_ == nullptr) {
      if (sweep_.empty()) {
        finish_pass();
        return cost;
      }
      walk_ = std::make_unique<SegmentWalk>(segments_, sweep_.back(), kLogPageBytes);
      sweep_.pop_back();
    }
    const auto record = walk_->next();
    if (record.has_error() && record.error().code != Errc::not_found) {
      count_unreadable("segment", record.error());
    }
    if (record.has_error() || !record.value().has_value()) {
      walk_.reset();
      continue;
    }
    cost += kLogPageBytes + release_if_orphan(*record.value());
  }
  return cost;
}

std::uint64_t Scrubber::release_if_orphan(const ValueRecord& record) {
  rocksdb::PinnableSlice raw;
  const IndexKey key(slot_of(record.id, placement_seed_), record.id);
  const auto entry = reader_.look_up(key, Wait::allowed, raw);
  if (entry->has_error() && entry->error().code != Errc::not_found) return 0;
  if (entry->has_value() && entry->value().place == Place::log &&
      entry->value().position == record.position) {
    return 0;
  }
  const auto released = segments_.release(record.position, record.size_bytes);
  if (released.has_error()) {
    log_.event(LogLevel::warn, "release_deferred", {{"reason", released.error().detail}});
    return 0;
  }
  const std::lock_guard lock(mutex_);
  progress_.orphans += 1;
  return kLogPageBytes;
}

void Scrubber::finish_pass() {
  phase_ = Phase::resting;
  ScrubProgress now;
  {
    const std::lock_guard lock(mutex_);
    progress_.under_way = false;
    progress_.passes += 1;
    progress_.pass_finished = clock_.wall();
    progress_.slot = kSlotCount;
    now = progress_;
  }
  save_state();
  log_.event(now.pass_corrupt > 0 ? LogLevel::error : LogLevel::info, "scrub_pass_finished",
             {{"blocks", now.pass_blocks},
              {"bytes", now.pass_bytes},
              {"corrupt", now.pass_corrupt},
              {"orphans", now.orphans}});
}

void Scrubber::load_state() {
  const auto value = database_.meta_value(kStateKey);
  // A scrub state that cannot be read costs a pass from the beginning, nothing else.
  if (value.has_error() || !value.value().has_value()) return;
  std::string_view rest = *value.value();
  std::uint8_t phase = 0;
  std::uint64_t started = 0;
  std::uint64_t finished = 0;
  ScrubProgress loaded;
  if (!take_le(rest, phase) || !take_le(rest, loaded.passes) || !take_le(rest, started) ||
      !take_le(rest, finished) || !take_le(rest, loaded.pass_blocks) ||
      !take_le(rest, loaded.pass_bytes) || !take_le(rest, loaded.pass_corrupt)) {
    return;
  }
  loaded.pass_started = static_cast<WallTime>(started);
  loaded.pass_finished = static_cast<WallTime>(finished);
  loaded.under_way = phase != static_cast<std::uint8_t>(Phase::resting);
  loaded.slot = loaded.under_way ? 0 : kSlotCount;
  cursor_ = rest;
  if (const auto key = IndexKey::from(rest)) loaded.slot = static_cast<std::uint32_t>(key->slot());
  // A sweep that was interrupted begins again, after the last bodies.
  phase_ = loaded.under_way ? Phase::bodies : Phase::resting;
  if (phase == static_cast<std::uint8_t>(Phase::orphans)) cursor_.assign(IndexKey::kSize, '\xFF');
  progress_ = loaded;
}

void Scrubber::save_state() {
  saved_at_ = clock_.mono();
  const ScrubProgress now = progress();
  std::string value;
  value.push_back(static_cast<char>(phase_));
  append_le(now.passes, value);
  append_le(static_cast<std::uint64_t>(now.pass_started), value);
  append_le(static_cast<std::uint64_t>(now.pass_finished), value);
  append_le(now.pass_blocks, value);
  append_le(now.pass_bytes, value);
  append_le(now.pass_corrupt, value);
  value += cursor_;
  rocksdb::WriteBatch batch;
  batch.Put(database_.meta(), to_slice(kStateKey), value);
  const auto written = database_.write(batch, false);
  if (written.has_error()) {
    log_.event(LogLevel::warn, "scrub_state_not_saved", {{"reason", written.error().detail}});
  }
}

ScrubProgress Scrubber::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

}  // namespace cairn
