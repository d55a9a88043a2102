#include "storage/value_record.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/limits.h"
#include "base/little_endian.h"
#include "crypto/hash.h"

namespace cairn {
namespace {

constexpr std::uint64_t kRecordMagic = 0x31'43'45'52'4E'52'49'43;   // "CIRNREC1"
constexpr std::uint64_t kSegmentMagic = 0x31'47'45'53'4E'52'49'43;  // "CIRNSEG1"
constexpr std::uint32_t kLogFormat = 1;
constexpr std::size_t kCheckBytes = 16;
constexpr std::size_t kRecordCheckedBytes = kRecordHeaderBytes - kCheckBytes;
constexpr std::size_t kSegmentCheckedBytes = 32;

void write_check(ByteView checked, const StoreIdentity::StoreId& store, std::uint8_t* out) {
  Sha256 hash;
  hash.update(store);
  hash.update(checked);
  const auto digest = hash.finish();
  std::memcpy(out, digest.data(), kCheckBytes);
}

bool check_holds(ByteView checked, const StoreIdentity::StoreId& store,
                 const std::uint8_t* expected) {
  std::array<std::uint8_t, kCheckBytes> check{};
  write_check(checked, store, check.data());
  return std::equal(check.begin(), check.end(), expected);
}

}  // namespace

RecordHeader encode_record_header(const ValueRecord& record, const StoreIdentity::StoreId& store) {
  RecordHeader header{};
  store_le(kRecordMagic, header.data());
  store_le(record.position.segment, header.data() + 8);
  store_le(record.size_bytes, header.data() + 12);
  store_le(record.position.offset, header.data() + 16);
  store_le(static_cast<std::uint64_t>(record.stored_at), header.data() + 24);
  std::memcpy(header.data() + 32, record.id.bytes.data(), BlockId::kSize);
  write_check(ByteView(header).first(kRecordCheckedBytes), store,
              header.data() + kRecordCheckedBytes);
  return header;
}

std::optional<ValueRecord> decode_record_header(ByteView page, const LogPosition& position,
                                                const StoreIdentity::StoreId& store) {
  if (page.size() < kRecordHeaderBytes) return std::nullopt;
  if (load_le<std::uint64_t>(page.data()) != kRecordMagic) return std::nullopt;
  ValueRecord record;
  record.position.segment = load_le<std::uint32_t>(page.data() + 8);
  record.size_bytes = load_le<std::uint32_t>(page.data() + 12);
  record.position.offset = load_le<std::uint64_t>(page.data() + 16);
  record.stored_at = static_cast<WallTime>(load_le<std::uint64_t>(page.data() + 24));
  std::memcpy(record.id.bytes.data(), page.data() + 32, BlockId::kSize);
  if (record.position != position || record.size_bytes == 0 || record.size_bytes > kMaxBlockBytes) {
    return std::nullopt;
  }
  if (!check_holds(page.first(kRecordCheckedBytes), store, page.data() + kRecordCheckedBytes)) {
    return std::nullopt;
  }
  return record;
}

SegmentHeader encode_segment_header(std::uint32_t segment, const StoreIdentity::StoreId& store) {
  SegmentHeader header{};
  store_le(kSegmentMagic, header.data());
  store_le(kLogFormat, header.data() + 8);
  store_le(segment, header.data() + 12);
  std::memcpy(header.data() + 16, store.data(), store.size());
  write_check(ByteView(header).first(kSegmentCheckedBytes), store,
              header.data() + kSegmentCheckedBytes);
  return header;
}

Result<void> check_segment_header(ByteView page, std::uint32_t segment,
                                  const StoreIdentity::StoreId& store) {
  if (page.size() < kSegmentCheckedBytes + kCheckBytes ||
      load_le<std::uint64_t>(page.data()) != kSegmentMagic ||
      !check_holds(page.first(kSegmentCheckedBytes), store, page.data() + kSegmentCheckedBytes)) {
    return fail(Errc::corrupt, "its header is damaged or another store's");
  }
  const auto format = load_le<std::uint32_t>(page.data() + 8);
  if (format > kLogFormat) {
    return fail(Errc::denied, "it has format " + std::to_string(format) +
                                  "; this program knows formats up to " +
                                  std::to_string(kLogFormat) + ": use a newer cairn");
  }
  if (load_le<std::uint32_t>(page.data() + 12) != segment) {
    return fail(Errc::corrupt, "its header is another segment's");
  }
  return ok();
}

}  // namespace cairn
