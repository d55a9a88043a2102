// Scrubber: reads every block again at a limited rate and checks it against its id, so that rot is
// found while another copy exists; then gives back value log records that no entry points to. One
// thread of its own, a place that survives restarts.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "storage/block_reader.h"
#include "storage/scrub_progress.h"

namespace cairn {

class Scrubber {
 public:
  struct Options {
    /// Bytes read a second, at most; 0 leaves the scrub off.
    std::uint64_t bytes_per_second = std::uint64_t{20} << 20;
    /// From the beginning of one pass to the next.
    std::chrono::seconds interval = std::chrono::hours(24 * 7);
  };

  /// All references outlive the scrubber. Reads where the last process stopped; starts nothing.
  Scrubber(Database& database, BlockReader& reader, ValueSegments& segments,
           std::uint64_t placement_seed, Options options, const Clock& clock, Log& log);
  /// Stops and joins; the place is kept.
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

  /// Starts the thread. Without it step() may be called by hand.
  void start();

  /// Checks the next few blocks or records, beginning a pass when one is due. Returns the bytes
  /// that it cost; 0 when nothing is due, and when the index cannot be read on: the pass then stays
  /// where it is.
  std::uint64_t step();

  /// A pass begins with the next step, whatever the interval says.
  void begin_now();

  ScrubProgress progress() const;

 private:
  enum class Phase : std::uint8_t { resting, bodies, orphans };

  void run();
  bool due() const;
  void begin_pass();
  std::uint64_t step_bodies();
  void check(const IndexKey& key, std::uint64_t& cost);
  void begin_sweep();
  void count_unreadable(std::string_view what, const Error& error);
  std::uint64_t step_orphans();
  std::uint64_t release_if_orphan(const ValueRecord& record);
  void finish_pass();
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  void load_state();
  void save_state();

  Database& database_;
  BlockReader& reader_;
  ValueSegments& segments_;
  const std::uint64_t placement_seed_;
  const Options options_;
  const Clock& clock_;
  Log& log_;

  // The stepping thread's own:
  Phase phase_ = Phase::resting;
  std::string cursor_;                ///< The next key to check.
  std::vector<std::uint32_t> sweep_;  ///< Sealed segments still to look through, last first.
  std::unique_ptr<SegmentWalk> walk_;
  MonoTime saved_at_{};

  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  ///< Guards begin_now_ and progress_; waits on wake_.
  std::condition_variable wake_;
  bool begin_now_ = false;
  ScrubProgress progress_;
  std::thread thread_;
};

}  // namespace cairn
