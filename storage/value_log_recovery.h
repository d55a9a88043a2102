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
  /// Pages and records' bodies that the disk could not give.
  std::uint64_t unreadable = 0;
};

using AdoptRecord = std::function<Result<void>(const ValueRecord& record)>;

/// Walks the log from `covered` to its end and calls `adopt` for each record whose body matches its
/// id, once it is durable. What lies between and behind those goes back to the file system; a
/// segment with a damaged header or an unreadable part is left as it is, and appended to no more.
/// Errors: those of `adopt`, denied (a newer format), full, unavailable.
Result<RecoveredTail> recover_tail(ValueSegments& segments, const LogPosition& covered,
                                   const AdoptRecord& adopt);

}  // namespace cairn
