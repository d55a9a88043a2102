#include "storage/value_log_recovery.h"

#include <algorithm>

#include "crypto/hash.h"

namespace cairn {
namespace {

Result<bool> body_matches(ValueSegments& segments, const ValueRecord& record, Bytes& scratch) {
  scratch.resize(record.size_bytes);
  auto read = segments.read_body(record.position, scratch);
  if (read.has_error()) {
    if (read.error().code == Errc::corrupt) return false;
    return std::move(read).error();
  }
  return block_id_of(scratch) == record.id;
}

}  // namespace

Result<RecoveredTail> recover_tail(
    ValueSegments& segments, const LogPosition& covered,
    const std::function<Result<void>(const ValueRecord& record)>& adopt) {
  CAIRN_TRY(const auto numbers, segments.list());
  RecoveredTail tail;
  tail.next = LogPosition{covered.segment, std::max(covered.offset, kLogPageBytes)};
  // A sealed segment goes when its last record is erased. Its number is not used again: what would
  // be written below the covered offset could not be found again.
  if (tail.next.offset > kLogPageBytes && !std::ranges::binary_search(numbers, covered.segment)) {
    tail.next = LogPosition{covered.segment + 1, kLogPageBytes};
  }
  Bytes scratch;
  for (const std::uint32_t number : numbers) {
    if (number < covered.segment) continue;
    const std::uint64_t from = number == covered.segment ? covered.offset : kLogPageBytes;
    SegmentWalk walk(segments, number, from);
    bool torn = false;
    for (;;) {
      CAIRN_TRY(const auto record, walk.next());
      if (!record.has_value()) break;
      CAIRN_TRY(const bool right, body_matches(segments, *record, scratch));
      if (right) {
        CAIRN_TRY(adopt(*record));
        ++tail.records;
      } else {
        torn = true;
      }
    }
    tail.garbage_pages += walk.garbage_pages();
    // A segment with a torn record stays as it is; the sweep gives its pages back.
    tail.next = torn || walk.garbage_pages() > 0 ? LogPosition{number + 1, kLogPageBytes}
                                                 : LogPosition{number, walk.end_of_records()};
  }
  return tail;
}

}  // namespace cairn
