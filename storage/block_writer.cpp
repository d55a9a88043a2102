#include "storage/block_writer.h"

#include <algorithm>
#include <string>

#include "base/blocking_pool.h"
#include "storage/block_reader.h"

namespace cairn {
namespace {

/// After this much the RocksDB log is synced too, so that a start after power loss has little to
/// look through (recover_tail reads and hashes it).
constexpr std::uint64_t kMaxUncoveredBytes = std::uint64_t{64} << 20;
/// The free room is asked for again after this much, beside once a second; and after a part of what
/// is left above the reserve, so that a quick writer cannot pass it between two questions.
constexpr std::uint64_t kRefreshBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kRefreshPart = 8;

bool goes_to_log(const WriteRequest& request) {
  return request.kind == WriteRequest::Kind::put &&
         place_for(request.block.size_bytes()) == Place::log;
}

std::size_t weight_of(const WriteRequest& request) {
  std::size_t bytes = 256;  // The job's own bookkeeping.
  if (request.kind == WriteRequest::Kind::put) bytes += request.block.size_bytes();
  for (const RecordChange& change : request.records) {
    bytes += change.key.size() + (change.value ? change.value->size() : 0) + 64;
  }
  return bytes;
}

}  // namespace

void BlockWriter::Ticket::settle(std::size_t index, Result<Stored> result) {
  results[index].emplace(std::move(result));
  if (open.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::vector<Result<Stored>> all;
  all.reserve(results.size());
  for (auto& one : results) all.push_back(std::move(*one));
  finish(std::move(all));
}

BlockWriter::BlockWriter(Database& database, ValueSegments& segments,
                         std::unique_ptr<ValueLogWriter> log, SpaceWatch& space, Options options,
                         const Clock& clock, Log& events)
    : database_(database),
      segments_(segments),
      log_(std::move(log)),
      covered_(log_->tail()),
      space_(space),
      options_(options),
      clock_(clock),
      events_(events),
      thread_([this] { run(); }) {}

BlockWriter::~BlockWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::optional<Error> BlockWriter::admit_locked(WriteRequest request, const Waiter& waiter) {
  const auto kind = request.kind;
  const bool of_block = kind != WriteRequest::Kind::records;
  if (of_block) {
    const auto latest = latest_.find(request.key.id());
    const bool joins = latest != latest_.end() && latest->second->request.kind == kind &&
                       !latest->second->request.confirm && !request.confirm;
    if (joins) {
      latest->second->waiters.push_back(waiter);
      return std::nullopt;
    }
  }
  if (request.room == Room::needed && kind != WriteRequest::Kind::erase && space_.full()) {
    return fail(Errc::full, "the disk's reserve is reached");
  }
  const std::size_t weight = weight_of(request);
  const std::size_t waiting = queue_.size() + batch_.size();
  if (waiting >= options_.queue_requests ||
      (waiting > 0 && waiting_bytes_ + weight > options_.queue_bytes)) {
    return fail(Errc::overloaded, "too many writes wait for the disk; try again");
  }
  waiting_bytes_ += weight;
  auto job = std::make_shared<Job>();
  job->request = std::move(request);
  job->waiters.push_back(waiter);
  if (of_block) latest_[job->request.key.id()] = job.get();
  queue_.push_back(std::move(job));
  return std::nullopt;
}

void BlockWriter::enqueue(std::vector<WriteRequest> requests, std::shared_ptr<Ticket> ticket) {
  if (requests.empty()) {
    ticket->finish({});
    return;
  }
  std::vector<std::pair<std::size_t, Error>> refused;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto refusal = admit_locked(std::move(requests[i]), Waiter{ticket, i});
      if (refusal.has_value()) refused.emplace_back(i, std::move(*refusal));
    }
    const bool gathered = gather_target_ > 0 && queue_.size() >= gather_target_;
    wake = gathered || (idle_ && !queue_.empty());
    if (wake) {
      idle_ = false;
      gather_target_ = 0;
    }
  }
  if (wake) wake_.notify_one();
  for (auto& [index, error] : refused) ticket->settle(index, std::move(error));
}

void BlockWriter::expire() {
  std::vector<Waiter> late;
  {
    const std::lock_guard lock(mutex_);
    const MonoTime now = clock_.mono();
    const auto collect = [&](const std::shared_ptr<Job>& job) {
      std::erase_if(job->waiters, [&](Waiter& waiter) {
        if (waiter.ticket->deadline > now) return false;
        late.push_back(std::move(waiter));
        return true;
      });
    };
    for (const auto& job : queue_) collect(job);
    for (const auto& job : batch_) collect(job);
  }
  for (Waiter& waiter : late) {
    waiter.ticket->settle(waiter.index,
                          fail(Errc::unavailable, "the disk did not answer by the deadline"));
  }
}

void BlockWriter::gather(std::unique_lock<std::mutex>& lock) {
  if (last_batch_ < 2 || queue_.size() >= last_batch_ || stopping_) return;
  gather_target_ = last_batch_;
  wake_.wait_for(lock, options_.gather, [this] { return gather_target_ == 0 || stopping_; });
  gather_target_ = 0;
}

void BlockWriter::take_batch_locked() {
  std::size_t bytes = 0;
  while (!queue_.empty() && batch_.size() < options_.batch_requests) {
    bytes += weight_of(queue_.front()->request);
    if (!batch_.empty() && bytes > options_.batch_bytes) return;
    batch_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
}

void BlockWriter::run() {
  name_this_thread("storage-write");
  for (;;) {
    Jobs jobs;
    {
      std::unique_lock lock(mutex_);
      while (queue_.empty() && !stopping_) {
        idle_ = true;
        wake_.wait(lock);
      }
      idle_ = false;
      if (queue_.empty()) break;
      gather(lock);
      take_batch_locked();
      last_batch_ = batch_.size();
      jobs = batch_;
    }
    const MonoTime begin = clock_.mono();
    // RocksDB's memtables take keys in order quicker: each search starts where the last one ended.
    std::ranges::stable_sort(jobs, {}, [](const auto& job) { return job->request.key.view(); });
    write_batch(jobs);
    busy_ns_.fetch_add(static_cast<std::uint64_t>((clock_.mono() - begin).count()),
                       std::memory_order_relaxed);
    if (since_refresh_bytes_ >= std::min(kRefreshBytes, space_.headroom_bytes() / kRefreshPart)) {
      since_refresh_bytes_ = 0;
      space_.refresh();
    }
    settle_batch(std::move(jobs));
  }
  cover_log();
}

/// Spares the next start the look through the value log. Best effort.
void BlockWriter::cover_log() {
  if (log_->tail() == covered_ || unsettled() || database_.stopped()) return;
  rocksdb::WriteBatch batch;
  add_log_tail(batch);
  static_cast<void>(database_.write(batch, options_.sync));
}

void BlockWriter::append_to_log(const Jobs& jobs) {
  const WallTime now = clock_.wall();
  std::vector<Job*> appended;
  std::optional<Error> failure;
  for (const auto& job : jobs) {
    if (!goes_to_log(job->request)) continue;
    const std::uint64_t abandoned = log_->abandoned_segments();
    auto position = log_->append(job->request.block, now);
    if (position.has_value()) {
      job->position = position.value();
      appended.push_back(job.get());
      continue;
    }
    job->error = std::move(position).error();
    if (log_->abandoned_segments() != abandoned) failure = job->error;
  }
  if (auto committed = log_->commit(); committed.has_error()) failure = committed.error();
  if (failure.has_value()) {
    for (Job* job : appended) {
      job->error = failure;
      // Best effort: what stays is found by the sweep.
      static_cast<void>(segments_.release(job->position, job->request.block.size_bytes()));
    }
    unsettled_.store(true, std::memory_order_release);
    events_.event(LogLevel::error, "value_log_failed", {{"reason", failure->detail}});
    return;
  }
  for (const Job* job : appended) uncovered_bytes_ += job->request.block.size_bytes();
}

rocksdb::ColumnFamilyHandle* BlockWriter::family_of(RecordChange::Family family) const {
  switch (family) {
    case RecordChange::Family::chain: return database_.chain();
    case RecordChange::Family::pin: return database_.pin();
    case RecordChange::Family::meta: return database_.meta();
  }
  return database_.meta();
}

void BlockWriter::add_records(const std::vector<RecordChange>& records,
                              rocksdb::WriteBatch& batch) const {
  for (const RecordChange& change : records) {
    auto* family = family_of(change.family);
    if (change.value) {
      batch.Put(family, change.key, *change.value);
    } else {
      batch.Delete(family, change.key);
    }
  }
}

void BlockWriter::add_log_tail(rocksdb::WriteBatch& batch) const {
  std::string value;
  append_log_position(log_->tail(), value);
  batch.Put(database_.meta(), to_slice(kLogTailKey), value);
}

void BlockWriter::fill_batch(const Jobs& jobs, rocksdb::WriteBatch& batch) const {
  const WallTime now = clock_.wall();
  std::string value;
  for (const auto& job : jobs) {
    if (job->error.has_value()) continue;
    if (job->request.kind == WriteRequest::Kind::records) {
      add_records(job->request.records, batch);
      continue;
    }
    const auto key = to_slice(job->request.key.view());
    if (job->request.suspect) batch.Delete(database_.meta(), suspect_key(job->request.key));
    if (job->request.kind == WriteRequest::Kind::erase) {
      batch.Delete(database_.index(), key);
      batch.Delete(database_.body(), key);
      batch.Delete(database_.pin(), key);  // The note of its last put.
      continue;
    }
    const ByteView bytes = job->request.block.bytes();
    IndexEntry entry;
    entry.place = place_for(bytes.size());
    entry.size_bytes = static_cast<std::uint32_t>(bytes.size());
    entry.stored_at = now;
    entry.position = job->position;
    if (entry.place == Place::index) entry.body = as_text(bytes);
    value.clear();
    entry.encode(value);
    batch.Put(database_.index(), key, value);
    if (entry.place == Place::blob) batch.Put(database_.body(), key, to_slice(as_text(bytes)));
  }
}

void BlockWriter::refuse_all(const Jobs& jobs) {
  failed_batches_.fetch_add(1, std::memory_order_relaxed);
  const Error error = database_.out_of_space()
                          ? fail(Errc::full, "no room on the disk")
                          : fail(Errc::unavailable, "storage does not write after a disk error");
  for (const auto& job : jobs) job->error = error;
}

void BlockWriter::write_batch(const Jobs& jobs) {
  bool must_sync = false;
  std::size_t bytes = 0;
  std::size_t to_log = 0;
  for (const auto& job : jobs) {
    const bool log = goes_to_log(job->request);
    to_log += log ? 1 : 0;
    must_sync = must_sync || !log;
    bytes += weight_of(job->request);
  }
  if (database_.stopped()) {
    refuse_all(jobs);
    return;
  }
  for (const auto& job : jobs) {
    if (job->request.confirm && !job->request.confirm()) {
      job->error = fail(Errc::conflict, "it is not wanted any more");
    }
  }
  if (to_log > 0) append_to_log(jobs);
  rocksdb::WriteBatch batch(must_sync ? bytes + jobs.size() * 128 : jobs.size() * 128);
  fill_batch(jobs, batch);
  batches_.fetch_add(1, std::memory_order_relaxed);
  requests_.fetch_add(jobs.size(), std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  since_refresh_bytes_ += bytes;
  if (std::ranges::all_of(jobs, [](const auto& job) { return job->error.has_value(); })) {
    const bool dropped = std::ranges::all_of(
        jobs, [](const auto& job) { return job->error->code == Errc::conflict; });
    if (!dropped) failed_batches_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  // Bodies in the value log are durable already and their pointers can be found again from there,
  // so a batch of them alone spares the second sync; every so often it is done all the same.
  const bool settle = unsettled();
  const bool sync =
      options_.sync && (must_sync || settle || uncovered_bytes_ >= kMaxUncoveredBytes);
  // The tail goes with synced batches only: of several unsynced ones, a power failure may keep the
  // later and not the earlier, whose bodies the next start would then not look for. It also moves
  // past what a failed batch left in the value log.
  const bool covers = settle || ((sync || !options_.sync) && log_->tail() != covered_);
  if (covers) add_log_tail(batch);
  auto written = database_.write(batch, sync);
  if (written.has_value()) {
    if (covers) covered_ = log_->tail();
    if (sync) uncovered_bytes_ = 0;
    if (settle) unsettled_.store(false, std::memory_order_release);
    return;
  }
  failed_batches_.fetch_add(1, std::memory_order_relaxed);
  unsettled_.store(true, std::memory_order_release);
  // Bodies in the value log stay: the batch may be in RocksDB's log all the same and come back at
  // the next start. What stays without a pointer is found by the sweep.
  for (const auto& job : jobs) {
    if (!job->error.has_value()) job->error = written.error();
  }
}

void BlockWriter::settle_batch(Jobs jobs) {
  std::vector<std::vector<Waiter>> waiters(jobs.size());
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      Job& job = *jobs[i];
      waiting_bytes_ -= weight_of(job.request);
      const auto latest = latest_.find(job.request.key.id());
      if (latest != latest_.end() && latest->second == &job) latest_.erase(latest);
      waiters[i] = std::move(job.waiters);
    }
    batch_.clear();
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    Stored stored = Stored::created;
    for (const Waiter& waiter : waiters[i]) {
      if (jobs[i]->error.has_value()) {
        waiter.ticket->settle(waiter.index, *jobs[i]->error);
        continue;
      }
      waiter.ticket->settle(waiter.index, stored);
      if (jobs[i]->request.kind == WriteRequest::Kind::put) stored = Stored::held;
    }
  }
}

BlockWriterStats BlockWriter::stats() const {
  BlockWriterStats stats;
  stats.batches = batches_.load(std::memory_order_relaxed);
  stats.requests = requests_.load(std::memory_order_relaxed);
  stats.bytes = bytes_.load(std::memory_order_relaxed);
  stats.failed_batches = failed_batches_.load(std::memory_order_relaxed);
  stats.busy_ns = busy_ns_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  stats.waiting_requests = queue_.size() + batch_.size();
  stats.waiting_bytes = waiting_bytes_;
  return stats;
}

}  // namespace cairn
