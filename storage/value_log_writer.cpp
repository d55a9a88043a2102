#include "storage/value_log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace cairn {
namespace {

/// Large enough that a disk is kept busy, small enough to stay: it is copied into and written out.
constexpr std::size_t kStageBytes = std::size_t{4} << 20;
/// Room is asked of the file system in these steps: measured no slower than a whole segment.
constexpr std::uint64_t kRoomBytes = std::uint64_t{32} << 20;

}  // namespace

ValueLogWriter::ValueLogWriter(ValueSegments& segments, Options options, LogPosition next)
    : segments_(segments),
      options_(std::move(options)),
      segment_(next.segment),
      offset_(std::max(next.offset, kLogPageBytes)),
      committed_(offset_) {
  CAIRN_ASSERT(offset_ % kLogPageBytes == 0);
  segments_.set_active(segment_);
}

ValueLogWriter::~ValueLogWriter() {
  // Only gives room back: what lies behind the tail is zeros, so a failure loses nothing.
  if (file_) static_cast<void>(file_.truncate(committed_));
}

Error ValueLogWriter::abandon(Error error) {
  // Cut off what may be half there. If that fails too, the scan at the next start stops at it.
  if (file_) static_cast<void>(file_.truncate(committed_));
  file_ = File();
  staged_ = 0;
  ++abandoned_;
  ++segment_;
  offset_ = committed_ = kLogPageBytes;
  segments_.set_active(segment_);
  return error;
}

Result<void> ValueLogWriter::open_segment() {
  const auto path = segments_.path_of(segment_);
  auto opened = File::open(path, O_RDWR | O_CREAT | O_DIRECT);
  direct_ = opened.has_value();
  if (!direct_) {
    // EINVAL: this file system has no direct I/O.
    opened = File::open(path, O_RDWR | O_CREAT);
    if (opened.has_error()) return std::move(opened).error();
  }
  File file = std::move(opened).value();
  CAIRN_TRY(const std::uint64_t size, file.size());
  if (stage_ == nullptr) {
    void* memory = std::aligned_alloc(kLogPageBytes, kStageBytes);
    if (memory == nullptr) return fail(Errc::unavailable, "no memory for the write buffer");
    stage_.reset(static_cast<std::uint8_t*>(memory));
  }
  CAIRN_TRY(file.truncate(offset_));
  if (size < kLogPageBytes || offset_ == kLogPageBytes) {
    const SegmentHeader header = encode_segment_header(segment_, segments_.store_id());
    std::memcpy(stage_.get(), header.data(), header.size());
    CAIRN_TRY(file.write_at(0, {stage_.get(), header.size()}));
  }
  if (options_.sync) {
    CAIRN_TRY(file.sync_all());
    CAIRN_TRY(sync_directory(segments_.directory()));
  }
  allocated_ = offset_;
  file_ = std::move(file);
  return ok();
}

Result<void> ValueLogWriter::seal() {
  CAIRN_TRY(commit());
  auto cut = file_.truncate(committed_);
  if (cut.has_error()) return abandon(std::move(cut).error());
  file_ = File();
  ++segment_;
  offset_ = committed_ = kLogPageBytes;
  segments_.set_active(segment_);
  return ok();
}

Result<void> ValueLogWriter::reserve_room(std::uint64_t extent_bytes) {
  const std::uint64_t needed = offset_ + extent_bytes;
  if (needed <= allocated_) return ok();
  const std::uint64_t steps = (needed - allocated_ + kRoomBytes - 1) / kRoomBytes * kRoomBytes;
  for (const std::uint64_t more : {steps, needed - allocated_}) {
    if (::fallocate(file_.descriptor(), 0, static_cast<off_t>(allocated_),
                    static_cast<off_t>(more)) == 0) {
      allocated_ += more;
      return ok();
    }
    if (errno == EOPNOTSUPP) {
      allocated_ = needed;
      return ok();
    }
    if (errno != ENOSPC && errno != EDQUOT) break;
  }
  return io_error("make room in", file_.path(), errno);
}

Result<void> ValueLogWriter::make_ready(std::uint64_t extent_bytes) {
  if (file_ && offset_ > kLogPageBytes && offset_ + extent_bytes > options_.segment_bytes) {
    CAIRN_TRY(seal());
  }
  if (!file_) {
    auto opened = open_segment();
    if (opened.has_error()) return opened;
  }
  return reserve_room(extent_bytes);
}

Result<void> ValueLogWriter::flush_stage() {
  if (staged_ == 0) return ok();
  const std::uint64_t start = offset_ - staged_;
  auto written = file_.write_at(start, {stage_.get(), staged_});
  if (written.has_error()) return abandon(std::move(written).error());
  if (!direct_) {
    // Starts the write-back of this part while the next is gathered; the sync tells the errors.
    ::sync_file_range(file_.descriptor(), static_cast<off_t>(start), static_cast<off_t>(staged_),
                      SYNC_FILE_RANGE_WRITE);
  }
  staged_ = 0;
  return ok();
}

Result<void> ValueLogWriter::stage(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kStageBytes - staged_);
    std::memcpy(stage_.get() + staged_, bytes.data(), count);
    staged_ += count;
    offset_ += count;
    bytes = bytes.subspan(count);
    if (staged_ == kStageBytes) {
      CAIRN_TRY(flush_stage());
    }
  }
  return ok();
}

Result<void> ValueLogWriter::stage_zeros(std::uint64_t count) {
  static constexpr std::array<std::uint8_t, kLogPageBytes> kZeros{};
  CAIRN_ASSERT(count <= kZeros.size());
  return stage(ByteView(kZeros).first(count));
}

Result<LogPosition> ValueLogWriter::append(const Block& block, WallTime stored_at) {
  const std::uint64_t extent = record_extent_bytes(block.size_bytes());
  CAIRN_TRY(make_ready(extent));
  const ValueRecord record{block.id(), LogPosition{segment_, offset_}, block.size_bytes(),
                           stored_at};
  CAIRN_TRY(stage(encode_record_header(record, segments_.store_id())));
  CAIRN_TRY(stage(block.bytes()));
  CAIRN_TRY(stage_zeros(extent - kRecordHeaderBytes - block.size_bytes()));
  return record.position;
}

Result<void> ValueLogWriter::commit() {
  if (!file_ || offset_ == committed_) return ok();
  CAIRN_TRY(flush_stage());
  if (options_.sync && options_.sync_file(file_.descriptor()) != 0) {
    return abandon(io_error("sync", file_.path(), errno));
  }
  committed_ = offset_;
  return ok();
}

}  // namespace cairn
