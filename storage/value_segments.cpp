#include "storage/value_segments.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

namespace cairn {
namespace {

/// A sealed segment that takes less than this on the disk may be empty and is looked at.
constexpr std::uint64_t kMaybeEmptyBytes = std::uint64_t{64} << 10;
constexpr std::string_view kSuffix = ".values";

}  // namespace

ValueSegments::ValueSegments(std::filesystem::path directory, StoreIdentity::StoreId store)
    : directory_(std::move(directory)), store_(store) {}

std::filesystem::path ValueSegments::path_of(std::uint32_t segment) const {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", segment);
  return directory_ / (std::string(digits.data()) + std::string(kSuffix));
}

Result<std::vector<std::uint32_t>> ValueSegments::list() const {
  std::vector<std::uint32_t> segments;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::uint32_t segment = 0;
    const auto [stop, bad] = std::from_chars(name.data(), name.data() + name.size(), segment, 16);
    if (bad == std::errc() && path_of(segment) == entry->path()) segments.push_back(segment);
  }
  if (error) return io_error("list", directory_, error.value());
  std::ranges::sort(segments);
  return segments;
}

Result<std::shared_ptr<File>> ValueSegments::file(std::uint32_t segment) {
  const std::lock_guard lock(mutex_);
  if (const auto found = open_.find(segment); found != open_.end()) {
    ages_.splice(ages_.end(), ages_, found->second.age);
    return found->second.file;
  }
  CAIRN_TRY(auto opened, File::open(path_of(segment), O_RDWR));
  // Bodies are read whole and at random: read-ahead beyond a record would be for nothing.
  ::posix_fadvise(opened.descriptor(), 0, 0, POSIX_FADV_RANDOM);
  if (open_.size() >= kOpenFiles) {
    open_.erase(ages_.front());
    ages_.pop_front();
  }
  auto shared = std::make_shared<File>(std::move(opened));
  open_[segment] = OpenFile{shared, ages_.insert(ages_.end(), segment)};
  return shared;
}

Result<void> ValueSegments::check_header(std::uint32_t segment) {
  CAIRN_TRY(const auto opened, file(segment));
  CAIRN_TRY(const std::uint64_t size, opened->size());
  if (size <= kLogPageBytes) return ok();
  std::array<std::uint8_t, kLogPageBytes> page;
  CAIRN_TRY(opened->read_at(0, page));
  const auto right = check_segment_header(page, segment, store_);
  if (right.has_error()) {
    return fail(right.error().code, opened->path().string() + ": " + right.error().detail);
  }
  return ok();
}

Result<void> ValueSegments::write_header(std::uint32_t segment) {
  CAIRN_TRY(const auto opened, file(segment));
  CAIRN_TRY(opened->write_at(0, encode_segment_header(segment, store_)));
  return opened->sync_all();
}

Result<void> ValueSegments::read_body(const LogPosition& position, MutableByteView body) {
  auto opened = file(position.segment);
  if (opened.has_error()) {
    if (opened.error().code != Errc::not_found) return std::move(opened).error();
    return fail(Errc::corrupt, opened.error().detail);
  }
  CAIRN_TRY(const std::size_t count,
            opened.value()->read_at(position.offset + kRecordHeaderBytes, body));
  if (count != body.size()) {
    return fail(Errc::corrupt, opened.value()->path().string() + " ends within a record");
  }
  return ok();
}

void ValueSegments::drop_from_page_cache(const LogPosition& position, std::uint32_t size_bytes) {
  const auto opened = file(position.segment);
  if (opened.has_error()) return;
  ::posix_fadvise(opened.value()->descriptor(), static_cast<off_t>(position.offset),
                  static_cast<off_t>(record_extent_bytes(size_bytes)), POSIX_FADV_DONTNEED);
}

Result<void> ValueSegments::release(const LogPosition& position, std::uint32_t size_bytes) {
  auto opened = file(position.segment);
  if (opened.has_error()) {
    if (opened.error().code == Errc::not_found) return ok();
    return std::move(opened).error();
  }
  File& handle = *opened.value();
  const std::uint64_t extent = record_extent_bytes(size_bytes);
  CAIRN_TRY(handle.punch(position.offset, extent));
  released_bytes_.fetch_add(extent, std::memory_order_relaxed);
  if (position.segment >= active()) return ok();
  return remove_if_empty(position.segment, handle);
}

Result<void> ValueSegments::remove_if_empty(std::uint32_t segment, const File& file) {
  CAIRN_TRY(const std::uint64_t allocated, file.allocated_bytes());
  if (allocated > kMaybeEmptyBytes) return ok();
  SegmentWalk walk(*this, segment, kLogPageBytes);
  CAIRN_TRY(const auto record, walk.next());
  if (record.has_value() || walk.garbage_pages() > 0) return ok();
  if (::unlink(path_of(segment).c_str()) != 0 && errno != ENOENT) {
    return io_error("remove", path_of(segment), errno);
  }
  removed_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (const auto found = open_.find(segment); found != open_.end()) {
    ages_.erase(found->second.age);
    open_.erase(found);
  }
  return ok();
}

SegmentWalk::SegmentWalk(ValueSegments& segments, std::uint32_t segment, std::uint64_t from)
    : segments_(segments),
      segment_(segment),
      offset_(std::max(from, kLogPageBytes)),
      end_of_records_(offset_) {}

bool SegmentWalk::skip_hole(const File& file, std::uint64_t size) {
  if (offset_ >= size) return false;
  const off_t data = ::lseek(file.descriptor(), static_cast<off_t>(offset_), SEEK_DATA);
  if (data < 0) {
    // File systems without holes call everything data; where one refuses the question or cannot
    // answer it, the reads will tell.
    return errno != ENXIO;
  }
  const std::uint64_t page = static_cast<std::uint64_t>(data) / kLogPageBytes * kLogPageBytes;
  offset_ = std::max(offset_, page);
  return true;
}

Result<std::optional<ValueRecord>> SegmentWalk::next() {
  if (file_ == nullptr) {
    CAIRN_TRY(auto opened, segments_.file(segment_));
    file_ = std::move(opened);
    CAIRN_TRY(const std::uint64_t size, file_->size());
    size_ = size;
  }
  std::array<std::uint8_t, kLogPageBytes> page;
  for (;;) {
    if (!skip_hole(*file_, size_)) return std::optional<ValueRecord>();
    const auto count = file_->read_at(offset_, page);
    if (count.has_error()) {
      if (count.error().code != Errc::corrupt) return count.error();
      ++unreadable_pages_;
      ++garbage_pages_;
      offset_ += kLogPageBytes;
      continue;
    }
    const ByteView bytes(page.data(), count.value());
    const auto record =
        decode_record_header(bytes, LogPosition{segment_, offset_}, segments_.store_id());
    if (record.has_value()) {
      offset_ += record_extent_bytes(record->size_bytes);
      end_of_records_ = offset_;
      return record;
    }
    if (std::ranges::any_of(bytes, [](std::uint8_t byte) { return byte != 0; })) ++garbage_pages_;
    offset_ += kLogPageBytes;
  }
}

}  // namespace cairn
