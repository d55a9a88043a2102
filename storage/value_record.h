// The bytes of the value log: a segment's first page and a record's header. The checks are keyed
// with the store's id, so that nothing in a body can pass for a record. Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "storage/index_entry.h"
#include "storage/store_identity.h"

namespace cairn {

/// Records begin on pages, so that no acknowledged page is ever written again and an erased record
/// can be given back to the file system as a hole.
inline constexpr std::uint64_t kLogPageBytes = 4096;
inline constexpr std::size_t kRecordHeaderBytes = 80;

/// One body in the log.
struct ValueRecord {
  BlockId id;
  LogPosition position;
  std::uint32_t size_bytes = 0;
  WallTime stored_at{};
};

/// What a record of a body of this size takes, header and padding included.
constexpr std::uint64_t record_extent_bytes(std::uint64_t size_bytes) {
  return (kRecordHeaderBytes + size_bytes + kLogPageBytes - 1) / kLogPageBytes * kLogPageBytes;
}

using RecordHeader = std::array<std::uint8_t, kRecordHeaderBytes>;

/// magic u64, segment u32, size u32, offset u64, stored_at ms u64, id[32], check[16];
/// little-endian.
RecordHeader encode_record_header(const ValueRecord& record, const StoreIdentity::StoreId& store);

/// Strict inverse for the record that should lie at `position`; nothing for anything else.
std::optional<ValueRecord> decode_record_header(ByteView page, const LogPosition& position,
                                                const StoreIdentity::StoreId& store);

using SegmentHeader = std::array<std::uint8_t, kLogPageBytes>;

/// magic u64, format u32, segment u32, store id[16], check[16], zeros. These 48 bytes keep their
/// meaning in every format.
SegmentHeader encode_segment_header(std::uint32_t segment, const StoreIdentity::StoreId& store);

/// Whether `page` begins as this segment of this store must. Errors: denied (a newer format),
/// corrupt (damaged, or another's).
Result<void> check_segment_header(ByteView page, std::uint32_t segment,
                                  const StoreIdentity::StoreId& store);

}  // namespace cairn
