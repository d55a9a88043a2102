// Collector: removes the links that checkpoints and delete links have dropped, with their pins, and
// the blocks that no link refers to once their grace is over. One thread of its own; it reads, and
// the writer writes. Nothing that was acknowledged within the grace goes, nothing that is pinned,
// and nothing that somebody is just about to rely on (block_holds.h).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/task.h"
#include "storage/block_holds.h"
#include "storage/block_reader.h"
#include "storage/block_writer.h"
#include "storage/gc_progress.h"
#include "storage/grace.h"
#include "storage/trim_list.h"

namespace cairn {

/// The meta key under which it is kept since when blocks are collected at all.
inline constexpr std::string_view kGcSinceKey = "gc/since";

class Collector {
 public:
  struct Options {
    /// From the end of one pass over the index to the next.
    std::chrono::milliseconds rest{3'600'000};
    /// Entries looked at a second.
    std::uint64_t entries_per_second = 50'000;
  };

  /// All references outlive the collector. Starts nothing.
  Collector(Database& database, BlockReader& reader, BlockWriter& writer, ValueSegments& segments,
            BlockHolds& holds, TrimList& trims, const Grace& grace, std::uint64_t placement_seed,
            Options options, const Clock& clock, Log& log);
  /// Stops and joins.
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// Starts the thread. Without it step() may be called by hand.
  void start();

  /// Removes some links, or looks at some blocks. Returns the entries that it looked at; 0 when
  /// nothing is due.
  std::size_t step();

  /// A pass begins with the next step. False when blocks are kept for ever.
  bool begin_now();

  GcProgress progress() const;

 private:
  struct Candidate {
    IndexKey key;
    IndexEntry entry;
    bool suspect = false;
  };

  void run();
  std::size_t trim();
  std::size_t sweep();
  void begin_pass();
  void finish_pass();
  std::vector<IndexKey> old_blocks(std::size_t& looked_at);
  std::optional<Candidate> confirmed(const IndexKey& key);
  bool spared(const IndexKey& key);
  void erase(const std::vector<Candidate>& candidates);
  std::vector<Result<Stored>> write(std::vector<WriteRequest> requests);
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  Database& database_;
  BlockReader& reader_;
  BlockWriter& writer_;
  ValueSegments& segments_;
  BlockHolds& holds_;
  TrimList& trims_;
  const Grace& grace_;
  const std::uint64_t placement_seed_;
  const Options options_;
  const Clock& clock_;
  Log& log_;

  // The stepping thread's own:
  IoContext io_{1};
  WallTime since_{};  ///< Everything counts as put then, at the earliest.
  std::string cursor_;
  MonoTime rest_until_{};

  std::atomic<bool> stopping_{false};
  std::atomic<bool> begin_now_{false};
  mutable std::mutex mutex_;  ///< Guards progress_; waits on wake_.
  std::condition_variable wake_;
  GcProgress progress_;
  std::thread thread_;
};

}  // namespace cairn
