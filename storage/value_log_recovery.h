// What the value log holds behind the last position that the index is known to cover: the pointers
// of those records were acknowledged, and may have been lost with the machine. Start-up only.
#pragma once

#include <functional>

#include "base/result.h"
#include "storage/value_segments.h"

namespace cairn {

struct RecoveredTail {
  /// Where appending goes on.
  LogPosition next;
  std::uint64_t records = 0;
  std::uint64_t garbage_pages = 0;
};

/// Walks the log from `covered` to its end and calls `adopt` for each record whose body matches its
/// id. Errors: those of `adopt`, unavailable.
Result<RecoveredTail> recover_tail(
    ValueSegments& segments, const LogPosition& covered,
    const std::function<Result<void>(const ValueRecord& record)>& adopt);

}  // namespace cairn
