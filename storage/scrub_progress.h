// How far the scrub is. A plain value.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace cairn {

struct ScrubProgress {
  bool under_way = false;
  std::uint64_t passes = 0;       ///< Finished since the store was made.
  WallTime pass_started{};        ///< Of the pass under way, or the last.
  WallTime pass_finished{};       ///< Of the last finished pass; 0 when there was none.
  std::uint32_t slot = 0;         ///< Where the pass is, of kSlotCount.
  std::uint64_t pass_blocks = 0;  ///< Checked in the present or last pass.
  std::uint64_t pass_bytes = 0;
  std::uint64_t pass_corrupt = 0;
  std::uint64_t orphans = 0;  ///< Records given back since the start of the process.
};

}  // namespace cairn
