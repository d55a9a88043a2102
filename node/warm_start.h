// WarmStart: remembers which blocks were asked for most, and brings them into memory after the next
// start, the hottest first, before anybody has to wait for them. The list is a file of ids in the
// data directory; losing it costs hits, nothing else. Tasks run on a core.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/block_store.h"
#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "cache/top_list.h"

namespace cairn {

/// For the operator.
struct WarmProgress {
  std::size_t listed = 0;  ///< Blocks that the last run left a note of.
  std::size_t loaded = 0;
  bool under_way = false;
};

/// One id in hexadecimal a line. Lines that are none are passed over.
std::vector<BlockId> parse_hot_list(std::string_view text);
std::string hot_list_text(const std::vector<TopList::Entry>& blocks);

class WarmStart {
 public:
  /// `cache` is the first tier that keeps what it reads; `limit_bytes` of blocks are loaded at
  /// most. All references outlive it.
  WarmStart(const std::filesystem::path& data_dir, BlockStore& cache, std::size_t limit_bytes,
            const TopList& top, const Clock& clock, Log& log);

  /// One block after the other, until all are there or end() is called.
  Task<void> load();
  void end() { ending_.store(true, std::memory_order_relaxed); }

  /// Whether the list is to be written again; true once each kPeriod. One thread.
  bool keep_is_due();
  /// As keep(), on `pool`, which is destroyed before this.
  Task<void> keep_on(BlockingPool& pool);
  /// Writes the list where there is one: a short run without requests leaves the last one's.
  /// Blocks on the disk.
  void keep();

  WarmProgress progress() const;

  static constexpr std::chrono::minutes kPeriod{10};

 private:
  const std::filesystem::path file_;
  BlockStore& cache_;
  const std::size_t limit_bytes_;
  const TopList& top_;
  const Clock& clock_;
  Log& log_;
  Deadline next_keep_;
  std::atomic<bool> ending_{false};
  std::atomic<std::size_t> listed_{0};
  std::atomic<std::size_t> loaded_{0};
  std::atomic<bool> under_way_{false};
};

}  // namespace cairn
