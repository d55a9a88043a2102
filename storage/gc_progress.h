// What the collector says of itself. A plain value.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace cairn {

struct GcProgress {
  bool on = false;         ///< Blocks that no link refers to go after the grace.
  bool under_way = false;  ///< A pass over the index.
  std::uint64_t grace_ms = 0;
  std::uint64_t passes = 0;  ///< Finished since the start of the process, as are the sums below.
  WallTime pass_started{};
  WallTime pass_finished{};
  std::uint64_t pass_blocks = 0;      ///< Looked at in this or the last pass.
  std::uint64_t pass_candidates = 0;  ///< Of these, older than the grace.
  std::uint64_t pass_pinned = 0;      ///< Of the candidates, kept by a link.
  std::uint64_t erased_blocks = 0;
  std::uint64_t erased_bytes = 0;
  std::uint64_t trimmed_links = 0;
  std::uint64_t trims_waiting = 0;  ///< Chains whose dropped links are still on the disk.
};

}  // namespace cairn
