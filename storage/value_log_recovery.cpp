#include "storage/value_log_recovery.h"

#include <algorithm>

#include "crypto/hash.h"

namespace cairn {
namespace {

std::uint64_t end_of(const ValueRecord& record) {
  return record.position.offset + record_extent_bytes(record.size_bytes);
}

enum class Body : std::uint8_t { right, wrong, unreadable };

Result<Body> look_at_body(ValueSegments& segments, const ValueRecord& record,
                          std::uint64_t file_bytes, Bytes& scratch) {
  if (end_of(record) > file_bytes) return Body::wrong;
  scratch.resize(record.size_bytes);
  auto read = segments.read_body(record.position, scratch);
  if (read.has_error()) {
    if (read.error().code == Errc::corrupt) return Body::unreadable;
    return std::move(read).error();
  }
  return block_id_of(scratch) == record.id ? Body::right : Body::wrong;
}

/// What the index does not cover of one segment.
Result<void> recover_segment(ValueSegments& segments, const LogPosition& from,
                             const AdoptRecord& adopt, RecoveredTail& tail, Bytes& scratch) {
  auto header = segments.check_header(from.segment);
  // Records have checks of their own, so a damaged header loses none of them.
  if (header.has_error() && header.error().code != Errc::corrupt) return header;
  CAIRN_TRY(const auto file, segments.file(from.segment));
  // A killed process's writes are read back from the kernel although they are not on the disk yet;
  // an entry must not be there before its body.
  CAIRN_TRY(file->sync_all());
  CAIRN_TRY(const std::uint64_t size, file->size());
  SegmentWalk walk(segments, from.segment, from.offset);
  std::uint64_t unreadable = 0;
  std::uint64_t end = from.offset;
  // Whether everything but the right records may go.
  const auto whole = [&] {
    return header.has_value() && unreadable == 0 && walk.unreadable_pages() == 0;
  };
  for (;;) {
    CAIRN_TRY(const auto record, walk.next());
    if (!record.has_value()) break;
    CAIRN_TRY(const Body body, look_at_body(segments, *record, size, scratch));
    if (body == Body::unreadable) ++unreadable;
    if (body != Body::right) continue;
    if (whole() && record->position.offset > end) {
      // A file system without holes keeps the room.
      static_cast<void>(file->punch(end, record->position.offset - end));
    }
    end = end_of(*record);
    CAIRN_TRY(adopt(*record));
    ++tail.records;
  }
  tail.garbage_pages += walk.garbage_pages();
  tail.unreadable += unreadable + walk.unreadable_pages();
  const bool cut = whole() && (size <= end || file->truncate(end).has_value());
  tail.next = cut ? LogPosition{from.segment, end} : LogPosition{from.segment + 1, kLogPageBytes};
  return ok();
}

}  // namespace

Result<RecoveredTail> recover_tail(ValueSegments& segments, const LogPosition& covered,
                                   const AdoptRecord& adopt) {
  CAIRN_TRY(const auto numbers, segments.list());
  RecoveredTail tail;
  tail.next = LogPosition{covered.segment, std::max(covered.offset, kLogPageBytes)};
  // A sealed segment goes when its last record is erased. Its number is not used again: what would
  // be written below the covered offset could not be found again.
  if (tail.next.offset > kLogPageBytes && !std::ranges::binary_search(numbers, covered.segment)) {
    tail.next = LogPosition{covered.segment + 1, kLogPageBytes};
  }
  Bytes scratch;
  const LogPosition first = tail.next;
  for (const std::uint32_t number : numbers) {
    if (number < first.segment) continue;
    const LogPosition from{number, number == first.segment ? first.offset : kLogPageBytes};
    CAIRN_TRY(recover_segment(segments, from, adopt, tail, scratch));
  }
  return tail;
}

}  // namespace cairn
