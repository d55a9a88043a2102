// BlockWriter: group commit. One thread drains a bounded queue and makes everything that waits
// durable with one synced batch: blocks, and the records of chains; equal puts become one.
// Existence is the caller's to look up: this thread never reads. Callers may be on any thread.
#pragma once

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/block_store.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/task.h"
#include "storage/database.h"
#include "storage/disk_space.h"
#include "storage/index_key.h"
#include "storage/record_change.h"
#include "storage/value_log_writer.h"

namespace cairn {

/// The meta key under which the value log's covered position is kept.
inline constexpr std::string_view kLogTailKey = "value_log_tail";

/// Whether a write is taken while the disk's reserve is reached.
enum class Room : std::uint8_t {
  needed,
  spared,  ///< It gives room back, or must be possible always.
};

struct WriteRequest {
  enum class Kind : std::uint8_t { put, erase, records };
  Kind kind = Kind::put;
  IndexKey key;          ///< Of a put or an erase.
  Block block{};         ///< Of a put.
  bool suspect = false;  ///< The present entry is noted as suspect: the note goes with it.
  std::vector<RecordChange> records{};  ///< Written together, after the blocks of batches before.
  Room room = Room::needed;
  /// Kept until the request is written or refused, also when its caller's deadline came first.
  std::shared_ptr<const void> until_settled{};
  /// Asked by the writer when it builds the batch, if there is one; false drops the request, which
  /// is answered conflict. Must not block.
  std::function<bool()> confirm{};
};

struct BlockWriterStats {
  std::uint64_t batches = 0;
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  std::uint64_t failed_batches = 0;
  std::uint64_t busy_ns = 0;  ///< Time spent in batches.
  std::size_t waiting_requests = 0;
  std::size_t waiting_bytes = 0;
};

class BlockWriter {
 public:
  struct Options {
    /// Beyond either, requests are refused as overloaded.
    std::size_t queue_bytes = std::size_t{128} << 20;
    std::size_t queue_requests = 16'384;
    /// A batch takes no more, but always one request.
    std::size_t batch_bytes = std::size_t{32} << 20;
    std::size_t batch_requests = 2'048;
    /// Those whom the last batch answered often come back at once; the next waits so long for as
    /// many as that batch had. A batch of one is never followed by a wait.
    std::chrono::microseconds gather{200};
    bool sync = true;
  };

  /// All references outlive the writer. Starts the thread.
  BlockWriter(Database& database, ValueSegments& segments, std::unique_ptr<ValueLogWriter> log,
              SpaceWatch& space, Options options, const Clock& clock, Log& events);
  /// Finishes what waits, then joins.
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  /// Queues the requests and resumes when each is durable or refused: the results in order. A put
  /// joined to an equal one under way is `held`; an erase and records are always `created`. Errors:
  /// conflict (not confirmed), full, overloaded, unavailable (the deadline passed, or the disk
  /// failed: it may have happened).
  Task<std::vector<Result<Stored>>> submit(std::vector<WriteRequest> requests, Deadline deadline) {
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                   void(std::vector<Result<Stored>>)>(
        [this](auto handler, std::vector<WriteRequest> work, Deadline until) {
          auto ticket = std::make_shared<TypedTicket<decltype(handler)>>(std::move(handler),
                                                                         work.size(), until);
          enqueue(std::move(work), std::move(ticket));
        },
        kAwait, std::move(requests), deadline);
  }

  /// Whether a batch that failed may come back at the next start, from RocksDB's log or the value
  /// log. An erase must then be submitted even where the index has no entry.
  bool unsettled() const { return unsettled_.load(std::memory_order_acquire); }

  /// Answers unavailable to everyone whose deadline has passed. Called every now and then.
  void expire();

  BlockWriterStats stats() const;

 private:
  /// One caller that waits for one or more requests.
  struct Ticket {
    Ticket(std::size_t count, Deadline until) : deadline(until), results(count), open(count) {}
    virtual ~Ticket() = default;
    /// Once for each index, from any thread.
    void settle(std::size_t index, Result<Stored> result);
    virtual void finish(std::vector<Result<Stored>> all) = 0;

    const Deadline deadline;
    std::vector<std::optional<Result<Stored>>> results;
    std::atomic<std::size_t> open;
  };

  template <class Handler>
  struct TypedTicket final : Ticket {
    TypedTicket(Handler h, std::size_t count, Deadline until)
        : Ticket(count, until),
          handler(std::move(h)),
          guard(boost::asio::get_associated_executor(handler)) {}
    void finish(std::vector<Result<Stored>> all) override {
      const auto executor = guard.get_executor();
      boost::asio::post(executor, [h = std::move(handler), r = std::move(all)]() mutable {
        std::move(h)(std::move(r));
      });
      guard.reset();
    }
    Handler handler;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard;
  };

  struct Waiter {
    std::shared_ptr<Ticket> ticket;
    std::size_t index = 0;
  };

  /// A request with all who wait for it.
  struct Job {
    WriteRequest request;
    std::vector<Waiter> waiters;
    // The writer thread's own notes while it is in a batch:
    LogPosition position;
    std::optional<Error> error;
  };
  using Jobs = std::vector<std::shared_ptr<Job>>;

  void enqueue(std::vector<WriteRequest> requests, std::shared_ptr<Ticket> ticket);
  std::optional<Error> admit_locked(WriteRequest request, const Waiter& waiter);
  void run();
  void gather(std::unique_lock<std::mutex>& lock);
  void take_batch_locked();
  void write_batch(const Jobs& jobs);
  void refuse_all(const Jobs& jobs);
  void append_to_log(const Jobs& jobs);
  rocksdb::ColumnFamilyHandle* family_of(RecordChange::Family family) const;
  void add_records(const std::vector<RecordChange>& records, rocksdb::WriteBatch& batch) const;
  void fill_batch(const Jobs& jobs, rocksdb::WriteBatch& batch) const;
  void add_log_tail(rocksdb::WriteBatch& batch) const;
  void cover_log();
  void settle_batch(Jobs jobs);

  Database& database_;
  ValueSegments& segments_;
  const std::unique_ptr<ValueLogWriter> log_;
  LogPosition covered_;  ///< What the next start is told not to look through.
  SpaceWatch& space_;
  const Options options_;
  const Clock& clock_;
  Log& events_;
  /// Value log bytes whose pointers are only in the kernel's copy of the RocksDB log.
  std::uint64_t uncovered_bytes_ = 0;
  std::uint64_t since_refresh_bytes_ = 0;
  std::atomic<bool> unsettled_{false};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> queue_;
  Jobs batch_;
  std::unordered_map<BlockId, Job*>
      latest_;  ///< The newest job of each id, queued or in the batch.
  std::size_t waiting_bytes_ = 0;
  bool idle_ = false;
  /// While the writer gathers: how many requests end that. Else 0.
  std::size_t gather_target_ = 0;
  std::size_t last_batch_ = 0;
  bool stopping_ = false;
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> failed_batches_{0};
  std::atomic<std::uint64_t> busy_ns_{0};
  std::thread thread_;
};

}  // namespace cairn
